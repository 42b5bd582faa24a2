"""Tells listeners what changed in the workspace, and waits until a condition holds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from slackbot.playground.records import Channel, Message, View

Value = TypeVar("Value")


class What(StrEnum):
    """The kinds of change."""

    POSTED = "posted"
    EDITED = "edited"
    DELETED = "deleted"
    BURIED = "buried"
    """Deleted with replies below: a tombstone stands where it was."""
    REACTED = "reacted"
    UNREACTED = "unreacted"
    WHISPERED = "whispered"
    """Something happened to an ephemeral message."""
    VIEWED = "viewed"
    """A modal or App Home was opened, changed or closed."""
    HOME_OPENED = "home_opened"
    CALLED = "called"
    """The app called the Web API."""
    DELIVERED = "delivered"
    """The app acknowledged something, or did not."""
    CONNECTED = "connected"
    """A Socket Mode connection came or went."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change.

    Attributes:
        what: Its kind.
        channel: Where, for messages and App Home.
        message: The message as it is now.
        before: A copy of the message as it was, for edits and deletions.
        view: The view as it is now.
        user: Who did it.
        emoji: The reaction's name.
    """

    what: What
    channel: Channel | None = None
    message: Message | None = None
    before: Message | None = None
    view: View | None = None
    user: str = ""
    emoji: str = ""


class Feed:
    """Passes every change to every listener at once, in order."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[Change], None]] = []

    def subscribe(self, listener: Callable[[Change], None]) -> Callable[[], None]:
        """Call `listener` with every change from now on, until the returned function is called."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def publish(self, change: Change) -> None:
        """Tell everybody."""
        for listener in tuple(self._listeners):
            listener(change)

    async def until(self, condition: Callable[[], Value], timeout: float) -> Value:  # noqa: ASYNC109
        """Wait until `condition` returns something true, looked at after every change.

        Args:
            condition: Must depend only on what the feed tells about.
            timeout: Seconds.

        Returns:
            What the condition returned.

        Raises:
            TimeoutError: The condition did not come true in time.
        """
        changed = asyncio.Event()
        unsubscribe = self.subscribe(lambda _: changed.set())
        try:
            async with asyncio.timeout(timeout):
                while not (value := condition()):
                    await changed.wait()
                    changed.clear()
                return value
        except TimeoutError as error:
            raise TimeoutError(f"still not so after {timeout} s") from error
        finally:
            unsubscribe()
