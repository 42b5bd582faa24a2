"""The state of one workspace, and the rules by which it changes."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from slackbot.playground import blocks as block_kit
from slackbot.playground.app import Installation
from slackbot.playground.changes import Change, Feed, What
from slackbot.playground.records import (
    SLACKBOT,
    Broadcast,
    Channel,
    ChannelKind,
    Clock,
    Json,
    Message,
    StoredFile,
    User,
    Usergroup,
)


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody wants to say; the fields mean what `Message`'s mean."""

    text: str = ""
    blocks: tuple[Json, ...] = ()
    attachments: tuple[Json, ...] = ()
    files: tuple[StoredFile, ...] = ()
    metadata: Json | None = None
    thread_ts: str | None = None
    subtype: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show."""
        return not (self.text.strip() or self.blocks or self.attachments or self.files)


class Workspace:
    """People, channels and messages of one workspace with one app installed.

    Attributes:
        app: The installed app.
        feed: Tells about every change.
        users: By id.
        channels: By id.
        usergroups: By id.
        files: By id.
        whispers: Ephemeral messages that are still on somebody's screen, oldest first.
        broadcasts: Live mentions of many people that the app let out.
    """

    def __init__(self, app: Installation, feed: Feed, clock: Clock) -> None:
        self.app = app
        self.feed = feed
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        self.usergroups: dict[str, Usergroup] = {}
        self.files: dict[str, StoredFile] = {}
        self.whispers: list[Message] = []
        self.broadcasts: list[Broadcast] = []
        self._clock = clock
        self._last_tick = 0
        self._serial = itertools.count(1)
        self.bot = self._enrol(
            User(
                id=app.bot_user_id,
                name=app.manifest.name,
                real_name=app.manifest.name,
                team_id=app.team_id,
                bot_id=app.bot_id,
                app_id=app.app_id,
            )
        )

    def now(self) -> float:
        """Seconds since the epoch by the workspace's clock."""
        return self._clock()

    def tick(self) -> str:
        """A timestamp that was never given before and sorts after all given ones."""
        self._last_tick = max(int(self._clock() * 1_000_000), self._last_tick + 1)
        return f"{self._last_tick // 1_000_000}.{self._last_tick % 1_000_000:06d}"

    def new_id(self, prefix: str) -> str:
        """An id that was never given before, `prefix` and ten digits."""
        return f"{prefix}{next(self._serial):010d}"

    # People and places -------------------------------------------------------------------

    def add_user(self, name: str, **traits: Any) -> User:
        """Create an account; `traits` are fields of `User`."""
        traits = {"real_name": name.capitalize(), "team_id": self.app.team_id, **traits}
        return self._enrol(User(id=self.new_id("U"), name=name, **traits))

    def _enrol(self, user: User) -> User:
        self.users[user.id] = user
        return user

    def add_channel(self, name: str, kind: ChannelKind, members: Iterable[str]) -> Channel:
        """Create a conversation of any kind."""
        new_id = self.new_id("D" if kind is ChannelKind.IM else "C")
        self.channels[new_id] = Channel(new_id, name, kind, set(members))
        return self.channels[new_id]

    def add_usergroup(self, handle: str, users: Iterable[str]) -> Usergroup:
        """Create a user group."""
        group = Usergroup(self.new_id("S"), handle, tuple(users))
        self.usergroups[group.id] = group
        return group

    def find_dm(self, *users: str) -> Channel | None:
        """The direct message between exactly these users, if it was ever opened."""
        return next(
            (
                channel
                for channel in self.channels.values()
                if channel.kind in (ChannelKind.IM, ChannelKind.MPIM)
                and channel.members == set(users)
            ),
            None,
        )

    def open_dm(self, *users: str) -> Channel:
        """The direct message between these users, opened if need be."""
        kind = ChannelKind.IM if len(users) == 2 else ChannelKind.MPIM
        return self.find_dm(*users) or self.add_channel("", kind, users)

    # Messages ----------------------------------------------------------------------------

    def find(self, channel: str, ts: str | None) -> Message | None:
        """The message, unless it is unknown or deleted for good."""
        place = self.channels.get(channel)
        message = place.messages.get(ts) if place and ts else None
        return None if message is None or (message.deleted and not message.replies) else message

    def post(self, channel: Channel, user: User, draft: Draft) -> Message:
        """Say something for everybody to see.

        A reply to a message that is gone stands in the channel instead, as in Slack; a reply to
        a reply goes to the thread that it is in.
        """
        message = self._write(channel, user, draft)
        parent = self.find(channel.id, draft.thread_ts)
        if parent is not None and parent.is_reply:
            parent = self.find(channel.id, parent.thread_ts)
        if parent is None:
            message.thread_ts = None
        else:
            message.thread_ts = parent.thread_ts = parent.ts
            parent.replies.append(message)
        channel.messages[message.ts] = message
        self.feed.publish(Change(What.POSTED, channel, message, user=user.id))
        return message

    def whisper(self, channel: Channel, user: User, draft: Draft, only_for: str) -> Message:
        """Say something that only one person sees."""
        message = self._write(channel, user, draft)
        message.only_for, message.thread_ts = only_for, draft.thread_ts
        self.whispers.append(message)
        self.feed.publish(Change(What.WHISPERED, channel, message, user=user.id))
        return message

    def whisper_as_slack(self, channel: Channel, text: str, only_for: str) -> Message:
        """Slack itself tells a person something, an error for example."""
        slack = User(SLACKBOT, "slackbot", "Slackbot", self.app.team_id)
        return self.whisper(channel, slack, Draft(text), only_for)

    def _write(self, channel: Channel, user: User, draft: Draft) -> Message:
        ts = self.tick()
        message = Message(
            channel=channel.id,
            ts=ts,
            user=user.id,
            text=draft.text,
            blocks=block_kit.with_ids(draft.blocks, f"{ts}."),
            attachments=list(draft.attachments),
            files=list(draft.files),
            metadata=draft.metadata,
            subtype=draft.subtype,
            bot_id=user.bot_id,
            app_id=user.app_id,
        )
        self._listen_for_broadcasts(message)
        return message

    def edit(self, message: Message, draft: Draft, user: str, *, visibly: bool = True) -> None:
        """Replace what a message shows; its thread and author stay.

        Args:
            message: Any message, ephemeral ones included.
            draft: The new content.
            user: Who edits.
            visibly: Whether people see the mark "edited".
        """
        before = copy.copy(message)
        message.text, message.metadata = draft.text, draft.metadata
        message.blocks = block_kit.with_ids(draft.blocks, f"{message.ts}.")
        message.attachments = list(draft.attachments)
        message.edited = self.tick() if visibly else message.edited
        self._listen_for_broadcasts(message)
        what = What.EDITED if message.only_for is None else What.WHISPERED
        self._publish(what, message, before, user)

    def delete(self, message: Message, user: str) -> None:
        """Take a message away; one with replies leaves a tombstone until they are gone too."""
        before = copy.copy(message)
        message.deleted = True
        if message.only_for is not None:
            self.whispers.remove(message)
            self._publish(What.WHISPERED, message, before, user)
            return
        self._publish(What.BURIED if message.replies else What.DELETED, message, before, user)
        parent = self.find(message.channel, message.thread_ts) if message.is_reply else None
        if parent is not None:
            self._forget_reply(parent, message, user)

    def _forget_reply(self, parent: Message, reply: Message, user: str) -> None:
        parent.replies.remove(reply)
        if parent.replies:
            return
        parent.thread_ts = None
        if parent.deleted:
            self._publish(What.DELETED, parent, copy.copy(parent), user)

    def react(self, message: Message, emoji: str, user: str) -> bool:
        """Add a reaction; False when this user's is there already."""
        users = message.reactions.setdefault(emoji, [])
        if user in users:
            return False
        users.append(user)
        self._publish(What.REACTED, message, None, user, emoji)
        return True

    def unreact(self, message: Message, emoji: str, user: str) -> bool:
        """Take a reaction back; False when there is none by this user."""
        users = message.reactions.get(emoji, [])
        if user not in users:
            return False
        users.remove(user)
        if not users:
            del message.reactions[emoji]
        self._publish(What.UNREACTED, message, None, user, emoji)
        return True

    def _publish(
        self, what: What, message: Message, before: Message | None, user: str, emoji: str = ""
    ) -> None:
        channel = self.channels[message.channel]
        self.feed.publish(Change(what, channel, message, before, user=user, emoji=emoji))

    def _listen_for_broadcasts(self, message: Message) -> None:
        if message.app_id == self.app.app_id:
            plain = f"{message.text} {message.attachments}"  # any string of an attachment is live
            self.note_broadcasts(message.channel, message.blocks, plain)

    def note_broadcasts(self, where: str, blocks: list[Json], text: str = "") -> None:
        """Record live mentions of many people in something that the app shows."""
        mentions = (*block_kit.live_mentions(text), *block_kit.mentions_of_many(blocks))
        self.broadcasts.extend(Broadcast(where, mention) for mention in mentions)
