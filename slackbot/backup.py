"""`autoticket backup` and `autoticket restore`: the SQLite record as one file, and back."""

from __future__ import annotations

from pathlib import Path

import click

from slackbot.config import load_settings
from slackbot.errors import AutoTicketError
from storage import backup
from storage.database import sqlite_file


def back_up(target: Path, *, force: bool) -> None:
    """Copy the record to a file.

    Raises:
        AutoTicketError: The record is not on SQLite.
        StorageError: There is no sound record, or `target` exists.
        OSError: `target` cannot be written.
    """
    backup.save(_file(), target, force=force)
    click.echo(f"the record was copied to {target}")


def bring_back(source: Path, *, force: bool) -> None:
    """Make a copy the record again.

    Raises:
        AutoTicketError: The record is not on SQLite.
        StorageError: The copy cannot be used, a record is there, or a bot uses it.
        OSError: The record cannot be written.
    """
    database = _file()
    backup.restore(source, database, force=force)
    click.echo(f"{database} is as it was when {source} was made; start the bot again")


def _file() -> Path:
    file = sqlite_file(load_settings().database_url)
    if file is None:
        raise AutoTicketError(
            "this is for SQLite; PostgreSQL has pg_dump and pg_restore (docs/operations.md)"
        )
    return file
