"""Brings a database to the revision that this code expects, once however many processes start."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from storage.errors import StorageError

_LOCK = 7_105_391_468_230_917_004  # any number: PostgreSQL's name for "migrating AutoTicket"


def upgrade(connection: sa.Connection) -> None:
    """Run the missing migrations in the transaction that `connection` is in.

    Two processes that start together take turns: on SQLite the transaction is the only writing
    one already, on PostgreSQL a lock that lasts as long as the transaction is taken here.

    Raises:
        StorageError: The database was made by a newer version.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SET LOCAL lock_timeout = '60s'"))
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    config = _config()
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise StorageError("the database was made by a newer version of AutoTicket") from error


def is_known(revision: str) -> bool:
    """Whether a database of that revision can be brought up to date."""
    known = ScriptDirectory.from_config(_config()).walk_revisions()
    return revision in {script.revision for script in known}


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config
