"""Takes automatic routing from queues that audits speak against, and offers it back."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby

from sqlalchemy.ext.asyncio import AsyncConnection

from core.decision import Classification, Decision, Reason
from core.queue_watch import Evidence, Verdict, judge_automatic, judge_demoted, weigh
from slackbot.desk.settings import SettingsOfTeams
from slackbot.desk.show import tell_channel
from slackbot.errors import AutoTicketError
from slackbot.queue_names import QueueNames, read_names
from slackbot.views import watch as views
from storage import audit_log, queue_changes
from storage.audit_log import JudgedTicket
from storage.database import Database
from storage.queue_edits import Written
from storage.records import Action
from storage.review_records import NewQueueChange, QueueChange, RoutingChange, Why

log = logging.getLogger(__name__)

LIFE_S = 1.0
"""How long what was read holds: so late at most does a replica hear of a change."""

_EVIDENCE = frozenset({Why.AUDIT, Why.DEMOTED})
_EVIDENCE_LIFE = timedelta(days=365)
_NEVER = datetime(2000, 1, 1, tzinfo=UTC)


class NothingToRestore(AutoTicketError):
    """The queue is not on offer (any more)."""

    def __init__(self, queue: str) -> None:
        super().__init__(views.nothing_to_restore(queue).text)


@dataclass(slots=True)
class QueueWatch:
    """Knows which queues are under review, and reviews the evidence.

    Attributes:
        database: The record.
        clock: Seconds that only grow.
    """

    database: Database
    clock: Callable[[], float] = time.monotonic
    _known: dict[str, tuple[float, frozenset[str]]] = field(default_factory=dict)

    async def demoted(self, team: str) -> frozenset[str]:
        """The team's queues without automatic routing, at most a second old.

        Raises:
            DatabaseUnavailable: They cannot be read.
        """
        until, queues = self._known.get(team, (0.0, frozenset()))
        if self.clock() >= until:
            async with self.database.read() as conn:
                latest = await self._latest(conn, team)
            queues = frozenset(queue for queue, change in latest.items() if _is_demoted(change))
            self._known[team] = (self.clock() + LIFE_S, queues)
        return queues

    async def check_all(
        self, teams: SettingsOfTeams, version: str, promise: float, now: datetime
    ) -> None:
        """`check` every team in which anybody audits.

        Raises:
            DatabaseUnavailable: Some teams may have been checked already.
        """
        async with self.database.read() as conn:
            known = await audit_log.teams(conn)
        for team in known:
            channel = (await teams.of(team)).review_channel
            if channel is not None:
                await self.check(
                    team, version=version, promise=promise, review_channel=channel, now=now
                )

    async def check(
        self, team: str, *, version: str, promise: float, review_channel: str, now: datetime
    ) -> list[NewQueueChange]:
        """Look at the evidence up to the last midnight (UTC), and change what it says.

        However often it is called, a day so has one look at the evidence: every further look
        would be another chance to be wrong.

        Args:
            team: The workspace.
            version: The model in force; what another one did says nothing about it.
            promise: Share in (0, 1) of automatic routes that shall be right.
            review_channel: Where the reviewers are told.
            now: The present (UTC).

        Returns:
            What has changed.

        Raises:
            DatabaseUnavailable: Nothing was changed.
        """
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        async with self.database.read() as conn:
            latest, names = await self._latest(conn, team), await read_names(conn)
            found = await audit_log.asked(conn, team, now - _EVIDENCE_LIFE, now, _EVIDENCE)
        wanted = [
            (change, latest.get(queue))
            for queue, routes in _by_queue(found, version, names).items()
            if (change := _verdict(team, queue, routes, latest.get(queue), promise, midnight))
        ]
        changed = []
        async with self.database.write() as conn:
            for change, last in wanted:
                if await _tell(conn, change, last, review_channel, len(names.edits)):
                    await queue_changes.add(conn, change, datetime.now(UTC))
                    changed.append(change)
        self._known.pop(team, None)
        for change in changed:
            extra = {"queue": change.queue, "change": change.change.value}
            log.warning("queue_routing_changed", extra=extra)
        return changed

    async def restore(self, team: str, queue: str, *, by: str, edits_seen: int) -> tuple[str, ...]:
        """Put an offered queue back to automatic routing.

        Args:
            team: The workspace.
            queue: As the offer called it.
            by: Slack user id.
            edits_seen: How often the list of queues had been edited when that was drawn.

        Returns:
            What the queue is called today; its parts where it was split.

        Raises:
            NothingToRestore: It is not on offer; perhaps somebody was first.
            DatabaseUnavailable: Nothing was changed.
        """
        async with self.database.write() as conn:
            latest, names = await self._latest(conn, team), await read_names(conn)
            offers = {q: c for q, c in latest.items() if c.change is RoutingChange.OFFERED}
            found = names.picked(queue, offers, edits_seen)
            if not found:
                raise NothingToRestore(queue)
            for name in found:
                restored = NewQueueChange(
                    team=team,
                    queue=name,
                    change=RoutingChange.RESTORED,
                    by=by,
                    evidence=offers[name].evidence,
                )
                await queue_changes.add(conn, restored, datetime.now(UTC))
        self._known.pop(team, None)
        for name in found:
            log.warning("queue_routing_changed", extra={"queue": name, "change": "restored"})
        return found

    async def _latest(self, conn: AsyncConnection, team: str) -> dict[str, QueueChange]:
        names = await read_names(conn)
        return names.of_routing(await queue_changes.everything(conn, team))


def under_watch(said: Classification, demoted: frozenset[str]) -> Classification:
    """What the model says, put to a person where its queue has lost automatic routing."""
    if said.decision is not Decision.AUTO or said.queue_label not in demoted:
        return said
    return replace(said, decision=Decision.REVIEW, reason=Reason.QUEUE_DEMOTED)


def outcomes(routes: Sequence[JudgedTicket], since: datetime, until: datetime) -> list[bool]:
    """Whether audited routes of one queue were right, in the order of their answers.

    Of audits that nobody has answered nothing is known, but every route that staff moved first is
    known to be wrong. So only as large a share of these counts as of the others was answered:
    evenly taken, by the order of tickets.

    Args:
        routes: Routes that were put to a person, oldest first.
        since: Answers before this do not count (UTC).
        until: Nor do those from this on (UTC).
    """
    waiting = [route for route in routes if not _is_known(route, until)]
    known = [route for route in routes if _is_known(route, until)]
    told = [route for route in known if route.asked]
    rate = len(told) / max(1, len(told) + len(waiting))
    moved = [route for route in known if not route.asked]
    taken = [r for n, r in enumerate(moved) if int((n + 1) * rate) > int(n * rate)]
    counted = [route for route in (*told, *taken) if _when(route) >= since]
    return [_is_right(route) for route in sorted(counted, key=_when)]


def _is_known(route: JudgedTicket, until: datetime) -> bool:
    return route.answered_at is not None and route.answered_at < until


def _when(route: JudgedTicket) -> datetime:
    return route.answered_at or _NEVER


def _is_right(route: JudgedTicket) -> bool:
    agrees = route.settled_queue == route.queue
    return route.settled is not Action.DISMISS and agrees


def _is_demoted(change: QueueChange | None) -> bool:
    return change is not None and change.change is not RoutingChange.RESTORED


def _by_queue(
    found: Sequence[JudgedTicket], version: str, names: QueueNames
) -> Mapping[str, Sequence[JudgedTicket]]:
    """Routes by queue of today; of one that was split since nothing can be told."""
    by_this_model = [
        names.of_ticket(ticket)
        for ticket in found
        if ticket.model_version == version
        and names.one_of_row(Written.PREDICTIONS, ticket.prediction_id, ticket.queue)
    ]
    by_name = sorted(by_this_model, key=lambda ticket: ticket.queue)
    return {queue: list(routes) for queue, routes in groupby(by_name, lambda t: t.queue)}


def _verdict(
    team: str,
    queue: str,
    routes: Sequence[JudgedTicket],
    last: QueueChange | None,
    promise: float,
    midnight: datetime,
) -> NewQueueChange | None:
    since = last.created_at if last else _NEVER
    demoted = _is_demoted(last)
    why = Why.DEMOTED if demoted else Why.AUDIT
    shown = outcomes([route for route in routes if route.why is why], since, midnight)
    evidence = weigh(shown, promise)
    if not demoted and judge_automatic(evidence) is Verdict.FALLEN:
        return _change(team, queue, RoutingChange.DEMOTED, evidence)
    offered = last is not None and last.change is RoutingChange.OFFERED
    if demoted and not offered and judge_demoted(evidence) is Verdict.RETURNED:
        return _change(team, queue, RoutingChange.OFFERED, evidence)
    return None


def _change(team: str, queue: str, change: RoutingChange, evidence: Evidence) -> NewQueueChange:
    return NewQueueChange(team=team, queue=queue, change=change, by="", evidence=asdict(evidence))


async def _tell(
    conn: AsyncConnection,
    change: NewQueueChange,
    last: QueueChange | None,
    channel: str,
    edits: int,
) -> bool:
    """Tell the reviewers; False when another replica was first with this very change."""
    key = f"queue:{change.change.value}:{change.queue}:{last.id if last else 0}"
    return await tell_channel(conn, change.team, channel, views.notice(change, edits), key)
