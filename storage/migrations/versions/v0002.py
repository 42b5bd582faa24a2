"""The settings of teams, as admins set them from Slack."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0003"

_BIG_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Create the table, and refuse every change of what is in it."""
    op.create_table(
        "team_settings",
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column("team", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("changed_by", sa.Text, nullable=False),
        sa.Column("values", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="team_settings_pkey"),
        sa.UniqueConstraint("team", "version", name="team_settings_version"),
        sqlite_autoincrement=True,
    )
    if op.get_context().dialect.name == "postgresql":
        op.execute(
            """
            CREATE TRIGGER team_settings_append_only
            BEFORE UPDATE OR DELETE OR TRUNCATE ON team_settings
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
            """
        )
        return
    for change in ("update", "delete"):
        op.execute(
            f"""
            CREATE TRIGGER team_settings_no_{change} BEFORE {change.upper()} ON team_settings
            BEGIN SELECT RAISE(ABORT, 'team_settings is append-only'); END
            """
        )
