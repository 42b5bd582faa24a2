"""The connection to the record: opening, migrating, and transactions that end cleanly."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    nullcontext,
    suppress,
)
from functools import partial
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy import event, exc
from sqlalchemy.engine import URL, Connection, ExceptionContext, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from storage import sqlite_driver
from storage.errors import DatabaseUnavailable, StorageError
from storage.schema import REVISION

LOCK_SECONDS = 5
"""How long a connection, and on PostgreSQL a statement that meets a lock, may wait."""

ANSWER_SECONDS = 60
"""How long PostgreSQL may work on a statement; who waits for a server that has vanished without a
word, as in a failover, would wait for ever."""

GOODBYE_SECONDS = 1
"""How long PostgreSQL may take to end connections, when a stop may take 10 in all."""

MIGRATION_SECONDS = 60
"""How long a replica waits for another one that brings the tables up to date."""

SQLITE_LOCK_SECONDS = 1
"""How long a statement waits for another process's lock; it cannot be broken off meanwhile, and
Slack waits 3 s in all."""

SQLITE_CONNECTIONS = 5
"""One of them writes; reading is a matter of microseconds."""

_BEGIN = "autoticket_begin"
_SQLITE_PRAGMAS = (
    "PRAGMA foreign_keys = ON",
    "PRAGMA synchronous = FULL",  # a commit is on the disk before anybody hears of it
    "PRAGMA secure_delete = ON",  # what is erased leaves no bytes behind in freed pages
)
_TEMPORARY_SQLSTATES = ("08", "53", "57", "58", "40001", "40P01", "55P03")
"""PostgreSQL: connection, resources, operator, system; serialisation, deadlock, lock timeout."""


class Database:
    """An open database. Make one with `open`, end it with `close`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        path = Path(engine.url.database or "") if _is_sqlite(engine.url) else None
        self._file = (path, _identity(path)) if path else None
        # SQLite has one writer at a time: waiting here is fair, waiting inside SQLite is not.
        self._turn: AbstractAsyncContextManager[Any] = (
            asyncio.Lock() if _is_sqlite(engine.url) else nullcontext()
        )

    @classmethod
    async def open(cls, url: str, *, migrate: bool = True) -> Self:
        """Connect, and bring the tables up to date.

        Args:
            url: `sqlite:///path`, `sqlite+aiosqlite:///path`, `postgresql://…` or
                `postgresql+asyncpg://…`. A SQLite file and its folder are made when missing.
            migrate: False to look at the database as it is; nothing is created then.

        Raises:
            StorageError: The URL is not understood, or the database is newer than this code.
            DatabaseUnavailable: The database cannot be reached or written.
        """
        address = _address(url)
        if _is_sqlite(address):
            _provide_file(Path(address.database or ""), create=migrate)
        database = cls(_engine(address, answer_within=ANSWER_SECONDS))
        try:
            if migrate:
                await database._use_write_ahead_log()
                await database._migrate()
            else:
                await database.ping()
        except BaseException:
            await database.close()
            raise
        return database

    async def close(self) -> None:
        """Close every connection; a second call does nothing."""
        patience = None if _is_sqlite(self._engine.url) else GOODBYE_SECONDS
        with suppress(TimeoutError):  # a server that has vanished does not say goodbye
            async with asyncio.timeout(patience):
                await self._engine.dispose()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that commits when the block ends, and rolls back when it raises.

        On SQLite it holds the write lock from its first statement, so that nothing read in it is
        stale.

        Raises:
            DatabaseUnavailable: Cannot connect, locked for too long, or no space left; nothing
                was committed, except that a connection lost during the commit leaves it unknown.
        """
        self._check_file()
        async with self._turn, self._connected() as connection:
            await connection.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})
            async with connection.begin():
                yield connection

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A transaction for reading: whatever is written in it is rolled back.

        Raises:
            DatabaseUnavailable: The database cannot be reached.
        """
        async with self._connected() as connection:
            yield connection

    async def ping(self) -> None:
        """Make sure that the database answers.

        Raises:
            DatabaseUnavailable: It does not, or not within `LOCK_SECONDS`.
        """
        self._check_file()
        try:
            async with asyncio.timeout(LOCK_SECONDS), self.read() as connection:
                await connection.execute(sa.select(1))
        except TimeoutError as error:
            raise DatabaseUnavailable("the database does not answer") from error

    async def schema_revision(self) -> tuple[str | None, str]:
        """The revision of the database (None: never migrated), and the one this code needs."""
        async with self.read() as connection:
            return await connection.run_sync(_revision), REVISION

    async def scrub(self) -> None:
        """Remove what was erased from SQLite's write-ahead log too, as far as readers allow.

        PostgreSQL overwrites erased rows when it vacuums, by itself.
        """
        if _is_sqlite(self._engine.url):
            async with self._turn, self._connected() as connection:
                await connection.execution_options(**{_BEGIN: None})
                # Waiting for readers would keep writers waiting too.
                await connection.exec_driver_sql("PRAGMA busy_timeout = 0")
                try:
                    await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
                finally:
                    patience = f"PRAGMA busy_timeout = {SQLITE_LOCK_SECONDS * 1000}"
                    await connection.exec_driver_sql(patience)

    def _check_file(self) -> None:
        """SQLite writes on into a file that somebody has deleted; nobody would ever see that."""
        if self._file is None:
            return
        try:
            same = _identity(self._file[0]) == self._file[1]
        except OSError:
            same = False
        if not same:
            raise DatabaseUnavailable(f"the database file {self._file[0]} was removed or replaced")

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[AsyncConnection]:
        async with AsyncExitStack() as stack:
            try:
                connection = await stack.enter_async_context(self._engine.connect())
            except (OSError, exc.TimeoutError) as error:
                raise DatabaseUnavailable(_unavailable(error)) from error
            except (TypeError, ValueError) as error:
                raise StorageError(f"the database URL has a wrong option: {error}") from error
            yield connection

    async def _use_write_ahead_log(self) -> None:
        if not _is_sqlite(self._engine.url):
            return

        async def switch() -> None:
            async with self._connected() as connection:
                await connection.execution_options(**{_BEGIN: None})
                await connection.exec_driver_sql("PRAGMA journal_mode = WAL")

        # Switching needs the file alone, and SQLite does not wait for that by itself.
        await _unless_locked(switch, LOCK_SECONDS)

    async def _migrate(self) -> None:
        async def bring_up_to_date() -> None:
            current, wanted = await self.schema_revision()
            if current == wanted:
                return
            # Loaded here because Alembic costs half of a start that seldom needs it.
            from storage.migrate import upgrade  # noqa: PLC0415

            patient = Database(_engine(self._engine.url, answer_within=None))
            try:
                async with patient.write() as connection:
                    await connection.run_sync(upgrade)
            finally:
                await patient.close()

        await _unless_locked(bring_up_to_date, MIGRATION_SECONDS)


