"""Waiting for something to hold."""

import asyncio

import pytest

from slackbot.playground.changes import Change, Feed, What


async def test_it_waits_for_changes_and_returns_what_it_waited_for():
    feed, seen = Feed(), []
    feed.subscribe(seen.append)
    waiting = asyncio.create_task(feed.until(lambda: len(seen) > 1 and seen, timeout=1))
    for _ in range(2):
        await asyncio.sleep(0)
        feed.publish(Change(What.CALLED))
    assert await waiting is seen


async def test_it_gives_up_in_time_and_stops_listening():
    feed = Feed()
    with pytest.raises(TimeoutError, match="still not so"):
        await feed.until(lambda: False, timeout=0.01)
    assert feed._listeners == []
