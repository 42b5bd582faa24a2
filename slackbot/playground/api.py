"""The Web API as one table: method, handler, scopes, required arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from slackbot.playground.arguments import Arguments
from slackbot.playground.errors import ApiError
from slackbot.playground.methods import chat, conversations, files, people, surfaces
from slackbot.playground.methods.call import Call, check_scopes
from slackbot.playground.records import Json

_WRITE = ("chat:write",)
_READ = ("channels:read", "groups:read", "im:read", "mpim:read")
_HISTORY = ("channels:history", "groups:history", "im:history", "mpim:history")


@dataclass(frozen=True, slots=True)
class Method:
    """One method.

    Attributes:
        run: Does it, and returns the fields of the answer.
        scopes: Any one of them is enough to be let in; none means everybody is.
        required: Arguments without which it is not run.
    """

    run: Callable[[Call], Json]
    scopes: tuple[str, ...] = ()
    required: tuple[str, ...] = ()


METHODS: Mapping[str, Method] = {
    "auth.test": Method(people.auth_test),
    "bots.info": Method(people.bot_info, ("users:read",)),
    "chat.delete": Method(chat.delete, _WRITE, ("channel", "ts")),
    "chat.getPermalink": Method(chat.get_permalink, (), ("channel", "message_ts")),
    "chat.postEphemeral": Method(chat.post_ephemeral, _WRITE, ("channel", "user")),
    "chat.postMessage": Method(chat.post_message, _WRITE, ("channel",)),
    "chat.update": Method(chat.update, _WRITE, ("channel", "ts")),
    "conversations.history": Method(conversations.history, _HISTORY, ("channel",)),
    "conversations.info": Method(conversations.info, _READ, ("channel",)),
    "conversations.join": Method(conversations.join, ("channels:join",), ("channel",)),
    "conversations.list": Method(conversations.list_channels, _READ),
    "conversations.members": Method(conversations.members, _READ, ("channel",)),
    "conversations.open": Method(conversations.open_dm, ("im:write", "mpim:write")),
    "conversations.replies": Method(conversations.replies, _HISTORY, ("channel", "ts")),
    "files.completeUploadExternal": Method(files.complete_upload, ("files:write",), ("files",)),
    "files.delete": Method(files.delete_file, ("files:write",), ("file",)),
    "files.getUploadURLExternal": Method(
        files.get_upload_url, ("files:write",), ("filename", "length")
    ),
    "files.info": Method(files.file_info, ("files:read",), ("file",)),
    "reactions.add": Method(
        chat.add_reaction, ("reactions:write",), ("channel", "name", "timestamp")
    ),
    "reactions.remove": Method(
        chat.remove_reaction, ("reactions:write",), ("channel", "name", "timestamp")
    ),
    "usergroups.list": Method(people.list_usergroups, ("usergroups:read",)),
    "usergroups.users.list": Method(
        people.list_usergroup_users, ("usergroups:read",), ("usergroup",)
    ),
    "users.info": Method(people.user_info, ("users:read",), ("user",)),
    "views.open": Method(surfaces.open_view, (), ("trigger_id", "view")),
    "views.publish": Method(surfaces.publish_view, (), ("user_id", "view")),
    "views.push": Method(surfaces.push_view, (), ("trigger_id", "view")),
    "views.update": Method(surfaces.update_view, (), ("view",)),
}
"""Everything that a bot token can call; `server.py` answers `apps.connections.open` itself."""


def run(name: str, token: str | None, call: Call) -> Json:
    """Run a method for the holder of a token.

    Args:
        name: The method, `chat.postMessage` for example.
        token: What came in the `Authorization` header or as the argument `token`.
        call: The arguments and what they may touch.

    Returns:
        The answer, `ok` included.

    Raises:
        ApiError: The call failed; the error has Slack's name.
    """
    method = METHODS.get(name)
    if method is None:
        raise ApiError("unknown_method", req_method=name)
    check_token(token, right=call.app.bot_token, wrong=call.app.app_token)
    check_scopes(call.app, method.scopes)
    check_required(call.args, method.required)
    return {"ok": True, **method.run(call)}


def check_token(token: str | None, *, right: str, wrong: str) -> None:
    """Insist on the right token.

    Raises:
        ApiError: `not_authed`, `invalid_auth`, or `not_allowed_token_type` for the wrong one of
            the app's two tokens.
    """
    if not token:
        raise ApiError("not_authed")
    if token == wrong:
        raise ApiError("not_allowed_token_type")
    if token != right:
        raise ApiError("invalid_auth")


def check_required(args: Arguments, names: tuple[str, ...]) -> None:
    """Insist on arguments.

    Raises:
        ApiError: `invalid_arguments`, with one message for each missing argument.
    """
    missing = [f"missing required field: {name}" for name in names if not args.values.get(name)]
    if missing:
        raise ApiError("invalid_arguments", *missing)
