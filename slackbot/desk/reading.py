"""What the desk shows of the record, with every queue called as it is called by now."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from core.because import Moved, because
from core.classifier import Classifier
from slackbot.desk.precedents import Precedents
from slackbot.desk.render import (
    History,
    Shown,
    as_card,
    as_judgements,
    histories_of,
    shown_card,
)
from slackbot.desk.settings import SettingsOfTeams
from slackbot.desk.settle import UnknownTicket
from slackbot.desk.waiting import page_of
from slackbot.queue_names import QueueNames, read_names
from slackbot.stats.recent import RecentNumbers
from slackbot.views.card import card as card_message
from slackbot.views.controls import Controls
from slackbot.views.home import Backlog, Wanted
from slackbot.views.message import Message
from slackbot.views.ticket import TicketCard
from storage import deliveries, inbox, predictions, queue_edits, tickets
from storage.database import Database
from storage.records import Delivery, Place, QueueDepth, State, Ticket

log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Reading:
    """Reads the record for those who look at it; tickets stay as they are.

    Attributes:
        database: The record.
        classifier: The decision.
        teams: The settings of every team.
        url_of: A workspace's `https://team.slack.com/`, for links to messages; empty until known.
        names: What became of queues.
        numbers: How often the bot is right.
        precedents: Remembers what people have settled.
    """

    database: Database
    classifier: Classifier
    teams: SettingsOfTeams
    url_of: Callable[[str], str]
    names: QueueNames = field(default_factory=QueueNames)
    numbers: RecentNumbers = field(init=False)
    precedents: Precedents = field(init=False)

    def __post_init__(self) -> None:
        """Open what lives as long as this."""
        self.numbers = RecentNumbers(self.database)
        self.precedents = Precedents(self.database)

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

    async def of_message(self, team: str, key: str) -> Ticket | None:
        """The ticket of that key, if there is one that people may know of."""
        async with self.database.read() as conn:
            ticket = await tickets.by_key(conn, team, key)
        return None if ticket is None or ticket.state is State.SILENT else ticket

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

    async def of_reporter(self, team: str, user: str, limit: int = 20) -> list[Ticket]:
        """The newest tickets that `user` reported."""
        async with self.database.read() as conn:
            return await tickets.of_reporter(conn, team, user, limit)
