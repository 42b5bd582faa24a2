"""Turns what happens in the workspace into the events that the app subscribed to."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from slackbot.playground.app import Installation
from slackbot.playground.changes import Change, What
from slackbot.playground.payloads import event_json, message_json, rate_limited_json, view_json
from slackbot.playground.records import Channel, ChannelKind, Json, Message
from slackbot.playground.site import Site

_SUBSCRIPTIONS = {
    ChannelKind.PUBLIC: "message.channels",
    ChannelKind.PRIVATE: "message.groups",
    ChannelKind.IM: "message.im",
    ChannelKind.MPIM: "message.mpim",
}


class Events:
    """Listens to the workspace and sends events to the app.

    Args:
        site: The workspace, and the App Homes that `app_home_opened` shows.
        send: Takes the finished payload.
    """

    def __init__(self, site: Site, send: Callable[[Json], None]) -> None:
        self._site = site
        self._workspace = site.workspace
        self._app: Installation = site.workspace.app
        self._send = send
        self._warned_minute = 0
        self._workspace.feed.subscribe(self._hear)

    def tell_app(self, event: str, fields: Json) -> None:
        """Send an event that belongs to no channel, if the app has subscribed to it."""
        if event in self._app.manifest.events:
            self._tell({"type": event, **fields})

    def _hear(self, change: Change) -> None:
        channel = change.channel
        if channel is None or self._app.bot_user_id not in channel.members:
            return
        for subscription, event in self._events(change, channel):
            if subscription in self._app.manifest.events:
                self._tell(event)

    def _tell(self, event: Json) -> None:
        now = self._workspace.now()
        if self._site.budget.take():
            self._send(event_json(event, self._app, self._workspace.new_id("Ev"), now))
        elif (minute := int(now // 60) * 60) != self._warned_minute:
            self._warned_minute = minute
            self._send(rate_limited_json(self._app, minute))

    def _events(self, change: Change, channel: Channel) -> Iterator[tuple[str, Json]]:
        """Pairs of subscription and event."""
        if change.what is What.HOME_OPENED:
            yield "app_home_opened", self._home_opened(change.user, channel)
        elif change.message is not None:
            yield from self._message_events(change, channel, change.message)

    def _message_events(
        self, change: Change, channel: Channel, message: Message
    ) -> Iterator[tuple[str, Json]]:
        subscription = _SUBSCRIPTIONS[channel.kind]
        if change.what is What.POSTED:
            event = {**self._json(message), **_where(channel, message.ts)}
            yield subscription, event
            if self._is_mention(message, channel):
                yield "app_mention", {**event, "type": "app_mention"}
        elif change.what in (What.EDITED, What.BURIED) and change.before is not None:
            yield subscription, self._changed(channel, message, change.before)
        elif change.what is What.DELETED and change.before is not None:
            yield subscription, self._deleted(channel, change.before)
        elif change.what is What.REACTED:
            yield "reaction_added", self._reaction("reaction_added", change, message)
        elif change.what is What.UNREACTED:
            yield "reaction_removed", self._reaction("reaction_removed", change, message)

    def _json(self, message: Message) -> Json:
        return message_json(message, self._app)

    def _is_mention(self, message: Message, channel: Channel) -> bool:
        mentioned = f"<@{self._app.bot_user_id}>" in message.text
        by_itself = message.user == self._app.bot_user_id
        return mentioned and not by_itself and channel.kind is not ChannelKind.IM

    def _changed(self, channel: Channel, message: Message, before: Message) -> Json:
        return {
            "type": "message",
            "subtype": "message_changed",
            "message": self._json(message),
            "previous_message": self._json(before),
            "hidden": True,
            **self._when(channel),
        }

    def _deleted(self, channel: Channel, before: Message) -> Json:
        return {
            "type": "message",
            "subtype": "message_deleted",
            "previous_message": self._json(before),
            "deleted_ts": before.ts,
            "hidden": True,
            **self._when(channel),
        }

    def _when(self, channel: Channel) -> Json:
        ts = self._workspace.tick()
        return {"ts": ts, **_where(channel, ts)}

    def _reaction(self, kind: str, change: Change, message: Message) -> Json:
        return {
            "type": kind,
            "user": change.user,
            "reaction": change.emoji,
            "item_user": message.user,
            "item": {"type": "message", "channel": message.channel, "ts": message.ts},
            "event_ts": self._workspace.tick(),
        }

    def _home_opened(self, user: str, channel: Channel) -> Json:
        event = {
            "type": "app_home_opened",
            "user": user,
            "channel": channel.id,
            "tab": "home",
            "event_ts": self._workspace.tick(),
        }
        view = self._site.modals.homes.get(user)
        return {**event, "view": view_json(view, self._app)} if view else event


def _where(channel: Channel, event_ts: str) -> Json:
    return {"channel": channel.id, "channel_type": channel.kind, "event_ts": event_ts}
