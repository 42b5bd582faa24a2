"""The command line: `autoticket …`. Errors that can be named are one line and exit code 2."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from core.errors import CoreError
from slackbot.errors import AutoTicketError, ConfigError
from storage.errors import StorageError

_FILE = click.Path(path_type=Path)


class _Group(click.Group):
    """Turns the errors we know into one line each."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ConfigError as error:
            _fail(*error.problems)
        except (AutoTicketError, CoreError, StorageError) as error:
            _fail(str(error))
        except BrokenPipeError:
            sys.stderr.close()  # who read our output has gone away, as `head` does
            sys.exit(0)
        except OSError as error:
            _fail(f"{error.filename or 'a file'}: {error.strerror or error}")


def _fail(*lines: str) -> None:
    from core.masking import mask  # noqa: PLC0415  imports cost start-up time

    for line in lines:
        click.echo(f"autoticket: {mask(line)}", err=True)
    sys.exit(2)


@contextlib.contextmanager
def _importing_much() -> Iterator[None]:
    """Have the bot's imports done sooner.

    Nothing that they make is garbage, so nobody need look for any, then or later. `aiohttp` reads
    the system's certificates when it is imported, and leaves the interpreter to others meanwhile.
    """
    gc.disable()
    beside = threading.Thread(target=importlib.import_module, args=("aiohttp",))
    beside.start()
    try:
        yield
    finally:
        beside.join()
        gc.freeze()
        gc.enable()


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="autoticket")
def main() -> None:
    """Sort IT tickets from Slack: pick the queue and the priority, and ask when unsure."""
    # Before numpy is imported: its products are small, and OpenBLAS's threads wait by spinning.
    # That made fitting several times as slow beside other work, and the last digits of a bundle
    # depend on how many threads there are.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


@main.command()
def run() -> None:
    """Run the bot: Socket Mode with an app token, else HTTP with a signing secret."""
    with _importing_much():
        from uvicorn.loops.auto import auto_loop_factory  # noqa: PLC0415

        from slackbot.config import load_settings  # noqa: PLC0415  imports cost start-up time
        from slackbot.logs import configure_logging  # noqa: PLC0415
        from slackbot.run import run_bot  # noqa: PLC0415

    settings = load_settings()
    settings.require_slack()
    configure_logging(settings.log_level, settings.log_format)
    with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:  # uvloop where it exists
        runner.run(run_bot(settings))


@main.command()
@click.option("--terminal", is_flag=True, help="Only the table, no playground.")
@click.option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True)
@click.option("--data", type=_FILE, help="Folder that keeps the record; a temporary one otherwise.")
@click.option("--open", "open_browser", is_flag=True, help="Open the playground in the browser.")
def demo(terminal: bool, port: int, data: Path | None, open_browser: bool) -> None:
    """Show the main job on real tickets; needs no Slack account and no settings."""
    from slackbot.demo import run_demo  # noqa: PLC0415

    run_demo(terminal=terminal, port=port, data=data, open_browser=open_browser)


@main.command()
def doctor() -> None:
    """Check configuration, tokens, scopes, channels, database and model; say what to fix."""
    from slackbot.doctor import diagnose, report  # noqa: PLC0415

    findings = asyncio.run(diagnose())
    sys.exit(report(findings))


