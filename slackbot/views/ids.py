"""The names under which Slack sends clicks back, and the values that come with them."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

MAX_QUEUE_NAME = 75
"""Most characters of a queue's name: what a select option shows.

A longer name could not be read in full on any card, two of them could look the same, and
`T-12:NAME` must fit the 150 characters of an option's value. Training refuses longer names.
"""

MAX_QUEUES = 300
"""Most queues: one select must show them all within the text that Slack lets a message have."""

_VALUE = re.compile(r"(T-[1-9][0-9]{0,18}):(.+)", re.DOTALL)
_EDITS = re.compile(r":q([0-9]{1,9})$")


class ActionId(StrEnum):
    """`action_id` of every button and select."""

    CONFIRM = "review_confirm"
    PICK_2 = "review_pick_2"
    PICK_3 = "review_pick_3"
    DISMISS = "review_dismiss"
    REASSIGN = "review_reassign"
    PRIORITY = "review_priority"
    CLAIM = "ticket_claim"
    RESOLVE = "ticket_resolve"
    REOPEN = "ticket_reopen"
    BECAUSE = "ticket_because"
    RESTORE = "queue_restore"
    WRONG_QUEUE = "ticket_wrong_queue"
    WITHDRAW = "ticket_withdraw"
    NEW_TICKET = "home_new_ticket"
    PREVIOUS_PAGE = "home_page_previous"
    NEXT_PAGE = "home_page_next"
    FILTER_QUEUE = "home_filter_queue"
    FILTER_PRIORITY = "home_filter_priority"
    SETTINGS = "home_settings"
    SETUP_BACK = "setup_page_previous"
    SETUP_MORE = "setup_page_next"


@dataclass(frozen=True, slots=True)
class Choice:
    """What a click on a ticket's button or select means.

    Attributes:
        number: "T-12".
        choice: A queue, a priority, or the name of the action.
    """

    number: str
    choice: str

    def __str__(self) -> str:
        return f"{self.number}:{self.choice}"


def parse_choice(value: str) -> Choice | None:
    """Read the value of a clicked button or option; None when no card of ours has such a value."""
    match = _VALUE.fullmatch(value)
    return Choice(match[1], match[2]) if match else None


def spellings(choice: str) -> tuple[str, str]:
    """A choice as it came and without escapes.

    Slack sends texts of clicked elements back with `&`, `<` and `>` escaped.
    """
    return choice, choice.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def queue_named(choice: str, queues: Collection[str]) -> str | None:
    """The queue that a choice names; None when there is no such queue (any more)."""
    return next((name for name in spellings(choice) if name in queues), None)


def edits_mark(edits: int) -> str:
    """Ends a block's id: how often the list of queues had been edited when it was drawn."""
    return f":q{edits}"


def edits_seen(block_id: str) -> int:
    """How many edits of the list of queues a block knew; 0 for what is older than such marks."""
    match = _EDITS.search(block_id)
    return int(match[1]) if match else 0
