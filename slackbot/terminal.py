"""How results look in a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from core.decision import Classification, Decision

STAGES = {
    "fine-tune": "Fine-tuning",
    "embeddings": "Embedding",
    "heads": "Fitting heads",
    "evaluation": "Measuring",
    "replay": "Comparing",
}
"""What the stages of training and retraining are called."""

_EIGHTHS = " ▏▎▍▌▋▊▉"
_STYLES = {Decision.AUTO: "green", Decision.REVIEW: "yellow", Decision.IGNORE: "dim"}


def bar(share: float, width: int = 12) -> str:
    """A bar of `width` characters, `share` in [0, 1] of it filled, to an eighth of a character."""
    eighths = round(max(0.0, min(1.0, share)) * width * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(width)


def decision_words(result: Classification) -> Text:
    """What happens with a text, in a few words and a colour."""
    words = {
        Decision.AUTO: f"→ {result.queue_label}",
        Decision.REVIEW: f"? a person checks ({result.reason.value.replace('_', ' ')})",
        Decision.IGNORE: "· no ticket",
    }[result.decision]
    return Text(words, style=_STYLES[result.decision])


@contextmanager
def showing_progress() -> Iterator[Callable[[str, int, int], None]]:
    """A bar for each stage of a long command, where somebody looks.

    Yields:
        What to tell: the stage's name, the steps done, and the steps in all.
    """
    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    ) as bars:
        tasks: dict[str, TaskID] = {}

        def show(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(STAGES.get(stage, stage.capitalize()), total=total)
            bars.update(tasks[stage], completed=done, total=total)

        yield show
