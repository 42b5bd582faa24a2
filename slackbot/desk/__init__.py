"""The one place where the decision, the record and the conversation meet.

Listeners, worker and delivery call the desk; each call is one transaction, and what Slack must be
told is written into the outbox in that same transaction.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from core.decision import Classification
from core.priority import PriorityMatrix
from slackbot.desk.audits import NO_AUDITS, AuditDraw
from slackbot.desk.judged import Judge, Judged
from slackbot.desk.judging import judge_for_team
from slackbot.desk.reading import Reading
from slackbot.desk.recorder import Recorder
from slackbot.desk.render import Shown
from slackbot.desk.settle import AlreadySettled, Settled, UnknownQueue, UnknownTicket, settle
from slackbot.desk.show import Cause, show
from slackbot.desk.steps import BY_REPORTER, Step
from slackbot.desk.triage import Audience, Effect, apply
from slackbot.desk.waiting import begin_day
from slackbot.desk.watch import QueueWatch
from slackbot.intake import Intake, new_correlation
from slackbot.metrics import Metrics
from slackbot.team_settings import TeamSettings
from storage import inbox, tickets, waiting
from storage.records import InboxItem, State, Ticket

__all__ = [
    "BY_REPORTER",
    "AlreadySettled",
    "Desk",
    "LeaseLost",
    "Shown",
    "Step",
    "UnknownQueue",
    "UnknownTicket",
]

log = logging.getLogger(__name__)

_OVERTAKEN_DELAY = timedelta(seconds=1)
_MOVED_AT_ONCE = 500
"""Tickets whose cards follow the review channel at once; those of others do at their next step."""


class LeaseLost(Exception):
    """Another replica has taken over this work; nothing was written."""


@dataclass(slots=True, kw_only=True)
class Desk(Reading):
    """Files, changes and settles tickets.

    Attributes:
        matrix: Priority of urgency and impact.
        audits: Draws the automatic routes that are put to a person all the same.
        webhooks: Lanes of those that must hear what happens to tickets.
        metrics: Counts what happens here.
        inbox_filled: Set when something waits for the worker.
        outbox_filled: Set when something waits for the delivery.
        watch: Knows which queues have lost automatic routing.
    """

    matrix: PriorityMatrix
    audits: AuditDraw = NO_AUDITS
    webhooks: tuple[str, ...] = ()
    metrics: Metrics = field(default_factory=Metrics)
    inbox_filled: asyncio.Event = field(default_factory=asyncio.Event)
    outbox_filled: asyncio.Event = field(default_factory=asyncio.Event)
    watch: QueueWatch = field(init=False)
    _recorder: Recorder = field(init=False)

    def __post_init__(self) -> None:
        """Open what lives as long as the desk."""
        Reading.__post_init__(self)  # a class with slots is made anew, and `super` has the old one
        self.watch = QueueWatch(self.database)
        self._recorder = Recorder(self.database, self.metrics)

    async def record(self, intake: Intake) -> bool:
        """Commit a payload, as `Recorder.record` says."""
        new = await self._recorder.record(intake)
        self.inbox_filled.set()
        return new

    async def triage(
        self, items: Sequence[InboxItem], intakes: Sequence[Intake], owner: str
    ) -> None:
        """Judge what came in and commit what follows, all of it or nothing.

        Args:
            items: Leased by `owner`, in the order of arrival.
            intakes: Their payloads in the same order, each with its text.
            owner: The lease's holder.

        Raises:
            LeaseLost: When another replica took over meanwhile.
            DatabaseUnavailable: Nothing was written.
        """
        while not await self._triaged(items, intakes, owner):
            log.info("judged_again", extra={"why": "queues were edited meanwhile"})

    async def _triaged(
        self, items: Sequence[InboxItem], intakes: Sequence[Intake], owner: str
    ) -> bool:
        """Triage; False when nothing was written, as queues were edited while it was judged."""
        names = self.names
        judged = await self._judge(items, intakes)
        settings = {team: await self.teams.of(team) for team in {each.team for each in intakes}}
        async with self.database.write() as conn:
            await self._follow(conn)
            if self.names is not names:
                return False
            audience = Audience(settings, self.webhooks, self.audits)
            effects = await apply(conn, judged, audience)
            for item, effect in zip(items, effects, strict=True):
                if effect is Effect.WAITS:
                    await inbox.postpone(
                        conn,
                        owner=owner,
                        id=item.id,
                        due_at=datetime.now(UTC) + _OVERTAKEN_DELAY,
                        error="the message it changes is still waiting",
                    )
            pairs = zip(items, effects, strict=True)
            done = [item.id for item, effect in pairs if effect is not Effect.WAITS]
            if await inbox.finish(conn, owner=owner, ids=done) != len(done):
                raise LeaseLost
        self.outbox_filled.set()
        for each, effect in zip(judged, effects, strict=True):
            self._count(each, effect)
        return True

    def _count(self, judged: Judged, effect: Effect) -> None:
        """Note what came of a payload, once it is committed."""
        if effect in (Effect.FILED, Effect.IGNORED) and not judged.intake.silent:
            self.metrics.ticket(judged.source, judged.said)
        log.info(
            "payload_triaged",
            extra={
                "correlation": judged.intake.correlation,
                "effect": effect.value,
                "decision": judged.said.decision.value,
                "reason": judged.said.reason.value,
            },
        )

    async def _judge(self, items: Sequence[InboxItem], intakes: Sequence[Intake]) -> list[Judged]:
        classifier, teams = self.classifier, {intake.team for intake in intakes}
        judge = Judge(
            classifier,
            self.matrix,
            settled={team: await self.precedents.of(team, classifier) for team in teams},
            demoted={team: await self.watch.demoted(team) for team in teams},
        )
        judged = await judge(items, intakes)
        for each in judged[:1]:
            self.metrics.judged(each.latency_ms / 1000)
        return judged

    async def judge(
        self, texts: Sequence[str], *, filed: bool, team: str | None
    ) -> list[Classification]:
        """What texts would be told if they came now; nothing is filed.

        Args:
            texts: As written.
            filed: They would be filed on purpose, so that none is ignored.
            team: Whose settled tickets and watched queues count; None: the model alone decides.

        Raises:
            DatabaseUnavailable: The record cannot be read.
        """
        classifier = self.classifier
        if team is None:
            return await asyncio.to_thread(classifier.classify, texts, filed=filed)
        return await judge_for_team(
            texts,
            filed=filed,
            team=team,
            classifier=classifier,
            precedents=self.precedents,
            watch=self.watch,
        )

    async def settle(self, team: str, step: Step) -> Ticket:
        """Carry out one person's step; exactly one of several at once wins.

        Raises:
            UnknownTicket: No such ticket in this team.
            UnknownQueue: The picked queue does not exist.
            AlreadySettled: Somebody was first.
            DatabaseUnavailable: Nothing was written.
        """
        cause = Cause(new_correlation(), datetime.now(UTC))
        try:
            settled = await self._settled(team, step, cause)
        except UnknownQueue:
            await self._redraw(team, step.number, cause)
            raise
        self.outbox_filled.set()
        self.precedents.settled(team)
        self.metrics.review(settled.action)
        log.info(
            "ticket_settled",
            extra={
                "correlation": cause.correlation,
                "ticket": settled.ticket.number,
                "action": settled.action.value,
            },
        )
        return settled.ticket

    async def _settled(self, team: str, step: Step, cause: Cause) -> Settled:
        settings, names = await self.teams.of(team), self.names
        async with self.database.write() as conn:
            await self._follow(conn)
            if self.names is not names:
                settings = await self.teams.within(conn, team)
            return await settle(
                conn,
                team,
                step,
                queues=self.classifier.queues,
                names=self.names,
                settings=settings,
                cause=cause,
                webhooks=self.webhooks,
            )

    async def _redraw(self, team: str, number: str, cause: Cause) -> None:
        """Rewrite the cards of a ticket on which somebody saw what is no more."""
        settings = await self.teams.of(team)
        async with self.database.write() as conn:
            ticket = await tickets.get(conn, team, number)
            if ticket is not None and ticket.state is not State.SILENT:
                await show(conn, ticket, settings, cause)
        self.outbox_filled.set()

    async def change_settings(self, team: str, wanted: TeamSettings, *, seen: int, by: str) -> None:
        """Set what differs; tickets that wait go to the new review channel.

        Raises:
            SettingsChanged: Somebody has changed them since version `seen`.
            DatabaseUnavailable: Nothing was written.
        """
        moved_from = (await self.teams.now(team)).settings.review_channel
        await self.teams.change(team, wanted, seen=seen, by=by)
        if wanted.review_channel == moved_from:
            return
        cause = Cause(new_correlation(), datetime.now(UTC))
        async with self.database.write() as conn:
            for ticket in await tickets.pending(conn, team, _MOVED_AT_ONCE):
                await show(conn, ticket, wanted, cause)
        self.outbox_filled.set()

    async def check_queues(self, now: datetime) -> None:
        """Take automatic routing from queues that fall under their promise, and offer it back.

        Raises:
            DatabaseUnavailable: The record cannot be read or written.
        """
        await self.watch.check_all(self.teams, self.classifier.version, self.promise, now)
        self.outbox_filled.set()

    async def plan_reviews(self, now: datetime) -> None:
        """Where more waits than the review budget allows, begin the day with what comes first.

        Raises:
            DatabaseUnavailable: The record cannot be read or written.
        """
        async with self.database.read() as conn:
            busy = await waiting.teams(conn)
        for team in busy:
            settings = await self.teams.of(team)
            if settings.review_budget:
                async with self.database.write() as conn:
                    await begin_day(conn, team, settings, self.audits, now)
        self.outbox_filled.set()
