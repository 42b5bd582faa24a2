"""Takes the record out: tickets, predictions, reviews and labels, as JSON lines or as CSV."""

from __future__ import annotations

import csv
import json
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import IO, Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.records import Action, State
from storage.schema import predictions, reviews, tickets

_PAGE = 500
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
# Some readers end a line here although JSON does not; they only ever stand inside strings.
_LINE_ENDS = str.maketrans({end: f"\\u{ord(end):04x}" for end in "\x85\u2028\u2029"})

Today = Callable[[int, str], str | None]
"""From a review and the queue that it names to that queue's name today; None: it was split."""


class Dataset(StrEnum):
    """What can be exported."""

    TICKETS = "tickets"
    PREDICTIONS = "predictions"
    REVIEWS = "reviews"
    LABELS = "labels"


class Format(StrEnum):
    """How it is written."""

    JSONL = "jsonl"
    CSV = "csv"


def _number(ticket_id: sa.Column[int]) -> sa.Label[str]:
    return (sa.literal("T-") + sa.cast(ticket_id, sa.Text)).label("ticket")


def labels_query() -> sa.Select[Any]:
    """What people settled: the last word on the queue of each ticket whose text is still there.

    A dismissal counts while the ticket is dismissed, a queue while it is neither dismissed nor
    withdrawn; a queue that only the model chose is no label.
    """
    settles = [Action.CONFIRM, Action.REASSIGN, Action.DISMISS]
    later = reviews.alias()
    unsaid_later = ~sa.exists().where(
        later.c.ticket_id == reviews.c.ticket_id,
        later.c.id > reviews.c.id,
        later.c.action.in_(settles),
    )
    dismissed = reviews.c.action == Action.DISMISS
    stands = sa.case(
        (dismissed, tickets.c.state == State.DISMISSED),
        else_=tickets.c.state.not_in([State.DISMISSED, State.WITHDRAWN]),
    )
    queue = sa.case((dismissed, ""), else_=reviews.c.queue_after)
    return (
        sa.select(
            reviews.c.id,
            tickets.c.text,
            queue.label("queue"),
            reviews.c.action.label("source"),
            sa.literal(1.0).label("weight"),
        )
        .join(tickets, tickets.c.id == reviews.c.ticket_id)
        .where(reviews.c.action.in_(settles), unsaid_later, stands)
        .where(tickets.c.text != "", queue.is_not(None))
    )


_tickets = sa.select(
    tickets.c.id,
    _number(tickets.c.id),
    tickets.c.team,
    tickets.c.channel,
    tickets.c.ts,
    tickets.c.source,
    tickets.c.reporter,
    tickets.c.text,
    tickets.c.state,
    tickets.c.queue,
    tickets.c.priority,
    tickets.c.created_at,
)
_predictions = sa.select(
    predictions.c.id,
    _number(predictions.c.ticket_id),
    predictions.c.model_version,
    predictions.c.queue,
    predictions.c.confidence,
    predictions.c.probabilities,
    predictions.c.threshold,
    predictions.c.decision,
    predictions.c.reason,
    predictions.c.urgency,
    predictions.c.impact,
    predictions.c.priority,
    predictions.c.created_at,
)
_reviews = sa.select(
    reviews.c.id,
    _number(reviews.c.ticket_id),
    reviews.c.reviewer,
    reviews.c.action,
    reviews.c.queue_before,
    reviews.c.queue_after,
    reviews.c.created_at,
)
# The first column is the row's id, for paging; the others are what is exported.
_QUERIES: Mapping[Dataset, tuple[sa.Column[int], sa.Select[Any]]] = {
    Dataset.TICKETS: (tickets.c.id, _tickets),
    Dataset.PREDICTIONS: (predictions.c.id, _predictions),
    Dataset.REVIEWS: (reviews.c.id, _reviews),
    Dataset.LABELS: (reviews.c.id, labels_query()),
}


def columns(dataset: Dataset) -> tuple[str, ...]:
    """The columns of an export, in order."""
    _, query = _QUERIES[dataset]
    return tuple(query.selected_columns.keys()[1:])


async def rows(
    conn: AsyncConnection, dataset: Dataset, today: Today | None = None
) -> AsyncIterator[dict[str, Any]]:
    """The rows of an export in the order they were recorded, read page by page.

    Every row has the keys of `columns`, in their order. Times are aware, `probabilities` is a
    mapping, and what is unknown is None.

    Args:
        conn: A transaction.
        dataset: What to read.
        today: What the queues of labels are called today; without it as they were recorded.
    """
    row_id, query = _QUERIES[dataset]
    names = columns(dataset)
    last = 0
    while page := (
        await conn.execute(query.where(row_id > last).order_by(row_id).limit(_PAGE))
    ).all():
        for row in page:
            found = dict(zip(names, row[1:], strict=True))
            if dataset is Dataset.LABELS and today is not None and found["queue"]:
                found["queue"] = today(row[0], found["queue"])
                if found["queue"] is None:
                    continue  # it says no more than "one of these"
            yield found
        last = page[-1][0]


async def write(
    conn: AsyncConnection,
    dataset: Dataset,
    form: Format,
    out: IO[str],
    today: Today | None = None,
) -> int:
    """Write an export to an open file (for CSV opened with `newline=""`).

    JSON keeps every value as it is; a CSV cell that a spreadsheet would run as a formula is
    preceded by an apostrophe. An empty export is no line of JSON, and the header alone in CSV.
    `today` is as in `rows`.

    Returns:
        How many rows were written.
    """
    table = csv.writer(out)
    if form is Format.CSV:
        table.writerow(columns(dataset))
    count = 0
    async for row in rows(conn, dataset, today):
        if form is Format.CSV:
            table.writerow([_cell(value) for value in row.values()])
        else:
            out.write(_line(row))
        count += 1
    return count


def _line(row: Mapping[str, Any]) -> str:
    line = json.dumps(row, ensure_ascii=False, default=datetime.isoformat)
    return line.translate(_LINE_ENDS) + "\n"


def _cell(value: object) -> object:
    match value:
        case str():
            return f"'{value}" if value.startswith(_FORMULA) else str(value)
        case datetime():
            return value.isoformat()
        case Mapping():
            return json.dumps(value)
        case _:
            return value
