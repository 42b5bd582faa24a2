"""A busy morning: colleagues write to one channel, in a repeatable order and rhythm."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Sequence

from slackbot.playground.person import Person
from slackbot.playground.records import Channel

SLOWEST, FASTEST = 6, 600
"""Messages a minute."""


class Morning:
    """Plays messages one after the other; it can be stopped and played again.

    Attributes:
        per_minute: How many messages a minute on average; may be changed while it plays.
        sent: How many were said since it was started last.

    Args:
        texts: What is said, in Slack's mrkdwn.
        people: Who says it.
        channel: Where.
        seed: Decides the order, the authors and the pauses.
    """

    def __init__(
        self, texts: Sequence[str], people: Sequence[Person], channel: Channel, seed: int = 7
    ) -> None:
        self.per_minute = 60
        self.sent = 0
        self._texts = tuple(texts)
        self._people = tuple(people)
        self._channel = channel
        self._seed = seed
        self._task: asyncio.Task[None] | None = None

    @property
    def total(self) -> int:
        """How many messages there are."""
        return len(self._texts)

    @property
    def playing(self) -> bool:
        """Whether more messages come."""
        return self._task is not None and not self._task.done()

    def play(self) -> None:
        """Begin, unless it plays already."""
        if not self.playing:
            self.sent = 0
            self._task = asyncio.create_task(self._play(), name="busy morning")

    async def stop(self) -> None:
        """Say nothing more."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _play(self) -> None:
        chance = random.Random(self._seed)  # noqa: S311  (a rhythm, no secret)
        for text in chance.sample(self._texts, len(self._texts)):
            await chance.choice(self._people).say(self._channel, text)
            self.sent += 1
            pause = min(chance.expovariate(1.0), 3.0)  # people come in bunches, but nobody waits
            await asyncio.sleep(pause * 60 / self.per_minute)
