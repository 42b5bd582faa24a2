"""storage.database: what is committed is there, what is not is not, and faults are told apart."""

import asyncio
import contextlib
import os
import signal
import sqlite3
import stat
import threading
from functools import partial

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError

from storage import database, tickets
from storage.database import Database
from storage.errors import DatabaseUnavailable, StorageError
from storage.schema import REVISION
from storage.schema import inbox as table
from tests.storage.examples import TEAM, file_ticket, later, receive, run_python


async def receive_all(db, *keys, then=None, **values):
    """Record payloads in one transaction that `then` ends."""
    async with db.write() as conn:
        for key in keys:
            await receive(conn, key, **values)
        if then:
            await then()


async def known(db):
    async with db.read() as conn:
        return set((await conn.execute(sa.select(table.c.key))).scalars())


async def pragma(conn, name):
    return (await conn.exec_driver_sql(f"PRAGMA {name}")).scalar()


# Opening ------------------------------------------------------------------------------------


async def test_a_new_file_is_private_and_durable(tmp_path):
    path = tmp_path / "new" / "folder" / "record.db"
    db = await Database.open(f"sqlite:///{path}")
    async with db.write() as conn:
        await receive(conn, "k")
        files = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
        assert await pragma(conn, "journal_mode") == "wal"
        assert await pragma(conn, "synchronous") == 2
        assert await pragma(conn, "foreign_keys") == 1
        assert await pragma(conn, "busy_timeout") == database.SQLITE_LOCK_SECONDS * 1000
    await db.close()
    assert files == {"record.db": 0o600, "record.db-wal": 0o600, "record.db-shm": 0o600}


async def test_what_was_written_is_there_after_a_restart(open_database):
    first = await open_database()
    async with first.write() as conn:
        await receive(conn, "k")
    await first.close()
    again = await open_database()
    assert await known(again) == {"k"}
    assert await again.schema_revision() == (REVISION, REVISION)


async def test_both_spellings_of_a_url_open_the_same(url, open_database):
    await open_database()
    long = url.replace("sqlite:", "sqlite+aiosqlite:").replace("postgresql:", "postgresql+asyncpg:")
    db = await Database.open(long, migrate=False)
    assert await db.schema_revision() == (REVISION, REVISION)
    await db.close()


async def test_looking_at_a_database_changes_nothing(url, kind, tmp_path):
    if kind == "sqlite":
        with pytest.raises(StorageError, match="no database at"):
            await Database.open(url, migrate=False)
        assert list(tmp_path.iterdir()) == []
        (tmp_path / "record.db").touch()
    db = await Database.open(url, migrate=False)
    assert await db.schema_revision() == (None, REVISION)
    await db.close()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("nonsense", "cannot be read"),
        ("postgresql://host:port/db", "cannot be read"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("mysql://me:s3cret@host/db", "'mysql' is not supported"),
        ("postgresql+psycopg://me:s3cret@host/db", "not supported"),
        ("sqlite:////proc/nowhere/record.db", "cannot write"),
        ("postgresql://me:s3cret@127.0.0.1:1/db", "unavailable"),
        ("postgresql://me:s3cret@nowhere.invalid/db", "unavailable"),
        ("postgresql://me:s3cret@127.0.0.1:1/db?colour=blue", "wrong option.*colour"),
        ("postgresql://me:s3cret@127.0.0.1:1/db?sslmode=blue", "must be one of"),
        ("postgresql://me:s3cret@127.0.0.1:1/db?sslmode=require", "unavailable"),
        ("sqlite:///record.db?timeout=1", "takes none"),
    ],
)
async def test_a_url_that_leads_nowhere_says_so_in_one_line(url, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StorageError, match=says) as caught:
        await Database.open(url)
    assert "s3cret" not in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_a_file_that_is_no_database_is_left_alone(tmp_path):
    path = tmp_path / "letter.txt"
    path.write_text("Dear Sir or Madam, " * 100)
    with pytest.raises(StorageError, match="not a database"):
        await Database.open(f"sqlite:///{path}")
    assert path.read_text().startswith("Dear Sir")


async def test_a_database_of_a_newer_version_is_left_alone(url, db):
    async with db.write() as conn:
        await conn.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StorageError, match="newer version"):
        await Database.open(url)
    assert await db.schema_revision() == ("9999", REVISION)


