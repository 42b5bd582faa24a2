"""`conversations.*`: channels, their members and their messages."""

from __future__ import annotations

from slackbot.playground.errors import ApiError
from slackbot.playground.methods.call import Call
from slackbot.playground.payloads import channel_json, message_json
from slackbot.playground.records import Channel, ChannelKind, Json, Message

_KINDS = {
    "public_channel": ChannelKind.PUBLIC,
    "private_channel": ChannelKind.PRIVATE,
    "im": ChannelKind.IM,
    "mpim": ChannelKind.MPIM,
}


def history(call: Call) -> Json:
    """`conversations.history`: what stands in the channel itself, newest first."""
    channel = _readable(call)
    messages = [m for m in reversed(channel.messages.values()) if m.is_root and _stands(m)]
    return _messages(call, messages)


def replies(call: Call) -> Json:
    """`conversations.replies`: a message and its thread, oldest first."""
    channel = _readable(call)
    parent = call.site.workspace.find(channel.id, call.args.required("ts"))
    if parent is not None and parent.is_reply:
        parent = call.site.workspace.find(channel.id, parent.thread_ts)
    if parent is None:
        raise ApiError("thread_not_found")
    return _messages(call, [parent, *parent.replies])


def info(call: Call) -> Json:
    """`conversations.info`: one channel."""
    channel = call.channel()
    call.need_scope("read", channel.kind)
    return {"channel": channel_json(channel, call.bot.id)}


def members(call: Call) -> Json:
    """`conversations.members`: who is in a channel."""
    channel = call.channel()
    call.need_scope("read", channel.kind)
    page, cursor = call.page(sorted(channel.members), str)
    return {"members": list(page), "response_metadata": {"next_cursor": cursor}}


def list_channels(call: Call) -> Json:
    """`conversations.list`: every channel that the bot may know of."""
    kinds = [_kind(name) for name in call.args.names("types") or ("public_channel",)]
    for kind in kinds:
        call.need_scope("read", kind)
    known = [
        channel
        for channel in call.site.workspace.channels.values()
        if channel.kind in kinds
        and (channel.kind is ChannelKind.PUBLIC or call.bot.id in channel.members)
        and not (channel.archived and call.args.flag("exclude_archived"))
    ]
    page, cursor = call.page(known, lambda channel: channel.id)
    return {
        "channels": [channel_json(channel, call.bot.id) for channel in page],
        "response_metadata": {"next_cursor": cursor},
    }


def open_dm(call: Call) -> Json:
    """`conversations.open`: the direct message with one person or several."""
    users = call.args.names("users")
    if not users:
        raise ApiError("users_list_not_supplied")
    if not all(user in call.site.workspace.users for user in users):
        raise ApiError("user_not_found")
    if call.bot.id in users:
        raise ApiError("cannot_dm_bot")
    known = call.site.workspace.find_dm(call.bot.id, *users)
    channel = known or call.site.workspace.open_dm(call.bot.id, *users)
    body: Json = {"id": channel.id}
    if call.args.flag("return_im"):
        body = channel_json(channel, call.bot.id)
    return {"channel": body, **({"no_op": True, "already_open": True} if known else {})}


def join(call: Call) -> Json:
    """`conversations.join`: enter a public channel."""
    channel = call.channel()
    if channel.kind is not ChannelKind.PUBLIC:
        raise ApiError("method_not_supported_for_channel_type")
    if channel.archived:
        raise ApiError("is_archived")
    channel.members.add(call.bot.id)
    return {"channel": channel_json(channel, call.bot.id)}


def _kind(name: str) -> ChannelKind:
    if name not in _KINDS:
        raise ApiError("invalid_types")
    return _KINDS[name]


def _readable(call: Call) -> Channel:
    channel = call.channel()
    call.need_scope("history", channel.kind)
    if call.bot.id not in channel.members:
        raise ApiError("not_in_channel")
    return channel


def _stands(message: Message) -> bool:
    """A deleted message with replies stands there as a tombstone."""
    return not message.deleted or bool(message.replies)


def _messages(call: Call, messages: list[Message]) -> Json:
    oldest, latest = call.args.text("oldest") or "", call.args.text("latest") or "~"
    inclusive = call.args.flag("inclusive")
    wanted = [
        message
        for message in messages
        if oldest < message.ts < latest or (inclusive and message.ts in (oldest, latest))
    ]
    page, cursor = call.page(wanted, lambda message: message.ts, most=999)
    with_metadata = call.args.flag("include_all_metadata")
    return {
        "messages": [message_json(m, call.app, with_metadata=with_metadata) for m in page],
        "has_more": bool(cursor),
        **({"response_metadata": {"next_cursor": cursor}} if cursor else {}),
    }
