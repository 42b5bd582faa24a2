"""App Home: my tickets, and for reviewers what waits for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from slackbot.views import blocks
from slackbot.views.answers import ticket_lines
from slackbot.views.card import body
from slackbot.views.controls import Controls, control_blocks
from slackbot.views.ids import ActionId
from slackbot.views.message import Block
from slackbot.views.ticket import TicketCard
from storage.records import Ticket

_MINE = 10
_CARDS = 6  # of at most 7 blocks each, and a view has 100
_OPTIONS = 240  # of all selects together, up to 700 bytes each: a view has 250 KB


def home(
    *, mine: Sequence[Ticket], waiting: Sequence[TicketCard] | None = None, page: int = 0
) -> Block:
    """The Home tab of one person, as views.publish takes it.

    Args:
        mine: The tickets that the person reported, newest first; the first 10 are shown.
        waiting: All tickets that wait for a decision, in any order; None for who may not decide.
        page: Which page of `waiting`, from 0; the last one when there are not so many.
    """
    shown: list[Block] = []
    if waiting is not None:
        page = min(page, _last_page(waiting))
        shown = [*_desk(waiting, page), blocks.divider()]
    return {
        "type": "home",
        "private_metadata": str(page),
        "blocks": [*shown, *_own(mine)],
    }


def shown_page(view: Mapping[str, Any]) -> int:
    """The page that a Home tab shows, from the `view` of a payload."""
    page = str(view.get("private_metadata") or "")
    return int(page) if page.isdecimal() else 0


def _own(mine: Sequence[Ticket]) -> list[Block]:
    lines = ticket_lines(mine[:_MINE]) or [blocks.context("You have not filed any tickets yet.")]
    new = blocks.button(ActionId.NEW_TICKET, "New ticket", "new", "primary")
    return [blocks.header("My tickets"), blocks.actions("home:new", [new]), *lines]


def _desk(waiting: Sequence[TicketCard], page: int) -> list[Block]:
    if not waiting:
        return [blocks.header("Nothing waits for you"), blocks.context("Every ticket is settled.")]
    urgent_first = sorted(waiting, key=lambda ticket: (ticket.priority, ticket.created_at))
    size = _page_size(waiting)
    first = page * size
    cards = urgent_first[first : first + size]
    shown = [
        blocks.header(f"Waiting for a decision: {len(waiting)}"),
        blocks.context("Most urgent first, then oldest first."),
    ]
    for ticket in cards:
        shown += [*body(ticket), *control_blocks(ticket, Controls.REVIEW)]
    return shown + _paging(page, _last_page(waiting))


def _page_size(waiting: Sequence[TicketCard]) -> int:
    queues = max((len(ticket.queues) for ticket in waiting), default=1)
    return max(1, min(_CARDS, _OPTIONS // max(1, queues)))


def _last_page(waiting: Sequence[TicketCard]) -> int:
    return max(0, len(waiting) - 1) // _page_size(waiting)


def _paging(page: int, last: int) -> list[Block]:
    if last == 0:
        return []
    buttons = []
    if page > 0:
        buttons.append(blocks.button(ActionId.PREVIOUS_PAGE, "← Back", str(page - 1)))
    if page < last:
        buttons.append(blocks.button(ActionId.NEXT_PAGE, "More →", str(page + 1)))
    return [
        blocks.context(f"Page {page + 1} of {last + 1}"),
        blocks.actions("home:pages", buttons),
    ]
