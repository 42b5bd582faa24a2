"""What waits for a person's decision, with just enough to put it in order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.records import State
from storage.schema import predictions, tickets
from storage.statements import literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A ticket that waits.

    Attributes:
        ticket_id: The ticket.
        priority: In force, P1 to P5.
        created_at: When it was filed (UTC).
        prediction_id: What the model said last.
        queue: The model's first choice, as it was called then.
        confidence: Its probability in [0, 1].
        reason: Why the model did not decide by itself.
    """

    ticket_id: int
    priority: str
    created_at: datetime
    prediction_id: int
    queue: str
    confidence: float
    reason: str


_TEAMS = sa.select(tickets.c.team).where(tickets.c.state == literal(State.PENDING)).distinct()
_said = predictions.alias()
_LAST_SAID = (
    sa.select(sa.func.max(_said.c.id)).where(_said.c.ticket_id == tickets.c.id).scalar_subquery()
)
_OF_TEAM = (
    sa.select(
        tickets.c.id.label("ticket_id"),
        tickets.c.priority,
        tickets.c.created_at,
        predictions.c.id.label("prediction_id"),
        predictions.c.queue,
        predictions.c.confidence,
        predictions.c.reason,
    )
    .select_from(tickets)
    .join(predictions, predictions.c.id == _LAST_SAID)
    .where(
        tickets.c.team == sa.bindparam("of_team"),
        tickets.c.state == literal(State.PENDING),
    )
    .order_by(tickets.c.id)
)


async def teams(conn: AsyncConnection) -> list[str]:
    """The teams in which anything waits."""
    return list((await conn.execute(_TEAMS)).scalars())


async def of_team(conn: AsyncConnection, team: str) -> list[Waiting]:
    """All that waits in a team, oldest first."""
    rows = await conn.execute(_OF_TEAM, {"of_team": team})
    return [Waiting(**row._mapping) for row in rows]
