"""What waits for a decision: in which order reviewers see it, and which part of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from slackbot.views.home import Wanted, page_size
from storage.waiting import Waiting


def in_order(waiting: Sequence[Waiting]) -> list[Waiting]:
    """Most urgent first, then oldest first."""
    return sorted(waiting, key=lambda each: (each.priority, each.ticket_id))


def filtered(waiting: Sequence[Waiting], wanted: Wanted) -> list[Waiting]:
    """What the filters leave, in the same order."""
    return [
        each
        for each in waiting
        if wanted.queue in (None, each.queue) and wanted.priority in (None, each.priority)
    ]


def paged(
    waiting: Sequence[Waiting], page: int, queues: Collection[str]
) -> tuple[list[Waiting], int, int]:
    """One page of tickets.

    Returns:
        The tickets of the page; which page that is, the last one where there is no such page;
        and how many pages there are, at least 1.
    """
    size = page_size(queues)
    pages = max(1, -(-len(waiting) // size))
    page = min(page, pages - 1)
    return list(waiting[page * size : (page + 1) * size]), page, pages
