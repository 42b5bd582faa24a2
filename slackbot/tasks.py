"""Tasks that run beside a loop, are waited for at its end, and whose errors are not lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Self


class Tasks:
    """A set of running tasks; the end of its block waits for them, or cancels them with itself."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Self:
        """Nothing runs yet."""
        return self

    async def __aexit__(self, _: object, error: BaseException | None, __: object) -> None:
        """Wait for what runs; what raised there is raised here."""
        try:
            if not isinstance(error, asyncio.CancelledError):
                await asyncio.gather(*self._running)
        finally:
            for task in self._running:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)

    def __len__(self) -> int:
        return len(self._running)

    def start(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run `work` beside everything else."""
        self._running.add(asyncio.create_task(work))

    async def wait_for_one_or(self, event: asyncio.Event, seconds: float) -> None:
        """Return when a task ends, `event` is set, or the time is over.

        Raises:
            Exception: What an ended task raised.
        """
        signal = asyncio.create_task(event.wait())
        try:
            await asyncio.wait(
                {signal, *self._running}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            signal.cancel()
        self._reap()

    def _reap(self) -> None:
        ended = {task for task in self._running if task.done()}
        self._running -= ended
        for task in ended:
            task.result()


@asynccontextmanager
async def repeating(action: Callable[[], Awaitable[object]], every_s: float) -> AsyncIterator[None]:
    """Run `action` again and again while the block lasts; what it raises ends the repetition."""

    async def repeat() -> None:
        while True:
            await asyncio.sleep(every_s)
            await action()

    task = asyncio.create_task(repeat())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
