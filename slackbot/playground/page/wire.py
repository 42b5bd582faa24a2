"""Writes the workspace down for the page, as one person sees it."""

from __future__ import annotations

from slackbot.playground.changes import Change, What
from slackbot.playground.payloads import channel_json, message_json, view_json
from slackbot.playground.person import Person
from slackbot.playground.playground import Playground
from slackbot.playground.records import Channel, Json, Message, StoredFile, View


def snapshot(slack: Playground, viewer: Person) -> Json:
    """Everything that is on this person's screen or one click away."""
    workspace = slack.workspace
    joined = [place for place in workspace.channels.values() if viewer.id in place.members]
    public = [
        message
        for channel in joined
        for message in channel.messages.values()
        if not message.deleted or message.replies
    ]
    return {
        "kind": "snapshot",
        "me": viewer.id,
        "bot": slack.bot_user_id,
        "users": {
            user.id: {"name": user.name, "real_name": user.real_name, "is_app": bool(user.bot_id)}
            for user in workspace.users.values()
        },
        "groups": {group.id: group.handle for group in workspace.usergroups.values()},
        "channels": [channel_json(channel, viewer.id) for channel in joined],
        "messages": [_message(slack, each) for each in (*public, *slack.ephemerals(viewer))],
        "modal": _view(slack, slack.open_view(viewer)),
        "home": _view(slack, slack.home(viewer)),
    }


def told(slack: Playground, viewer: Person, change: Change) -> Json | None:
    """What this person's page must hear of a change; None when it is nothing to them."""
    if change.message is not None and change.channel is not None:
        return _message_change(slack, viewer, change.channel, change.message)
    if change.what is What.VIEWED and change.view is not None and change.user == viewer.id:
        if change.view.body["type"] == "home":
            return {"kind": "home", "home": _view(slack, change.view)}
        return {"kind": "modal", "modal": _view(slack, slack.open_view(viewer))}
    return None


def file_seen(slack: Playground, viewer: Person, file_id: str) -> StoredFile | None:
    """A file of a message that this person sees; None for any other."""
    file = slack.workspace.files.get(file_id)
    for channel in slack.workspace.channels.values():
        if viewer.id in channel.members:
            for message in channel.messages.values():
                if not message.deleted and file in message.files:
                    return file
    return None


def _message_change(
    slack: Playground, viewer: Person, channel: Channel, message: Message
) -> Json | None:
    if viewer.id not in channel.members or message.only_for not in (None, viewer.id):
        return None
    if message.deleted and not message.replies:
        return {"kind": "gone", "channel": channel.id, "ts": message.ts}
    return {
        "kind": "message",
        "channel": channel_json(channel, viewer.id),
        "message": _message(slack, message),
    }


def _message(slack: Playground, message: Message) -> Json:
    """A message with what Slack's own client knows besides its JSON."""
    return {
        "channel": message.channel,
        "ephemeral": message.only_for is not None,
        "json": message_json(message, slack.app),
    }


def _view(slack: Playground, view: View | None) -> Json | None:
    return None if view is None else {"json": view_json(view, slack.app), "errors": view.errors}
