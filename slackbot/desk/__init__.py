"""The one place where the decision, the record and the conversation meet.

Listeners, worker and delivery call the desk; each call is one transaction, and what Slack must be
told is written into the outbox in that same transaction.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from core.because import Moved, because
from core.classifier import Classifier
from core.decision import Classification
from core.priority import PriorityMatrix
from slackbot.desk.audits import NO_AUDITS, AuditDraw
from slackbot.desk.judged import Judge, Judged
from slackbot.desk.judging import judge_for_team
from slackbot.desk.precedents import Precedents
from slackbot.desk.recorder import Recorder
from slackbot.desk.render import (
    History,
    Shown,
    as_card,
    as_judgements,
    histories_of,
    shown_card,
)
from slackbot.desk.settings import SettingsOfTeams
from slackbot.desk.settle import (
    AlreadySettled,
    Settled,
    UnknownQueue,
    UnknownTicket,
    settle,
)
from slackbot.desk.show import Cause, show
from slackbot.desk.steps import BY_REPORTER, Step
from slackbot.desk.triage import Audience, Effect, apply
from slackbot.desk.waiting import begin_day, page_of
from slackbot.desk.watch import QueueWatch
from slackbot.intake import Intake, new_correlation
from slackbot.metrics import Metrics
from slackbot.queue_names import QueueNames, read_names
from slackbot.stats.recent import RecentNumbers
from slackbot.team_settings import TeamSettings
from slackbot.views.card import card as card_message
from slackbot.views.controls import Controls
from slackbot.views.home import Backlog, Wanted
from slackbot.views.message import Message
from slackbot.views.ticket import TicketCard
from storage import deliveries, inbox, predictions, queue_edits, tickets, waiting
from storage.database import Database
from storage.records import (
    Delivery,
    InboxItem,
    Place,
    QueueDepth,
    State,
    Ticket,
)

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


@dataclass(slots=True)
class Desk:
    """Files, changes and settles tickets.

    Attributes:
        database: The record.
        classifier: The decision.
        matrix: Priority of urgency and impact.
        teams: The settings of every team.
        url_of: A workspace's `https://team.slack.com/`, for links to messages; empty until known.
        audits: Draws the automatic routes that are put to a person all the same.
        webhooks: Lanes of those that must hear what happens to tickets.
        metrics: Counts what happens here.
        inbox_filled: Set when something waits for the worker.
        outbox_filled: Set when something waits for the delivery.
        names: What became of queues.
        watch: Knows which queues have lost automatic routing.
        numbers: How often the bot is right.
        precedents: Remembers what people have settled.
    """

    database: Database
    classifier: Classifier
    matrix: PriorityMatrix
    teams: SettingsOfTeams
    url_of: Callable[[str], str]
    audits: AuditDraw = NO_AUDITS
    webhooks: tuple[str, ...] = ()
    metrics: Metrics = field(default_factory=Metrics)
    inbox_filled: asyncio.Event = field(default_factory=asyncio.Event)
    outbox_filled: asyncio.Event = field(default_factory=asyncio.Event)
    names: QueueNames = field(default_factory=QueueNames)
    watch: QueueWatch = field(init=False)
    numbers: RecentNumbers = field(init=False)
    precedents: Precedents = field(init=False)
    _recorder: Recorder = field(init=False)

    def __post_init__(self) -> None:
        """Open what lives as long as the desk."""
        self.watch = QueueWatch(self.database)
        self.numbers = RecentNumbers(self.database)
        self.precedents = Precedents(self.database)
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

    # What became of queues ------------------------------------------------------------------

    def serve(self, classifier: Classifier) -> None:
        """Let another model decide from the next batch on, in the queues of today."""
        self.classifier = self.names.told(classifier)

    async def follow_edits(self) -> None:
        """Call queues as they are called by now.

        Raises:
            DatabaseUnavailable: The record cannot be read.
        """
        async with self.database.read() as conn:
            await self._follow(conn)

    async def _follow(self, conn: AsyncConnection) -> None:
        if await queue_edits.newest(conn) == self.names.newest:
            return
        self.names = self.precedents.names = await read_names(conn)
        self.teams.follow(self.names)
        self.serve(self.classifier)
        self.numbers.forget()
        log.info("queues_edited", extra={"edits": len(self.names.edits)})

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

    @property
    def promise(self) -> float:
        """Share in (0, 1) of automatic routes that the model in force promises to be right."""
        return self.classifier.manifest.rules.promised_precision

    async def backlog(self) -> Mapping[str, QueueDepth]:
        """How much lies in the inbox and in the outbox.

        Raises:
            DatabaseUnavailable: The database does not answer.
        """
        async with self.database.read() as conn:
            return {"inbox": await inbox.depth(conn), "outbox": await deliveries.depth(conn)}

    async def history(self, team: str, number: str) -> History:
        """A ticket with what the model said and what people did.

        Raises:
            UnknownTicket: No such ticket in this team.
        """
        async with self.database.read() as conn:
            await self._follow(conn)
            ticket = await tickets.get(conn, team, number)
            if ticket is None:
                raise UnknownTicket(number)
            return (await histories_of(conn, [ticket]))[ticket.id]

    async def card(self, team: str, number: str) -> TicketCard:
        """A ticket as its cards show it, with all that the model ever said of it.

        Raises:
            UnknownTicket: No such ticket in this team.
        """
        history = await self.history(team, number)
        if history.ticket.state is State.SILENT:
            raise UnknownTicket(number)
        async with self.database.read() as conn:
            said = await predictions.of_ticket(conn, history.ticket.id)
        return replace(self._as_card(history), judgements=as_judgements(said, self.names))

    async def because(self, history: History) -> tuple[Moved, ...]:
        """The words that moved the model's choice for a ticket most; none when it forgot the queue.

        The version in force is asked, off the event loop.
        """
        queue, classifier = self.names.of_prediction(history.said).queue, self.classifier
        if queue not in classifier.queues:
            return ()
        return await asyncio.to_thread(because, classifier, history.ticket.text, queue)

    async def histories(self, team: str, ids: Collection[int]) -> dict[int, History]:
        """Some of the team's tickets by their ids, without those that do not exist."""
        async with self.database.read() as conn:
            await self._follow(conn)
            found = await tickets.of_ids(conn, ids)
            return await histories_of(conn, [each for each in found if each.team == team])

    def render_card(self, delivery: Delivery, history: History) -> Shown | None:
        """The card that `delivery` is about, as `shown_card` says."""
        return shown_card(delivery, history, self._as_card(history))

    def render_answer(self, history: History) -> Message:
        """What who gave a command sees: the ticket as it is, with nothing to press."""
        message = card_message(self._as_card(history), Place.THREAD, Controls.NONE)
        return replace(message, metadata=None)

    def _as_card(self, history: History) -> TicketCard:
        url = self.url_of(history.ticket.team)
        return as_card(history, self.classifier.queues, self.names, url)

    async def waiting(self, team: str, wanted: Wanted) -> Backlog:
        """One page of what waits for a decision; a queue that is gone is no filter."""
        budget, now = (await self.teams.of(team)).review_budget, datetime.now(UTC)
        async with self.database.read() as conn:
            await self._follow(conn)
            queues, names = self.classifier.queues, self.names
            picked = names.picked(wanted.queue, queues) if wanted.queue else ()
            wanted = replace(wanted, queue=picked[0] if len(picked) == 1 else None)
            page = await page_of(
                conn, team, wanted, queues=queues, names=names, budget=budget, now=now
            )
            histories = await histories_of(conn, await tickets.of_ids(conn, page.ids))
        cards = (self._as_card(histories[id_]) for id_ in page.ids if id_ in histories)
        return Backlog(
            cards=tuple(cards),
            wanted=replace(wanted, page=page.number),
            pages=page.pages,
            found=page.found,
            total=page.total,
            queues=tuple(queues),
            beyond=page.beyond,
        )

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

    async def of_reporter(self, team: str, user: str, limit: int = 20) -> list[Ticket]:
        """The newest tickets that `user` reported."""
        async with self.database.read() as conn:
            return await tickets.of_reporter(conn, team, user, limit)
