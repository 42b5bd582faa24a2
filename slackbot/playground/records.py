"""What a workspace is made of: people, channels, messages, views and files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from slackbot.playground import blocks as block_kit

Json = dict[str, Any]
"""One JSON object, as it travels over the wire."""

Clock = Callable[[], float]
"""Says the time in seconds since the epoch."""

SLACKBOT = "USLACKBOT"
"""The user in whose name Slack itself speaks."""


class ChannelKind(StrEnum):
    """The four kinds of conversation, by the names that events use."""

    PUBLIC = "channel"
    PRIVATE = "group"
    IM = "im"
    MPIM = "mpim"


@dataclass(frozen=True, slots=True)
class User:
    """Somebody in the workspace, a person or a bot.

    Attributes:
        id: `U...`.
        name: Short name without spaces.
        real_name: The name people see.
        team_id: The workspace that the account belongs to; another one for strangers.
        restricted: A guest of several channels.
        ultra_restricted: A guest of one channel.
        stranger: Somebody of another company, met in a shared channel.
        admin: Administers the workspace.
        bot_id: `B...` for a bot, None for a person.
        app_id: The app behind a bot.
        deleted: The account is closed.
    """

    id: str
    name: str
    real_name: str
    team_id: str
    restricted: bool = False
    ultra_restricted: bool = False
    stranger: bool = False
    admin: bool = False
    bot_id: str | None = None
    app_id: str | None = None
    deleted: bool = False


@dataclass(slots=True, eq=False)
class Message:
    """One message; it changes in place when it is edited, answered or deleted.

    Attributes:
        channel: The conversation's id.
        ts: Identifies the message within its channel.
        user: The author's id.
        text: In Slack's mrkdwn; the fallback when there are blocks.
        blocks: Block Kit blocks, every block and element with its id.
        attachments: Secondary attachments.
        files: Files shared with it.
        metadata: `event_type` and `event_payload`, or None.
        thread_ts: The parent's ts for a reply, the own ts for a parent with replies, or None.
        subtype: As in events, or None for a plain message.
        bot_id: The bot that wrote it, or None.
        app_id: The app that wrote it, or None.
        only_for: The only user who sees it, for an ephemeral message.
        edited: The ts of the last edit that people can see, or None.
        deleted: Gone for everybody.
        reactions: Users by emoji name, in the order of reacting.
        replies: Live replies, oldest first.
    """

    channel: str
    ts: str
    user: str
    text: str = ""
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    files: list[StoredFile] = field(default_factory=list)
    metadata: Json | None = None
    thread_ts: str | None = None
    subtype: str | None = None
    bot_id: str | None = None
    app_id: str | None = None
    only_for: str | None = None
    edited: str | None = None
    deleted: bool = False
    reactions: dict[str, list[str]] = field(default_factory=dict)
    replies: list[Message] = field(default_factory=list)

    @property
    def is_reply(self) -> bool:
        """Whether it stands in somebody's thread."""
        return self.thread_ts is not None and self.thread_ts != self.ts

    @property
    def is_root(self) -> bool:
        """Whether it shows in the channel itself."""
        return not self.is_reply or self.subtype == "thread_broadcast"

    @property
    def shown(self) -> str:
        """What a person reads: the text of the blocks, or without blocks the text."""
        if not self.blocks:
            return self.text
        return "\n".join(block_kit.texts_at_first_sight(self.blocks))

    def find(self, action_id: str) -> Json | None:
        """The first interactive element with this `action_id`, or None."""
        return block_kit.find(self.blocks, action_id)


@dataclass(slots=True, eq=False)
class Channel:
    """A conversation with its messages.

    Attributes:
        id: `C...`, or `D...` for a direct message.
        name: Without the `#`; empty for a direct message.
        kind: Public, private, direct or group direct message.
        members: Ids of the users in it.
        archived: Closed for new messages.
        messages: All messages ever by ts, deleted ones included, oldest first.
    """

    id: str
    name: str
    kind: ChannelKind
    members: set[str]
    archived: bool = False
    messages: dict[str, Message] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Usergroup:
    """A named group of people, `S...`, mentioned as `@handle`."""

    id: str
    handle: str
    users: tuple[str, ...]


@dataclass(slots=True, eq=False)
class View:
    """A modal or an App Home as one person has it before their eyes.

    Attributes:
        id: `V...`.
        user: Who sees it.
        body: The view as the app sent it, with ids filled in.
        hash: Changes with every update.
        root_id: The first view of the stack.
        previous_id: The view below in the stack, or None.
        values: What was typed and chosen, by block id and action id, as Slack sends it.
        errors: What the app objected to at the last submission, by block id.
    """

    id: str
    user: str
    body: Json
    hash: str
    root_id: str
    previous_id: str | None = None
    values: dict[str, dict[str, Json]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def blocks(self) -> list[Json]:
        """The view's blocks."""
        blocks: list[Json] = self.body["blocks"]
        return blocks

    @property
    def callback_id(self) -> str:
        """The app's name for this kind of view."""
        return str(self.body.get("callback_id", ""))

    @property
    def shown(self) -> str:
        """What a person reads on it."""
        return "\n".join(block_kit.texts_at_first_sight([self.body.get("title"), self.blocks]))

    def find(self, action_id: str) -> Json | None:
        """The first interactive element with this `action_id`, or None."""
        return block_kit.find(self.blocks, action_id)


@dataclass(slots=True, eq=False)
class StoredFile:
    """An uploaded file.

    Attributes:
        id: `F...`.
        name: File name.
        title: The title people see.
        user: Who uploaded it.
        length: Announced size in bytes.
        url: Where its bytes are, for holders of a token.
        alt_text: For people who cannot see it.
        content: The bytes, None until they arrive.
        shared: Whether the upload was completed.
    """

    id: str
    name: str
    title: str
    user: str
    length: int
    url: str
    alt_text: str = ""
    content: bytes | None = None
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Broadcast:
    """A live mention of many people that the app let out.

    Attributes:
        where: The id of the channel or view.
        mention: The mention itself, `<!channel>` for example.
    """

    where: str
    mention: str
