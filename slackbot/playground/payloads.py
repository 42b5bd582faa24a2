"""Writes people, channels, messages, views and events down as Slack does."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator

from slackbot.playground.app import Installation
from slackbot.playground.records import (
    SLACKBOT,
    Channel,
    ChannelKind,
    Json,
    Message,
    StoredFile,
    User,
    Usergroup,
    View,
)

_TOKEN = re.compile(r"<([@#!])([^|>]+)[^>]*>|<(https?://[^|>]+)[^>]*>")
VERIFICATION_TOKEN = "playground"  # noqa: S105  (deprecated by Slack, still in every payload)


def user_json(user: User, *, with_email: bool = False) -> Json:
    """A user as `users.info` shows it."""
    profile = {"real_name": user.real_name, "display_name": user.name, "team": user.team_id}
    if with_email and user.bot_id is None:
        profile["email"] = f"{user.name}@example.com"
    return {
        "id": user.id,
        "team_id": user.team_id,
        "name": user.name,
        "deleted": user.deleted,
        "real_name": user.real_name,
        "tz": "Europe/Berlin",
        "tz_offset": 3600,
        "profile": profile,
        "is_admin": user.admin,
        "is_owner": user.admin,
        "is_primary_owner": False,
        "is_restricted": user.restricted or user.ultra_restricted,
        "is_ultra_restricted": user.ultra_restricted,
        "is_stranger": user.stranger,
        "is_bot": user.bot_id is not None,
        "is_app_user": False,
        "updated": 0,
    }


def channel_json(channel: Channel, viewer: str) -> Json:
    """A conversation as `conversations.info` shows it to `viewer`."""
    shared: Json = {
        "id": channel.id,
        "is_archived": channel.archived,
        "is_channel": channel.kind is ChannelKind.PUBLIC,
        "is_group": channel.kind is ChannelKind.PRIVATE,
        "is_im": channel.kind is ChannelKind.IM,
        "is_mpim": channel.kind is ChannelKind.MPIM,
        "is_private": channel.kind is not ChannelKind.PUBLIC,
    }
    if channel.kind is ChannelKind.IM:
        return {**shared, "user": next(iter(channel.members - {viewer}), viewer)}
    return {
        **shared,
        "name": channel.name,
        "name_normalized": channel.name,
        "is_member": viewer in channel.members,
        "num_members": len(channel.members),
    }


def usergroup_json(group: Usergroup, team_id: str, *, with_users: bool) -> Json:
    """A user group as `usergroups.list` shows it."""
    body: Json = {
        "id": group.id,
        "team_id": team_id,
        "is_usergroup": True,
        "name": group.handle,
        "handle": group.handle,
        "date_delete": 0,
        "user_count": len(group.users),
    }
    return {**body, "users": list(group.users)} if with_users else body


def file_json(file: StoredFile) -> Json:
    """A file as `files.info` and messages show it."""
    return {
        "id": file.id,
        "name": file.name,
        "title": file.title,
        "user": file.user,
        "size": file.length,
        "alt_txt": file.alt_text,
        "url_private": file.url,
    }


def message_json(message: Message, app: Installation, *, with_metadata: bool = True) -> Json:
    """A message as events and `conversations.history` show it, without its channel."""
    body: Json = {"type": "message", "user": message.user, "text": message.text, "ts": message.ts}
    if message.deleted:
        return {**body, **_tombstone(), **_thread_json(message)}
    if message.bot_id is None:
        name = f"{app.team_id}/{message.channel}/{message.ts}"
        body["client_msg_id"] = str(uuid.uuid5(uuid.NAMESPACE_URL, name))
        body["team"] = app.team_id
        body["blocks"] = list(rich_text(message.text, message.ts))
    else:
        body |= {"bot_id": message.bot_id, "app_id": message.app_id, "team": app.team_id}
        body |= {"blocks": message.blocks} if message.blocks else {}
    if message.subtype:
        body["subtype"] = message.subtype
    if message.attachments:
        body["attachments"] = message.attachments
    if message.files:
        body["files"] = [file_json(file) for file in message.files]
    if message.edited:
        body["edited"] = {"user": message.user, "ts": message.edited}
    if message.metadata and with_metadata:
        body["metadata"] = message.metadata
    if message.reactions:
        body["reactions"] = [
            {"name": name, "users": list(users), "count": len(users)}
            for name, users in message.reactions.items()
        ]
    return {**body, **_thread_json(message)}


def _tombstone() -> Json:
    text = "This message was deleted."
    return {"subtype": "tombstone", "user": SLACKBOT, "text": text, "hidden": True}


def _thread_json(message: Message) -> Json:
    if message.thread_ts is None:
        return {}
    if message.is_reply:
        return {"thread_ts": message.thread_ts}
    users = list(dict.fromkeys(reply.user for reply in message.replies))
    return {
        "thread_ts": message.thread_ts,
        "reply_count": len(message.replies),
        "reply_users": users,
        "reply_users_count": len(users),
        "latest_reply": message.replies[-1].ts if message.replies else "0000000000.000000",
        "is_locked": False,
        "subscribed": False,
    }


def rich_text(text: str, block_id: str) -> Iterator[Json]:
    """The block that Slack's own clients make of what a person types."""
    if not text:
        return
    section = {"type": "rich_text_section", "elements": list(_rich_elements(text))}
    yield {"type": "rich_text", "block_id": block_id, "elements": [section]}


