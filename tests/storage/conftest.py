"""A real SQLite file and a real PostgreSQL database, fresh for every test."""

from __future__ import annotations

import itertools
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import asyncpg
import pytest

from storage.database import Database

_count = itertools.count()


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    """Which database the test runs on."""
    return request.param


@pytest.fixture
async def url(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """The URL of a database that nobody has used yet."""
    if kind == "sqlite":
        return f"sqlite:///{tmp_path}/record.db"
    server: str = request.getfixturevalue("postgres")
    name = f"test_{os.getpid()}_{next(_count)}"
    connection = await asyncpg.connect(server.format("postgres"))
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    return server.format(name)


@pytest.fixture
async def open_database(url: str) -> AsyncIterator[Callable]:
    """Opens the test's database once more, as another process would."""
    opened = []

    async def open_it() -> Database:
        opened.append(await Database.open(url))
        return opened[-1]

    yield open_it
    for database in opened:
        await database.close()


@pytest.fixture
async def db(open_database: Callable) -> Database:
    """An open, migrated, empty database."""
    return await open_database()
