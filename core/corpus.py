"""Checks the hand-written training messages: each is its own, and every queue has its share.

Run it: `python -m core.corpus models/training/messages.jsonl`.
"""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.decision import Impact, Urgency
from core.errors import DataError

QUEUES = (
    "Hardware",
    "HR Support",
    "Access",
    "Miscellaneous",
    "Storage",
    "Purchase",
    "Internal Project",
    "Administrative rights",
)
LANGUAGES = ("en", "es", "pt", "fr", "de")
KINDS = ("request", "incident", "question", "alert", "followup", "mail", "chat")
MAX_JACCARD = 0.5
"""Character 5-grams that two messages may share, as a part of all that either has."""
SAME_WORDS = 6
"""So many words in a row in two messages make them variants of one sentence."""


@dataclass(frozen=True, slots=True)
class Message:
    """One hand-written message.

    Attributes:
        text: As it would be typed in Slack.
        queue: Where it belongs; None for what is no ticket.
        alt_queue: Where an honest person could also put it.
        urgency: ITIL urgency; None for what is no ticket.
        impact: ITIL impact; None for what is no ticket.
        lang: ISO 639-1 code.
        kind: One of `KINDS`; `chat` is no ticket.
        batch: The hand that wrote it.
    """

    text: str
    queue: str | None
    alt_queue: str | None
    urgency: str | None
    impact: str | None
    lang: str
    kind: str
    batch: str


def read(path: Path) -> list[Message]:
    """Read a batch.

    Raises:
        ValueError: Naming the file and line that cannot be used.
    """
    messages = []
    for number, line in enumerate(_lines(path), 1):
        try:
            messages.append(_message(json.loads(line)))
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(f"{path}:{number}: {error}") from error
    return messages


def _lines(path: Path) -> list[str]:
    """By line feeds alone: a text may hold other characters that Python takes for line ends."""
    return path.read_text(encoding="utf-8").removesuffix("\n").split("\n")


def _message(row: Mapping[str, Any]) -> Message:
    message = Message(**row)
    if not message.text.strip():
        raise ValueError("text is blank")
    if (message.kind == "chat") != (message.queue is None):
        raise ValueError("kind chat goes with queue null, and with nothing else")
    allowed = (
        ("queue", (*QUEUES, None)),
        ("alt_queue", (*QUEUES, None)),
        ("lang", LANGUAGES),
        ("kind", KINDS),
        ("urgency", (None,) if message.queue is None else tuple(Urgency)),
        ("impact", (None,) if message.queue is None else tuple(Impact)),
    )
    for field, values in allowed:
        if getattr(message, field) not in values:
            raise ValueError(f"{field} is {getattr(message, field)!r}")
    if message.queue is not None and message.alt_queue == message.queue:
        raise ValueError("alt_queue repeats queue")
    return message


def shared_skeletons(messages: Sequence[Message]) -> Iterator[tuple[int, int, str]]:
    """Pairs that look like variants of one sentence: their indices and what they share."""
    words = [message.text.lower().split() for message in messages]
    runs: dict[tuple[str, ...], int] = {}
    for index, sequence in enumerate(words):
        for start in range(len(sequence) - SAME_WORDS + 1):
            run = tuple(sequence[start : start + SAME_WORDS])
            if runs.setdefault(run, index) != index:
                yield runs[run], index, " ".join(run)
    grams = [_grams(message.text) for message in messages]
    holders: dict[str, list[int]] = defaultdict(list)
    for index, own in enumerate(grams):
        common = Counter(other for gram in own for other in holders[gram])
        for other, shared in common.items():
            jaccard = shared / (len(own) + len(grams[other]) - shared)
            if jaccard >= MAX_JACCARD:
                yield other, index, f"5-gram Jaccard {jaccard:.2f}"
        for gram in own:
            holders[gram].append(index)


def _grams(text: str) -> frozenset[str]:
    folded = " ".join(text.lower().split())
    return frozenset(folded[i : i + 5] for i in range(max(1, len(folded) - 4)))


def balance(messages: Iterable[Message]) -> str:
    """A table of how many messages each queue has, in English and in other languages."""
    counts = Counter((m.queue or "(no ticket)", m.lang == "en") for m in messages)
    rows = [f"{'queue':<24}{'English':>9}{'other':>9}"]
    rows += [
        f"{queue:<24}{counts[queue, True]:>9}{counts[queue, False]:>9}"
        for queue in (*QUEUES, "(no ticket)")
    ]
    return "\n".join([*rows, f"{'all':<24}{sum(counts.values()):>18}"])


def second_reading(path: Path) -> str | None:
    """How often a second reader, who did not see the first labels, chose another one.

    Args:
        path: File of messages. `second_reading.jsonl` beside it has `queue`, `urgency` and `impact`
            of each, in the same order, or of the first ones.

    Returns:
        One line, or None where there is no second reading.

    Raises:
        DataError: A reading is none, or there are more of them than messages.
    """
    reading = path.with_name("second_reading.jsonl")
    if not reading.exists():
        return None
    first, second = _labels(path), _labels(reading)
    if len(second) > len(first):
        raise DataError(
            f"{reading} has {len(second)} lines for the {len(first)} messages of {path}: take it "
            f"away if it belongs to another file"
        )
    pairs = list(zip(first, second, strict=False))
    both = [pair for pair in pairs if all(reader["queue"] is not None for reader in pair)]
    differs = {"ticket or not": [(a["queue"] is None) != (b["queue"] is None) for a, b in pairs]}
    for name in ("queue", "urgency", "impact"):
        differs[name] = [a[name] != b[name] for a, b in both]
    return "differs on " + ", ".join(
        f"{name} {sum(each)} of {len(each)} ({sum(each) / max(len(each), 1):.1%})"
        for name, each in differs.items()
    )


def _labels(path: Path) -> list[dict[str, str | None]]:
    try:
        rows = [json.loads(line) for line in _lines(path)]
        return [{name: row[name] for name in ("queue", "urgency", "impact")} for row in rows]
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} holds a line that is no reading of a message: {error}") from error


def main(paths: Sequence[str]) -> int:
    """Print the balance, the second reading, and every pair that shares a skeleton.

    Returns:
        1 when there is such a pair.
    """
    messages = [message for path in paths for message in read(Path(path))]
    sys.stdout.write(balance(messages) + "\n")
    for path in paths:
        if found := second_reading(Path(path)):
            sys.stdout.write(f"second reading: {found}\n")
    pairs = list(shared_skeletons(messages))
    for first, second, why in pairs:
        sys.stdout.write(
            f"{why}\n  {messages[first].text[:100]!r}\n  {messages[second].text[:100]!r}\n"
        )
    return 1 if pairs else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
