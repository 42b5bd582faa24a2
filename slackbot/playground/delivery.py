"""Brings events and interactions to the app, and brings events again until they are taken."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from slackbot.playground.changes import Change, Feed, What
from slackbot.playground.errors import NotAcknowledgedError
from slackbot.playground.faults import Faults
from slackbot.playground.records import Json


class Kind(StrEnum):
    """What is sent, by the names of Socket Mode's envelopes."""

    EVENT = "events_api"
    COMMAND = "slash_commands"
    INTERACTION = "interactive"


@dataclass(frozen=True, slots=True)
class Parcel:
    """Something for the app.

    Attributes:
        kind: What it is.
        payload: As Slack documents it.
        attempt: 0 at first, then the number of the redelivery.
        reason: Why it is sent again.
    """

    kind: Kind
    payload: Json
    attempt: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to deliver.

    Attributes:
        seconds: From sending to the acknowledgement or the failure.
        failure: Why it failed, empty when it was acknowledged.
    """

    seconds: float
    failure: str = ""


@dataclass(slots=True, eq=False)
class Delivery:
    """What became of one thing that was sent.

    Attributes:
        kind: What it was.
        name: The event's type, the command, or the interaction's type.
        attempts: All tries so far.
    """

    kind: Kind
    name: str
    attempts: list[Attempt] = field(default_factory=list)

    @property
    def acknowledged(self) -> bool:
        """Whether the app took it."""
        return bool(self.attempts) and not self.attempts[-1].failure


class Transport(Protocol):
    """A way to the app."""

    async def send(self, parcel: Parcel) -> Json:
        """Bring a parcel.

        Returns:
            What the app answered with its acknowledgement, maybe nothing.

        Raises:
            NotAcknowledgedError: The app did not take it in time.
        """
        ...


class Courier:
    """Delivers over whatever transport is chosen.

    Attributes:
        transport: The way in use.
        deliveries: Everything that was sent, oldest first.

    Args:
        transport: The way to begin with.
        feed: Hears of every attempt.
        faults: May repeat events.
        retry_delays: Seconds before each redelivery of an event.
    """

    def __init__(
        self, transport: Transport, feed: Feed, faults: Faults, retry_delays: Sequence[float]
    ) -> None:
        self.transport = transport
        self.deliveries: list[Delivery] = []
        self._feed = feed
        self._faults = faults
        self._retry_delays = tuple(retry_delays)
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def in_flight(self) -> int:
        """How many events are neither acknowledged nor given up."""
        return len(self._tasks)

    def send_event(self, payload: Json) -> None:
        """Deliver an event in the background, several times at once if a fault says so."""
        name = payload.get("event", payload)["type"]
        for _ in range(self._faults.strike_event(name)):
            self._start(self._deliver_event(Delivery(Kind.EVENT, name), payload))

    async def interact(self, kind: Kind, name: str, payload: Json) -> Json:
        """Deliver a command or an interaction once; a person is waiting.

        Returns:
            What the app answered with its acknowledgement, maybe nothing.

        Raises:
            NotAcknowledgedError: The app did not take it in time.
        """
        delivery = Delivery(kind, name)
        self.deliveries.append(delivery)
        return await self._try(delivery, Parcel(kind, payload))

    async def close(self) -> None:
        """Give up what is still under way."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finish)

    def _finish(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._feed.publish(Change(What.DELIVERED))

    async def _deliver_event(self, delivery: Delivery, payload: Json) -> None:
        self.deliveries.append(delivery)
        reason = ""
        for attempt, delay in enumerate((0.0, *self._retry_delays)):
            await asyncio.sleep(delay)
            try:
                await self._try(delivery, Parcel(Kind.EVENT, payload, attempt, reason))
            except NotAcknowledgedError as error:
                reason = error.reason
            else:
                return

    async def _try(self, delivery: Delivery, parcel: Parcel) -> Json:
        started = time.monotonic()
        try:
            answer = await self.transport.send(parcel)
        except NotAcknowledgedError as error:
            delivery.attempts.append(Attempt(time.monotonic() - started, error.reason))
            raise
        else:
            delivery.attempts.append(Attempt(time.monotonic() - started))
            return answer
        finally:
            self._feed.publish(Change(What.DELIVERED))
