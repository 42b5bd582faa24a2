"""Small helpers for statements that SQLite and PostgreSQL both run.

Building a statement costs more than running it on SQLite, so those on the way of every message
are built once: as constants of their modules, or here on first use.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningInsert

from storage.records import NewPrediction, NewReview, NewTicket


def insert(dialect: str, table: sa.Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that knows ON CONFLICT, in the words of that database."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


async def insert_if_new(
    conn: AsyncConnection,
    table: sa.Table,
    row: Mapping[str, Any],
    *returning: sa.Column[Any],
) -> sa.Row[Any] | None:
    """Insert a row unless one of the table's unique keys is taken.

    Returns:
        Those columns of the new row; None when the key is taken.
    """
    statement = _insert_if_new(conn.dialect.name, table, returning)
    inserted: sa.Row[Any] | None = (await conn.execute(statement, row)).one_or_none()
    return inserted


@cache
def _insert_if_new(
    dialect: str, table: sa.Table, returning: tuple[sa.Column[Any], ...]
) -> ReturningInsert[Any]:
    return insert(dialect, table).on_conflict_do_nothing().returning(*returning)


def values_of(record: NewTicket | NewPrediction | NewReview) -> dict[str, Any]:
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
