"""Small helpers for statements that SQLite and PostgreSQL both run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.records import NewPrediction, NewReview, NewTicket


def insert(conn: AsyncConnection, table: sa.Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that knows ON CONFLICT, in the words of the database behind `conn`."""
    if conn.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


async def insert_if_new(
    conn: AsyncConnection,
    table: sa.Table,
    values: Mapping[str, Any],
    returning: Iterable[sa.Column[Any]],
) -> sa.Row[Any] | None:
    """Insert a row unless one of the table's unique keys is taken.

    Returns:
        Those columns of the new row; None when the key is taken.
    """
    statement = insert(conn, table).values(values).on_conflict_do_nothing().returning(*returning)
    return (await conn.execute(statement)).one_or_none()


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
