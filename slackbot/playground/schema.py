"""Small checks of JSON that combine to larger ones, and word their objections as Slack does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

Objections = Iterator[str]
"""Messages such as `must be less than 76 characters [json-pointer:/blocks/0/text/text]`."""

Check = Callable[[object, str], Objections]
"""Looks at a value that stands at a JSON pointer."""

Rule = Callable[[dict[str, Any], str], Objections]
"""Looks at an object whose fields are already known to be well-formed."""


def objection(message: str, pointer: str) -> str:
    """One objection with its place."""
    return f"{message} [json-pointer:{pointer}]"


def string(most: int | None = None, *, least: int = 0) -> Check:
    """A string of `least` to `most` characters."""

    def check(value: object, pointer: str) -> Objections:
        if not isinstance(value, str):
            yield objection("must provide a string", pointer)
        elif len(value) < least:
            yield objection(f"must be more than {least - 1} characters", pointer)
        elif most is not None and len(value) > most:
            yield objection(f"must be less than {most + 1} characters", pointer)

    return check


def flag() -> Check:
    """True or false."""

    def check(value: object, pointer: str) -> Objections:
        if not isinstance(value, bool):
            yield objection("must provide a boolean", pointer)

    return check


def integer(least: int, most: int) -> Check:
    """A whole number from `least` to `most`."""

    def check(value: object, pointer: str) -> Objections:
        if not isinstance(value, int) or isinstance(value, bool):
            yield objection("must provide an integer", pointer)
        elif not least <= value <= most:
            yield objection(f"must be from {least} to {most}", pointer)

    return check


def one_of(*allowed: str) -> Check:
    """One of a few words."""

    def check(value: object, pointer: str) -> Objections:
        if value not in allowed:
            yield objection(f"must be one of: {', '.join(allowed)}", pointer)

    return check


def array(item: Check, least: int, most: int) -> Check:
    """A list of `least` to `most` items, each passing `item`."""

    def check(value: object, pointer: str) -> Objections:
        if not isinstance(value, list):
            yield objection("must provide an array", pointer)
            return
        if len(value) < least:
            yield objection(f"no fewer than {least} items allowed", pointer)
        if len(value) > most:
            yield objection(f"no more than {most} items allowed", pointer)
        for index, inner in enumerate(value):
            yield from item(inner, f"{pointer}/{index}")

    return check


def record(
    required: Mapping[str, Check], optional: Mapping[str, Check] | None = None, *rules: Rule
) -> Check:
    """An object with these fields and no others; `rules` run when the fields are in order."""
    known = {**required, **(optional or {})}

    def check(value: object, pointer: str) -> Objections:
        if not isinstance(value, dict):
            yield objection("must provide an object", pointer)
            return
        objections = list(_fields(value, pointer, required, known))
        yield from objections
        if not objections:
            for rule in rules:
                yield from rule(value, pointer)

    return check


def _fields(
    value: dict[str, Any], pointer: str, required: Iterable[str], known: Mapping[str, Check]
) -> Objections:
    for name in required:
        if name not in value:
            yield objection(f"missing required field: {name}", pointer)
    for name, inner in value.items():
        if name in known:
            yield from known[name](inner, f"{pointer}/{name}")
        else:
            yield objection(f"invalid additional property: {name}", pointer)


def typed(variants: Mapping[str, Check]) -> Check:
    """An object whose `type` says which of the variants it must pass."""

    def check(value: object, pointer: str) -> Objections:
        if not isinstance(value, dict):
            yield objection("must provide an object", pointer)
        elif "type" not in value:
            yield objection("missing required field: type", pointer)
        elif not isinstance(value["type"], str) or value["type"] not in variants:
            yield objection(f"unsupported type: {value['type']}", f"{pointer}/type")
        else:
            yield from variants[value["type"]](value, pointer)

    return check


def anything(_value: object, _pointer: str) -> Objections:
    """No objections."""
    return iter(())
