"""Small helpers for statements that SQLite and PostgreSQL both run.

Building a statement costs more than running it on SQLite, so those on the way of every message
are built once: as constants of their modules, or here on first use.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningInsert

if TYPE_CHECKING:
    from _typeshed import DataclassInstance
    from sqlalchemy.dialects import postgresql


def insert(dialect: str, table: sa.Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that knows ON CONFLICT, in the words of that database."""
    if dialect != "postgresql":
        return sqlite.insert(table)
    # Loaded here because it is large, and on SQLite nobody needs it.
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415

    return postgresql.insert(table)


async def insert_if_new(
    conn: AsyncConnection,
    table: sa.Table,
    rows: Sequence[Mapping[str, Any]],
    *returning: sa.Column[Any],
) -> Sequence[sa.Row[Any]]:
    """Insert the rows of which no unique key of the table is taken, all in one statement.

    Returns:
        Those columns of the new rows, in no order.
    """
    if not rows:
        return []
    statement = _insert_if_new(conn.dialect.name, table, returning)
    inserted: Sequence[sa.Row[Any]] = (await conn.execute(statement, rows)).all()
    return inserted


@cache
def _insert_if_new(
    dialect: str, table: sa.Table, returning: tuple[sa.Column[Any], ...]
) -> ReturningInsert[Any]:
    return insert(dialect, table).on_conflict_do_nothing().returning(*returning)


def values_of(record: DataclassInstance) -> dict[str, Any]:
    """A record as the columns of its row, not copied any deeper."""
    return {field.name: getattr(record, field.name) for field in fields(record)}


def columns_of(record: type, table: sa.Table) -> list[sa.Column[Any]]:
    """The columns that make up `record`, so that a row turns into it by name."""
    return [table.c[field.name] for field in fields(record)]


def literal(value: str) -> sa.ColumnElement[str]:
    """`value` written into the statement: only so does a database see that a partial index fits.

    Never for anything but constants of this package.
    """
    return sa.literal_column(f"'{value}'", sa.Text)
