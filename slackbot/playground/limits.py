"""Slack's limits on blocks, messages and views, as tables."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum

from slackbot.playground import blocks as block_kit
from slackbot.playground.errors import ApiError
from slackbot.playground.records import Json
from slackbot.playground.schema import (
    Check,
    Objections,
    Rule,
    anything,
    array,
    flag,
    integer,
    objection,
    one_of,
    record,
    string,
    typed,
)

MESSAGE_TEXT = 40_000
MESSAGE_BLOCKS = 50
MESSAGE_BLOCK_TEXT = 11_000
"""Slack documents no such limit, but refuses messages somewhere between 11,000 and 13,000."""
VIEW_BLOCKS = 100
VIEW_BYTES = 250_000
METADATA_BYTES = 16_000


class Surface(StrEnum):
    """Where blocks show."""

    MESSAGE = "message"
    MODAL = "modal"
    HOME = "home"


# Composition objects -------------------------------------------------------------------------


def _plain(most: int) -> Check:
    fields = {"type": anything, "text": string(most, least=1)}
    return typed({"plain_text": record(fields, {"emoji": flag()})})


def _text(most: int) -> Check:
    fields = {"type": anything, "text": string(most, least=1)}
    return typed(
        {
            "plain_text": record(fields, {"emoji": flag()}),
            "mrkdwn": record(fields, {"verbatim": flag()}),
        }
    )


def _option(text: Check, **more: Check) -> Check:
    return record({"text": text, "value": string(150)}, {"description": _text(75), **more})


_CONFIRM = record(
    {"title": _plain(100), "text": _text(300), "confirm": _plain(30), "deny": _plain(30)},
    {"style": one_of("primary", "danger")},
)
_MENU_OPTION = _option(_plain(75))
_BOX_OPTION = _option(_text(75))
_GROUP = record({"label": _plain(75), "options": array(_MENU_OPTION, 1, 100)})
_ID = string(255, least=1)


# Rules that look at several fields -----------------------------------------------------------


def _text_or_fields(block: Json, pointer: str) -> Objections:
    if "text" not in block and "fields" not in block:
        yield objection("must define either `text` or `fields`", pointer)


def _options_or_groups(element: Json, pointer: str) -> Objections:
    if ("options" in element) == ("option_groups" in element):
        yield objection("must define exactly one of `options` or `option_groups`", pointer)


def _chosen_exist(element: Json, pointer: str) -> Objections:
    chosen = [element["initial_option"]] if "initial_option" in element else []
    for option in (*chosen, *element.get("initial_options", ())):
        if option not in block_kit.options(element):
            yield objection("initial option must be one of the options", pointer)


def _one_source(image: Json, pointer: str) -> Objections:
    if ("image_url" in image) == ("slack_file" in image):
        yield objection("must define exactly one of `image_url` or `slack_file`", pointer)


# Elements ------------------------------------------------------------------------------------


def _element(required: Mapping[str, Check] | None = None, *rules: Rule, **optional: Check) -> Check:
    """An interactive element; `action_id`, `confirm` and the focus are common to all."""
    common = {"action_id": _ID, "confirm": _CONFIRM, "focus_on_load": flag()}
    return record({"type": anything, **(required or {})}, {**common, **optional}, *rules)


def _menu(**optional: Check) -> Check:
    return _element(None, placeholder=_plain(150), **optional)


def _static_menu(**optional: Check) -> Check:
    return _element(
        None,
        _options_or_groups,
        _chosen_exist,
        placeholder=_plain(150),
        options=array(_MENU_OPTION, 1, 100),
        option_groups=array(_GROUP, 1, 100),
        **optional,
    )


_CONVERSATIONS = record(
    {},
    {
        "include": array(one_of("im", "mpim", "private", "public"), 1, 4),
        "exclude_external_shared_channels": flag(),
        "exclude_bot_users": flag(),
    },
)
_MANY = {"max_selected_items": integer(1, 100)}
_IDS = array(_ID, 0, 100)
_USER_MENUS = {
    "users_select": _menu(initial_user=_ID),
    "conversations_select": _menu(
        initial_conversation=_ID,
        default_to_current_conversation=flag(),
        response_url_enabled=flag(),
        filter=_CONVERSATIONS,
    ),
    "channels_select": _menu(initial_channel=_ID, response_url_enabled=flag()),
}
_SINGLE_MENUS = {
    **_USER_MENUS,
    "static_select": _static_menu(initial_option=_MENU_OPTION),
}
_MULTI_MENUS = {
    "multi_static_select": _static_menu(initial_options=array(_MENU_OPTION, 1, 100), **_MANY),
    "multi_users_select": _menu(initial_users=_IDS, **_MANY),
    "multi_conversations_select": _menu(
        initial_conversations=_IDS,
        default_to_current_conversation=flag(),
        filter=_CONVERSATIONS,
        **_MANY,
    ),
    "multi_channels_select": _menu(initial_channels=_IDS, **_MANY),
}
_BOXES = {
    "checkboxes": _element(
        {"options": array(_BOX_OPTION, 1, 10)},
        _chosen_exist,
        initial_options=array(_BOX_OPTION, 1, 10),
    ),
    "radio_buttons": _element(
        {"options": array(_BOX_OPTION, 1, 10)}, _chosen_exist, initial_option=_BOX_OPTION
    ),
}
_DATES = {
    "datepicker": _menu(initial_date=string(10, least=10)),
    "timepicker": _menu(initial_time=string(5, least=5), timezone=string(255)),
}
_EXACT_DATES = {"datetimepicker": _element(None, initial_date_time=integer(10**9, 10**10 - 1))}
_BUTTONS = {
    "button": _element(
        {"text": _plain(75)},
        value=string(2_000),
        url=string(3_000),
        style=one_of("primary", "danger"),
        accessibility_label=string(75),
    ),
    "overflow": _element({"options": array(_option(_plain(75), url=string(3_000)), 1, 5)}),
}
_IMAGE = record(
    {"type": anything, "alt_text": string(2_000)},
    {"image_url": string(3_000, least=1), "slack_file": anything},
    _one_source,
)
_TYPING = {"placeholder": _plain(150), "dispatch_action_config": anything}
_FIELDS = {
    "plain_text_input": _element(
        None,
        initial_value=string(3_000),
        multiline=flag(),
        min_length=integer(0, 3_000),
        max_length=integer(1, 3_000),
        **_TYPING,
    ),
    "number_input": _element(
        {"is_decimal_allowed": flag()},
        initial_value=string(255),
        min_value=string(255),
        max_value=string(255),
        **_TYPING,
    ),
    "email_text_input": _element(None, initial_value=string(255), **_TYPING),
    "url_text_input": _element(None, initial_value=string(3_000), **_TYPING),
    "rich_text_input": _element(None, initial_value=anything, **_TYPING),
    "file_input": _element(None, filetypes=anything, max_files=integer(1, 10)),
}

_ACCESSORIES = {
    **_BUTTONS, **_SINGLE_MENUS, **_MULTI_MENUS, **_BOXES, **_DATES, "image": _IMAGE
}  # fmt: skip
_ACTIONS = {**_BUTTONS, **_SINGLE_MENUS, **_BOXES, **_DATES, **_EXACT_DATES}
_INPUTS = {**_FIELDS, **_SINGLE_MENUS, **_MULTI_MENUS, **_BOXES, **_DATES, **_EXACT_DATES}


# Blocks --------------------------------------------------------------------------------------


def _block(required: Mapping[str, Check], *rules: Rule, **optional: Check) -> Check:
    return record({"type": anything, **required}, {"block_id": _ID, **optional}, *rules)


_CONTEXT_TEXT = _text(3_000)
_RICH_PARTS = dict.fromkeys(
    ("rich_text_section", "rich_text_list", "rich_text_preformatted", "rich_text_quote"), anything
)

_BLOCKS: dict[str, Check] = {
    "section": _block(
        {},
        _text_or_fields,
        text=_text(3_000),
        fields=array(_text(2_000), 1, 10),
        accessory=typed(_ACCESSORIES),
        expand=flag(),
    ),
    "header": _block({"text": _plain(150)}),
    "divider": _block({}),
    "actions": _block({"elements": array(typed(_ACTIONS), 1, 25)}),
    "context": _block(
        {
            "elements": array(
                typed({"image": _IMAGE, "mrkdwn": _CONTEXT_TEXT, "plain_text": _CONTEXT_TEXT}),
                1,
                10,
            )
        }
    ),
    "image": _block(
        {"alt_text": string(2_000)},
        _one_source,
        image_url=string(3_000, least=1),
        slack_file=anything,
        title=_plain(2_000),
    ),
    "input": _block(
        {"label": _plain(2_000), "element": typed(_INPUTS)},
        hint=_plain(2_000),
        optional=flag(),
        dispatch_action=flag(),
    ),
    "rich_text": _block({"elements": array(typed(_RICH_PARTS), 1, 100)}),
}
_ONLY_IN_MESSAGES = {"markdown": _block({"text": string(12_000, least=1)})}

_MESSAGE = array(typed({**_BLOCKS, **_ONLY_IN_MESSAGES}), 0, MESSAGE_BLOCKS)
_VIEW_BLOCKS = array(typed(_BLOCKS), 1, VIEW_BLOCKS)


# Views ---------------------------------------------------------------------------------------


def _submit_with_inputs(view: Json, pointer: str) -> Objections:
    if "submit" not in view and any(block["type"] == "input" for block in view["blocks"]):
        yield objection("must define `submit` to use an `input` block in modals", pointer)


_COMMON = {
    "private_metadata": string(3_000),
    "callback_id": string(255),
    "external_id": string(255),
}
_HOME = record({"type": anything, "blocks": _VIEW_BLOCKS}, _COMMON)
_MODAL = record(
    {"type": anything, "title": _plain(24), "blocks": _VIEW_BLOCKS},
    {
        **_COMMON,
        "submit": _plain(24),
        "close": _plain(24),
        "clear_on_close": flag(),
        "notify_on_close": flag(),
        "submit_disabled": flag(),
    },
    _submit_with_inputs,
)
_VIEWS = {Surface.MODAL: _MODAL, Surface.HOME: _HOME}


# What the rest of the playground asks --------------------------------------------------------


def check_message_blocks(blocks: object) -> list[Json]:
    """Check the blocks of a message.

    Returns:
        The same blocks.

    Raises:
        ApiError: `invalid_blocks_format` when it is no list of objects, `invalid_blocks` with
            one message per objection, `msg_blocks_too_long` when all texts together are too long.
    """
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        raise ApiError("invalid_blocks_format")
    objections = list(_MESSAGE(blocks, "/blocks")) or list(_twins(blocks, "/blocks"))
    if objections:
        raise ApiError("invalid_blocks", *objections, errors=objections)
    if sum(map(len, block_kit.texts(blocks))) > MESSAGE_BLOCK_TEXT:
        raise ApiError("msg_blocks_too_long")
    return blocks


def check_view(view: object, *surfaces: Surface) -> Json:
    """Check a view for one of the given surfaces.

    Returns:
        The same view.

    Raises:
        ApiError: `invalid_arguments` with one message per objection, or `view_too_large`.
    """
    objections = list(typed({surface: _VIEWS[surface] for surface in surfaces})(view, "/view"))
    if objections or not isinstance(view, dict):
        raise ApiError("invalid_arguments", *objections)
    if objections := list(_twins(view["blocks"], "/view/blocks")):
        raise ApiError("invalid_arguments", *objections)
    if len(json.dumps(view, ensure_ascii=False).encode()) > VIEW_BYTES:
        raise ApiError("view_too_large")
    return view


def check_metadata(metadata: object) -> Json | None:
    """Check a message's metadata; `{}` means none.

    Raises:
        ApiError: `invalid_metadata_format` or `metadata_too_large`.
    """
    if metadata == {} or metadata is None:
        return None
    wanted = record({"event_type": _ID, "event_payload": _any_object})
    if not isinstance(metadata, dict) or any(wanted(metadata, "/metadata")):
        raise ApiError("invalid_metadata_format")
    if len(json.dumps(metadata)) > METADATA_BYTES:
        raise ApiError("metadata_too_large")
    return metadata


def _any_object(value: object, pointer: str) -> Objections:
    if not isinstance(value, dict):
        yield objection("must provide an object", pointer)


def _twins(blocks: Sequence[Json], pointer: str) -> Iterator[str]:
    """Ids that must be unique but are not: blocks in a surface, actions in a block."""
    seen: set[str] = set()
    for index, block in enumerate(blocks):
        block_id = block.get("block_id")
        if block_id in seen:
            yield objection(f"block_id `{block_id}` already exists", f"{pointer}/{index}/block_id")
        seen.update(filter(None, [block_id]))
        actions: set[str] = set()
        for _, element in block_kit.elements([block]):
            if element["action_id"] in actions:
                message = f"action_id `{element['action_id']}` already exists in this block"
                yield objection(message, f"{pointer}/{index}/elements")
            actions.add(element["action_id"])
