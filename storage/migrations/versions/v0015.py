"""What became of queues: renamed, merged, split, added."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

_BIG_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Create the table, and refuse every change of what is in it."""
    op.create_table(
        "queue_edits",
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column("queues", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("written", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="queue_edits_pkey"),
        sqlite_autoincrement=True,
    )
    if op.get_context().dialect.name == "postgresql":
        op.execute(
            """
            CREATE TRIGGER queue_edits_append_only
            BEFORE UPDATE OR DELETE OR TRUNCATE ON queue_edits
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
            """
        )
        return
    for change in ("update", "delete"):
        op.execute(
            f"""
            CREATE TRIGGER queue_edits_no_{change} BEFORE {change.upper()} ON queue_edits
            BEGIN SELECT RAISE(ABORT, 'queue_edits is append-only'); END
            """
        )
