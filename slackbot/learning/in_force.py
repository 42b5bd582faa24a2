"""Which bundle serves, for commands that run beside the bot: the one that people promoted."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from slackbot.config import Settings
from slackbot.learning import versions
from slackbot.queue_names import QueueNames, read_names
from storage import model_changes
from storage.database import Database
from storage.errors import StorageError


@dataclass(frozen=True, slots=True)
class InForce:
    """What the record says about the model.

    Attributes:
        version: The version that people promoted; None when nobody has.
        names: What became of queues.
    """

    version: str | None = None
    names: QueueNames = field(default_factory=QueueNames)

    def folder(self, settings: Settings) -> Path:
        """The promoted version's folder; the configured one while nobody has promoted any.

        Raises:
            UnknownVersion: The promoted version is not beside the configured one.
        """
        if self.version is None:
            return settings.model_dir
        return versions.find(settings.model_dir, self.version).folder


async def in_force(database_url: str) -> InForce:
    """What the record says; nothing where there is none to ask, or an older one."""
    try:
        database = await Database.open(database_url, migrate=False)
    except StorageError:
        return InForce()
    try:
        return await in_force_of(database)
    finally:
        await database.close()


async def in_force_of(database: Database) -> InForce:
    """What an open record says; nothing where it is an older one.

    Raises:
        DatabaseUnavailable: The database does not answer.
    """
    found, wanted = await database.schema_revision()
    if found != wanted:
        return InForce()
    async with database.read() as conn:
        return InForce(await model_changes.in_force(conn), await read_names(conn))
