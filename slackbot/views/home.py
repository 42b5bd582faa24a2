"""App Home: my tickets, and for reviewers what waits for them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.decision import Priority
from slackbot.views import blocks
from slackbot.views.answers import ticket_lines
from slackbot.views.blocks import Option
from slackbot.views.card import body
from slackbot.views.controls import Controls, control_blocks
from slackbot.views.ids import ActionId
from slackbot.views.message import Block
from slackbot.views.ticket import TicketCard
from storage.records import Ticket

_MINE = 10
_CARDS = 6  # of at most 7 blocks each, and a view has 100
_OPTIONS = 240  # of all selects together, up to 700 bytes each: a view has 250 KB
_EVERYTHING = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which part of what waits somebody wants to see.

    Attributes:
        queue: Only what the model would put there; None for all.
        priority: Only of that priority; None for all.
        page: From 0.
    """

    queue: str | None = None
    priority: Priority | None = None
    page: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """One page of what waits for a decision.

    Attributes:
        cards: The tickets of the page, in the order to settle them.
        wanted: What the page shows; a page that was not there has become the last one.
        pages: How many there are, at least 1.
        found: How many tickets the filters leave.
        total: How many wait in all.
        queues: All queues of the model.
        beyond: How many of them are beyond today's review budget.
    """

    cards: tuple[TicketCard, ...]
    wanted: Wanted
    pages: int
    found: int
    total: int
    queues: tuple[str, ...]
    beyond: int = 0


def home(
    *,
    mine: Sequence[Ticket],
    backlog: Backlog | None = None,
    is_admin: bool = False,
    numbers: Sequence[Block] = (),
) -> Block:
    """The Home tab of one person, as views.publish takes it.

    Args:
        mine: The tickets that the person reported, newest first; the first 10 are shown.
        backlog: What waits; None for who may not decide.
        is_admin: Whether the person may change the settings.
        numbers: How often the bot is right, for who may know; at most 10 blocks.
    """
    shown: list[Block] = []
    if backlog is not None:
        shown = [*_desk(backlog), blocks.divider(), *numbers]
    return {
        "type": "home",
        "private_metadata": _remembered(backlog.wanted if backlog else Wanted()),
        "blocks": [*shown, *_own(mine, is_admin=is_admin)],
    }


def page_size(queues: Collection[str]) -> int:
    """How many tickets a page shows: each has a select of all queues, and so has the filter."""
    return max(1, min(_CARDS, _OPTIONS // max(1, len(queues)) - 1))


def shown(view: Mapping[str, Any]) -> Wanted:
    """What a Home tab shows, from the `view` of a payload; its queue may be gone by now."""
    try:
        said = json.loads(view.get("private_metadata") or "{}")
        page, queue, priority = said.get("page", 0), said.get("queue"), said.get("priority")
        return Wanted(
            queue=queue if isinstance(queue, str) else None,
            priority=Priority(priority) if priority else None,
            page=max(0, int(page)),
        )
    except (AttributeError, TypeError, ValueError):
        return Wanted()


def chosen(wanted: Wanted, action: Mapping[str, Any]) -> Wanted:
    """What is wanted after somebody has turned the page or set a filter."""
    value = str(action.get("value") or (action.get("selected_option") or {}).get("value") or "")
    match action.get("action_id"):
        case ActionId.FILTER_QUEUE:
            return replace(wanted, queue=None if value == _EVERYTHING else value, page=0)
        case ActionId.FILTER_PRIORITY:
            known = value in list(Priority)
            return replace(wanted, priority=Priority(value) if known else None, page=0)
    return replace(wanted, page=int(value) if value.isdecimal() else 0)


def _remembered(wanted: Wanted) -> str:
    said = {"page": wanted.page, "queue": wanted.queue, "priority": wanted.priority}
    return json.dumps({name: value for name, value in said.items() if value})


def _own(mine: Sequence[Ticket], *, is_admin: bool) -> Iterator[Block]:
    buttons = [blocks.button(ActionId.NEW_TICKET, "New ticket", "new", "primary")]
    if is_admin:
        buttons.append(blocks.button(ActionId.SETTINGS, "Settings", "settings"))
    yield blocks.header("My tickets")
    yield blocks.actions("home:new", buttons)
    yield from ticket_lines(mine[:_MINE])
    if not mine:
        yield blocks.context("You have not filed any tickets yet.")
    elif len(mine) > _MINE:
        yield blocks.context("`/ticket list` shows more.")


def _desk(backlog: Backlog) -> Iterator[Block]:
    if not backlog.total:
        yield blocks.header("Nothing waits for you")
        yield blocks.context("Every ticket is settled.")
        return
    yield blocks.header(f"Waiting for a decision: {backlog.total}")
    yield blocks.actions("home:filters", _filters(backlog))
    yield blocks.context(_order(backlog))
    for ticket in backlog.cards:
        yield from body(ticket)
        yield from control_blocks(ticket, Controls.REVIEW)
    yield from _paging(backlog.wanted.page, backlog.pages - 1)


def _order(backlog: Backlog) -> str:
    order = "Most urgent first, then oldest first."
    if backlog.beyond:
        order = (
            f"Beyond today's budget: {backlog.beyond} of {backlog.total}. First come those "
            "where a wrong route would cost most, and some drawn at random."
        )
    if backlog.found == backlog.total:
        return order
    return f"{backlog.found} of them, as filtered. {order}" if backlog.found else "None like that."


def _filters(backlog: Backlog) -> list[Block]:
    wanted = backlog.wanted
    of_queues: list[Option] = [("All queues", _EVERYTHING), *((q, q) for q in backlog.queues)]
    of_priorities: list[Option] = [
        ("All priorities", _EVERYTHING),
        *((priority.label, priority.value) for priority in Priority),
    ]
    by_priority = _filter(ActionId.FILTER_PRIORITY, "Priority", of_priorities, wanted.priority)
    if 2 * len(backlog.queues) > _OPTIONS:  # one menu of so many is all that a view holds
        return [by_priority]
    return [_filter(ActionId.FILTER_QUEUE, "Best guess", of_queues, wanted.queue), by_priority]


def _filter(action_id: str, name: str, options: list[Option], picked: str | None) -> Block:
    at = next((option for option in options if option[1] == picked), options[0])
    return blocks.select(action_id, name, options, at)


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
