"""Learning: which settled ticket decided about another, or spoke against the model."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0006"

_BIG_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Add the column; predictions of before have none."""
    op.add_column("predictions", sa.Column("precedent", _BIG_ID))
