"""The first record: inbox, tickets, predictions, reviews, cards, deliveries, lanes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_BIG_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_TIME = sa.DateTime(timezone=True)
_WORD = sa.String(16)
_OPEN = "state IN ('waiting', 'leased')"
_APPEND_ONLY = ("predictions", "reviews")


def upgrade() -> None:
    """Create every table, index and trigger."""
    _create_inbox()
    _create_tickets()
    _create_predictions()
    _create_reviews()
    _create_cards()
    _create_deliveries()
    _create_lanes()
    if op.get_context().dialect.name == "postgresql":
        _refuse_changes_postgresql()
    else:
        _refuse_changes_sqlite()


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=nullable)


def _word(name: str) -> sa.Column[str]:
    return sa.Column(name, _WORD, nullable=False)


def _time(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, _TIME, nullable=nullable)


def _whole(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False)


def _number(name: str) -> sa.Column[float]:
    return sa.Column(name, sa.Double, nullable=False)


def _truth(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=False)


def _refers(table: str, to: str, *, nullable: bool = False) -> sa.Column[int]:
    column = f"{to[:-1]}_id"
    key = sa.ForeignKey(f"{to}.id", name=f"{table}_{column}_fkey")
    return sa.Column(column, _BIG_ID, key, nullable=nullable)


def _create(table: str, *parts: sa.schema.SchemaItem) -> None:
    number = sa.Column("id", _BIG_ID, nullable=False)
    key = sa.PrimaryKeyConstraint("id", name=f"{table}_pkey")
    op.create_table(table, number, *parts, key, sqlite_autoincrement=True)


def _index(
    name: str, table: str, columns: list[str], *, where: str = "", unique: bool = False
) -> None:
    condition = sa.text(where) if where else None
    op.create_index(
        name, table, columns, unique=unique, sqlite_where=condition, postgresql_where=condition
    )


def _create_inbox() -> None:
    _create(
        "inbox",
        _text("team"),
        _text("key"),
        _text("kind"),
        _text("payload"),
        _text("correlation"),
        _time("received_at"),
        _word("state"),
        _text("owner", nullable=True),
        _time("lease_until", nullable=True),
        _time("due_at"),
        _whole("attempts"),
        _text("error"),
        _text("changes", nullable=True),
        sa.UniqueConstraint("team", "key", name="inbox_key"),
    )
    _index("inbox_open", "inbox", ["id"], where=_OPEN)
    _index("inbox_dead", "inbox", ["id"], where="state = 'dead'")
    _index("inbox_changes", "inbox", ["team", "changes"], where="changes IS NOT NULL")


def _create_tickets() -> None:
    _create(
        "tickets",
        _text("team"),
        _text("key"),
        _text("channel", nullable=True),
        _text("ts", nullable=True),
        _text("thread_ts", nullable=True),
        _word("source"),
        _text("reporter"),
        _text("text"),
        _word("state"),
        _text("queue", nullable=True),
        _text("urgency"),
        _text("impact"),
        _text("priority"),
        _time("created_at"),
        _time("updated_at"),
        _whole("version"),
        sa.UniqueConstraint("team", "key", name="tickets_key"),
    )
    _index("tickets_of_reporter", "tickets", ["team", "reporter", "id"])
    _index("tickets_pending", "tickets", ["team", "id"], where="state = 'pending'")
    _index("tickets_with_text", "tickets", ["updated_at"], where="text <> ''")


def _create_predictions() -> None:
    _create(
        "predictions",
        _text("team"),
        _refers("predictions", "tickets", nullable=True),
        _text("model_version"),
        _text("queue"),
        _number("confidence"),
        _text("probabilities"),
        _number("threshold"),
        _text("decision"),
        _text("reason"),
        _text("urgency"),
        _text("impact"),
        _text("priority"),
        _text("language"),
        _number("latency_ms"),
        _time("created_at"),
    )
    _index("predictions_of_ticket", "predictions", ["ticket_id", "id"])


def _create_reviews() -> None:
    _create(
        "reviews",
        _text("team"),
        _refers("reviews", "tickets"),
        _text("reviewer"),
        _word("action"),
        _text("queue_before", nullable=True),
        _text("queue_after", nullable=True),
        _text("priority_before"),
        _text("priority_after"),
        _time("created_at"),
    )
    _index("reviews_of_ticket", "reviews", ["ticket_id", "id"])


def _create_cards() -> None:
    _create(
        "cards",
        _text("team"),
        _refers("cards", "tickets"),
        _word("place"),
        _text("channel"),
        _text("thread_ts", nullable=True),
        _text("ts", nullable=True),
        _text("posted_channel", nullable=True),
        _truth("retired"),
        _truth("refused"),
    )
    _index("cards_of_ticket", "cards", ["ticket_id"])
    _index("cards_in_place", "cards", ["ticket_id", "place"], where="NOT retired", unique=True)


def _create_deliveries() -> None:
    _create(
        "deliveries",
        _text("team"),
        _text("lane"),
        _word("kind"),
        _refers("deliveries", "tickets", nullable=True),
        _refers("deliveries", "cards", nullable=True),
        _text("key", nullable=True),
        _text("payload"),
        _word("state"),
        _whole("attempts"),
        _truth("uncertain"),
        _time("due_at"),
        _text("error"),
        _text("correlation"),
        _time("created_at"),
        _time("done_at", nullable=True),
        sa.UniqueConstraint("team", "key", name="deliveries_key"),
    )
    _index("deliveries_open", "deliveries", ["team", "lane", "id"], where=_OPEN)
    _index("deliveries_dead", "deliveries", ["id"], where="state = 'dead'")
    _index("deliveries_of_card", "deliveries", ["card_id"], where="state = 'waiting'", unique=True)
    _index("deliveries_of_ticket", "deliveries", ["ticket_id"])


def _create_lanes() -> None:
    op.create_table(
        "lanes",
        _text("team"),
        _text("lane"),
        _text("owner", nullable=True),
        _time("lease_until", nullable=True),
        _time("not_before"),
        sa.PrimaryKeyConstraint("team", "lane", name="lanes_pkey"),
    )


def _refuse_changes_postgresql() -> None:
    op.execute(
        """
        CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$
        """
    )
    for table in _APPEND_ONLY:
        op.execute(
            f"""
            CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
            """
        )


def _refuse_changes_sqlite() -> None:
    for table in _APPEND_ONLY:
        for change in ("update", "delete"):
            op.execute(
                f"""
                CREATE TRIGGER {table}_no_{change} BEFORE {change.upper()} ON {table}
                BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END
                """
            )
