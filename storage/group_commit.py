"""One commit for all who wait for one at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from storage.database import Database
from storage.errors import DatabaseUnavailable

_Work = TypeVar("_Work")
_Done = TypeVar("_Done")


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting(Generic[_Work, _Done]):
    work: _Work
    done: asyncio.Future[_Done]


class _SomebodyLeft(Exception):
    """Who no longer waits must not find the work done after all."""


class GroupCommit(Generic[_Work, _Done]):
    """Carries out pieces of work in shared transactions: what waits together commits together.

    A commit costs a write to the disk, however much is in it, and SQLite makes one at a time. So
    a burst would wait for as many writes as there are pieces in it; here it waits for a few.
    """

    def __init__(
        self,
        database: Database,
        carry_out: Callable[[AsyncConnection, Sequence[_Work]], Awaitable[Sequence[_Done]]],
        *,
        at_most: int = 256,
    ) -> None:
        """Prepare; nothing runs until something is asked for.

        Args:
            database: Where.
            carry_out: Does pieces of work within one transaction; one result for each, in order.
                It may be called again with some of them when the transaction was rolled back.
            at_most: Pieces in one transaction.
        """
        self._database = database
        self._carry_out = carry_out
        self._at_most = at_most
        self._waiting: list[_Waiting[_Work, _Done]] = []
        self._committing: asyncio.Task[None] | None = None

    async def __call__(self, work: _Work) -> _Done:
        """Carry out one piece of work, and return once it is committed.

        Whoever stops waiting before the commit begins can be sure that it is rolled back.

        Raises:
            DatabaseUnavailable: It was not committed.
            Exception: What `carry_out` raises for this piece alone.
        """
        done: asyncio.Future[_Done] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(work, done))
        if self._committing is None or self._committing.done():
            self._committing = asyncio.create_task(self._commit_all())
        return await done

    async def _commit_all(self) -> None:
        while self._waiting:
            await self._commit_some()

    async def _commit_some(self, chosen: Sequence[_Waiting[_Work, _Done]] = ()) -> None:
        group = chosen
        try:
            async with self._database.write() as conn:
                group = chosen or self._take()  # also who came while others were writing
                results = await self._carry_out(conn, [each.work for each in group])
                if any(each.done.cancelled() for each in group):
                    raise _SomebodyLeft
        except _SomebodyLeft:
            self._waiting[:0] = group
        except DatabaseUnavailable as error:
            _fail(group or self._take(), error)
        except Exception as error:
            if len(group) <= 1:
                _fail(group or self._take(), error)
            else:  # one piece has failed: it must not take the others with it
                for each in group:
                    await self._commit_some([each])
        else:
            for each, result in zip(group, results, strict=True):
                if not each.done.done():
                    each.done.set_result(result)

    def _take(self) -> list[_Waiting[_Work, _Done]]:
        still = [each for each in self._waiting if not each.done.done()]
        self._waiting = still[self._at_most :]
        return still[: self._at_most]


def _fail(group: Sequence[_Waiting[_Work, _Done]], error: Exception) -> None:
    for each in group:
        if not each.done.done():
            each.done.set_exception(error)
