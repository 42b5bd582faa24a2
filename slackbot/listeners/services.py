"""What listeners work with."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from slackbot.config import Settings
from slackbot.desk import Desk
from slackbot.errors import AutoTicketError
from slackbot.learning.watch import ModelWatch
from slackbot.people import Reviewers
from slackbot.slack_calls import SlackFailure
from slackbot.views import answers
from slackbot.workspaces import Workspaces

WHO_IS_IT_S = 2.0
"""Slack wants an answer within 3 s; who cannot be looked up by then is refused."""


class NotAReviewer(AutoTicketError):
    """The person may not do this: reviewers may, and nobody is one as long as none are named."""


@dataclass(frozen=True, slots=True)
class Services:
    """Handed to every listener.

    Attributes:
        desk: Files and settles tickets.
        workspaces: Where people are, and who of them may settle tickets.
        settings: For texts that depend on what is configured.
        models: Decides which version of the model serves.
    """

    desk: Desk
    workspaces: Workspaces
    settings: Settings
    models: ModelWatch

    async def reviewers(self, team: str) -> Reviewers:
        """Tells who may settle a team's tickets.

        Raises:
            NotInstalled: The bot does not serve that team.
        """
        return (await self.workspaces.of(team)).reviewers

    async def is_admin(self, team: str, user: str) -> bool:
        """Whether `user` may change the team's settings; no when Slack does not say so in time."""
        try:
            async with asyncio.timeout(WHO_IS_IT_S / 2):  # more must happen within Slack's 3 s
                return await (await self.reviewers(team)).is_admin(user)
        except (SlackFailure, TimeoutError):
            return False

    async def seems_admin(self, team: str, user: str) -> bool:
        """Whether to show `user` the way to the settings; who may change them is asked anew."""
        try:
            async with asyncio.timeout(WHO_IS_IT_S / 2):
                return await (await self.reviewers(team)).is_admin(user, anew=False)
        except (SlackFailure, TimeoutError):
            return False

    async def require_reviewer(self, team: str, user: str) -> None:
        """Refuse who may not settle the team's tickets.

        Raises:
            NotAReviewer: `user` is none, or Slack does not say so in time.
        """
        try:
            async with asyncio.timeout(WHO_IS_IT_S):
                reviewers = await self.reviewers(team)
                allowed = await reviewers.includes(user)
        except (SlackFailure, TimeoutError) as error:
            raise NotAReviewer(answers.reviewer_unknown().text) from error
        if not allowed:
            raise NotAReviewer(answers.not_a_reviewer(any_set=await reviewers.any_set()).text)

    async def may_review(self, team: str, user: str) -> bool:
        """Whether `user` may settle the team's tickets; no when Slack does not say so in time."""
        try:
            await self.require_reviewer(team, user)
        except NotAReviewer:
            return False
        return True
