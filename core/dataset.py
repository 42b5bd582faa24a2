"""Reads training data: a table of labelled tickets, and hand-labelled messages."""

from __future__ import annotations

import csv
import gzip
import io
import json
import unicodedata
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.decision import REVIEW_QUEUE, Impact, Urgency
from core.errors import DataError

MAX_QUEUE_NAME = 75
"""Slack's limit for a button's or option's text, in characters."""

MAX_QUEUES = 300
"""Most queues: one menu on a card must show them all."""

_RESERVED = {REVIEW_QUEUE.casefold(): "that a person decides", "*": "every queue", "": "nothing"}
"""Names that stand for something else, as `name_key` makes them."""

_NO_LETTERS = ("Cc", "Cs")
"""Unicode's control characters and surrogates."""

_CSV_FIELD_LIMIT = 10_000_000


@dataclass(frozen=True, slots=True)
class Example:
    """One text and what is known about it; None where nothing is known.

    Attributes:
        text: As it was written.
        queue: The queue that it belongs to; None also when it is no ticket.
        alt_queue: A second queue that an honest person could choose.
        is_ticket: Whether it asks for something.
        urgency: ITIL urgency.
        impact: ITIL impact.
        language: ISO 639-1 code.
        batch: Whose hand wrote it; empty for tickets of a table.
        one_of: The queues to one of which it belongs, where nobody knows which: its own was split.
    """

    text: str
    queue: str | None = None
    alt_queue: str | None = None
    is_ticket: bool | None = None
    urgency: Urgency | None = None
    impact: Impact | None = None
    language: str = "und"
    batch: str = ""
    one_of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TicketTable:
    """The usable rows of a table of labelled tickets.

    Attributes:
        examples: One for each row that has a text, in the table's order.
        queues: The labels, sorted: the class order of everything trained on it.
        blank: Rows left out because they had no text or no label.
    """

    examples: tuple[Example, ...]
    queues: tuple[str, ...]
    blank: int


def read_tickets(
    path: Path, *, text_column: str, label_column: str, known: Sequence[str] | None = None
) -> TicketTable:
    """Read a CSV file, gzipped or not, of texts and their queues.

    Args:
        path: The file; UTF-8, first line names the columns.
        text_column: Column with the text.
        label_column: Column with the queue's name.
        known: The queues of the model that is to be measured, however few rows there are; None
            where one is to be trained.

    Returns:
        The usable rows.

    Raises:
        DataError: The file is missing, unreadable, lacks a column, or its queues cannot be
            trained on or are not known; the message says which and what to do.
    """
    examples: list[Example] = []
    blank = 0
    for row in _rows(path, (text_column, label_column)):
        text, label = (row[text_column] or "").strip(), (row[label_column] or "").strip()
        if text and label:
            examples.append(Example(text=text, queue=label, is_ticket=True))
        else:
            blank += 1
    queues = tuple(sorted({example.queue for example in examples if example.queue}))
    if known is None:
        check_names(queues, where=str(path))
    else:
        _check_known(queues, known, where=str(path))
    return TicketTable(examples=tuple(examples), queues=queues, blank=blank)


def _check_known(queues: Sequence[str], known: Sequence[str], *, where: str) -> None:
    if not queues:
        raise DataError(f"{where}: has no row with a text and a queue.")
    for queue in queues:
        if queue not in known:
            raise DataError(
                f"{where}: the bundle does not know the queue {queue!r}; "
                f"its queues are: {', '.join(known)}."
            )


def check_names(names: Sequence[str], *, where: str) -> None:
    """Refuse queues that Slack could not show or people could not tell apart.

    Args:
        names: One for each queue.
        where: What to call the data in errors.

    Raises:
        DataError: Fewer than two queues or too many, or a name that is too long, invisible,
            has control characters, means something else, or is another's but for case or white
            space.
    """
    if len(names) < 2:
        raise DataError(f"{where}: needs at least two queues to tell apart, found {len(names)}.")
    if len(names) > MAX_QUEUES:
        raise DataError(f"{where}: has {len(names)} queues, at most {MAX_QUEUES} can be shown.")
    spellings: dict[str, str] = {}
    for name in names:
        if len(name) > MAX_QUEUE_NAME:
            raise DataError(f"{where}: queue name {name[:30]!r}… is over {MAX_QUEUE_NAME} letters.")
        if any(unicodedata.category(letter) in _NO_LETTERS for letter in name):
            raise DataError(f"{where}: queue name {name!r} contains control characters.")
        key = name_key(name)
        if key in _RESERVED:
            raise DataError(f"{where}: {name!r} means {_RESERVED[key]}; name the queue else.")
        if key in spellings:
            other = spellings[key]
            if other == name:
                raise DataError(f"{where}: queue {name!r} is there twice; make it one.")
            raise DataError(
                f"{where}: queues {other!r} and {name!r} differ only in case or white space."
            )
        spellings[key] = name


