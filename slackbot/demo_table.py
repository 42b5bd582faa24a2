"""`autoticket demo --terminal`: the main job on real tickets, as a table."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from core.classifier import Classifier
from core.decision import Classification, Decision
from slackbot.config import Settings
from slackbot.errors import AutoTicketError
from slackbot.mrkdwn import shorten
from slackbot.terminal import bar, decision_words

SAMPLES = Path(__file__).parents[1] / "models" / "samples.jsonl"

_FILE_WIDTH = 150
"""Columns where there is no terminal to fit into."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A message that the shipped bundle was not trained on.

    Attributes:
        text: As it was written.
        queue: Where people say it belongs; None for what is no ticket.
        alt_queue: Where it could also go.
    """

    text: str
    queue: str | None
    alt_queue: str | None


def show_table(settings: Settings) -> Classifier:
    """Classify the samples and print what the bot would do with each.

    Returns:
        What judged them.

    Raises:
        AutoTicketError: The samples are missing: this is no checkout.
        CoreError: The bundle cannot be used.
    """
    samples = read_samples(SAMPLES)
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_FILE_WIDTH)
    started = time.perf_counter()
    classifier = Classifier.load(settings.model_dir, matrix=settings.priority_matrix)
    loaded = time.perf_counter()
    results = classifier.classify([sample.text for sample in samples])
    ended = time.perf_counter()
    console.print(_table(samples, results))
    console.print(_summary(samples, results))
    console.print(
        f"Model {classifier.version}: loaded in {loaded - started:.1f} s, "
        f"{(ended - loaded) / len(samples) * 1000:.1f} ms a message on this machine.\n"
        'Try your own: .venv/bin/autoticket classify "my vpn drops every five minutes"',
        markup=False,
    )
    return classifier


def read_samples(path: Path) -> list[Sample]:
    """Read the samples.

    Raises:
        AutoTicketError: They are not there.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise AutoTicketError(f"{path}: {error.strerror}; run this in a checkout") from error
    return [Sample(**json.loads(line)) for line in lines]


def _table(samples: list[Sample], results: list[Classification]) -> Table:
    table = Table(title="Messages the model has never seen", expand=True, show_lines=False)
    table.add_column("Message", ratio=3)
    table.add_column("Sure", no_wrap=True)
    table.add_column("Top 3", ratio=2)
    table.add_column("Priority", no_wrap=True)
    table.add_column("What happens", ratio=2)
    for sample, result in zip(samples, results, strict=True):
        ticket = result.decision is not Decision.IGNORE
        table.add_row(
            Text(shorten(" ".join(sample.text.split()), 90)),
            f"{bar(result.confidence, 8)} {result.confidence:4.0%}",
            Text(", ".join(f"{queue} {share:.0%}" for queue, share in result.top3)),
            result.priority.label if ticket else "",
            _right(sample, result) + decision_words(result),
        )
    return table


def _right(sample: Sample, result: Classification) -> Text:
    """A tick or a cross for what was decided without a person."""
    if result.decision is Decision.REVIEW:
        return Text("  ")
    said = result.queue_label if result.decision is Decision.AUTO else None
    accepted = {sample.queue, sample.alt_queue or sample.queue}
    return Text("✓ ", "green") if said in accepted else Text("✗ ", "red")


def _summary(samples: list[Sample], results: list[Classification]) -> str:
    decisions = Counter(result.decision for result in results)
    wrong = sum(
        _right(sample, result).plain.startswith("✗")
        for sample, result in zip(samples, results, strict=True)
    )
    return (
        f"{decisions[Decision.AUTO]} routed automatically, "
        f"{decisions[Decision.REVIEW]} put to a person, {decisions[Decision.IGNORE]} left alone; "
        f"{wrong} decided wrongly."
    )
