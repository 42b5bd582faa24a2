"""Column types that hold the same values on SQLite and on PostgreSQL."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

_REFUSED = re.compile("[\0\ud800-\udfff]")

BIG_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
"""A row's id: 64 bits on both (SQLite counts up by itself only in a column called INTEGER)."""


def enum_text(kind: type[StrEnum]) -> sa.Enum:
    """A text column that reads back as members of `kind`."""
    return sa.Enum(
        kind,
        values_callable=lambda members: [member.value for member in members],
        native_enum=False,
        length=16,
    )


class UtcTime(TypeDecorator[datetime]):
    """A moment: aware on the way in (else ValueError), aware in UTC on the way out."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive time, whose meaning would depend on the machine."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time without a time zone: {value!r}")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give back UTC; SQLite keeps no zone, and only UTC was ever written."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class JsonText(TypeDecorator[Mapping[str, Any]]):
    r"""A JSON object as plain ASCII text, so that no character in it can be refused.

    PostgreSQL's own types refuse `\u0000` and lone surrogates, which Slack may send.
    """

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Mapping[str, Any] | None, dialect: Dialect) -> str | None:
        """Write the object; order is kept."""
        return None if value is None else json.dumps(dict(value), separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Mapping[str, Any] | None:
        """Read the object."""
        return None if value is None else json.loads(value)


class FreeText(TypeDecorator[str]):
    """Text that people or libraries wrote; what a database refuses becomes U+FFFD."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Replace NUL (PostgreSQL refuses it) and lone surrogates (no UTF-8 has them)."""
        if value is None:
            return None
        return _REFUSED.sub("\ufffd", value)
