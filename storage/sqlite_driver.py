"""aiosqlite with one hop to its thread for a statement, where it takes four.

Every hop waits for the event loop and for the interpreter's lock, so under load the hops, and not
SQLite, would set the pace of the bot. The price: a result is read at once, so large ones are asked
for in pages.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Self

import aiosqlite


class Connection(aiosqlite.Connection):
    """A connection whose cursors run, read and close in one go, and that begins lazily."""

    def __init__(self, connector: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(connector, iter_chunk_size=64)
        self._thread.daemon = True  # a process that dies without closing must not hang
        self._opening: str | None = None

    async def close(self) -> None:
        """Close, and see the thread end."""
        await super().close()
        self._thread.join()  # its answer comes just before its end

    def begin(self, statement: str) -> None:
        """Begin a transaction together with the next statement that is executed."""
        self._opening = statement

    async def commit(self) -> None:
        """Commit, if anything was executed."""
        self._opening = None
        if self.in_transaction:
            await super().commit()

    async def rollback(self) -> None:
        """Roll back, if anything was executed."""
        self._opening = None
        if self.in_transaction:
            await super().rollback()

    def cursor(self) -> Cursor:  # type: ignore[override]  # theirs visits the thread to make one
        """A cursor for one statement."""
        return Cursor(self)

    async def execute_into(self, cursor: Cursor, sql: str, parameters: Sequence[Any]) -> None:
        """Execute a statement in the connection's thread and leave its result in `cursor`."""
        await self._execute(self._execute_into, cursor, sql, parameters)  # type: ignore[no-untyped-call]

    async def execute_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Execute a statement without a result for every row, in the connection's thread."""
        await self._execute(self._execute_many, sql, rows)  # type: ignore[no-untyped-call]

    def _execute_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        self._begin_if_asked()
        self._conn.executemany(sql, rows)

    def _execute_into(self, cursor: Cursor, sql: str, parameters: Sequence[Any]) -> None:
        self._begin_if_asked()
        executed = self._conn.execute(sql, parameters)
        cursor.rows = executed.fetchall()
        cursor.description = executed.description
        cursor.rowcount = executed.rowcount
        cursor.lastrowid = executed.lastrowid

    def _begin_if_asked(self) -> None:
        if self._opening is not None:
            self._conn.execute(self._opening)
            self._opening = None


class Cursor:
    """What SQLAlchemy asks of a driver's cursor, answered from a result already read.

    Attributes:
        rows: The result.
        description: The result's columns, as in PEP 249; None for a statement without a result.
        rowcount: How many rows the statement changed; -1 when it is none that changes rows.
        lastrowid: The id of the row inserted last on the connection.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.rows: list[Any] = []
        self.description: Sequence[Any] | None = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Self:
        """Execute a statement and read its result."""
        await self._connection.execute_into(self, sql, parameters)
        return self

    async def executemany(self, sql: str, rows: Sequence[Sequence[Any]]) -> Self:
        """Execute a statement for every row."""
        await self._connection.execute_many(sql, rows)
        return self

    async def fetchall(self) -> list[Any]:
        """The result."""
        return self.rows

    async def close(self) -> None:
        """Nothing is open any more."""


async def connect(path: str, wait_seconds: float) -> Connection:
    """Open a database file.

    Args:
        path: The file.
        wait_seconds: How long to wait for another's lock.
    """
    # Python's own transactions are off: it would begin them late and deferred.
    connection = Connection(
        partial(sqlite3.connect, path, timeout=wait_seconds, isolation_level=None)
    )
    await connection
    return connection
