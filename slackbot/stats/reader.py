"""Reads the numbers of a team from the record."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime, timedelta

from core.audit_estimates import Drift, drift
from core.decision import Reason
from slackbot.queue_names import read_names
from slackbot.stats.figures import DRIFT_DAYS, REFERENCE_DAYS, Numbers, count
from slackbot.stats.period import Period
from storage import audit_log, queue_changes
from storage.database import Database
from storage.review_records import RoutingChange


async def numbers_of(database: Database, team: str, period: Period, *, promise: float) -> Numbers:
    """Count and estimate; the counting is done on a worker thread.

    Args:
        database: The record.
        team: Whose tickets.
        period: Which.
        promise: Share in (0, 1) of automatic routes that shall be right.

    Raises:
        DatabaseUnavailable: The record cannot be read.
    """
    border = period.until - timedelta(days=DRIFT_DAYS + REFERENCE_DAYS)
    async with database.read() as conn:
        found = await audit_log.judged(conn, team, min(period.since, border), period.until)
        names = await read_names(conn)
        changes = names.of_routing(await queue_changes.everything(conn, team))
    found = [names.of_ticket(ticket) for ticket in found]
    demoted = {queue for queue, c in changes.items() if c.change is not RoutingChange.RESTORED}
    return await asyncio.to_thread(
        lambda: count(
            [ticket for ticket in found if ticket.created_at >= period.since],
            [ticket for ticket in found if ticket.created_at >= border],
            period,
            promise=promise,
            demoted=demoted,
        )
    )


async def drift_now(database: Database, now: datetime) -> Drift:
    """How the last 7 days' predictions differ from the 28 days' before, over all teams.

    Two statements that read the predictions of five weeks: not for every scrape.

    Raises:
        DatabaseUnavailable: The record cannot be read.
    """
    border = now - timedelta(days=DRIFT_DAYS)
    async with database.read() as conn:
        names = await read_names(conn)
        start = border - timedelta(days=REFERENCE_DAYS)
        earlier = await audit_log.counts(conn, start, border, names.borders)
        later = await audit_log.counts(conn, border, now, names.borders)
    before, recent = names.of_counts(earlier), names.of_counts(later)
    # The first time it loads a library, which would hold up everybody else.
    return await asyncio.to_thread(
        drift, _by_queue(before), _by_queue(recent), _unsure(before), _unsure(recent)
    )


def _by_queue(counts: Counter[tuple[str, str]]) -> Counter[str]:
    found: Counter[str] = Counter()
    for (queue, _), number in counts.items():
        found[queue] += number
    return found


def _unsure(counts: Counter[tuple[str, str]]) -> int:
    return sum(n for (_, reason), n in counts.items() if reason == Reason.LOW_CONFIDENCE)
