"""Learning: changes of the model in force, and the embeddings of what people settled."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0002"

_BIG_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create both tables; changes of the model may only be added."""
    _create_model_changes()
    _create_settled_embeddings()
    if op.get_context().dialect.name == "postgresql":
        op.execute(
            """
            CREATE TRIGGER model_changes_append_only
            BEFORE UPDATE OR DELETE OR TRUNCATE ON model_changes
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
            """
        )
        return
    for change in ("update", "delete"):
        op.execute(
            f"""
            CREATE TRIGGER model_changes_no_{change} BEFORE {change.upper()} ON model_changes
            BEGIN SELECT RAISE(ABORT, 'model_changes is append-only'); END
            """
        )


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=nullable)


def _create_model_changes() -> None:
    op.create_table(
        "model_changes",
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column("change", sa.String(16), nullable=False),
        _text("by"),
        _text("from_version"),
        _text("to_version"),
        _text("offer", nullable=True),
        sa.Column("created_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="model_changes_pkey"),
        sa.UniqueConstraint("offer", name="model_changes_offer"),
        sqlite_autoincrement=True,
    )


def _create_settled_embeddings() -> None:
    ticket = sa.ForeignKey("tickets.id", name="settled_embeddings_ticket_id_fkey")
    op.create_table(
        "settled_embeddings",
        sa.Column("ticket_id", _BIG_ID, ticket, nullable=False, autoincrement=False),
        _text("encoder"),
        _text("team"),
        sa.Column("vector", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("ticket_id", "encoder", name="settled_embeddings_pkey"),
    )
    op.create_index("settled_embeddings_of_team", "settled_embeddings", ["team", "encoder"])
