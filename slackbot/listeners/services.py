"""What listeners work with."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from slackbot.config import Settings
from slackbot.desk import Desk
from slackbot.people import Reviewers
from slackbot.slack_calls import SlackFailure

WHO_IS_IT_S = 2.0
"""Slack wants an answer within 3 s; who cannot be looked up by then is refused."""


@dataclass(frozen=True, slots=True)
class Services:
    """Handed to every listener.

    Attributes:
        desk: Files and settles tickets.
        reviewers: Who may settle them.
        settings: For texts that depend on what is configured.
    """

    desk: Desk
    reviewers: Reviewers
    settings: Settings

    async def is_admin(self, user: str) -> bool:
        """Whether `user` may change the settings; no when Slack does not say so in time."""
        try:
            async with asyncio.timeout(WHO_IS_IT_S / 2):  # more must happen within Slack's 3 s
                return await self.reviewers.is_admin(user)
        except (SlackFailure, TimeoutError):
            return False

    async def may_review(self, user: str) -> bool:
        """Whether `user` may settle tickets; no when Slack does not say so in time."""
        try:
            async with asyncio.timeout(WHO_IS_IT_S):
                return await self.reviewers.includes(user)
        except (SlackFailure, TimeoutError):
            return False
