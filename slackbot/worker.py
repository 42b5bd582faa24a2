"""The worker: leases what came in, fetches what it is about, has it judged and committed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from slack_sdk.web.async_client import AsyncWebClient

from slackbot.desk import Desk, LeaseLost
from slackbot.intake import Intake, to_text
from slackbot.slack_calls import RateLimited, Refused, SlackFailure, find_message
from storage import inbox
from storage.errors import DatabaseUnavailable
from storage.records import InboxItem

log = logging.getLogger(__name__)

LEASE_S = 15
BATCH = 32
POLL_S = 0.5
MAX_ATTEMPTS = 8
RETRY_S = 5.0


class NothingToFile(Exception):
    """The message that somebody wants filed is gone or has no text."""


@dataclass(slots=True)
class Worker:
    """Works off the inbox.

    Attributes:
        desk: Judges and commits.
        client: Fetches messages that people point at.
        owner: This replica.
    """

    desk: Desk
    client: AsyncWebClient
    owner: str

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; the batch in hand is finished."""
        while not stop.is_set():
            self.desk.inbox_filled.clear()
            try:
                busy = await self.work_off()
            except DatabaseUnavailable as error:
                log.warning("inbox_unavailable", extra={"error": str(error)})
                busy = False
            if not busy:
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self.desk.inbox_filled.wait(), POLL_S)

    async def work_off(self) -> bool:
        """Lease one batch and triage it; False when nothing waits."""
        async with self.desk.database.write() as conn:
            items = await inbox.lease(
                conn, owner=self.owner, limit=BATCH, now=datetime.now(UTC), seconds=LEASE_S
            )
        if not items:
            return False
        intakes = await asyncio.gather(*map(self._complete, items))
        ready = [(i, intake) for i, intake in zip(items, intakes, strict=True) if intake]
        if ready:
            await self._triage([item for item, _ in ready], [intake for _, intake in ready])
        return True

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
            await self._later(items[0], "triage failed")

    async def _complete(self, item: InboxItem) -> Intake | None:
        """The payload with its text; None when it must wait or cannot be had."""
        intake = Intake.from_payload(item.payload)
        if not intake.needs_text:
            return intake
        try:
            return await self._fetch(intake)
        except RateLimited as limited:
            await self._later(item, str(limited), limited.retry_after)
        except (Refused, NothingToFile) as error:
            await self._bury(item, str(error))
        except SlackFailure as failure:
            await self._later(item, str(failure))
        return None

    async def _fetch(self, intake: Intake) -> Intake:
        if intake.channel is None or intake.ts is None:
            raise NothingToFile("no message to fetch")
        found = await find_message(self.client, intake.channel, intake.ts)
        text = to_text(found.text) if found else ""
        if found is None or not text.strip():
            raise NothingToFile("the message is gone or has no text")
        return replace(
            intake,
            text=text,
            thread_ts=found.thread_ts,
            reporter=found.user or intake.user,
        )

    async def _later(self, item: InboxItem, error: str, delay_s: float = RETRY_S) -> None:
        if item.attempts >= MAX_ATTEMPTS:
            await self._bury(item, f"gave up: {error}")
            return
        log.info("payload_postponed", extra={"correlation": item.correlation, "error": error})
        async with self.desk.database.write() as conn:
            await inbox.postpone(
                conn,
                owner=self.owner,
                id=item.id,
                due_at=datetime.now(UTC) + timedelta(seconds=delay_s * item.attempts),
                error=error,
            )

    async def _bury(self, item: InboxItem, error: str) -> None:
        log.warning("payload_given_up", extra={"correlation": item.correlation, "error": error})
        async with self.desk.database.write() as conn:
            await inbox.bury(conn, owner=self.owner, id=item.id, error=error)