@main.command()
@click.argument("text", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option("--filed", is_flag=True, help="Judge as filed on purpose: never ignored.")
@click.option("--input", "source", type=_FILE, help="JSON lines with a `text` each; - for stdin.")
@click.option("--output", "target", type=_FILE, help="Where the result lines go.")
@click.option("--model", type=_FILE, help="Folder of the bundle (AUTOTICKET_MODEL_DIR).")
def classify(
    text: str | None,
    as_json: bool,
    filed: bool,
    source: Path | None,
    target: Path | None,
    model: Path | None,
) -> None:
    """Say which queue TEXT belongs to, how urgent it is, and how sure that is.

    The model alone decides; in Slack, what people have settled goes before it.
    """
    from slackbot import classify as command  # noqa: PLC0415

    if (text is None) == (source is None):
        raise click.UsageError("give one TEXT, or --input FILE.jsonl")
    if target is not None and source is None:
        raise click.UsageError("--output goes with --input")
    classifier = command.load(model)
    if source is not None:
        command.classify_file(classifier, source, target, filed=filed)
    else:
        command.classify_text(classifier, text or "", filed=filed, as_json=as_json)


@main.command()
@click.argument("queues", type=_FILE)
@click.option("--out", type=_FILE, required=True, help="Folder of the new bundle.")
def init(queues: Path, out: Path) -> None:
    """Start with your own queues, from a few examples of each in QUEUES, a YAML file.

    Takes seconds. Every queue is under review until what people settle has proven it.
    """
    from slackbot import training  # noqa: PLC0415

    training.run_init(queues, out)


@main.command()
@click.option("--data", type=_FILE, required=True, help="CSV file, also as .gz.")
@click.option("--text-column", required=True, help="Column of the text.")
@click.option("--label-column", required=True, help="Column of the queue.")
@click.option("--out", type=_FILE, required=True, help="Folder of the new bundle.")
@click.option(
    "--encoder",
    help="A bundle's folder, whose encoder is taken as it is; or a Sentence-Transformers model.",
)
@click.option("--messages", type=_FILE, help="Hand-labelled messages, JSON lines.")
@click.option("--frozen", is_flag=True, help="Do not fine-tune the encoder: minutes, not an hour.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--licence", "licences", multiple=True, help="For the model card: WHAT=LICENCE.")
@click.option(
    "--keep-data/--without-data",
    default=True,
    help="Whether the bundle holds its training texts, which `retrain` needs.",
)
def train(**options: Any) -> None:
    """Train a bundle from labelled tickets.

    Takes minutes with `--encoder models/default`. Everything else needs the `train` extra.
    """
    from slackbot import training  # noqa: PLC0415

    training.run_training(**options)


@main.command()
@click.option("--data", type=_FILE, required=True, help="CSV file, also as .gz.")
@click.option("--text-column", default="text", show_default=True)
@click.option("--label-column", default="queue", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@click.option("--model", type=_FILE, help="Folder of the bundle (AUTOTICKET_MODEL_DIR).")
@click.option("--pictures", type=_FILE, help="Folder for the pictures.")
def evaluate(**options: Any) -> None:
    """Measure a bundle on labelled tickets that it was not trained on."""
    from slackbot import training  # noqa: PLC0415

    training.run_evaluation(**options)


@main.command()
@click.option("--background", is_flag=True, help="Leave the processor to others.")
def retrain(background: bool) -> None:
    """Learn from what people settled: a new version beside the one in force, compared with it."""
    from slackbot.learning import commands  # noqa: PLC0415

    if background:
        os.nice(15)
    commands.run_retrain()


@main.group()
def models() -> None:
    """The versions of the model, and which of them serves."""


@models.command("list")
def models_list() -> None:
    """Show the versions beside the configured bundle."""
    from slackbot.learning import commands  # noqa: PLC0415

    commands.list_versions()


@models.command("promote")
@click.argument("version")
def models_promote(version: str) -> None:
    """Put VERSION in force; running bots take it within seconds."""
    from slackbot.learning import commands  # noqa: PLC0415

    commands.promote(version)


@models.command("rollback")
def models_rollback() -> None:
    """Take the last promotion back."""
    from slackbot.learning import commands  # noqa: PLC0415

    commands.roll_back()


_YES = click.option("--yes", is_flag=True, help="Do it; without this only say what it touches.")


@main.group()
def queues() -> None:
    """List, rename, merge, split and add queues; running bots follow within seconds."""


@queues.command("list")
def queues_list() -> None:
    """Show the queues of today, and what they were before."""
    from slackbot import queue_commands  # noqa: PLC0415

    asyncio.run(queue_commands.show())


@queues.command("rename")
@click.argument("old")
@click.argument("new")
@_YES
def queues_rename(old: str, new: str, yes: bool) -> None:
    """Give the queue OLD the name NEW."""
    from core.queue_edits import rename  # noqa: PLC0415
    from slackbot import queue_commands  # noqa: PLC0415

    asyncio.run(queue_commands.edit(lambda known: rename(known, old, new), do=yes))


@queues.command("merge")
@click.argument("parts", nargs=-1, required=True)
@click.argument("into")
@_YES
def queues_merge(parts: tuple[str, ...], into: str, yes: bool) -> None:
    """Make one queue of PARTS and INTO; INTO may be a new name."""
    from core.queue_edits import merge  # noqa: PLC0415
    from slackbot import queue_commands  # noqa: PLC0415

    asyncio.run(queue_commands.edit(lambda known: merge(known, parts, into), do=yes))


@queues.command("split")
@click.argument("old")
@click.argument("parts", nargs=-1, required=True)
@_YES
def queues_split(old: str, parts: tuple[str, ...], yes: bool) -> None:
    """Make the queues PARTS of the queue OLD, which may stay as one of them."""
    from core.queue_edits import split  # noqa: PLC0415
    from slackbot import queue_commands  # noqa: PLC0415

    asyncio.run(queue_commands.edit(lambda known: split(known, old, parts), do=yes))


@queues.command("add")
@click.argument("new")
@_YES
def queues_add(new: str, yes: bool) -> None:
    """Begin the queue NEW; people can choose it at once."""
    from core.queue_edits import add  # noqa: PLC0415
    from slackbot import queue_commands  # noqa: PLC0415

    asyncio.run(queue_commands.edit(lambda known: add(known, new), do=yes))


@main.command()
@click.argument("what", type=click.Choice(["tickets", "predictions", "reviews", "labels"]))
@click.option("--format", "form", type=click.Choice(["jsonl", "csv"]), default="jsonl")
@click.option("--out", type=_FILE, help="A file instead of standard output.")
def export(what: str, form: str, out: Path | None) -> None:
    """Write the record as JSON lines or CSV."""
    from slackbot.record_commands import export_record  # noqa: PLC0415
    from storage.export import Dataset, Format  # noqa: PLC0415

    asyncio.run(export_record(Dataset(what), Format(form), out))


@main.command()
@click.option("--user", help="Slack user id: all tickets that this person reported.")
@click.option("--ticket", "number", help="One ticket, such as T-12.")
@click.option("--team", help="Only in this workspace; alone: all of it, tokens too.")
def forget(user: str | None, number: str | None, team: str | None) -> None:
    """Erase the text of tickets; the counts stay."""
    from slackbot.record_commands import forget_text  # noqa: PLC0415

    if not any((user, number, team)) or (user and number):
        raise click.UsageError("give --user or --ticket, or a whole --team")
    asyncio.run(forget_text(user=user, number=number, team=team))


@main.command("report")
@click.option("--out", type=_FILE, required=True, help="The page, such as report.html.")
@click.option("--period", help="7d, 30d or all; 30d when not given.")
@click.option("--team", help="The workspace, where the record holds several.")
def report_page(out: Path, period: str | None, team: str | None) -> None:
    """Write how often the bot is right as one page that needs nothing else."""
    from slackbot.report import write_report  # noqa: PLC0415

    asyncio.run(write_report(out, period=period, team=team))


@main.command()
@click.argument("file", type=_FILE)
@click.option("--force", is_flag=True, help="Replace FILE if it exists.")
def backup(file: Path, force: bool) -> None:
    """Copy the SQLite record to FILE, also while the bot runs."""
    from slackbot.backup import back_up  # noqa: PLC0415

    back_up(file, force=force)


@main.command()
@click.argument("file", type=_FILE)
@click.option("--force", is_flag=True, help="Replace the record that is there.")
def restore(file: Path, force: bool) -> None:
    """Bring the SQLite record back from FILE; the bot must not be running."""
    from slackbot.backup import bring_back  # noqa: PLC0415

    bring_back(file, force=force)


@main.group()
def outbox() -> None:
    """What could not be delivered, to Slack or to a webhook."""


@outbox.command("list")
def outbox_list() -> None:
    """Show the deliveries that were given up, and why."""
    from slackbot.record_commands import list_dead  # noqa: PLC0415

    asyncio.run(list_dead())


@outbox.command("retry")
def outbox_retry() -> None:
    """Deliver them again, after the cause is mended."""
    from slackbot.record_commands import revive_dead  # noqa: PLC0415

    asyncio.run(revive_dead())
