"""Which version of the model is in force: what people decided, appended and never changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.model_records import ModelChange, ModelChangeKind, NewModelChange
from storage.schema import model_changes
from storage.statements import insert_if_new, values_of

_ALL = sa.select(model_changes).order_by(model_changes.c.id)
_NEWEST = (
    sa.select(model_changes.c.to_version)
    .where(model_changes.c.change != ModelChangeKind.KEEP)
    .order_by(model_changes.c.id.desc())
    .limit(1)
)


async def add(conn: AsyncConnection, change: NewModelChange, now: datetime) -> bool:
    """Append a decision; False when the offer that it answers has been answered already."""
    row = values_of(change) | {"created_at": now}
    return bool(await insert_if_new(conn, model_changes, [row], model_changes.c.id))


async def everything(conn: AsyncConnection) -> list[ModelChange]:
    """All decisions, oldest first."""
    return [ModelChange(**row._mapping) for row in await conn.execute(_ALL)]


async def in_force(conn: AsyncConnection) -> str | None:
    """The version that people want in force; None when nobody ever promoted one."""
    version: str | None = await conn.scalar(_NEWEST)
    return version


async def answer_to(conn: AsyncConnection, offer: str) -> ModelChange | None:
    """What was decided about an offered version; None while nobody has."""
    found = await conn.execute(sa.select(model_changes).where(model_changes.c.offer == offer))
    row = found.one_or_none()
    return None if row is None else ModelChange(**row._mapping)


def before(changes: Sequence[ModelChange]) -> str | None:
    """The version that a roll-back leads to; None when there is nothing to take back."""
    versions: list[str] = []
    for change in changes:
        if change.change is ModelChangeKind.PROMOTE:
            versions.append(change.from_version)
        elif change.change is ModelChangeKind.ROLLBACK and versions:
            versions.pop()
    return versions[-1] if versions else None
