"""Does what the app answers: with an acknowledgement, or later at a `response_url`."""

from __future__ import annotations

from slackbot.playground.arguments import Arguments
from slackbot.playground.errors import ApiError
from slackbot.playground.limits import Surface, check_view
from slackbot.playground.methods.chat import changed_draft, draft_of
from slackbot.playground.records import Json, Message, View
from slackbot.playground.site import Site

TROUBLE = "We had some trouble connecting. Try again?"
"""What Slack shows in a modal when the app does not answer, or answers nonsense."""


def say(site: Site, channel_id: str, user: str, args: Arguments) -> Message:
    """Show a new message to the person who acted, or with `in_channel` to everybody there.

    Raises:
        ApiError: The message is empty or invalid.
    """
    workspace, draft = site.workspace, draft_of(args)
    channel = workspace.channels[channel_id]
    if args.text("response_type") == "in_channel":
        return workspace.post(channel, workspace.bot, draft)
    return workspace.whisper(channel, workspace.bot, draft, user)


def respond(site: Site, secret: str, args: Arguments) -> None:
    """Do what was posted to a `response_url`: say something, or change the original.

    Raises:
        ApiError: The URL is not valid any more, or the message is not.
    """
    handle = site.replies.use(secret)
    original = handle.message
    if original is None or original.deleted:
        say(site, handle.channel, handle.user, args)
    elif args.flag("delete_original"):
        site.workspace.delete(original, site.workspace.bot.id)
    elif args.flag("replace_original"):
        draft = changed_draft(original, args)
        site.workspace.edit(original, draft, site.workspace.bot.id, visibly=False)
    else:
        say(site, handle.channel, handle.user, args)


def close_or_change(site: Site, view: View, answer: Json) -> None:
    """Do what the app answered to a submission; without a word the modal closes."""
    try:
        _close_or_change(site, view, answer)
    except ApiError:
        site.modals.object_to(view, {"": TROUBLE})


def _close_or_change(site: Site, view: View, answer: Json) -> None:
    match answer.get("response_action"):
        case None:
            site.modals.close(view)
        case "clear":
            site.modals.close_all(view.user)
        case "errors":
            site.modals.object_to(view, _checked_errors(view, answer.get("errors")))
        case "update":
            site.modals.update(view, check_view(answer.get("view"), Surface.MODAL))
        case "push":
            site.modals.push(view.user, check_view(answer.get("view"), Surface.MODAL))
        case _:
            raise ApiError("invalid_arguments")


def _checked_errors(view: View, errors: object) -> dict[str, str]:
    """Objections may only stand at input blocks that are there."""
    inputs = {block["block_id"] for block in view.blocks if block["type"] == "input"}
    if not isinstance(errors, dict) or not errors or not errors.keys() <= inputs:
        raise ApiError("invalid_arguments")
    return {str(block_id): str(text) for block_id, text in errors.items()}
