"""`autoticket init`, `train` and `evaluate`: progress while they run, a summary at the end."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from core import bundle
from core.base_data import made_from
from core.bundle import Bundle
from core.classifier import Classifier
from core.dataset import read_tickets
from core.evaluation import Evaluation, Figure, QueueEvaluation, evaluate
from core.model_card import CARD
from core.queue_file import read_queue_file
from slackbot.classify import bundle_folder, load
from slackbot.config import load_settings
from slackbot.errors import AutoTicketError
from slackbot.files import replace_bytes
from slackbot.terminal import showing_progress


class NotInstalled(AutoTicketError):
    """Training needs packages that running the bot does not."""


def run_training(*, licences: Sequence[str], encoder: str | None, **options: Any) -> None:
    """Train a bundle, show how far it is, and say what came out.

    Args:
        licences: Each `what=licence`.
        encoder: A model's name or folder, or a bundle's folder; None for the default model.
        **options: As in `TrainingConfig`.

    Raises:
        NotInstalled: The `train` extra is missing, and the encoder is not a bundle's.
        CoreError: The data or the encoder cannot be used; nothing was written.
    """
    from core.base_encoder import DEFAULT_ENCODER  # noqa: PLC0415
    from core.training import TrainingConfig, train  # noqa: PLC0415

    parts = (each.rpartition("=") for each in licences)
    config = TrainingConfig(
        encoder=encoder or DEFAULT_ENCODER,
        licences=tuple((what, licence) for what, _, licence in parts),
        **options,
    )
    try:
        with showing_progress() as show:
            out = train(config, show)
    except ImportError as error:
        raise NotInstalled(
            f"making an encoder needs {error.name}: pip install -c constraints.txt "
            "'autoticket[train]'; or take a bundle's: --encoder models/default"
        ) from error
    click.echo(
        f"{Classifier.load(out).version} written to {out}; {out / 'README.md'} says how good"
    )


def run_init(queues: Path, out: Path) -> None:
    """Make a bundle of a team's own queues from a few examples of each.

    Encoder, priorities and what is no ticket come from the bundle in `AUTOTICKET_MODEL_DIR`.

    Raises:
        ConfigError: A setting is wrong.
        CoreError: The file or that bundle cannot be used, or `out` holds something else.
        AutoTicketError: `out` is that bundle.
    """
    from core.starting import start  # noqa: PLC0415  imports scikit-learn
    from core.starting_card import starting_card  # noqa: PLC0415  likewise

    base = load_settings().model_dir
    known = read_queue_file(queues)
    if out.resolve() == base.resolve():
        raise AutoTicketError(f"{out} is the bundle to start from: name another folder with --out")
    made = start(Bundle.load(base), known, now=datetime.now(UTC))
    card = starting_card(made, bundle.seal(made.manifest, made.files))
    documents = {CARD: card.encode()}
    manifest = bundle.save(out, made.manifest, made.files, documents=documents)
    click.echo(
        f"{manifest.version} written to {out}: {len(known)} queues, all under review; "
        f"{CARD} there says what is known of it.\n"
        f"Left out in turn, {made.right} of {made.examples} examples found their queue.\n"
        f"To use it, set AUTOTICKET_MODEL_DIR={out}; where `autoticket models` has put another "
        f"version in force, promote {manifest.version} too"
    )


def run_evaluation(
    *,
    data: Path,
    text_column: str,
    label_column: str,
    as_json: bool,
    model: Path | None,
    pictures: Path | None,
) -> None:
    """Measure a bundle on labelled tickets and print the figures.

    Where the bundle holds the texts that it was trained on, what is nearly one of these is left
    out of a second set of figures: such tickets flatter a model.

    Raises:
        CoreError: The data or the bundle cannot be used, or the data has queues that the bundle
            does not know.
    """
    classifier = load(model)
    table = read_tickets(
        data, text_column=text_column, label_column=label_column, known=classifier.queues
    )
    result = evaluate(
        classifier,
        table.examples,
        name=data.name,
        filed=True,
        trained_on=_trained_on(Bundle.load(bundle_folder(model))),
    )
    if table.blank:
        click.echo(f"{table.blank} rows without text or queue are left out", err=True)
    if pictures is not None:
        _draw(result, pictures)
    if as_json:
        click.echo(json.dumps(result.to_json(), ensure_ascii=False))
    else:
        _print(result)


def _trained_on(loaded: Bundle) -> list[str] | None:
    """The tickets that the bundle learned from, if it holds them."""
    known = made_from(loaded)
    return None if known is None else [example.text for example in known.train.examples]


def _draw(result: Evaluation, folder: Path) -> None:
    try:
        from core.pictures import draw  # noqa: PLC0415  imports matplotlib
    except ImportError as error:
        raise NotInstalled(
            "pictures need the `train` extra: pip install 'autoticket[train]'"
        ) from error
    folder.mkdir(parents=True, exist_ok=True)
    if result.queues is not None:
        for name, content in draw(result.queues).items():
            replace_bytes(folder / name, content)


def _print(result: Evaluation) -> None:
    console = Console(highlight=False)
    queues = result.queues
    if queues is None:
        console.print(f"{result.texts} texts, none with a queue")
        return
    title = escape(f"{result.name}: {result.model_version}")
    console.print(_figures(queues, title))
    if result.unseen is not None:
        console.print(_figures(result.unseen, "without near duplicates of what it learned from"))
    each = Table("Queue", "Tickets", "Precision", "Recall", "F1", "Routed", "Of these right")
    for queue in queues.queues:
        known = queue.texts or queue.routed
        shares = (
            f"{share:.3f}" if known else "-" for share in (queue.precision, queue.recall, queue.f1)
        )
        right, *_ = _cells(queue.routed_precision)
        each.add_row(escape(queue.name), str(queue.texts), *shares, str(queue.routed), right)
    console.print(each)


def _figures(queues: QueueEvaluation, title: str) -> Table:
    figures = {
        "accuracy": queues.accuracy,
        "macro-F1": queues.macro_f1,
        "weighted F1": queues.weighted_f1,
        "right queue among the top 3": queues.top3,
        "log-loss (nats)": queues.log_loss,
        "expected calibration error": queues.calibration_error,
        "routed automatically": queues.coverage,
        "of these right": queues.routed_precision,
    }
    table = Table("Figure", "Value", "95 % interval", "n", title=title)
    for name, figure in figures.items():
        table.add_row(name, *_cells(figure))
    return table


def _cells(figure: Figure | None) -> tuple[str, str, str]:
    if figure is None:
        return "-", "-", "0"
    return f"{figure.value:.3f}", f"{figure.low:.3f} - {figure.high:.3f}", str(figure.n)
