"""Numbers that many ask for and few need to the second: counted now and then, kept meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from slackbot.stats.figures import Numbers
from slackbot.stats.period import Period, parse_period
from slackbot.stats.reader import numbers_of
from storage.database import Database

NUMBERS_LIFE_S = 300.0


@dataclass(slots=True)
class RecentNumbers:
    """Counts on demand; every replica has one.

    Attributes:
        database: The record.
        clock: Seconds that only grow.
    """

    database: Database
    clock: Callable[[], float] = time.monotonic
    _numbers: dict[str, tuple[float, Numbers]] = field(default_factory=dict)

    async def of(self, team: str, period: Period, promise: float) -> Numbers:
        """The numbers of a period, counted now.

        Args:
            team: The workspace.
            period: Which.
            promise: Share in (0, 1) of automatic routes that shall be right.

        Raises:
            DatabaseUnavailable: The record cannot be read.
        """
        return await numbers_of(self.database, team, period, promise=promise)

    async def lately(self, team: str, promise: float) -> Numbers:
        """The last 30 days' numbers, at most 5 minutes old.

        Raises:
            DatabaseUnavailable: The record cannot be read.
        """
        until, known = self._numbers.get(team, (0.0, None))
        if known is None or self.clock() >= until:
            known = await self.of(team, parse_period(None, datetime.now(UTC)), promise)
            self._numbers[team] = (self.clock() + NUMBERS_LIFE_S, known)
        return known

    def forget(self) -> None:
        """Count anew when somebody asks."""
        self._numbers.clear()