def name_key(name: str) -> str:
    """The same for names that people cannot tell apart: case, white space, invisible letters."""
    seen = (letter for letter in name if unicodedata.category(letter) != "Cf")
    return " ".join(unicodedata.normalize("NFKC", "".join(seen)).casefold().split())


def read_messages(path: Path, queues: Sequence[str]) -> tuple[Example, ...]:
    """Read hand-labelled messages, one JSON object a line.

    Args:
        path: The file, with the fields text, queue, alt_queue, urgency, impact, lang, kind, batch.
        queues: The queues that may be named.

    Returns:
        The messages in the file's order; one without a queue is no ticket.

    Raises:
        DataError: The file is missing or a line is not such a message.
    """
    examples = []
    # By line feeds alone: a text may hold other characters that Python takes for line ends.
    for number, line in enumerate(_read(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            example = _message(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError(f"{path}: line {number} is not a labelled message: {error}.") from error
        for queue in (example.queue, example.alt_queue):
            if queue is not None and queue not in queues:
                raise DataError(f"{path}: line {number} names an unknown queue {queue!r}.")
        examples.append(example)
    return tuple(examples)


def _message(fields: dict[str, Any]) -> Example:
    queue, urgency, impact = fields["queue"], fields["urgency"], fields["impact"]
    if queue and fields.get("alt_queue") == queue:
        raise ValueError("alt_queue repeats queue")
    if not (isinstance(fields["batch"], str) and fields["batch"]):
        raise ValueError("batch is blank")
    return Example(
        text=fields["text"].strip(),
        queue=queue or None,
        alt_queue=fields.get("alt_queue") or None,
        is_ticket=bool(queue),
        urgency=Urgency(urgency) if queue and urgency else None,
        impact=Impact(impact) if queue and impact else None,
        language=fields["lang"],
        batch=fields["batch"],
    )


def _rows(path: Path, columns: Sequence[str]) -> Iterator[dict[str, str | None]]:
    csv.field_size_limit(_CSV_FIELD_LIMIT)
    # Strict: a quote that is never closed must not swallow the rows behind it.
    reader = csv.DictReader(io.StringIO(_read(path), newline=""), strict=True)
    try:
        _check_columns(path, reader.fieldnames or (), columns)
        for row in reader:
            if any(row.get(None) or ()):
                raise DataError(
                    f"{path}: line {reader.line_num} has more fields than there are columns; "
                    "put quotes around a text with commas."
                )
            yield row
    except csv.Error as error:
        begin = reader.line_num + 1  # of the row that cannot be read to its end
        raise DataError(f"{path}: line {begin} is not CSV: {error}.") from error


def _check_columns(path: Path, names: Sequence[str], wanted: Sequence[str]) -> None:
    for column in wanted:
        if column not in names:
            found = ", ".join(names) or "none"
            other = ";" in found or "\t" in found
            hint = " Columns are separated by commas." if other else ""
            raise DataError(f"{path}: no column {column!r}; its columns are: {found}.{hint}")
        if names.count(column) > 1:
            raise DataError(f"{path}: has several columns {column!r}; give each its own name.")


def _read(path: Path) -> str:
    """The file's text, unzipped where it is gzipped; CSV and JSON lines alike."""
    try:
        content = path.read_bytes()
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
        return content.decode("utf-8-sig")
    except FileNotFoundError:
        raise DataError(f"{path}: no such file.") from None
    except UnicodeDecodeError:
        raise DataError(f"{path}: is not UTF-8 text; save it as UTF-8.") from None
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: cannot be read: {error}.") from error
