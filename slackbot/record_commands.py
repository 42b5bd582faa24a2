"""Commands on the record: export, forget, and what could not be delivered."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from slackbot.config import load_settings
from storage.database import Database


@asynccontextmanager
async def _record() -> AsyncIterator[Database]:
    database = await Database.open(load_settings().database_url)
    try:
        yield database
    finally:
        await database.close()