def _rich_elements(text: str) -> Iterator[Json]:
    end = 0
    for match in _TOKEN.finditer(text):
        if match.start() > end:
            yield {"type": "text", "text": text[end : match.start()]}
        yield _rich_token(match)
        end = match.end()
    if end < len(text):
        yield {"type": "text", "text": text[end:]}


def _rich_token(match: re.Match[str]) -> Json:
    sign, name, url = match.groups()
    if url:
        return {"type": "link", "url": url}
    if sign == "@":
        return {"type": "user", "user_id": name}
    if sign == "#":
        return {"type": "channel", "channel_id": name}
    if name.startswith("subteam^"):
        return {"type": "usergroup", "usergroup_id": name.removeprefix("subteam^")}
    return {"type": "broadcast", "range": name}


def view_json(view: View, app: Installation) -> Json:
    """A view as `views.*` and interactions show it."""
    return {
        "id": view.id,
        "team_id": app.team_id,
        "app_id": app.app_id,
        "bot_id": app.bot_id,
        "app_installed_team_id": app.team_id,
        "private_metadata": "",
        "callback_id": "",
        "external_id": "",
        "title": None,
        "submit": None,
        "close": None,
        "clear_on_close": False,
        "notify_on_close": False,
        **view.body,
        "state": {"values": view.values},
        "hash": view.hash,
        "root_view_id": view.root_id,
        "previous_view_id": view.previous_id,
    }


def event_json(event: Json, app: Installation, event_id: str, now: float) -> Json:
    """The envelope of the Events API around an event."""
    installed = {
        "enterprise_id": None,
        "team_id": app.team_id,
        "user_id": app.bot_user_id,
        "is_bot": True,
        "is_enterprise_install": False,
    }
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": app.team_id,
        "api_app_id": app.app_id,
        "event": event,
        "type": "event_callback",
        "event_id": event_id,
        "event_time": int(now),
        "authorizations": [installed],
        "is_ext_shared_channel": False,
        "event_context": f"4-{event_id}",
    }


def rate_limited_json(app: Installation, minute: int) -> Json:
    """What the app gets instead of events when there were too many, once a minute."""
    return {
        "token": VERIFICATION_TOKEN,
        "type": "app_rate_limited",
        "team_id": app.team_id,
        "minute_rate_limited": minute,
        "api_app_id": app.app_id,
    }


def interaction_json(kind: str, user: User, app: Installation) -> Json:
    """What all interactive payloads have in common."""
    return {
        "type": kind,
        "token": VERIFICATION_TOKEN,
        "api_app_id": app.app_id,
        "team": {"id": app.team_id, "domain": app.team},
        "user": {
            "id": user.id,
            "username": user.name,
            "name": user.name,
            "team_id": user.team_id,
        },
        "enterprise": None,
        "is_enterprise_install": False,
    }


def channel_name(channel: Channel) -> str:
    """A conversation's name as commands and interactions give it."""
    names = {ChannelKind.IM: "directmessage", ChannelKind.PRIVATE: "privategroup"}
    return names.get(channel.kind, channel.name)
