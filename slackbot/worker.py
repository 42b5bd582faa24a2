"""The worker: leases what came in, fetches what it is about, has it judged and committed."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from slackbot.delivery import MAX_ATTEMPTS, backoff_s
from slackbot.desk import Desk, LeaseLost
from slackbot.intake import Intake, to_text
from slackbot.slack_calls import RateLimited, Refused, SlackFailure, find_message
from slackbot.tasks import Tasks, repeating
from slackbot.workspaces import Workspaces
from storage import inbox
from storage.errors import DatabaseUnavailable
from storage.records import InboxItem

log = logging.getLogger(__name__)

LEASE_S = 15
BATCH = 32
POLL_S = 0.5
FETCHES_AT_ONCE = 64


class NothingToFile(Exception):
    """The message that somebody wants filed is gone or has no text."""


@dataclass(slots=True)
class Worker:
    """Works off the inbox.

    Attributes:
        desk: Judges and commits.
        workspaces: Where messages are fetched that people point at.
        owner: This replica.
        rng: Jitter.
    """

    desk: Desk
    workspaces: Workspaces
    owner: str
    rng: random.Random = field(default_factory=random.Random)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; what is in hand is finished.

        What must first be fetched from Slack has a task of its own, so that a slow answer holds up
        nobody else.
        """
        async with Tasks() as fetching:
            while not stop.is_set():
                self.desk.inbox_filled.clear()
                busy = await self._work_off(fetching)
                if not busy or len(fetching) >= FETCHES_AT_ONCE:
                    await fetching.wait_for_one_or(self.desk.inbox_filled, POLL_S)

    async def _work_off(self, fetching: Tasks) -> bool:
        """Lease one batch and triage it; False when nothing waits."""
        try:
            async with self.desk.database.write() as conn:
                items = await inbox.lease(
                    conn, owner=self.owner, limit=BATCH, now=datetime.now(UTC), seconds=LEASE_S
                )
            ready = []
            for item in items:
                intake = await self._understood(item)
                if intake is None:
                    continue
                if intake.needs_text:
                    fetching.start(self._fetch_and_triage(item, intake))
                else:
                    ready.append((item, intake))
            if ready:
                await self._triage([item for item, _ in ready], [intake for _, intake in ready])
        except DatabaseUnavailable as error:
            log.warning("inbox_unavailable", extra={"error": str(error)})
            return False
        return bool(items)

    async def _understood(self, item: InboxItem) -> Intake | None:
        """The payload; None when this version cannot read it, and so leaves it to another one."""
        try:
            return Intake.from_payload(item.payload)
        except (KeyError, TypeError, ValueError):
            log.exception("payload_unreadable", extra={"correlation": item.correlation})
            await self._later(item, "payload unreadable", backoff_s(item.attempts, self.rng))
        return None

    async def _fetch_and_triage(self, item: InboxItem, intake: Intake) -> None:
        try:
            async with repeating(lambda: self._renew(item), LEASE_S / 3):
                complete = await self._complete(item, intake)
            if complete is not None:
                await self._triage([item], [complete])
        except DatabaseUnavailable as error:
            log.warning("inbox_unavailable", extra={"error": str(error)})

    async def _renew(self, item: InboxItem) -> None:
        async with self.desk.database.write() as conn:
            await inbox.renew(
                conn, owner=self.owner, ids=[item.id], now=datetime.now(UTC), seconds=LEASE_S
            )

    async def _triage(self, items: Sequence[InboxItem], intakes: Sequence[Intake]) -> None:
        """Triage a batch; when it fails, one by one, so that one payload cannot block the rest."""
        try:
            await self.desk.triage(items, intakes, self.owner)
        except LeaseLost:
            correlations = ",".join(item.correlation for item in items)
            log.warning("lease_lost", extra={"correlation": correlations})
        except DatabaseUnavailable:
            raise
        except Exception:
            if len(items) > 1:
                for item, intake in zip(items, intakes, strict=True):
                    await self._triage([item], [intake])
                return
            log.exception("triage_failed", extra={"correlation": items[0].correlation})
            await self._later(items[0], "triage failed", backoff_s(items[0].attempts, self.rng))

    async def _complete(self, item: InboxItem, intake: Intake) -> Intake | None:
        """The payload with its text; None when it must wait or cannot be had."""
        try:
            return await self._fetch(intake)
        except RateLimited as limited:
            await self._later(item, str(limited), limited.retry_after, tried=False)
        except (Refused, NothingToFile) as error:
            log.warning(
                "message_not_fetched", extra={"correlation": item.correlation, "error": str(error)}
            )
            await self._bury(item, str(error))
        except SlackFailure as failure:
            await self._later(item, str(failure), backoff_s(item.attempts, self.rng))
        except DatabaseUnavailable:
            raise
        except Exception as error:
            # Whatever Slack answers must not stop the work on everything else.
            log.exception("fetch_failed", extra={"correlation": item.correlation})
            await self._later(item, type(error).__name__, backoff_s(item.attempts, self.rng))
        return None

    async def _fetch(self, intake: Intake) -> Intake:
        if intake.channel is None or intake.ts is None:
            raise NothingToFile("no message to fetch")
        workspace = await self.workspaces.of(intake.team)
        found = await find_message(workspace.client, intake.channel, intake.ts)
        text = to_text(found.text) if found else ""
        if found is None or not text.strip():
            raise NothingToFile("the message is gone or has no text")
        if found.user == workspace.identity.bot_user:  # what the bot wrote is never filed
            raise NothingToFile("the message is the bot's own")
        return replace(
            intake,
            text=text,
            thread_ts=found.thread_ts,
            reporter=found.user or intake.user,
        )

    async def _later(
        self, item: InboxItem, error: str, delay_s: float, *, tried: bool = True
    ) -> None:
        if tried and item.attempts >= MAX_ATTEMPTS:
            await self._bury(item, f"gave up: {error}")
            return
        async with self.desk.database.write() as conn:
            await inbox.postpone(
                conn,
                owner=self.owner,
                id=item.id,
                due_at=datetime.now(UTC) + timedelta(seconds=delay_s),
                error=error,
                tried=tried,
            )

    async def _bury(self, item: InboxItem, error: str) -> None:
        async with self.desk.database.write() as conn:
            await inbox.bury(conn, owner=self.owner, id=item.id, error=error)
