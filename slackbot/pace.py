"""How fast one channel may be posted to: a token bucket for each, as Slack allows."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Pace:
    """Token buckets by channel (https://docs.slack.dev/apis/web-api/rate-limits).

    Attributes:
        per_second: Sustained posts a second.
        burst: Posts that may go out at once after a quiet time.
        clock: Seconds that only grow.
    """

    per_second: float = 1.0
    burst: int = 4
    clock: Callable[[], float] = time.monotonic
    _full_at: dict[str, float] = field(default_factory=dict)

    def wait_s(self, channel: str) -> float:
        """Seconds until the next post may go out; 0 when it may now."""
        missing = (self._full_at.get(channel, 0.0) - self.clock()) * self.per_second
        return max(0.0, (missing + 1 - self.burst) / self.per_second)

    def used(self, channel: str) -> None:
        """Count one post."""
        now = self.clock()
        full_at = max(self._full_at.get(channel, 0.0), now) + 1 / self.per_second
        self._full_at[channel] = full_at
        if len(self._full_at) > 10_000:
            self._full_at = {key: at for key, at in self._full_at.items() if at > now}
