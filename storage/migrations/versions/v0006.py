"""The app in several workspaces: installations with sealed tokens, and OAuth states."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0004"

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create both tables."""
    op.create_table(
        "installations",
        sa.Column("team", sa.Text, nullable=False),
        sa.Column("team_name", sa.Text, nullable=False),
        sa.Column("enterprise", sa.Text),
        sa.Column("bot_user", sa.Text, nullable=False),
        sa.Column("bot_id", sa.Text, nullable=False),
        sa.Column("workspace_url", sa.Text, nullable=False),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("installed_by", sa.Text, nullable=False),
        sa.Column("secrets", sa.Text, nullable=False),
        sa.Column("expires_at", _TIME),
        sa.Column("installed_at", _TIME, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("renewing_until", _TIME),
        sa.PrimaryKeyConstraint("team", name="installations_pkey"),
    )
    op.create_table(
        "oauth_states",
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("state", name="oauth_states_pkey"),
    )
