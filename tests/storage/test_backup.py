import contextlib
import re
import resource
import sqlite3

import pytest
import sqlalchemy as sa

from storage import backup, schema
from storage.database import Database, sqlite_file
from storage.errors import StorageError
from storage.schema import REVISION
from tests.storage.examples import enqueue, file_ticket


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "record.db"


@pytest.fixture
async def record(path):
    """A record with one ticket and one delivery that waits; nobody has it open."""
    async with opened(path) as db, db.write() as conn:
        await enqueue(conn, ticket_id=(await file_ticket(conn, "first")).id)
    return path


@contextlib.asynccontextmanager
async def opened(path):
    db = await Database.open(f"sqlite:///{path}")
    try:
        yield db
    finally:
        await db.close()


def values(path, statement):
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return [value for (value,) in connection.execute(statement)]


def keys(path):
    return values(path, "SELECT key FROM tickets ORDER BY id")


async def test_a_copy_is_taken_at_one_moment_while_others_write(record, tmp_path):
    copy = tmp_path / "copy.db"
    async with opened(record) as db:
        async with db.write() as conn:
            await file_ticket(conn, "second")
        async with db.write() as conn:
            await file_ticket(conn, "third, not committed")
            backup.save(record, copy)
    assert keys(copy) == ["first", "second"]
    assert copy.stat().st_mode & 0o777 == 0o600
    assert sorted(file.name for file in tmp_path.iterdir()) == ["copy.db", "data"]


def test_the_record_is_never_its_own_copy(record, tmp_path):
    (tmp_path / "link.db").symlink_to(record)
    before = record.read_bytes()
    for copy in (record, tmp_path / "link.db"):
        with pytest.raises(StorageError, match="is the record itself"):
            backup.save(record, copy, force=True)
        with pytest.raises(StorageError, match="is the record itself"):
            backup.restore(copy, record, force=True)
    assert record.read_bytes() == before


def test_a_folder_that_is_missing_is_named(record, tmp_path):
    with pytest.raises(StorageError, match=f"no folder {tmp_path / 'missing'}$"):
        backup.save(record, tmp_path / "missing" / "copy.db")


async def test_what_comes_back_fits_a_slack_that_went_on(record, tmp_path):
    copy = tmp_path / "copy.db"
    backup.save(record, copy)
    async with opened(record) as db, db.write() as conn:
        lost = await file_ticket(conn, "filed after the copy")
    backup.restore(copy, record, force=True)
    assert keys(record) == ["first"]
    # The notice may have been posted after the copy: it is looked for first.
    assert values(record, "SELECT uncertain FROM deliveries") == [1]
    async with opened(record) as db:
        async with db.write() as conn:
            new = await file_ticket(conn, "filed after the way back")
        assert await db.schema_revision() == (REVISION, REVISION)
    # The lost ticket's card still stands in Slack, and must not mean this one.
    assert new.id > lost.id + 1000


async def test_an_empty_record_reserves_numbers_too(path, tmp_path):
    async with opened(path):
        pass
    backup.save(path, tmp_path / "copy.db")
    backup.restore(tmp_path / "copy.db", tmp_path / "new" / "record.db")
    async with opened(tmp_path / "new" / "record.db") as db, db.write() as conn:
        assert (await file_ticket(conn)).id == backup.SKIPPED_NUMBERS + 1


async def test_a_record_that_somebody_has_open_is_left_alone(record, tmp_path):
    copy = tmp_path / "copy.db"
    backup.save(record, copy)
    async with opened(record) as db:
        async with db.write() as conn:
            await file_ticket(conn, "second")
        with pytest.raises(StorageError, match="stop the bot first"):  # idle, and still there
            backup.restore(copy, record, force=True)
        async with db.write() as conn:
            await file_ticket(conn, "third")
    assert keys(record) == ["first", "second", "third"]


def test_nothing_is_replaced_unasked(record, tmp_path):
    copy = tmp_path / "copy.db"
    backup.save(record, copy)
    for replace in (backup.save, backup.restore):
        for pair in ((record, copy), (copy, record)):
            with pytest.raises(StorageError, match="give --force"):
                replace(*pair)
    backup.save(record, copy, force=True)
    assert keys(copy) == ["first"]


def make_newer(path):
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")


def make_foreign(path):
    path.unlink()
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE other (id)")


def make_damaged(path):
    with contextlib.closing(sqlite3.connect(path)) as connection:
        root = "SELECT rootpage FROM sqlite_schema WHERE name = 'tickets_key'"
        page = values(path, root)[0] if values(path, root) else 3
        [[size]] = connection.execute("PRAGMA page_size")
    with path.open("r+b") as stream:
        stream.seek((page - 1) * size)
        stream.write(b"\xff" * size)


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda path: path.unlink(), "there is no database at"),
        (lambda path: path.write_bytes(b""), "holds no record"),
        (lambda path: path.write_bytes(b"a,b\n" * 1000), "file is not a database"),
        (lambda path: path.write_bytes(path.read_bytes()[:20_000]), "malformed|damaged"),
        (make_damaged, "malformed|damaged"),
        (make_foreign, "holds no record"),
        (make_newer, "newer version"),
    ],
)
def test_a_copy_that_cannot_be_used_changes_nothing(record, tmp_path, spoil, complaint):
    copy = tmp_path / "copy.db"
    backup.save(record, copy)
    spoil(copy)
    before = record.read_bytes()
    with pytest.raises(StorageError, match=complaint) as caught:
        backup.restore(copy, record, force=True)
    assert "\n" not in str(caught.value)
    assert record.read_bytes() == before
    assert [file.name for file in record.parent.iterdir()] == ["record.db"]


@pytest.mark.parametrize("broken", [b"no database at all", b""])
def test_a_damaged_record_is_replaced_with_all_that_belonged_to_it(record, tmp_path, broken):
    copy = tmp_path / "copy.db"
    backup.save(record, copy)
    record.write_bytes(broken)
    for companion in ("-wal", "-shm"):
        record.with_name(record.name + companion).write_bytes(b"left over")
    backup.restore(copy, record, force=True)
    assert keys(record) == ["first"]


@pytest.fixture
def small_disk():
    """No file can grow beyond 50 kB."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_what_does_not_fit_leaves_no_half_file(record, tmp_path, small_disk):
    with pytest.raises(StorageError, match="cannot be copied"):
        backup.save(record, tmp_path / "copy.db")
    assert [file.name for file in tmp_path.iterdir()] == ["data"]


def test_only_sqlite_has_a_file(tmp_path):
    assert sqlite_file(f"sqlite+aiosqlite:///{tmp_path}/a.db") == tmp_path / "a.db"
    assert sqlite_file("postgresql://u@h/d") is None


@pytest.fixture
def kind():
    """Which database `db` is on."""
    return "postgresql"


async def test_what_the_manual_runs_after_pg_restore_does_the_same(db, root):
    manual = (root / "docs" / "operations.md").read_text(encoding="utf-8")
    statements = re.findall(r'-c "((?:UPDATE|SELECT)[^"]+)"', manual)
    async with db.write() as conn:
        await enqueue(conn, ticket_id=(await file_ticket(conn, "first")).id)
        for statement in statements:
            await conn.execute(sa.text(statement))
        assert (await file_ticket(conn, "second")).id == 1 + backup.SKIPPED_NUMBERS + 1
        assert await conn.scalar(sa.select(schema.deliveries.c.uncertain)) is True
