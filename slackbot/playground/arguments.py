"""Reads the arguments of a Web API call, however the client wrote them down."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from slackbot.playground.errors import ApiError
from slackbot.playground.records import Json

_JSON = frozenset({"blocks", "attachments", "metadata", "view", "files"})


@dataclass(frozen=True, slots=True)
class Arguments:
    """The arguments of one call.

    Attributes:
        values: By name, JSON already decoded.
    """

    values: Mapping[str, object]

    def text(self, name: str) -> str | None:
        """A string, None when it is missing.

        Raises:
            ApiError: `invalid_arguments` when it is something else.
        """
        value = self.values.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
        if value is not None and not isinstance(value, str):
            raise ApiError("invalid_arguments", f"must provide a string [json-pointer:/{name}]")
        return value

    def required(self, name: str) -> str:
        """A string that must be there; `api.py` has checked that it is."""
        return self.text(name) or ""

    def flag(self, name: str) -> bool:
        """A boolean, false when it is missing."""
        return self.values.get(name) in (True, 1, "1", "true", "True")

    def number(self, name: str, default: int, *, most: int, error: str) -> int:
        """A whole number from 1 to `most`.

        Raises:
            ApiError: `error` when it is anything else.
        """
        text = self.text(name)
        if text is None:
            return default
        if not text.isdecimal() or not 1 <= int(text) <= most:
            raise ApiError(error)
        return int(text)

    def list(self, name: str) -> list[Json]:
        """A list of objects, empty when it is missing.

        Raises:
            ApiError: `invalid_arguments` when it is something else.
        """
        value = self.values.get(name) or []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise ApiError("invalid_arguments", f"must provide an array [json-pointer:/{name}]")
        return value

    def names(self, name: str) -> tuple[str, ...]:
        """A comma-separated list, empty when it is missing."""
        return tuple(part.strip() for part in (self.text(name) or "").split(",") if part.strip())

    def has(self, name: str) -> bool:
        """Whether the caller gave it."""
        return name in self.values


def read(content_type: str, body: bytes, query: str) -> Arguments:
    """Read a request.

    Args:
        content_type: Without parameters.
        body: Of a POST request.
        query: The URL's query string, still encoded.

    Raises:
        ApiError: Status 400: the request is malformed, or holds NUL or lone surrogates.
    """
    values: dict[str, object] = dict(_form(query))
    if content_type == "application/json":
        values.update(_object(body))
    else:
        values.update(_form(body.decode("utf-8", "surrogateescape")))
    for name in _JSON & values.keys():
        values[name] = _decoded(name, values[name])
    if not _is_sendable(values):
        raise ApiError("invalid_arguments", "text holds NUL or lone surrogates", status=400)
    return Arguments(values)


def _object(body: bytes) -> Json:
    try:
        value = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise ApiError("invalid_json", status=400) from error
    if not isinstance(value, dict):
        raise ApiError("json_not_object", status=400)
    return value


def _form(text: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(text, keep_blank_values=True, errors="strict")
    except ValueError as error:
        raise ApiError("invalid_form_data", status=400) from error


def _decoded(name: str, value: object) -> object:
    """Complex arguments may come as JSON in a string, in forms they always do."""
    try:
        return json.loads(value or "null") if isinstance(value, str) else value
    except (ValueError, RecursionError) as error:
        wrong = {"blocks": "invalid_blocks_format", "metadata": "invalid_metadata_format"}
        raise ApiError(wrong.get(name, "invalid_arguments")) from error


def _is_sendable(values: Mapping[str, object]) -> bool:
    written = json.dumps(values, ensure_ascii=False)
    try:
        written.encode()
    except UnicodeEncodeError:
        return False  # a lone surrogate
    return "\\u0000" not in written.replace("\\\\", "")
