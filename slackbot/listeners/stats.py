"""`/ticket stats`: numbers at once, pictures by direct message; for reviewers and admins."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from slackbot.errors import AutoTicketError
from slackbot.listeners.services import Services
from slackbot.listeners.tell import tell
from slackbot.slack_calls import SlackFailure, Upload, sorted_failures, upload
from slackbot.stats.figures import Numbers
from slackbot.stats.period import parse_period
from slackbot.stats.pictures import draw
from slackbot.views import stats as views

log = logging.getLogger(__name__)


class NotForYou(AutoTicketError):
    """The numbers are for reviewers and admins."""


class Stats:
    """Answers who asks for numbers."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._drawing = asyncio.Lock()  # one at a time: tickets must not wait behind pictures

    async def send(
        self,
        body: Mapping[str, Any],
        client: AsyncWebClient,
        team: str,
        user: str,
        words: list[str],
    ) -> None:
        """Tell `user` the numbers of the period in `words`, and send them the pictures.

        Raises:
            UnknownPeriod: There is no such period.
            NotForYou: The person is neither a reviewer nor an admin.
        """
        period = parse_period(" ".join(words), datetime.now(UTC))
        allowed = await self._services.may_review(team, user)
        if not (allowed or await self._services.is_admin(team, user)):
            raise NotForYou(views.only_for_reviewers().text)
        desk = self._services.desk
        numbers = await desk.numbers.of(team, period, desk.promise)
        await tell(body, client, views.stats(numbers, pictures=bool(numbers.days)))
        if numbers.days:
            await self._send_pictures(client, user, numbers)

    async def _send_pictures(self, client: AsyncWebClient, user: str, numbers: Numbers) -> None:
        async with self._drawing:
            pictures = await asyncio.to_thread(draw, numbers)
        files = [
            Upload(picture.name, picture.title, picture.alt, picture.png) for picture in pictures
        ]
        try:
            async with sorted_failures():
                opened = await client.conversations_open(users=[user])
            await upload(client, opened["channel"]["id"], files, views.pictures_title(numbers))
        except SlackFailure as failure:
            # The numbers are told; a picture more or less is worth no error.
            log.warning("pictures_not_sent", extra={"error": str(failure)})
