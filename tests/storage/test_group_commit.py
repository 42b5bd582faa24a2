import asyncio

import pytest
import sqlalchemy as sa

from storage.errors import DatabaseUnavailable
from storage.group_commit import GroupCommit
from tests.waiting import until


class Board:
    """Counts transactions and keeps what they committed."""

    def __init__(self, database):
        self.database = database
        self.groups = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def setup(self):
        async with self.database.write() as conn:
            await conn.execute(sa.text("CREATE TABLE board (word TEXT NOT NULL)"))

    async def pin(self, conn, words):
        self.groups.append(list(words))
        await self.gate.wait()
        for word in words:
            if word == "bad":
                raise ValueError(word)
            await conn.execute(sa.text("INSERT INTO board VALUES (:word)"), {"word": word})
        return [word.upper() for word in words]

    async def words(self):
        async with self.database.read() as conn:
            return sorted(await conn.scalars(sa.text("SELECT word FROM board")))


@pytest.fixture
async def board(db):
    board = Board(db)
    await board.setup()
    return board


async def test_what_waits_together_is_committed_together_and_each_gets_its_own_answer(board):
    pin = GroupCommit(board.database, board.pin)
    words = [f"w{n}" for n in range(50)]
    assert await asyncio.gather(*map(pin, words)) == [word.upper() for word in words]
    assert await board.words() == sorted(words)
    assert len(board.groups) <= 3


async def test_a_group_has_an_end(board):
    pin = GroupCommit(board.database, board.pin, at_most=8)
    await asyncio.gather(*(pin(f"w{n}") for n in range(20)))
    assert max(map(len, board.groups)) == 8
    assert len(await board.words()) == 20


async def test_nobody_returns_before_the_commit(board):
    pin = GroupCommit(board.database, board.pin)
    board.gate.clear()
    waiting = asyncio.create_task(pin("slow"))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    board.gate.set()
    assert await waiting == "SLOW"
    assert await board.words() == ["slow"]


async def test_a_piece_that_fails_takes_no_other_with_it(board):
    pin = GroupCommit(board.database, board.pin)
    good, bad, fine = await asyncio.gather(
        pin("good"), pin("bad"), pin("fine"), return_exceptions=True
    )
    assert (good, fine) == ("GOOD", "FINE")
    assert isinstance(bad, ValueError)
    assert await board.words() == ["fine", "good"]


async def test_who_stops_waiting_is_not_committed_and_the_others_are(board):
    pin = GroupCommit(board.database, board.pin)
    board.gate.clear()
    left, stayed = asyncio.create_task(pin("left")), asyncio.create_task(pin("stayed"))
    await until(lambda: board.groups)
    left.cancel()
    board.gate.set()
    assert await stayed == "STAYED"
    assert await board.words() == ["stayed"]


async def test_a_database_that_is_down_is_told_to_all_and_the_next_try_works(board, monkeypatch):
    pin = GroupCommit(board.database, board.pin)

    def down():
        raise DatabaseUnavailable("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(board.database, "write", down)
        answers = await asyncio.gather(pin("one"), pin("two"), return_exceptions=True)
        assert [type(answer) for answer in answers] == [DatabaseUnavailable] * 2
    assert await pin("three") == "THREE"
    assert await board.words() == ["three"]
