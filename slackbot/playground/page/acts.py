"""What a person can do on the page, by name; each reads what the browser sent with care."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from slackbot.playground.errors import NotPossibleError
from slackbot.playground.person import Person
from slackbot.playground.playground import Playground
from slackbot.playground.records import Channel, Message, View


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to do, as the browser sent it.

    Every method raises `NotPossibleError` for what is missing, malformed or no longer there.

    Attributes:
        slack: The workspace.
        person: Who wants it.
        asked: The request's JSON.
    """

    slack: Playground
    person: Person
    asked: Mapping[str, Any]

    def text(self, name: str) -> str:
        """A text that must be there."""
        value = self.asked.get(name)
        if not isinstance(value, str):
            raise NotPossibleError(f"{name} is missing")
        return value

    def optional_text(self, name: str) -> str | None:
        """A text that may be left out."""
        return None if self.asked.get(name) is None else self.text(name)

    @property
    def channel(self) -> Channel:
        """The channel named."""
        channel = self.slack.workspace.channels.get(self.text("channel"))
        if channel is None:
            raise NotPossibleError("there is no such channel")
        return channel

    @property
    def message(self) -> Message:
        """The message named by channel and ts, one that only this person sees included."""
        channel, ts = self.channel, self.text("ts")
        whispers = {message.ts: message for message in self.slack.ephemerals(self.person)}
        message = self.slack.workspace.find(channel.id, ts) or whispers.get(ts)
        if message is None:
            raise NotPossibleError("this message is gone")
        return message

    @property
    def thread(self) -> Message | None:
        """The message to answer to, if one is named."""
        ts = self.optional_text("thread")
        if ts is None:
            return None
        parent = self.slack.workspace.find(self.channel.id, ts)
        if parent is None:
            raise NotPossibleError("this thread is gone")
        return parent

    @property
    def view(self) -> View:
        """The modal or App Home named."""
        mine = (self.slack.open_view(self.person), self.slack.home(self.person))
        for view in mine:
            if view is not None and view.id == self.text("view"):
                return view
        raise NotPossibleError("this view is gone")

    @property
    def target(self) -> Message | View:
        """What a clicked element stands on."""
        return self.view if "view" in self.asked else self.message

    @property
    def entries(self) -> dict[str, str | list[str]]:
        """What was entered in a modal, by block; several texts where several may be chosen."""
        entries = self.asked.get("entries")
        if not isinstance(entries, dict) or not all(map(_is_entry, entries.values())):
            raise NotPossibleError("entries must be texts by block")
        return entries


def _is_entry(entry: object) -> bool:
    several = entry if isinstance(entry, list) else [entry]
    return all(isinstance(each, str) for each in several)


async def _say(wish: Wish) -> bool:
    await wish.person.say(wish.channel, wish.text("text"), thread=wish.thread)
    return True


async def _command(wish: Wish) -> bool:
    await wish.person.command(wish.text("command"), wish.text("text"), channel=wish.channel)
    return True  # what went wrong is an ephemeral message, as in Slack


async def _edit(wish: Wish) -> bool:
    await wish.person.edit(wish.message, wish.text("text"))
    return True


async def _delete(wish: Wish) -> bool:
    await wish.person.delete(wish.message)
    return True


async def _react(wish: Wish) -> bool:
    """Add the reaction, or take it back when it is there."""
    message, emoji = wish.message, wish.text("emoji")
    if wish.person.id in message.reactions.get(emoji, ()):
        await wish.person.unreact(message, emoji)
    else:
        await wish.person.react(message, emoji)
    return True


async def _shortcut(wish: Wish) -> bool:
    return await wish.person.shortcut(wish.text("callback"), wish.message)


async def _click(wish: Wish) -> bool:
    action, value = wish.text("action"), wish.optional_text("value")
    return await wish.person.click(wish.target, action, value=value)


async def _choose(wish: Wish) -> bool:
    action, value = wish.text("action"), wish.optional_text("value")
    return await wish.person.choose(wish.target, action, wish.text("choice"), value=value)


async def _submit(wish: Wish) -> bool:
    await wish.person.submit(wish.view, wish.entries)
    return True  # what the app objects to stands in the modal


async def _close(wish: Wish) -> bool:
    await wish.person.close(wish.view)
    return True


async def _open_home(wish: Wish) -> bool:
    await wish.person.open_home()
    return True


ACTS: Mapping[str, Callable[[Wish], Awaitable[bool]]] = {
    "say": _say,
    "command": _command,
    "edit": _edit,
    "delete": _delete,
    "react": _react,
    "shortcut": _shortcut,
    "click": _click,
    "choose": _choose,
    "submit": _submit,
    "close": _close,
    "open_home": _open_home,
}
"""Each returns whether the app took it."""
