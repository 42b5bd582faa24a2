"""Predictions: what the model said, appended and never changed."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.records import NewPrediction, Prediction
from storage.schema import predictions
from storage.statements import values_of

_ADD = sa.insert(predictions).inline()


async def add(conn: AsyncConnection, prediction: NewPrediction, now: datetime) -> None:
    """Append a prediction to the record."""
    await conn.execute(_ADD, values_of(prediction) | {"created_at": now})


async def latest(conn: AsyncConnection, ticket_id: int) -> Prediction | None:
    """What the model said last about a ticket; None when it said nothing."""
    newest = sa.select(predictions).where(predictions.c.ticket_id == ticket_id)
    rows = await conn.execute(newest.order_by(predictions.c.id.desc()).limit(1))
    row = rows.one_or_none()
    return None if row is None else Prediction(**row._mapping)


async def of_ticket(conn: AsyncConnection, ticket_id: int) -> list[Prediction]:
    """All that the model said about a ticket, oldest first."""
    said = sa.select(predictions).where(predictions.c.ticket_id == ticket_id)
    rows = await conn.execute(said.order_by(predictions.c.id))
    return [Prediction(**row._mapping) for row in rows]
