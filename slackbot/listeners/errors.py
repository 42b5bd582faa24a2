"""The one place where errors end: known ones tell the person why, the rest get a logged id."""

from __future__ import annotations

import asyncio
import logging
import uuid
from typing import Any

from slack_bolt import BoltResponse
from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.web.async_client import AsyncWebClient

from slackbot.errors import AutoTicketError
from slackbot.intake import Intake
from slackbot.listeners.tell import tell
from slackbot.views import answers
from storage.errors import DatabaseUnavailable

log = logging.getLogger(__name__)

_SEEN_WITHIN_S = 0.05
"""Bolt looks every 10 ms whether a listener has acknowledged, and forgets it when the listener
fails before it has looked: the payload would come again."""


async def report_error(
    error: Exception,
    body: dict[str, Any],
    client: AsyncWebClient,
    context: AsyncBoltContext,
    response: BoltResponse | None,
) -> BoltResponse | None:
    """Answer the person who waits; leave events unacknowledged, so that Slack sends them again.

    Bolt has no response for what was acknowledged already, and takes none then.
    """
    if response is None:
        await asyncio.sleep(_SEEN_WITHIN_S)
    intake: Intake | None = context.get("intake")
    extra = {"correlation": intake.correlation if intake else ""}
    if isinstance(error, AutoTicketError):
        message = answers.plain_text(str(error))
    elif isinstance(error, DatabaseUnavailable):
        log.error("database_unavailable", extra={**extra, "error": str(error)})
        message = answers.not_recorded()
    else:
        error_id = uuid.uuid4().hex[:8]
        log.error("listener_failed", exc_info=error, extra={**extra, "error_id": error_id})
        message = answers.failed(error_id)
    if "event" in body and not isinstance(error, AutoTicketError):
        return None
    await tell(body, client, message)
    return response and BoltResponse(status=200, body="")