async def test_processes_that_start_together_migrate_once(url):
    code = """
        import asyncio, sys
        from storage.database import Database
        async def main():
            db = await Database.open(sys.argv[1])
            print(*await db.schema_revision())
            await db.close()
        asyncio.run(main())
    """
    processes = [await run_python(code, url) for _ in range(4)]
    async with asyncio.timeout(60):
        outputs = [await process.communicate() for process in processes]
    assert [errors for _, errors in outputs] == [b""] * 4
    assert {output for output, _ in outputs} == {f"{REVISION} {REVISION}\n".encode()}


# Transactions -------------------------------------------------------------------------------


async def test_a_block_that_raises_leaves_nothing(db):
    async def fail():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await receive_all(db, "k", then=fail)
    assert await known(db) == set()


async def test_one_tasks_rollback_and_anothers_commit_do_not_mix(db):
    started = asyncio.Event()

    async def fail():
        started.set()
        await asyncio.sleep(0.05)
        raise ZeroDivisionError

    async def succeed():
        await started.wait()
        assert await known(db) == set()  # nobody sees what is not committed
        await receive_all(db, "kept")

    failing = receive_all(db, "lost", then=fail)
    results = await asyncio.gather(failing, succeed(), return_exceptions=True)
    assert isinstance(results[0], ZeroDivisionError)
    assert results[1] is None
    assert await known(db) == {"kept"}


async def test_what_is_written_while_reading_is_rolled_back(db):
    async with db.read() as conn:
        await receive(conn, "k")
    assert await known(db) == set()


async def test_a_cancelled_task_leaves_nothing_and_blocks_nobody(db):
    for delay in (0, 0, 0.001, 0.002, 0.004, 0.008, 0.016):
        endless = receive_all(db, "lost", then=partial(asyncio.sleep, 60))
        task = asyncio.create_task(endless)
        await asyncio.sleep(delay)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    async with db.write() as conn:
        assert await receive(conn, "kept")
    assert await known(db) == {"kept"}


async def test_a_killed_process_leaves_what_it_had_committed(url, db):
    code = """
        import asyncio, sys
        from storage.database import Database
        from tests.storage.examples import receive
        async def main():
            db = await Database.open(sys.argv[1])
            async with db.write() as conn:
                await receive(conn, "committed")
            async with db.write() as conn:
                await receive(conn, "open")
                print("ready", flush=True)
                await asyncio.sleep(60)
        asyncio.run(main())
    """
    process = await run_python(code, url)
    assert await asyncio.wait_for(process.stdout.readline(), 30) == b"ready\n"
    process.send_signal(signal.SIGKILL)
    await process.communicate()
    async with db.write() as conn:
        assert await receive(conn, "after")
    assert await known(db) == {"committed", "after"}


async def test_a_process_that_forgets_to_close_ends_all_the_same(tmp_path):
    code = """
        import asyncio, sys
        from storage.database import Database
        async def main():
            db = await Database.open(sys.argv[1])
            async with db.read():
                raise SystemExit(7)
        asyncio.run(main())
    """
    process = await run_python(code, f"sqlite:///{tmp_path}/record.db")
    await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 7


async def test_closing_ends_every_thread_and_connection(tmp_path):
    before = set(threading.enumerate())
    db = await Database.open(f"sqlite:///{tmp_path}/record.db")
    await asyncio.gather(*(known(db) for _ in range(8)))
    assert set(threading.enumerate()) - before
    await db.close()
    await db.close()
    assert set(threading.enumerate()) <= before
    assert os.listdir(tmp_path) == ["record.db"]


# Faults -------------------------------------------------------------------------------------


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(database, "LOCK_SECONDS", 0.2)
    monkeypatch.setattr(database, "SQLITE_LOCK_SECONDS", 0.2)


async def test_a_locked_database_is_unavailable_and_then_works(impatient, kind, open_database):
    one, other = await open_database(), await open_database()
    async with one.write() as conn:
        if kind == "postgresql":
            await conn.execute(sa.text("LOCK TABLE inbox"))
        await receive(conn, "first")
        with pytest.raises(DatabaseUnavailable, match=r"locked|lock timeout"):
            async with asyncio.timeout(2), other.write() as waiting:
                await receive(waiting, "second")
    async with other.write() as conn:
        assert await receive(conn, "third")
    assert await known(one) == {"first", "third"}


