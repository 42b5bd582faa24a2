"""A copy of a SQLite record, taken while the bot works, and the way back.

Both ends are checked before anything takes their place, so that a file is whole or not there.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from storage.errors import StorageError

SKIPPED_NUMBERS = 10_000
"""So far new tickets stay away from those that were filed after the copy and are lost with it.

Their cards still stand in Slack: a click on one must not reach another ticket.
"""

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def save(database: Path, target: Path, *, force: bool = False) -> None:
    """Copy a record as it is at one moment; whoever writes meanwhile is not held up.

    Args:
        database: The record's file.
        target: The copy, a file that nothing needs beside it.
        force: Replace `target` if it exists.

    Raises:
        StorageError: There is no record, it is damaged, or `target` exists, is the record, or
            has no folder.
        OSError: `target` cannot be written.
    """
    _refuse_the_same(target, database)
    _refuse_to_replace(target, force)
    with _draft_beside(target) as draft:
        _copy(database, draft)
        _put(draft, target)


def restore(source: Path, database: Path, *, force: bool = False) -> None:
    """Bring a copy back.

    What waits to be delivered is looked up in Slack before it is posted: it may have been
    delivered after the copy was made.

    Args:
        source: What `save` made.
        database: The record's file; its folder is made when missing.
        force: Replace the record that is there.

    Raises:
        StorageError: The copy is no record, damaged, or newer than this code; a record is there;
            or a bot uses it.
        OSError: `database` cannot be written.
    """
    _refuse_the_same(source, database)
    _refuse_to_replace(database, force)
    database.absolute().parent.mkdir(parents=True, exist_ok=True)
    with _draft_beside(database) as draft:
        _copy(source, draft)
        _adapt(draft)
        if not _overwritten(database, draft):
            for companion in ("-wal", "-shm", "-journal"):  # they belong to what was there
                Path(f"{database}{companion}").unlink(missing_ok=True)
            _put(draft, database)


def _refuse_the_same(copy: Path, database: Path) -> None:
    """A bot would go on with a file that is lost, and what it recorded meanwhile with it."""
    if copy.exists() and database.exists() and copy.samefile(database):
        raise StorageError(f"{copy} is the record itself: name another file for the copy")


def _refuse_to_replace(path: Path, force: bool) -> None:
    if path.exists() and not force:
        raise StorageError(f"{path} exists: give --force to replace it")


@contextmanager
def _draft_beside(path: Path) -> Iterator[Path]:
    """An empty file in the same folder, that only its owner may read; gone afterwards."""
    if not path.absolute().parent.is_dir():
        raise StorageError(f"there is no folder {path.absolute().parent}")
    handle, name = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name}.")
    os.close(handle)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _copy(source: Path, draft: Path) -> None:
    """Write a sound record's content into an empty file."""
    if not source.is_file():
        raise StorageError(f"there is no database at {source}")
    try:
        with closing(_connect(source)) as connection:
            _check(connection, source)
            connection.execute("VACUUM INTO ?", (str(draft),))
        with closing(_connect(draft)) as connection:
            _check(connection, source)
    except sqlite3.Error as error:
        raise StorageError(f"{source} cannot be copied: {error}") from error


def _connect(path: Path) -> sqlite3.Connection:
    """Open a file that exists; transactions are begun by hand."""
    uri = f"{path.absolute().as_uri()}?mode=rw"
    return sqlite3.connect(uri, uri=True, timeout=1, isolation_level=None)


def _check(connection: sqlite3.Connection, source: Path) -> None:
    # Loaded here because Alembic costs more than the whole copy of a small record.
    from storage.migrate import is_known  # noqa: PLC0415

    [[verdict]] = connection.execute("PRAGMA integrity_check(1)")
    if verdict != "ok":
        raise StorageError(f"{source} is damaged: {' '.join(verdict.split())}")
    try:
        [[revision]] = connection.execute("SELECT version_num FROM alembic_version")
    except (sqlite3.OperationalError, ValueError):
        raise StorageError(f"{source} holds no record of AutoTicket") from None
    if not is_known(revision):
        raise StorageError(f"{source} was made by a newer version of AutoTicket")


def _adapt(draft: Path) -> None:
    """Prepare a copy for a Slack in which more has happened than the copy knows."""
    with closing(_connect(draft)) as connection:
        connection.execute("BEGIN")
        connection.execute(
            "UPDATE deliveries SET uncertain = 1 WHERE state IN ('waiting', 'leased')"
        )
        skipped = {"by": SKIPPED_NUMBERS}
        last = "UPDATE sqlite_sequence SET seq = seq + :by WHERE name = 'tickets'"
        if connection.execute(last, skipped).rowcount == 0:
            connection.execute("INSERT INTO sqlite_sequence VALUES ('tickets', :by)", skipped)
        connection.execute("COMMIT")


def _overwritten(database: Path, draft: Path) -> bool:
    """Whether the copy took the record's place in one transaction; False when there is none.

    A bot that starts meanwhile waits for that transaction. It would go on with a lost file if
    the file itself were replaced.
    """
    if not database.exists():
        return False
    try:
        with closing(_connect(database)) as live, closing(_connect(draft)) as copy:
            _require_alone(live, database)
            copy.backup(live)
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF in _DAMAGED:
            return False  # nobody can be working with it
        raise StorageError(f"{database} cannot be written: {error}") from error
    return True


def _require_alone(live: sqlite3.Connection, database: Path) -> None:
    """Lock out everybody, which fails while anybody has the file open, busy or not."""
    live.execute("PRAGMA locking_mode = EXCLUSIVE")
    try:
        live.execute("PRAGMA journal_mode = DELETE")
        live.execute("BEGIN EXCLUSIVE")
        live.execute("COMMIT")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise
        raise StorageError(f"{database} is in use: stop the bot first") from error


def _put(draft: Path, target: Path) -> None:
    """Move a draft to its place, so that it stays there when the power fails."""
    _sync(draft)
    os.replace(draft, target)
    _sync(target.absolute().parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
