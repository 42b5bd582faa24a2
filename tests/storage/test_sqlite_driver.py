"""storage.sqlite_driver: one hop a statement, and never a statement outside its transaction."""

import sqlite3

import pytest

from storage import sqlite_driver


@pytest.fixture
async def connect(tmp_path):
    opened = []

    async def connect_again():
        opened.append(await sqlite_driver.connect(str(tmp_path / "file.db"), 0.05))
        return opened[-1]

    yield connect_again
    for connection in opened:
        await connection.close()


@pytest.fixture
async def connection(connect):
    connection = await connect()
    await connection.cursor().execute("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)")
    return connection


async def names(connection):
    cursor = await connection.cursor().execute("SELECT name FROM t ORDER BY id")
    return [name for (name,) in await cursor.fetchall()]


async def test_a_cursor_says_what_its_statement_did(connection):
    cursor = await connection.cursor().execute("INSERT INTO t (name) VALUES (?), (?)", ("a", "b"))
    assert (cursor.rowcount, cursor.lastrowid, cursor.description) == (2, 2, None)
    cursor = await connection.cursor().execute("SELECT id, name FROM t")
    assert [column[0] for column in cursor.description] == ["id", "name"]
    assert await cursor.fetchall() == [(1, "a"), (2, "b")]
    cursor = await connection.cursor().execute("UPDATE t SET name = 'c' RETURNING id")
    assert await cursor.fetchall() == [(1,), (2,)]


async def test_a_transaction_hops_once_a_statement_and_once_to_commit(connection, monkeypatch):
    hops = []
    queue = connection._tx

    class Counted:
        def put_nowait(self, item):
            hops.append(item)
            queue.put_nowait(item)

    monkeypatch.setattr(connection, "_tx", Counted())
    connection.begin("BEGIN IMMEDIATE")
    cursor = await connection.cursor().__aenter__()
    await cursor.execute("INSERT INTO t (name) VALUES ('a')")
    await cursor.fetchall()
    await cursor.close()
    await connection.commit()
    assert len(hops) == 2
    connection.begin("BEGIN IMMEDIATE")
    await connection.commit()
    await connection.rollback()
    assert len(hops) == 2


async def test_a_transaction_ends_with_commit_or_rollback(connection):
    for end, left in ((connection.rollback, []), (connection.commit, ["a"])):
        connection.begin("BEGIN")
        await connection.cursor().execute("INSERT INTO t (name) VALUES ('a')")
        assert connection.in_transaction
        await end()
        assert not connection.in_transaction
        assert await names(connection) == left


async def test_a_transaction_that_could_not_begin_begins_with_the_next_statement(
    connect, connection
):
    other = await connect()
    other.begin("BEGIN IMMEDIATE")
    await names(other)
    connection.begin("BEGIN IMMEDIATE")
    for _ in range(2):
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            await connection.cursor().execute("INSERT INTO t (name) VALUES ('a')")
    await other.rollback()
    await connection.cursor().execute("INSERT INTO t (name) VALUES ('b')")
    await connection.rollback()
    assert await names(other) == []


async def test_a_transaction_that_never_began_is_forgotten(connection):
    connection.begin("BEGIN IMMEDIATE")
    await connection.rollback()
    await connection.cursor().execute("INSERT INTO t (name) VALUES ('a')")
    assert not connection.in_transaction
