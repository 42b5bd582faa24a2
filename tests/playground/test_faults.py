"""Faults on purpose, seen through the real client."""

import time

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from slackbot.playground.faults import EVERY_TIME, Faults
from tests.playground.kit import refusal


@pytest.fixture
def channel(slack):
    return slack.add_channel("it-help")


@pytest.fixture
def post(client, channel):
    return lambda: client.chat_postMessage(channel=channel.id, text="card")


async def test_it_fails_as_often_as_told_and_then_works(slack, channel, post):
    slack.faults.fail("chat.postMessage", times=2, status=503)
    for _ in range(2):
        with pytest.raises(SlackApiError) as caught:
            await post()
        assert caught.value.response.status_code == 503
    assert slack.messages(channel) == []
    await post()
    assert [call.status for call in slack.calls] == [503, 503, 200]
    assert len(slack.messages(channel)) == 1


async def test_a_rate_limit_says_how_long(slack, post):
    slack.faults.limit("*", retry_after=7)
    with pytest.raises(SlackApiError) as caught:
        await post()
    assert caught.value.response.headers["Retry-After"] == "7"
    assert (slack.calls[0].status, slack.calls[0].error) == (429, "ratelimited")


async def test_an_error_that_slack_names(slack, post):
    slack.faults.fail("chat.postMessage", status=200, error="token_revoked")
    assert await refusal(post()) == "token_revoked"


async def test_the_message_is_posted_but_the_answer_lost(slack, channel, post):
    slack.faults.drop("chat.postMessage")
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await post()
    slack.faults.fail("chat.postMessage", after=True)
    assert await refusal(post()) == "internal_error"
    assert len(slack.messages(channel)) == 2
    assert [call.status for call in slack.calls] == [0, 500]


async def test_the_connection_is_lost_before_anything_happened(slack, channel, post):
    slack.faults.drop("chat.postMessage", after=False)
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await post()
    assert slack.messages(channel) == []


async def test_the_sdks_own_retry_posts_twice_when_an_answer_is_lost(slack, channel):
    client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
    slack.faults.drop("chat.postMessage")
    await client.chat_postMessage(channel=channel.id, text="card")
    assert len(slack.messages(channel)) == 2


async def test_a_slow_answer_takes_effect(slack, channel, post):
    slack.faults.slow("chat.postMessage", 0.1)
    started = time.monotonic()
    await post()
    assert time.monotonic() - started >= 0.1
    assert len(slack.messages(channel)) == 1


def test_a_seed_repeats_a_run():
    def run(seed):
        faults = Faults(seed)
        faults.fail("*", times=EVERY_TIME, probability=0.5)
        return [faults.strike_call("auth.test").status for _ in range(20)]

    assert run(1) == run(1) != run(2)
    assert set(run(1)) == {200, 500}


def test_rules_apply_in_order_and_can_be_cleared():
    faults = Faults()
    faults.fail("a", status=500)
    faults.limit("*", times=2)
    assert [faults.strike_call(m).status for m in "bab"] == [429, 500, 429]
    assert faults.strike_call("a").error == ""
    faults.repeat("message", 3)
    faults.clear()
    assert faults.strike_event("message") == 1
