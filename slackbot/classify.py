"""`autoticket classify`: one text for people or as JSON, or a file line by line."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import IO

import click
from rich.console import Console
from rich.progress import track

from core.classifier import Classifier
from core.decision import Classification, Decision
from slackbot.config import load_settings
from slackbot.errors import AutoTicketError
from slackbot.files import replacing
from slackbot.learning.in_force import in_force
from slackbot.terminal import bar, decision_words

BATCH = 64
"""Lines judged at once: enough to use both cores, little enough to show progress."""


class BadInput(AutoTicketError):
    """A line of the input that cannot be judged."""


def load(model: Path | None) -> Classifier:
    """Load the bundle that the option names as it is, else what the bot would use.

    That is the version that people promoted in the configured record, if there is one, and
    `AUTOTICKET_MODEL_DIR` otherwise; with the queues' names of today.

    Raises:
        ConfigError: A setting is wrong.
        CoreError: The bundle cannot be used.
        UnknownVersion: The promoted version is not on this machine.
    """
    settings = load_settings()
    if model is not None:
        return Classifier.load(model, matrix=settings.priority_matrix)
    found = asyncio.run(in_force(settings.database_url))
    loaded = Classifier.load(found.folder(settings), matrix=settings.priority_matrix)
    return found.names.told(loaded)


def bundle_folder(model: Path | None) -> Path:
    """The folder that `load` takes, with the same errors."""
    settings = load_settings()
    return model or asyncio.run(in_force(settings.database_url)).folder(settings)


def classify_text(classifier: Classifier, text: str, *, filed: bool, as_json: bool) -> None:
    """Judge one text and print the result."""
    [result] = classifier.classify([text], filed=filed)
    if as_json:
        click.echo(json.dumps(result.to_json(), ensure_ascii=False))
        return
    console = Console(highlight=False)
    console.print(decision_words(result))
    for queue, probability in result.top3:
        console.print(f"  {bar(probability)} {probability:5.1%}  {queue}", markup=False)
    if result.decision is not Decision.IGNORE:
        console.print(f"  Priority {result.priority.label}: {result.priority_why}", markup=False)


def classify_file(
    classifier: Classifier, source: Path, target: Path | None, *, filed: bool
) -> None:
    """Judge every line of a JSON lines file, in order; nothing is written when a line is bad.

    Raises:
        BadInput: Naming the first line that is no object with a `text`.
        OSError: A file cannot be read or written.
    """
    texts = _texts(source)
    batches = range(0, len(texts), BATCH)
    console = Console(stderr=True)
    with replacing(target) if target else nullcontext(sys.stdout) as stream:
        for start in track(
            batches, "Classifying", console=console, disable=not console.is_terminal
        ):
            _write(stream, classifier.classify(texts[start : start + BATCH], filed=filed))


def _write(stream: IO[str], results: list[Classification]) -> None:
    for result in results:
        stream.write(json.dumps(result.to_json(), ensure_ascii=False) + "\n")


def _texts(source: Path) -> list[str]:
    name = "standard input" if str(source) == "-" else str(source)
    try:
        if str(source) == "-":
            return [_text(line, number, name) for number, line in _numbered(sys.stdin)]
        with source.open(encoding="utf-8") as stream:
            return [_text(line, number, name) for number, line in _numbered(stream)]
    except UnicodeDecodeError as error:
        raise BadInput(f"{name} is not UTF-8 (byte {error.start})") from error


def _numbered(stream: IO[str]) -> Iterator[tuple[int, str]]:
    return ((number, line) for number, line in enumerate(stream, 1) if line.strip())


def _text(line: str, number: int, name: str) -> str:
    try:
        text = json.loads(line.removeprefix("\ufeff"))["text"]  # as some editors begin a file
    except (ValueError, TypeError, KeyError, RecursionError):
        text = None
    if not isinstance(text, str):
        raise BadInput(f"{name}, line {number}: is no JSON object with a string named text")
    return text
