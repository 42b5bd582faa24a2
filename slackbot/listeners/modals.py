"""The ticket modal: recorded by the intake when it is valid, sent back when it is not."""

from __future__ import annotations

from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext

from slackbot.views import modal


async def submit_ticket(ack: AsyncAck, view: dict[str, Any], context: AsyncBoltContext) -> None:
    """Close the modal, or show below each field what is missing."""
    if "intake" in context:
        await ack()
    else:
        problems = modal.problems(modal.parse_submission(view))
        await ack(response_action="errors", errors=problems)
