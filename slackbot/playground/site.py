"""Everything that a call, a person or an answer may touch, in one place."""

from __future__ import annotations

from dataclasses import dataclass

from slackbot.playground.handles import ReplyHandles, Triggers
from slackbot.playground.modals import Modals
from slackbot.playground.pace import EventBudget, Pace
from slackbot.playground.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Site:
    """The parts of one playground that hold state.

    Attributes:
        workspace: People, channels, messages.
        modals: Modals and App Homes.
        triggers: Outstanding `trigger_id`s.
        replies: Outstanding `response_url`s.
        pace: Permits to post.
        budget: Permits to send events.
    """

    workspace: Workspace
    modals: Modals
    triggers: Triggers
    replies: ReplyHandles
    pace: Pace
    budget: EventBudget
