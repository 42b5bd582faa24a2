"""What a person's clicks, choices and typing mean in the words of Block Kit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from slackbot.playground import blocks as block_kit
from slackbot.playground.errors import NotPossibleError
from slackbot.playground.records import Json, Message, View

_FIELDS = {
    "static_select": "selected_option",
    "radio_buttons": "selected_option",
    "overflow": "selected_option",
    "multi_static_select": "selected_options",
    "checkboxes": "selected_options",
    "plain_text_input": "value",
    "number_input": "value",
    "email_text_input": "value",
    "url_text_input": "value",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
    "users_select": "selected_user",
    "conversations_select": "selected_conversation",
    "channels_select": "selected_channel",
    "multi_users_select": "selected_users",
    "multi_conversations_select": "selected_conversations",
    "multi_channels_select": "selected_channels",
}
"""What the state of each kind of element is called; an overflow menu forgets it."""


def locate(target: Message | View, action_id: str, value: str | None = None) -> tuple[str, Json]:
    """The one element that a person means.

    Args:
        target: What is on the screen.
        action_id: The element's.
        value: How its value, or that of one of its options, begins; needed when several
            elements share the `action_id`.

    Returns:
        The block's id and the element.

    Raises:
        NotPossibleError: There is no such element, or there are several.
    """
    found = [
        (block_id, element)
        for block_id, element in block_kit.elements(target.blocks)
        if element["action_id"] == action_id and _has_value(element, value)
    ]
    if len(found) != 1:
        wanted = action_id if value is None else f"{action_id} with {value}"
        raise NotPossibleError(f"{len(found) or 'no'} elements {wanted} on the screen")
    return found[0]


def _has_value(element: Json, value: str | None) -> bool:
    values = [element.get("value", ""), *(o["value"] for o in block_kit.options(element))]
    return value is None or any(each.startswith(value) for each in values)


def option(element: Json, text: str) -> Json:
    """The option with this text, or the only one whose text begins with it.

    Raises:
        NotPossibleError: There is no such option, or there are several.
    """
    options = block_kit.options(element)
    exact = [each for each in options if each["text"]["text"] == text]
    found = exact or [each for each in options if each["text"]["text"].startswith(text)]
    if len(found) != 1:
        raise NotPossibleError(f"{len(found) or 'no'} options {text!r} in {element['action_id']}")
    return found[0]


def state(element: Json, value: object) -> Json:
    """What `state.values` and actions hold once a person has set an element.

    Args:
        element: The element.
        value: Option text for menus, an id for users and conversations, several of them where
            several may be chosen, a string for everything else; None clears it.

    Raises:
        NotPossibleError: The element does not take this value.
    """
    kind = element["type"]
    field = _FIELDS.get(kind)
    if field is None:
        raise NotPossibleError(f"a {kind} holds no value")
    if field == "selected_option":
        return {"type": kind, field: option(element, str(value)) if value else None}
    if field == "selected_options":
        texts = value if isinstance(value, Iterable) and not isinstance(value, str) else [value]
        return {"type": kind, field: [option(element, str(text)) for text in texts if text]}
    if field.endswith("s"):
        return {"type": kind, field: _ids(element, value)}
    _check_length(element, value)
    return {"type": kind, field: value or None}


def _ids(element: Json, value: object) -> list[str]:
    """Several users or conversations, by id."""
    several = value if isinstance(value, Iterable) and not isinstance(value, str) else [value]
    ids = [str(each) for each in several if each]
    if len(ids) > element.get("max_selected_items", len(ids)):
        raise NotPossibleError(f"too many are chosen in {element['action_id']}")
    return ids


def _check_length(element: Json, value: object) -> None:
    length = len(value) if isinstance(value, str) else 0
    if not element.get("min_length", 0) <= length <= element.get("max_length", 3_000):
        raise NotPossibleError(f"{length} characters do not fit {element['action_id']}")


def initial_values(blocks: Iterable[Json]) -> dict[str, dict[str, Json]]:
    """What every stateful element holds before anybody touches it."""
    values: dict[str, dict[str, Json]] = {}
    for block_id, element in block_kit.elements(list(blocks)):
        if element["type"] in _FIELDS and element["type"] != "overflow":
            values.setdefault(block_id, {})[element["action_id"]] = _initial(element)
    return values


def _initial(element: Json) -> Json:
    field = _FIELDS[element["type"]]
    given = {_held(name): value for name, value in element.items() if name.startswith("initial_")}
    return {"type": element["type"], field: [] if field.endswith("s") else None, **given}


def _held(name: str) -> str:
    """The state's name for what an element calls `initial_...`."""
    return "value" if name == "initial_value" else name.replace("initial_", "selected_", 1)


def chosen(values: Mapping[str, Mapping[str, Json]]) -> Iterator[tuple[str, list[str]]]:
    """The ids of users and conversations in state values, by what the state calls them."""
    for actions in values.values():
        for value in actions.values():
            for name, ids in value.items():
                if name.startswith(("selected_user", "selected_conv", "selected_chan")):
                    yield name, ids if isinstance(ids, list) else [ids] if ids else []


def merged(
    *layers: Mapping[str, Mapping[str, Json]],
) -> dict[str, dict[str, Json]]:
    """State values of several layers, later ones over earlier ones."""
    values: dict[str, dict[str, Json]] = {}
    for layer in layers:
        for block_id, actions in layer.items():
            values.setdefault(block_id, {}).update(actions)
    return values


def filled(view: View, answers: Mapping[str, object]) -> dict[str, dict[str, Json]]:
    """The state of a modal when a person presses its submit button.

    Args:
        view: The modal.
        answers: What they enter, by `action_id` or `block_id`, as `state` takes it.

    Raises:
        NotPossibleError: A field is not there, or a required one stays empty.
    """
    typed: dict[str, dict[str, Json]] = {}
    for name, value in answers.items():
        block_id, element = _field(view, name)
        typed.setdefault(block_id, {})[element["action_id"]] = state(element, value)
    values = merged(initial_values(view.blocks), view.values, typed)
    if missing := list(_missing(view, values)):
        raise NotPossibleError(f"required but empty: {', '.join(missing)}")
    return values


def _field(view: View, name: str) -> tuple[str, Json]:
    for block_id, element in block_kit.elements(view.blocks):
        if name in (block_id, element["action_id"]):
            return block_id, element
    raise NotPossibleError(f"no field {name} in the modal")


def _missing(view: View, values: Mapping[str, Mapping[str, Json]]) -> Iterator[str]:
    for block in view.blocks:
        if block["type"] == "input" and not block.get("optional"):
            action_id = block["element"]["action_id"]
            value = values.get(block["block_id"], {}).get(action_id, {})
            if not any(part for name, part in value.items() if name != "type"):
                yield action_id
