"""Slack's pace: messages a second in each channel, events an hour to the app."""

from __future__ import annotations

import math

from slackbot.playground.errors import ApiError
from slackbot.playground.records import Clock


class Pace:
    """One bucket of permits per channel.

    Args:
        clock: Seconds.
        per_second: Permits that come back each second.
        burst: Permits that a quiet channel has saved up.
        on: False lets everything through.
    """

    def __init__(
        self, clock: Clock, *, per_second: float = 1.0, burst: int = 4, on: bool = True
    ) -> None:
        self.on = on
        self._clock = clock
        self._per_second = per_second
        self._burst = burst
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, channel: str) -> None:
        """Use a permit.

        Raises:
            ApiError: `ratelimited`, status 429, with the seconds until the next permit.
        """
        if not self.on:
            return
        now = self._clock()
        permits, since = self._buckets.get(channel, (float(self._burst), now))
        permits = min(self._burst, permits + (now - since) * self._per_second)
        if permits < 1:
            wait = math.ceil((1 - permits) / self._per_second)
            raise ApiError("ratelimited", status=429, retry_after=wait)
        self._buckets[channel] = (permits - 1, now)


class EventBudget:
    """Counts events against Slack's ceiling for one workspace, in hours by the clock.

    Args:
        clock: Seconds.
        per_hour: The ceiling.
        on: False lets everything through.
    """

    def __init__(self, clock: Clock, *, per_hour: int = 30_000, on: bool = True) -> None:
        self.on = on
        self._clock = clock
        self._per_hour = per_hour
        self._hour = 0
        self._spent = 0

    def take(self) -> bool:
        """Count one event; False when it must not be sent any more in this hour."""
        hour = int(self._clock() // 3600)
        self._spent = self._spent + 1 if hour == self._hour else 1
        self._hour = hour
        return not self.on or self._spent <= self._per_hour
