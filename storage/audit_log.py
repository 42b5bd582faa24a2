"""What honest numbers are counted from: each ticket with what was said, asked and answered."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.records import Action, State
from storage.review_records import Why
from storage.schema import predictions, review_answers, review_requests, reviews, tickets

Counts = Mapping[tuple[int, str, str], int]
"""Predictions by stretch, queue and reason; stretch i ends with the i-th of the borders given."""

_SETTLING = (Action.CONFIRM, Action.REASSIGN, Action.DISMISS)
_DRAWN = review_requests.c.why != Why.REPORTER
"""Reporters complain of what is wrong: a complaint must not take the place of a drawn request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedTicket:
    """A ticket with the model's last word, the last request to a person, and what came of it.

    A reporter's complaint is no such request.

    Attributes:
        ticket_id: The ticket.
        created_at: When it was filed (UTC).
        prediction_id: The model's last word.
        queue: The most probable queue, as it was called then.
        confidence: Its probability in [0, 1].
        decision: `auto` or `review`.
        reason: Why, from the decision's closed set.
        model_version: The bundle that said so.
        why: Why a person was asked; None when nobody was.
        probability: With which such a ticket is put to a person, in (0, 1]; None as above.
        blind: Whether the card hid what the model chose; None as above.
        asked: Whether the answer came from a card that asked; None while there is none.
        answer: What the answer was; None while there is none.
        answered_queue: Where the ticket was after the answer.
        answered_at: When (UTC); None while there is none.
        settled: The last that anybody said about where the ticket belongs; None when nobody has.
        settled_id: The review that said so.
        settled_queue: Where it was after that, as that queue was called then.
    """

    ticket_id: int
    created_at: datetime
    prediction_id: int
    queue: str
    confidence: float
    decision: str
    reason: str
    model_version: str
    why: Why | None
    probability: float | None
    blind: bool | None
    asked: bool | None
    answer: Action | None
    answered_queue: str | None
    answered_at: datetime | None
    settled: Action | None
    settled_id: int | None
    settled_queue: str | None


def _newest(table: sa.Table, *where: sa.ColumnElement[bool]) -> sa.ScalarSelect[int]:
    newest = sa.select(sa.func.max(table.c.id)).where(table.c.ticket_id == tickets.c.id, *where)
    return newest.correlate(tickets).scalar_subquery()


def _statement() -> sa.Select[tuple[object, ...]]:
    given, settled = reviews.alias("given"), reviews.alias("settled")
    answered = review_answers.c.request_id == review_requests.c.id
    return (
        sa.select(
            tickets.c.id.label("ticket_id"),
            tickets.c.created_at,
            predictions.c.id.label("prediction_id"),
            predictions.c.queue,
            predictions.c.confidence,
            predictions.c.decision,
            predictions.c.reason,
            predictions.c.model_version,
            review_requests.c.why,
            review_requests.c.probability,
            review_requests.c.blind,
            review_answers.c.asked,
            given.c.action.label("answer"),
            given.c.queue_after.label("answered_queue"),
            given.c.created_at.label("answered_at"),
            settled.c.action.label("settled"),
            settled.c.id.label("settled_id"),
            settled.c.queue_after.label("settled_queue"),
        )
        .select_from(tickets)
        .join(predictions, predictions.c.id == _newest(predictions))
        .outerjoin(review_requests, review_requests.c.id == _newest(review_requests, _DRAWN))
        .outerjoin(review_answers, answered)
        .outerjoin(given, given.c.id == review_answers.c.review_id)
        .outerjoin(settled, settled.c.id == _newest(reviews, reviews.c.action.in_(_SETTLING)))
        .where(
            tickets.c.team == sa.bindparam("of_team"),
            tickets.c.created_at >= sa.bindparam("since"),
            tickets.c.created_at < sa.bindparam("until"),
            tickets.c.state.not_in([State.SILENT, State.WITHDRAWN]),
        )
        .order_by(tickets.c.id)
    )


_JUDGED = _statement()
_ASKED = _JUDGED.where(review_requests.c.why.in_(sa.bindparam("asked_why", expanding=True)))
_TEAMS = sa.select(tickets.c.team).distinct().order_by(tickets.c.team)
_COUNTS = (
    sa.select(predictions.c.queue, predictions.c.reason, sa.func.count())
    .where(
        predictions.c.created_at >= sa.bindparam("since"),
        predictions.c.created_at < sa.bindparam("until"),
        predictions.c.id > sa.bindparam("above"),
        predictions.c.id <= sa.bindparam("up_to"),
        predictions.c.ticket_id.is_not(None),
    )
    .group_by(predictions.c.queue, predictions.c.reason)
)
_LARGEST_ID = 2**63 - 1


async def judged(
    conn: AsyncConnection, team: str, since: datetime, until: datetime
) -> list[JudgedTicket]:
    """The team's tickets filed in `[since, until)`, oldest first, without silent and withdrawn."""
    rows = await conn.execute(_JUDGED, {"of_team": team, "since": since, "until": until})
    return [JudgedTicket(**row._mapping) for row in rows]


async def asked(
    conn: AsyncConnection, team: str, since: datetime, until: datetime, why: Collection[Why]
) -> list[JudgedTicket]:
    """Those of `judged` that were put to a person for one of these reasons."""
    period = {"of_team": team, "since": since, "until": until}
    rows = await conn.execute(_ASKED, {**period, "asked_why": why})
    return [JudgedTicket(**row._mapping) for row in rows]


async def teams(conn: AsyncConnection) -> list[str]:
    """Every team that has a ticket."""
    return list((await conn.execute(_TEAMS)).scalars().all())


async def counts(
    conn: AsyncConnection, since: datetime, until: datetime, borders: Sequence[int] = ()
) -> Counts:
    """Predictions of tickets made in `[since, until)` in all teams, by queue and reason.

    Args:
        conn: A transaction.
        since: The beginning (UTC).
        until: The end (UTC).
        borders: Ids of the last predictions before queues were edited, in order.
    """
    found: dict[tuple[int, str, str], int] = {}
    for stretch, (above, up_to) in enumerate(pairwise((0, *borders, _LARGEST_ID))):
        values = {"since": since, "until": until, "above": above, "up_to": up_to}
        for queue, reason, count in await conn.execute(_COUNTS, values):
            found[stretch, queue, reason] = count
    return found
