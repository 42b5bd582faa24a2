"""What must be done now and then: erase what has served its time, and look at the audits."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from storage import deliveries, forget, inbox
from storage.database import Database
from storage.errors import DatabaseUnavailable

log = logging.getLogger(__name__)

EVERY_S = 60.0
FINISHED_LIFE = timedelta(days=7)
"""So long finished work is remembered: far longer than Slack repeats a payload."""


@dataclass(slots=True)
class Housekeeping:
    """Purges finished work, expired texts, and the erased bytes in SQLite's log.

    Attributes:
        database: The record.
        retention_days: Days after which texts of closed tickets are erased; 0 keeps them.
        daily: Done at the start and then once a day.
        often: Done every minute.
    """

    database: Database
    retention_days: int
    daily: Callable[[datetime], Awaitable[None]] | None = None
    often: Callable[[datetime], Awaitable[None]] | None = None
    _done_on: date | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Tidy up every minute until `stop` is set."""
        while not stop.is_set():
            try:
                await self.tidy(datetime.now(UTC))
                await self._once_a_day(datetime.now(UTC))
                if self.often is not None:
                    await self.often(datetime.now(UTC))
            except DatabaseUnavailable as error:
                log.warning("housekeeping_postponed", extra={"error": str(error)})
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), EVERY_S)

    async def _once_a_day(self, now: datetime) -> None:
        if self.daily is None or self._done_on == now.date():
            return
        await self.daily(now)
        self._done_on = now.date()

    async def tidy(self, now: datetime) -> None:
        """Do it once."""
        async with self.database.write() as conn:
            await inbox.purge(conn, now - FINISHED_LIFE)
            await deliveries.purge(conn, now - FINISHED_LIFE)
            if self.retention_days:
                await forget.expire(conn, now - timedelta(days=self.retention_days))
        await self.database.scrub()