async def _unless_locked(action: Callable[[], Awaitable[None]], seconds: float) -> None:
    """Do it, again and again for so long while another process has the file locked."""
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        try:
            return await action()
        except DatabaseUnavailable as error:
            if "locked" not in str(error) or asyncio.get_running_loop().time() > deadline:
                raise
            await asyncio.sleep(0.05)


def sqlite_file(url: str) -> Path | None:
    """The file of a SQLite database; None for one on a server.

    Raises:
        StorageError: The URL is not understood.
    """
    address = _address(url)
    return Path(address.database or "") if _is_sqlite(address) else None


def _is_sqlite(url: URL) -> bool:
    return url.get_backend_name() == "sqlite"


def _identity(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino


def _address(url: str) -> URL:
    try:
        address = make_url(url)
    except (exc.ArgumentError, ValueError):
        raise StorageError("the database URL cannot be read: use sqlite:///FILE") from None
    if address.drivername in ("sqlite", "sqlite+aiosqlite"):
        if address.database in (None, "", ":memory:"):
            raise StorageError("the database URL names no file: use sqlite:///FILE")
        if address.query:
            raise StorageError("the database URL has options, and SQLite takes none")
        return address.set(drivername="sqlite+aiosqlite")
    if address.drivername in ("postgresql", "postgresql+asyncpg"):
        # asyncpg's word for libpq's `sslmode`; the values are the same.
        query = {"ssl" if name == "sslmode" else name: v for name, v in address.query.items()}
        return address.set(drivername="postgresql+asyncpg", query=query)
    raise StorageError(
        f"a database of the kind {address.drivername!r} is not supported: "
        "use sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME"
    )


def _provide_file(path: Path, *, create: bool) -> None:
    if not create:
        if not path.exists():
            raise StorageError(f"there is no database at {path}")
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Only the bot's own user may read tickets; SQLite's side files take the same mode.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise DatabaseUnavailable(f"cannot write {path}: {error.strerror}") from error


def _engine(url: URL, *, answer_within: float | None) -> AsyncEngine:
    if _is_sqlite(url):
        engine = create_async_engine(
            url,
            hide_parameters=True,
            pool_size=SQLITE_CONNECTIONS,
            max_overflow=0,  # a connection is a thread: waiting for one costs less than a new one
            async_creator=partial(sqlite_driver.connect, str(url.database), SQLITE_LOCK_SECONDS),
        )
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
    else:
        engine = create_async_engine(
            url,
            hide_parameters=True,
            pool_pre_ping=True,  # a server that was restarted costs no failed request
            connect_args={
                "timeout": LOCK_SECONDS,
                "command_timeout": answer_within,
                "server_settings": {"lock_timeout": f"{LOCK_SECONDS}s"},
            },
        )
    event.listen(engine.sync_engine, "handle_error", _translate, retval=True)
    return engine


def _prepare_sqlite(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    for pragma in _SQLITE_PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    statement = connection.get_execution_options().get(_BEGIN, "BEGIN")
    if statement is not None:
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite_driver.Connection)
        driver.begin(statement)


def _translate(context: ExceptionContext) -> BaseException | None:
    """What the caller sees instead of the driver's error; None leaves that as it is."""
    error = context.original_exception
    if not isinstance(error, Exception):
        return None  # a cancelled task is no fault of the database
    if isinstance(error, TimeoutError):
        context.invalidate_pool_on_disconnect = True  # the others have lost that server too
    if context.is_disconnect or context.connection is None or _is_temporary(error):
        return DatabaseUnavailable(_unavailable(error))
    return None


def _is_temporary(error: BaseException) -> bool:
    if isinstance(error, sqlite3.Error):
        kind = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        # SQLITE_ERROR itself is a mistake in a statement, which no waiting mends.
        return isinstance(error, sqlite3.OperationalError) and kind != sqlite3.SQLITE_ERROR
    sqlstate = str(getattr(error, "sqlstate", ""))
    return isinstance(error, OSError) or sqlstate.startswith(_TEMPORARY_SQLSTATES)


def _unavailable(error: BaseException) -> str:
    line = str(error).partition("\n")[0] or type(error).__name__
    return f"the database is unavailable: {line}"


def _revision(connection: Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    version = sa.column("version_num", sa.Text)
    return connection.scalar(sa.select(version).select_from(sa.table("alembic_version")))
