"""The form in which people file a ticket, and what comes back from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.decision import Urgency
from core.text import is_blank
from slackbot.mrkdwn import shorten
from slackbot.views import blocks
from slackbot.views.message import Block

CALLBACK = "ticket_modal"
SUMMARY = "summary"
DESCRIPTION = "description"
URGENCY = "urgency"
"""Both block_id and action_id of the three inputs."""

_SUMMARY_CHARACTERS = 150
_DESCRIPTION_CHARACTERS = 3000

_URGENCIES = (
    ("Work has stopped", Urgency.HIGH),
    ("Work goes on, but badly", Urgency.MEDIUM),
    ("It can wait", Urgency.LOW),
)


@dataclass(frozen=True, slots=True)
class Submission:
    """A filled form.

    Attributes:
        summary: As typed.
        description: As typed; empty when left out.
        urgency: As picked; None leaves it to the model.
        channel: Where the form was asked for; None outside channels.
        response_url: Where the filer can be answered for 30 minutes; None when unknown.
    """

    summary: str
    description: str
    urgency: Urgency | None
    channel: str | None
    response_url: str | None


def ticket_modal(
    *, text: str = "", channel: str | None = None, response_url: str | None = None
) -> Block:
    """The form, as views.open takes it.

    Args:
        text: What is known already: its first line becomes the summary, and where that does
            not hold all of it, the whole becomes the description.
        channel: Where it was asked for; comes back with the submission.
        response_url: Comes back with the submission.
    """
    text = text.strip()
    summary = shorten(" ".join(text.partition("\n")[0].split()), _SUMMARY_CHARACTERS)
    description = shorten(text, _DESCRIPTION_CHARACTERS) if text.split() != summary.split() else ""
    return {
        "type": "modal",
        "callback_id": CALLBACK,
        "private_metadata": json.dumps({"channel": channel, "response_url": response_url}),
        "title": blocks.plain_text("New IT ticket"),
        "submit": blocks.plain_text("File it"),
        "close": blocks.plain_text("Cancel"),
        "blocks": [
            _text_input(SUMMARY, "What is wrong?", summary, _SUMMARY_CHARACTERS),
            _text_input(DESCRIPTION, "Anything that helps?", description, _DESCRIPTION_CHARACTERS),
            _urgency_input(),
        ],
    }


def parse_submission(view: Mapping[str, Any]) -> Submission:
    """Read the `view` of a view_submission payload; what is missing reads as left out."""
    inputs = view.get("state", {}).get("values", {})
    values = {name: inputs.get(name, {}).get(name, {}) for name in (SUMMARY, DESCRIPTION, URGENCY)}
    picked = values[URGENCY].get("selected_option")
    origin = json.loads(view.get("private_metadata") or "{}")
    return Submission(
        summary=values[SUMMARY].get("value") or "",
        description=values[DESCRIPTION].get("value") or "",
        urgency=Urgency(picked["value"]) if picked else None,
        channel=origin.get("channel"),
        response_url=origin.get("response_url"),
    )


def problems(submission: Submission) -> dict[str, str]:
    """What must be mended before the form can be filed, by block_id; empty when nothing."""
    return {SUMMARY: "Please say what is wrong."} if is_blank(submission.summary) else {}


def _text_input(name: str, label: str, value: str, most: int) -> Block:
    element = {"type": "plain_text_input", "action_id": name, "max_length": most}
    if name == DESCRIPTION:
        element["multiline"] = True
    if value:
        element["initial_value"] = value
    return blocks.field(name, label, element, optional=name == DESCRIPTION)


def _urgency_input() -> Block:
    options = [(text, urgency.value) for text, urgency in _URGENCIES]
    element = blocks.select(URGENCY, "Let the bot judge", options)
    return blocks.field(URGENCY, "How urgent is it?", element, optional=True)