async def test_who_starts_waits_for_another_that_changes_the_tables(impatient, tmp_path):
    path = tmp_path / "record.db"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("BEGIN IMMEDIATE")
        opening = asyncio.create_task(Database.open(f"sqlite:///{path}"))
        await asyncio.sleep(3 * database.SQLITE_LOCK_SECONDS)
        assert not opening.done()
        other.execute("COMMIT")
    async with asyncio.timeout(20):
        db = await opening
    assert await known(db) == set()
    await db.close()


async def test_a_full_disk_is_unavailable_and_nothing_is_half_written(tmp_path):
    db = await Database.open(f"sqlite:///{tmp_path}/record.db")
    limit = {"pages": 60}

    @event.listens_for(db._engine.sync_engine, "checkout")
    def _(connection, *_):
        connection.cursor().execute(f"PRAGMA max_page_count = {limit['pages']}")

    with pytest.raises(DatabaseUnavailable, match="full"):
        await receive_all(db, *map(str, range(100)), payload={"text": "x" * 4000})
    assert await known(db) == set()
    limit["pages"] = 100_000
    await receive_all(db, "k")
    assert await known(db) == {"k"}
    await db.close()


@pytest.mark.parametrize("kind", ["postgresql"])
async def test_a_lost_connection_is_unavailable_and_the_next_is_new(db):
    everybody_else = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE pid <> pg_backend_pid() AND datname = current_database()"
    )

    async def cut_off():
        async with db.read() as conn:
            await conn.execute(sa.text(everybody_else))

    with pytest.raises(DatabaseUnavailable):
        await receive_all(db, "lost", then=cut_off)
    await receive_all(db, "kept")
    assert await known(db) == {"kept"}


@pytest.mark.parametrize("kind", ["postgresql"])
async def test_a_server_that_vanished_is_unavailable_and_the_next_is_found(
    monkeypatch, open_database
):
    monkeypatch.setattr(database, "ANSWER_SECONDS", 0.5)
    db = await open_database()
    async with db.read() as one, db.read() as other:
        this_end = sa.text("SELECT pg_backend_pid()")
        vanished = [await one.scalar(this_end), await other.scalar(this_end)]

    async def vanish():
        for process in vanished:
            os.kill(process, signal.SIGSTOP)

    try:
        async with asyncio.timeout(10):
            with pytest.raises(DatabaseUnavailable):
                await receive_all(db, "nobody knows", then=vanish)
            await receive_all(db, "kept")
    finally:
        for process in vanished:
            os.kill(process, signal.SIGCONT)
    assert "kept" in await known(db)


@pytest.mark.parametrize("kind", ["postgresql"])
async def test_a_server_that_vanished_holds_up_no_end(open_database):
    db = await open_database()
    async with db.read() as conn:
        vanished = await conn.scalar(sa.text("SELECT pg_backend_pid()"))
    os.kill(vanished, signal.SIGSTOP)
    try:
        async with asyncio.timeout(5):
            await db.close()
    finally:
        os.kill(vanished, signal.SIGCONT)


async def test_a_mistake_in_a_statement_is_no_fault_of_the_database(db):
    for mistake in ("SELECT * FROM nowhere", "nonsense"):
        with pytest.raises(DBAPIError):
            async with db.read() as conn:
                await conn.execute(sa.text(mistake))


async def test_an_error_shows_no_values(db):
    with pytest.raises(DBAPIError) as caught:
        async with db.write() as conn:
            await file_ticket(conn, text="my secret", reporter=None)
    assert "my secret" not in str(caught.value).replace(str(caught.value.orig), "")


async def test_ping_answers_while_the_database_is_there(db):
    await db.ping()


async def test_ping_tells_that_the_file_is_gone(tmp_path):
    path = tmp_path / "record.db"
    db = await Database.open(f"sqlite:///{path}")
    path.unlink()
    with pytest.raises(DatabaseUnavailable, match="removed"):
        await db.ping()
    await db.close()


async def test_scrub_gives_way_to_readers_and_empties_the_log(tmp_path):
    db = await Database.open(f"sqlite:///{tmp_path}/record.db")
    log = tmp_path / "record.db-wal"
    async with db.write() as conn:
        ticket = await file_ticket(conn)
    async with db.read() as conn:
        await tickets.get(conn, TEAM, ticket.id)
        async with db.write() as other:
            await receive(other, "k", now=later(1))
        async with asyncio.timeout(1):
            await db.scrub()
    assert log.stat().st_size > 0
    await db.scrub()
    assert log.stat().st_size == 0
    async with db.write() as conn:
        assert await pragma(conn, "busy_timeout") == database.SQLITE_LOCK_SECONDS * 1000
    await db.close()
