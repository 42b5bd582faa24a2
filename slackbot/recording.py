"""Before the acknowledgement: what came in is committed, or Slack is told to send it again."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from slack_bolt import BoltResponse
from slack_bolt.context.async_context import AsyncBoltContext

from slackbot.config import Settings
from slackbot.desk.settings import SettingsOfTeams
from slackbot.identity import team_of
from slackbot.intake import Intake, Kind, parse
from slackbot.views import answers, modal
from storage.errors import DatabaseUnavailable

log = logging.getLogger(__name__)


class RecordBeforeAck:
    """Bolt middleware: what `parse` recognises is committed before Bolt acknowledges.

    Args:
        record: Commits an intake; raises `DatabaseUnavailable`.
        settings: What is taken, but for what a team has set for itself.
        teams: The settings of teams.
    """

    def __init__(
        self,
        record: Callable[[Intake], Awaitable[bool]],
        settings: Settings,
        teams: SettingsOfTeams,
    ) -> None:
        self._record = record
        self._settings = settings
        self._teams = teams

    async def process(
        self,
        body: dict[str, Any],
        context: AsyncBoltContext,
        next: Callable[[], Awaitable[BoltResponse]],  # noqa: A002  Bolt passes it by this name
    ) -> BoltResponse:
        """Record, then let Bolt go on; answer in its place when nothing could be recorded."""
        team = team_of(context)
        settings = replace(self._settings, team=await self._teams.of(team))
        try:
            intake = parse(body, team=team, bot_user=context.bot_user_id or "", settings=settings)
        except (AttributeError, KeyError, TypeError, ValueError):
            log.exception("payload_not_understood", extra={"type": str(body.get("type"))[:40]})
            return BoltResponse(status=400, body="")
        if intake is None:
            return await next()
        try:
            await self._record(intake)
        except DatabaseUnavailable as error:
            log.error(
                "intake_not_recorded",
                extra={"correlation": intake.correlation, "error": str(error)},
            )
            return _not_recorded(intake)
        context["intake"] = intake
        return await next()


def _not_recorded(intake: Intake) -> BoltResponse:
    """Ask people to try again where somebody waits; let Slack redeliver the rest."""
    message = answers.not_recorded()
    if intake.kind is Kind.COMMAND:
        return BoltResponse(
            status=200,
            body={
                "response_type": "ephemeral",
                "text": message.text,
                "blocks": list(message.blocks),
            },
        )
    if intake.kind is Kind.MODAL:
        return BoltResponse(
            status=200,
            body={"response_action": "errors", "errors": {modal.SUMMARY: message.text}},
        )
    return BoltResponse(status=503, body="")
