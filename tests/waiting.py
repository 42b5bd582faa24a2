"""Waiting for what must come true, with an end, and with words when it does not."""

import asyncio
import inspect

import pytest


async def until(condition, within=20.0, what=""):
    """Ask `condition`, which may be a coroutine function, again and again until it says yes.

    Returns what it said; after `within` seconds fails with `what` was awaited, or its source.
    """
    try:
        async with asyncio.timeout(within):
            while True:
                found = condition()
                if inspect.isawaitable(found):
                    found = await found
                if found:
                    return found
                await asyncio.sleep(0.01)
    except TimeoutError:
        pytest.fail(f"not so after {within} s: {what or inspect.getsource(condition).strip()}")
