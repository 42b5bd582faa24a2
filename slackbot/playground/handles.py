"""What an interaction hands to the app: a trigger to open one view, a URL to answer at."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from slackbot.playground.errors import ApiError
from slackbot.playground.records import Clock, Message

TRIGGER_SECONDS = 3.0
ANSWER_SECONDS = 30 * 60.0
ANSWERS = 5


@dataclass(slots=True)
class _Trigger:
    user: str
    given: float
    used: bool = False


class Triggers:
    """Gives out `trigger_id`s: each opens one view within three seconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._given: dict[str, _Trigger] = {}

    def give(self, user: str) -> str:
        """A new trigger for something that this person did."""
        trigger_id = f"{len(self._given) + 1}.{int(self._clock())}.{secrets.token_hex(16)}"
        self._given[trigger_id] = _Trigger(user, self._clock())
        return trigger_id

    def exchange(self, trigger_id: str) -> str:
        """Use a trigger up.

        Returns:
            The id of the person to show the view to.

        Raises:
            ApiError: The trigger is unknown, too old, or was used before.
        """
        trigger = self._given.get(trigger_id)
        if trigger is None:
            raise ApiError("invalid_trigger_id")
        if trigger.used:
            raise ApiError("exchanged_trigger_id")
        if self._clock() - trigger.given > TRIGGER_SECONDS:
            raise ApiError("expired_trigger_id")
        trigger.used = True
        return trigger.user


@dataclass(slots=True)
class ReplyHandle:
    """What a `response_url` stands for.

    Attributes:
        user: The person who acted.
        channel: Where.
        message: The message with the clicked element, or None.
        given: When, in seconds since the epoch.
        uses: How often the app has answered.
    """

    user: str
    channel: str
    message: Message | None
    given: float
    uses: int = 0


class ReplyHandles:
    """Gives out secrets for `response_url`s: five answers within thirty minutes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._given: dict[str, ReplyHandle] = {}

    def give(self, user: str, channel: str, message: Message | None = None) -> str:
        """A new secret; whoever knows it may answer."""
        secret = secrets.token_urlsafe(18)
        self._given[secret] = ReplyHandle(user, channel, message, self._clock())
        return secret

    def use(self, secret: str) -> ReplyHandle:
        """Count one answer.

        Raises:
            ApiError: Status 404: the URL is unknown, expired, or used up.
        """
        handle = self._given.get(secret)
        if handle is None:
            raise ApiError("no_service", status=404)
        if self._clock() - handle.given > ANSWER_SECONDS:
            raise ApiError("expired_url", status=404)
        if handle.uses >= ANSWERS:
            raise ApiError("used_url", status=404)
        handle.uses += 1
        return handle
