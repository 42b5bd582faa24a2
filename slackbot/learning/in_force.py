"""Which bundle serves, for commands that run beside the bot: the one that people promoted."""

from __future__ import annotations

import logging
from pathlib import Path

from slackbot.config import Settings
from slackbot.learning import promotion, versions
from storage.database import Database
from storage.errors import StorageError

log = logging.getLogger(__name__)


async def promoted(database_url: str) -> str | None:
    """The version that people promoted; None when nobody has, or there is no record to ask."""
    try:
        database = await Database.open(database_url, migrate=False)
    except StorageError:
        return None
    try:
        return await promotion.in_force(database)
    finally:
        await database.close()


async def folder_in_force(settings: Settings) -> Path:
    """The promoted version's folder; the configured one while nobody has promoted any.

    Raises:
        UnknownVersion: The promoted version is not beside the configured one.
    """
    version = await promoted(settings.database_url)
    if version is None:
        return settings.model_dir
    return versions.find(settings.model_dir, version).folder
