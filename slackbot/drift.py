"""Compares recent predictions with earlier ones now and then, for the metrics."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass
from datetime import UTC, datetime

from core.audit_estimates import Drift
from slackbot.stats.reader import drift_now
from storage.database import Database
from storage.errors import DatabaseUnavailable

log = logging.getLogger(__name__)

EVERY_S = 3600.0
"""An hour changes little in weeks, and all their predictions are read."""


@dataclass(slots=True)
class DriftWatch:
    """Knows the drift as last measured.

    Attributes:
        database: The record.
        latest: The last measurement; None before the first one.
    """

    database: Database
    latest: Drift | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Measure every hour until `stop` is set."""
        while not stop.is_set():
            try:
                await self.measure(datetime.now(UTC))
            except DatabaseUnavailable as error:
                log.warning("drift_not_measured", extra={"error": str(error)})
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), EVERY_S)

    async def measure(self, now: datetime) -> None:
        """Do it once.

        Raises:
            DatabaseUnavailable: The last measurement stands.
        """
        self.latest = await drift_now(self.database, now)
