"""Walks through Block Kit: elements, texts, ids, and mentions that ring for many people."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

_TEXTS = frozenset({"plain_text", "mrkdwn", "text", "markdown"})
_HIDDEN = frozenset({"options", "option_groups", "confirm"})
_LIVE = re.compile(r"<!(?:channel|here|everyone)(?:\|[^>]*)?>|<!subteam\^[^>]*>")


def walk(value: object, skip: frozenset[str] = frozenset()) -> list[dict[str, Any]]:
    """Every object inside `value`, outer ones first, but nothing under the keys in `skip`."""
    found: list[dict[str, Any]] = []
    _collect(value, skip, found)
    return found


def _collect(value: object, skip: frozenset[str], found: list[dict[str, Any]]) -> None:
    if isinstance(value, dict):
        found.append(value)
        for key, inner in value.items():
            if key not in skip:
                _collect(inner, skip, found)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            _collect(inner, skip, found)


def elements(blocks: Sequence[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every interactive element with the id of its block."""
    for block in blocks:
        inside = [block.get("accessory"), block.get("element"), *(block.get("elements") or ())]
        for element in inside:
            if isinstance(element, dict) and "action_id" in element:
                yield block.get("block_id", ""), element


def find(blocks: Sequence[dict[str, Any]], action_id: str) -> dict[str, Any] | None:
    """The first interactive element with this `action_id`, or None."""
    return next((e for _, e in elements(blocks) if e["action_id"] == action_id), None)


def options(element: dict[str, Any]) -> list[dict[str, Any]]:
    """All options of a menu, those inside groups included."""
    found: list[dict[str, Any]] = list(element.get("options") or ())
    for group in element.get("option_groups") or ():
        found.extend(group["options"])
    return found


def texts(value: object) -> Iterator[str]:
    """The text of every text object and rich text inside `value`, in reading order."""
    return _texts(walk(value))


def texts_at_first_sight(value: object) -> Iterator[str]:
    """Like `texts`, without what hides in closed menus and confirmation dialogs."""
    return _texts(walk(value, _HIDDEN))


def _texts(objects: Iterable[dict[str, Any]]) -> Iterator[str]:
    for inner in objects:
        if inner.get("type") in _TEXTS and isinstance(inner.get("text"), str):
            yield inner["text"]


def mentions_of_many(value: object) -> Iterator[str]:
    """Live `<!channel>`-like mentions in mrkdwn and rich text inside `value`."""
    for inner in walk(value):
        if inner.get("type") == "mrkdwn":
            yield from live_mentions(str(inner.get("text", "")))
        elif inner.get("type") == "broadcast":
            yield f"<!{inner.get('range')}>"
        elif inner.get("type") == "usergroup":
            yield f"<!subteam^{inner.get('usergroup_id')}>"


def live_mentions(text: str) -> Iterator[str]:
    """Mentions in a mrkdwn text that ring for many people."""
    return (match.group() for match in _LIVE.finditer(text))


def with_ids(blocks: Sequence[dict[str, Any]], start: str) -> list[dict[str, Any]]:
    """The blocks with the ids that Slack gives where the app gave none.

    Args:
        blocks: Valid blocks; they are not changed.
        start: Begins every given id, so that two messages never share one.

    Returns:
        New blocks, every one with a `block_id`, every interactive element with an `action_id`.
    """
    return [
        {"block_id": f"{start}{index}", **_with_action_ids(block, f"{start}{index}")}
        for index, block in enumerate(blocks)
    ]


def _with_action_ids(block: dict[str, Any], start: str) -> dict[str, Any]:
    changed = dict(block)
    for place in ("accessory", "element"):
        if place in changed:
            changed[place] = _with_action_id(changed[place], start)
    if block["type"] == "actions":
        changed["elements"] = [
            _with_action_id(element, f"{start}.{index}")
            for index, element in enumerate(block["elements"])
        ]
    return changed


def _with_action_id(element: dict[str, Any], action_id: str) -> dict[str, Any]:
    return element if element["type"] == "image" else {"action_id": action_id, **element}
