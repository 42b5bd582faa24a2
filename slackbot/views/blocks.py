"""Builders of Block Kit JSON that keep Slack's limits."""

from __future__ import annotations

from collections.abc import Sequence

from slackbot.mrkdwn import shorten
from slackbot.views.message import Block

_TEXT = 3000  # characters of a text object
_HEADER = 150
_FIELD_TEXT = 2000  # label and hint of an input
_LABEL = 75  # text of a button, an option, an option group
_OPTIONS = 100  # options of a select or of one group

Option = tuple[str, str]
"""What a select shows, and the value that comes back."""


def plain_text(text: str, limit: int = _LABEL) -> Block:
    """One line that Slack shows character by character."""
    return {"type": "plain_text", "text": shorten(" ".join(text.split()), limit), "emoji": False}


def mrkdwn(text: str) -> Block:
    """Text with markup; `verbatim`, so that Slack makes no links and mentions of its own."""
    return {"type": "mrkdwn", "text": shorten(text, _TEXT), "verbatim": True}


def header(text: str) -> Block:
    """A line in large letters."""
    return {"type": "header", "text": plain_text(text, _HEADER)}


def section(text: str) -> Block:
    """A paragraph of mrkdwn."""
    return {"type": "section", "text": mrkdwn(text)}


def context(text: str) -> Block:
    """A paragraph of mrkdwn in small letters."""
    return {"type": "context", "elements": [mrkdwn(text)]}


def divider() -> Block:
    """A line across."""
    return {"type": "divider"}


def actions(block_id: str, elements: Sequence[Block]) -> Block:
    """A row of 1 to 25 buttons and selects."""
    return {"type": "actions", "block_id": block_id, "elements": list(elements)}


def button(
    action_id: str,
    text: str,
    value: str,
    style: str | None = None,
    confirm: Block | None = None,
) -> Block:
    """A button.

    Args:
        action_id: Under which its clicks come back.
        text: Shown up to 75 characters.
        value: Comes back with a click; at most 2,000 characters.
        style: "primary", "danger" or None.
        confirm: A dialog that asks before the click counts, from `confirmation`.
    """
    element = {
        "type": "button",
        "action_id": action_id,
        "text": plain_text(text),
        "value": value,
    }
    more = {"style": style, "confirm": confirm}
    return element | {name: value for name, value in more.items() if value is not None}


def confirmation(title: str, text: str, confirm: str, deny: str) -> Block:
    """A dialog that asks whether somebody means it; the way on is marked as dangerous."""
    return {
        "title": plain_text(title, 100),
        "text": plain_text(text, 300),
        "confirm": plain_text(confirm, 30),
        "deny": plain_text(deny, 30),
        "style": "danger",
    }


def select(
    action_id: str, placeholder: str, options: Sequence[Option], chosen: Option | None = None
) -> Block:
    """A select; more than 100 options are grouped, each group named by its first and last.

    Args:
        action_id: Under which a choice comes back.
        placeholder: Shown while nothing is chosen.
        options: At least one, at most 10,000; values at most 150 characters.
        chosen: One of the options, chosen from the start.
    """
    element: Block = {
        "type": "static_select",
        "action_id": action_id,
        "placeholder": plain_text(placeholder),
    }
    if len(options) <= _OPTIONS:
        element["options"] = [_option(option) for option in options]
    else:
        element["option_groups"] = [
            _group(options[start : start + _OPTIONS]) for start in range(0, len(options), _OPTIONS)
        ]
    if chosen is not None:
        element["initial_option"] = _option(chosen)
    return element


def multi_select(
    action_id: str, placeholder: str, options: Sequence[Option], chosen: Sequence[Option] = ()
) -> Block:
    """A menu from which several options may be chosen; see `select`."""
    element = select(action_id, placeholder, options) | {"type": "multi_static_select"}
    return element | ({"initial_options": [_option(each) for each in chosen]} if chosen else {})


def pick_channel(action_id: str, placeholder: str, chosen: str | None = None) -> Block:
    """A menu of the workspace's channels."""
    element = _picker("conversations_select", action_id, placeholder)
    return element | ({"initial_conversation": chosen} if chosen else {})


def pick_channels(action_id: str, placeholder: str, chosen: Sequence[str] = ()) -> Block:
    """A menu from which several of the workspace's channels may be chosen."""
    element = _picker("multi_conversations_select", action_id, placeholder)
    return element | ({"initial_conversations": list(chosen)} if chosen else {})


def pick_users(action_id: str, placeholder: str, chosen: Sequence[str] = ()) -> Block:
    """A menu from which several people may be chosen."""
    element: Block = {
        "type": "multi_users_select",
        "action_id": action_id,
        "placeholder": plain_text(placeholder),
    }
    return element | ({"initial_users": list(chosen)} if chosen else {})


def number(action_id: str, value: int, most: int) -> Block:
    """A field for a whole number from 0 to `most`."""
    return {
        "type": "number_input",
        "action_id": action_id,
        "is_decimal_allowed": False,
        "initial_value": str(value),
        "min_value": "0",
        "max_value": str(most),
    }


def _picker(kind: str, action_id: str, placeholder: str) -> Block:
    return {
        "type": kind,
        "action_id": action_id,
        "placeholder": plain_text(placeholder),
        "filter": {"include": ["public", "private"]},
    }


def field(block_id: str, label: str, element: Block, *, optional: bool, hint: str = "") -> Block:
    """A field of a form: its label, the element that is filled in, and a hint below it."""
    block: Block = {
        "type": "input",
        "block_id": block_id,
        "label": plain_text(label, _FIELD_TEXT),
        "element": element,
        "optional": optional,
    }
    return block | ({"hint": plain_text(hint, _FIELD_TEXT)} if hint else {})


def _option(option: Option) -> Block:
    text, value = option
    return {"text": plain_text(text), "value": value}


def _group(options: Sequence[Option]) -> Block:
    half = (_LABEL - len(" … ")) // 2
    ends = (shorten(text, half) for text, _ in (options[0], options[-1]))
    return {
        "label": plain_text(" … ".join(ends)),
        "options": [_option(option) for option in options],
    }
