"""A playground, a client and a tiny Bolt app for it."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

import pytest
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from slackbot.playground import Playground
from tests.playground.kit import MANIFEST, Clock, over_http, over_socket_mode


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def slack(clock: Clock) -> AsyncIterator[Playground]:
    async with Playground(
        manifest=MANIFEST, pace=False, clock=clock, retry_delays=(0, 0.05, 0.1)
    ) as playground:
        yield playground


@pytest.fixture
def client(slack: Playground) -> AsyncWebClient:
    return AsyncWebClient(token=slack.bot_token, base_url=slack.api_url, retry_handlers=[])


@pytest.fixture
def app(slack: Playground, client: AsyncWebClient) -> AsyncApp:
    logger = logging.getLogger("bolt")
    logger.setLevel(logging.CRITICAL)
    return AsyncApp(
        signing_secret=slack.signing_secret,
        client=client,
        logger=logger,
        process_before_response=True,
    )


@pytest.fixture(params=["http", "socket mode"])
async def connected(
    request: pytest.FixtureRequest, slack: Playground, app: AsyncApp
) -> AsyncIterator[None]:
    way = over_http if request.param == "http" else over_socket_mode
    async with way(slack, app):
        yield
