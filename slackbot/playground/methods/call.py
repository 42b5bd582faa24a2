"""What a Web API method is given, and the look-ups that many methods share."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from slackbot.playground.app import Installation
from slackbot.playground.arguments import Arguments
from slackbot.playground.errors import ApiError
from slackbot.playground.records import Channel, ChannelKind, Message, User
from slackbot.playground.site import Site

Item = TypeVar("Item")

_FAMILIES = {
    ChannelKind.PUBLIC: "channels",
    ChannelKind.PRIVATE: "groups",
    ChannelKind.IM: "im",
    ChannelKind.MPIM: "mpim",
}


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a method by the bot.

    Attributes:
        args: Its arguments; the required ones are there.
        site: What it may look at and change.
        base_url: The address that the call came in at, without a trailing slash.
    """

    args: Arguments
    site: Site
    base_url: str

    @property
    def app(self) -> Installation:
        """The calling app."""
        return self.site.workspace.app

    @property
    def bot(self) -> User:
        """The calling app's bot user."""
        return self.site.workspace.bot

    def channel(self, name: str = "channel") -> Channel:
        """The conversation that an argument names, if the bot may know of it.

        Raises:
            ApiError: `channel_not_found`, also for private conversations without the bot.
        """
        channel = self.site.workspace.channels.get(self.args.required(name))
        if channel is None or self._is_secret(channel):
            raise ApiError("channel_not_found")
        return channel

    def _is_secret(self, channel: Channel) -> bool:
        return channel.kind is not ChannelKind.PUBLIC and self.bot.id not in channel.members

    def user(self, name: str = "user") -> User:
        """The user that an argument names.

        Raises:
            ApiError: `user_not_found`.
        """
        user = self.site.workspace.users.get(self.args.required(name))
        if user is None:
            raise ApiError("user_not_found")
        return user

    def message(self, name: str = "ts") -> Message:
        """The message that `channel` and an argument name.

        Raises:
            ApiError: `channel_not_found` or `message_not_found`.
        """
        message = self.site.workspace.find(self.channel().id, self.args.required(name))
        if message is None or message.deleted:
            raise ApiError("message_not_found")
        return message

    def need_scope(self, suffix: str, kind: ChannelKind) -> None:
        """Insist on the scope for one kind of conversation, `groups:history` for example.

        Raises:
            ApiError: `missing_scope`.
        """
        check_scopes(self.app, (f"{_FAMILIES[kind]}:{suffix}",))

    def page(
        self, items: Sequence[Item], key: Callable[[Item], str], *, most: int = 1000
    ) -> tuple[Sequence[Item], str]:
        """The part of a list that `limit` and `cursor` ask for.

        Returns:
            The items, and the cursor of the next part, empty at the end.

        Raises:
            ApiError: `invalid_limit` or `invalid_cursor`.
        """
        limit = self.args.number("limit", 100, most=most, error="invalid_limit")
        start = _position(items, key, self.args.text("cursor"))
        rest = items[start + limit : start + limit + 1]
        cursor = base64.b64encode(f"next:{key(rest[0])}".encode()).decode() if rest else ""
        return items[start : start + limit], cursor


def _position(items: Sequence[Item], key: Callable[[Item], str], cursor: str | None) -> int:
    if not cursor:
        return 0
    try:
        wanted = base64.b64decode(cursor, validate=True).decode().removeprefix("next:")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ApiError("invalid_cursor") from error
    for index, item in enumerate(items):
        if key(item) == wanted:
            return index
    raise ApiError("invalid_cursor")


def check_scopes(app: Installation, any_of: Sequence[str]) -> None:
    """Insist that the app has one of these scopes.

    Raises:
        ApiError: `missing_scope`, with what is needed and what there is.
    """
    granted = app.manifest.scopes
    if any_of and not set(any_of) & set(granted):
        needed = ",".join(any_of)
        raise ApiError("missing_scope", needed=needed, provided=",".join(granted))
