"""What waits for a decision: today's share of it, a page for Home, and what the reviewers hear."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from slackbot.desk.audits import AuditDraw
from slackbot.desk.budget import Drawn, Today, draw, today
from slackbot.desk.show import tell_channel
from slackbot.queue_names import EVER_THE_SAME, QueueNames
from slackbot.team_settings import TeamSettings
from slackbot.views import answers
from slackbot.views.home import Wanted, page_size
from storage import review_requests, reviews, waiting
from storage.queue_edits import Written
from storage.review_records import NewReviewRequest, ReviewRequest, Why
from storage.waiting import Waiting


@dataclass(frozen=True, slots=True)
class Page:
    """A page of what waits.

    Attributes:
        ids: Of its tickets, in order.
        number: From 0; the last page where the wanted one is not there.
        pages: How many there are, at least 1.
        found: How many tickets the filters leave.
        total: How many wait in all.
        beyond: How many of these are beyond today's budget.
    """

    ids: tuple[int, ...]
    number: int
    pages: int
    found: int
    total: int
    beyond: int


async def page_of(
    conn: AsyncConnection,
    team: str,
    wanted: Wanted,
    *,
    queues: Collection[str],
    names: QueueNames,
    budget: int,
    now: datetime,
) -> Page:
    """Read one page of what waits in a team.

    Args:
        conn: A transaction.
        team: The workspace.
        wanted: The page, and what to leave out.
        queues: All queues there are.
        names: What became of queues.
        budget: How many decisions a day there shall be; 0 for no limit.
        now: The present (UTC).
    """
    everything = await waiting.of_team(conn, team)
    whole = await _today(conn, team, everything, budget, now)
    found = filtered(whole.order, wanted, names)
    some, number, pages = paged(found, wanted.page, queues)
    return Page(
        ids=tuple(each.ticket_id for each in some),
        number=number,
        pages=pages,
        found=len(found),
        total=len(everything),
        beyond=whole.beyond,
    )


async def begin_day(
    conn: AsyncConnection, team: str, settings: TeamSettings, audits: AuditDraw, now: datetime
) -> bool:
    """When more waits than the budget allows: tell the reviewers, and draw the random share.

    However often it is called, it is done once a day (UTC), and by one replica.

    Returns:
        Whether it was done.
    """
    budget, channel = settings.review_budget, settings.review_channel
    if not budget or channel is None:
        return False
    everything = await waiting.of_team(conn, team)
    left = await _left(conn, team, budget, now)
    if len(everything) <= left:
        return False
    message = answers.beyond_budget(len(everything), len(everything) - left, budget)
    if not await tell_channel(conn, team, channel, message, f"budget:{now.date()}"):
        return False

    def chance(ticket: Waiting) -> float:
        return audits.exploration(team, ticket.ticket_id, now.date())

    drawn = draw(everything, left, chance, audits.explores(team, now.date()))
    known = await review_requests.latest(conn, [each.ticket_id for each in drawn.tickets])
    asked = [request for request in _requests(team, drawn) if _is_unasked(request, known)]
    await review_requests.add(conn, asked, now)
    return True


def filtered(
    found: Sequence[Waiting], wanted: Wanted, names: QueueNames = EVER_THE_SAME
) -> list[Waiting]:
    """What the filters leave, in the same order; a split queue's tickets are with every part."""
    return [
        each
        for each in found
        if wanted.priority in (None, each.priority)
        and wanted.queue
        in (None, *names.of_row(Written.PREDICTIONS, each.prediction_id, each.queue))
    ]


def paged(
    found: Sequence[Waiting], page: int, queues: Collection[str]
) -> tuple[list[Waiting], int, int]:
    """One page of tickets.

    Returns:
        The tickets of the page; which page that is, the last one where there is no such page;
        and how many pages there are, at least 1.
    """
    size = page_size(queues)
    pages = max(1, -(-len(found) // size))
    page = min(page, pages - 1)
    return list(found[page * size : (page + 1) * size]), page, pages


async def _today(
    conn: AsyncConnection, team: str, everything: Sequence[Waiting], budget: int, now: datetime
) -> Today:
    if not budget:
        return today(everything, None)
    drawn = await review_requests.explored(conn, team, _midnight(now))
    return today(everything, await _left(conn, team, budget, now), drawn)


async def _left(conn: AsyncConnection, team: str, budget: int, now: datetime) -> int:
    return max(0, budget - await reviews.settled_since(conn, team, _midnight(now)))


def _midnight(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _is_unasked(request: NewReviewRequest, known: Mapping[int, ReviewRequest]) -> bool:
    """Whether the ticket waits for no better reason than that the model was unsure."""
    last = known.get(request.ticket_id)
    return last is None or last.why not in (Why.AUDIT, Why.REPORTER)


def _requests(team: str, drawn: Drawn) -> list[NewReviewRequest]:
    return [
        NewReviewRequest(
            team=team,
            ticket_id=ticket.ticket_id,
            why=Why.EXPLORATION,
            probability=drawn.probability,
            blind=False,
        )
        for ticket in drawn.tickets
    ]
