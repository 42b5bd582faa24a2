"""Honest numbers: review requests with their answers, changes of queues, shared secrets."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0001"

_BIG_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_TIME = sa.DateTime(timezone=True)
_WORD = sa.String(16)
_APPEND_ONLY = ("review_requests", "review_answers", "queue_changes", "secrets")


def upgrade() -> None:
    """Create the tables, and refuse every change of what is in them."""
    _create_review_requests()
    _create_review_answers()
    _create_queue_changes()
    _create_secrets()
    for table in _APPEND_ONLY:
        _refuse_changes(table)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _created_at() -> sa.Column[object]:
    return sa.Column("created_at", _TIME, nullable=False)


def _create_review_requests() -> None:
    ticket = sa.ForeignKey("tickets.id", name="review_requests_ticket_id_fkey")
    op.create_table(
        "review_requests",
        sa.Column("id", _BIG_ID, nullable=False),
        _text("team"),
        sa.Column("ticket_id", _BIG_ID, ticket, nullable=False),
        sa.Column("why", _WORD, nullable=False),
        sa.Column("probability", sa.Double, nullable=False),
        sa.Column("blind", sa.Boolean, nullable=False),
        _created_at(),
        sa.PrimaryKeyConstraint("id", name="review_requests_pkey"),
        sqlite_autoincrement=True,
    )
    op.create_index("review_requests_of_ticket", "review_requests", ["ticket_id", "id"])
    op.create_index("review_requests_in_time", "review_requests", ["team", "created_at"])


def _create_review_answers() -> None:
    request = sa.ForeignKey("review_requests.id", name="review_answers_request_id_fkey")
    review = sa.ForeignKey("reviews.id", name="review_answers_review_id_fkey")
    op.create_table(
        "review_answers",
        sa.Column("request_id", _BIG_ID, request, nullable=False, autoincrement=False),
        _text("team"),
        sa.Column("review_id", _BIG_ID, review, nullable=False),
        sa.Column("asked", sa.Boolean, nullable=False),
        _created_at(),
        sa.PrimaryKeyConstraint("request_id", name="review_answers_pkey"),
    )


def _create_queue_changes() -> None:
    op.create_table(
        "queue_changes",
        sa.Column("id", _BIG_ID, nullable=False),
        _text("team"),
        _text("queue"),
        sa.Column("change", _WORD, nullable=False),
        _text("by"),
        _text("evidence"),
        _created_at(),
        sa.PrimaryKeyConstraint("id", name="queue_changes_pkey"),
        sqlite_autoincrement=True,
    )
    op.create_index("queue_changes_of_team", "queue_changes", ["team", "queue", "id"])


def _create_secrets() -> None:
    op.create_table(
        "secrets",
        _text("name"),
        _text("value"),
        _created_at(),
        sa.PrimaryKeyConstraint("name", name="secrets_pkey"),
    )


def _refuse_changes(table: str) -> None:
    if op.get_context().dialect.name == "postgresql":
        op.execute(
            f"""
            CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
            """
        )
        return
    for change in ("update", "delete"):
        op.execute(
            f"""
            CREATE TRIGGER {table}_no_{change} BEFORE {change.upper()} ON {table}
            BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END
            """
        )
