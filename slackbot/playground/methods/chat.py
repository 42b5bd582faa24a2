"""`chat.*` and `reactions.*`: say, change, delete, react."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from slackbot.playground.arguments import Arguments
from slackbot.playground.errors import ApiError
from slackbot.playground.limits import MESSAGE_TEXT, check_message_blocks, check_metadata
from slackbot.playground.methods.call import Call
from slackbot.playground.payloads import message_json
from slackbot.playground.records import Channel, ChannelKind, Json, Message
from slackbot.playground.workspace import Draft


def post_message(call: Call) -> Json:
    """`chat.postMessage`: say something in a channel, a thread, or to a person."""
    channel = _place(call)
    draft = draft_of(call.args)
    call.site.pace.take(channel.id)
    if draft.thread_ts and call.args.flag("reply_broadcast"):
        draft = replace(draft, subtype="thread_broadcast")
    message = call.site.workspace.post(channel, call.bot, draft)
    return {"channel": channel.id, "ts": message.ts, "message": message_json(message, call.app)}


def post_ephemeral(call: Call) -> Json:
    """`chat.postEphemeral`: say something that one member of a channel sees."""
    channel = _place(call)
    user = call.user()
    if user.id not in channel.members:
        raise ApiError("user_not_in_channel")
    draft = draft_of(call.args)
    call.site.pace.take(channel.id)
    message = call.site.workspace.whisper(channel, call.bot, draft, user.id)
    return {"message_ts": message.ts}


def update(call: Call) -> Json:
    """`chat.update`: replace one of the bot's own messages."""
    message = _own_message(call, "cant_update_message")
    if call.channel().archived:
        raise ApiError("is_inactive")
    draft = changed_draft(message, call.args)
    visibly = "blocks" not in call.args.values
    call.site.workspace.edit(message, draft, call.bot.id, visibly=visibly)
    return {
        "channel": message.channel,
        "ts": message.ts,
        "text": message.text,
        "message": message_json(message, call.app),
    }


def delete(call: Call) -> Json:
    """`chat.delete`: take one of the bot's own messages away."""
    message = _own_message(call, "cant_delete_message")
    call.site.workspace.delete(message, call.bot.id)
    return {"channel": message.channel, "ts": message.ts}


def get_permalink(call: Call) -> Json:
    """`chat.getPermalink`: a message's address for people."""
    message = call.message("message_ts")
    link = f"https://{call.app.team}.slack.com/archives/{message.channel}/p"
    link += message.ts.replace(".", "")
    if message.is_reply:
        link += f"?thread_ts={message.thread_ts}&cid={message.channel}"
    return {"channel": message.channel, "permalink": link}


def add_reaction(call: Call) -> Json:
    """`reactions.add`: react to a message."""
    message = call.message("timestamp")
    _check_membership(call, call.channel())
    if not call.site.workspace.react(message, _emoji(call), call.bot.id):
        raise ApiError("already_reacted")
    return {}


def remove_reaction(call: Call) -> Json:
    """`reactions.remove`: take the bot's own reaction back."""
    message = call.message("timestamp")
    if not call.site.workspace.unreact(message, _emoji(call), call.bot.id):
        raise ApiError("no_reaction")
    return {}


def _emoji(call: Call) -> str:
    name = call.args.required("name").strip(":")
    if not name.replace("_", "").replace("-", "").replace("+", "").isalnum():
        raise ApiError("invalid_name")
    return name


def draft_of(args: Arguments) -> Draft:
    """What a call, a `response_url` or an acknowledgement wants to say.

    Raises:
        ApiError: The blocks or the metadata are invalid, or there is nothing to say.
    """
    draft = Draft(
        text=(args.text("text") or args.text("markdown_text") or "")[:MESSAGE_TEXT],
        blocks=tuple(check_message_blocks(args.values.get("blocks") or [])),
        attachments=tuple(args.list("attachments")),
        metadata=check_metadata(args.values.get("metadata")),
        thread_ts=args.text("thread_ts"),
    )
    if draft.is_empty:
        raise ApiError("no_text")
    return draft


def changed_draft(message: Message, args: Arguments) -> Draft:
    """A message's new content: what is not given stays, but text alone drops the blocks.

    Raises:
        ApiError: As `draft_of`, or `msg_too_long`, as an update is not truncated.
    """
    if len(args.text("text") or "") > MESSAGE_TEXT:
        raise ApiError("msg_too_long")
    new_text = args.has("text")
    kept: Mapping[str, object] = {
        "text": message.text,
        "blocks": [] if new_text else message.blocks,
        "attachments": message.attachments,
        "metadata": message.metadata,
    }
    return draft_of(Arguments({**kept, **args.values, "thread_ts": None}))


def _place(call: Call) -> Channel:
    """Where to post; a user's id stands for the direct message with them."""
    target = call.args.required("channel")
    person = call.site.workspace.users.get(target)
    if person is not None and person.bot_id is None:
        return call.site.workspace.open_dm(call.bot.id, person.id)
    channel = call.channel()
    if channel.archived:
        raise ApiError("is_archived")
    _check_membership(call, channel)
    return channel


def _check_membership(call: Call, channel: Channel) -> None:
    if call.bot.id in channel.members:
        return
    if channel.kind is ChannelKind.PUBLIC and "chat:write.public" in call.app.manifest.scopes:
        return
    raise ApiError("not_in_channel")


def _own_message(call: Call, otherwise: str) -> Message:
    message = call.message()
    if message.app_id != call.app.app_id:
        raise ApiError(otherwise)
    return message
