"""Predictions: what the model said, appended and never changed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.records import NewPrediction, Prediction
from storage.schema import predictions
from storage.statements import values_of

_ADD = sa.insert(predictions).inline()


_LATEST = sa.select(predictions).where(
    predictions.c.id.in_(
        sa.select(sa.func.max(predictions.c.id))
        .where(predictions.c.ticket_id.in_(sa.bindparam("of_tickets", expanding=True)))
        .group_by(predictions.c.ticket_id)
    )
)


async def add(conn: AsyncConnection, said: Sequence[NewPrediction], now: datetime) -> None:
    """Append predictions to the record."""
    rows = [values_of(each) | {"created_at": now} for each in said]
    if rows:
        await conn.execute(_ADD, rows)


async def latest(conn: AsyncConnection, ticket_ids: Collection[int]) -> dict[int, Prediction]:
    """What the model said last, by ticket; without those of which it said nothing."""
    rows = await conn.execute(_LATEST, {"of_tickets": ticket_ids})
    return {row.ticket_id: Prediction(**row._mapping) for row in rows}


async def of_ticket(conn: AsyncConnection, ticket_id: int) -> list[Prediction]:
    """All that the model said about a ticket, oldest first."""
    said = sa.select(predictions).where(predictions.c.ticket_id == ticket_id)
    rows = await conn.execute(said.order_by(predictions.c.id))
    return [Prediction(**row._mapping) for row in rows]
