"""`autoticket retrain` and `autoticket models`, for the command line."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.table import Table

from core.evaluation import Figure
from core.replay import Compared, Replay
from slackbot.config import Settings, load_settings
from slackbot.learning import promotion, versions
from slackbot.learning.in_force import in_force
from slackbot.learning.retrain import read_record, retrain
from slackbot.terminal import showing_progress
from storage.database import Database
from storage.model_records import ModelChange, NewModelChange

_FLIPS = 10
T = TypeVar("T")


def run_retrain() -> None:
    """Fit a new version beside the one in force, and print how the two compare.

    Raises:
        AutoTicketError: Another one is running, or the folder cannot be written.
        CoreError: There is nothing to learn from, or the bundle cannot be fitted again.
        StorageError: The record cannot be read.
    """
    settings = load_settings()
    record = asyncio.run(read_record(settings.database_url))
    with showing_progress() as show:
        made = retrain(settings, record, show)
    _print(made.replay)
    if made.left_out:
        click.echo(f"{made.left_out} settled tickets name a queue that this model does not have")
    click.echo(f"{made.version} is ready in {made.folder}; nothing has changed yet")
    click.echo(f"To put it in force: autoticket models promote {made.version}")


def list_versions() -> None:
    """Print the versions beside the configured one, and which of them serves."""
    settings = load_settings()
    found = versions.all_versions(settings.model_dir)
    present = asyncio.run(in_force(settings.database_url)).version
    present = present or versions.configured(settings.model_dir).name
    for each in found:
        mark = "in force" if each.name == present else "        "
        held_out = _held_out(each.replay())
        made = f"{each.created_at:%Y-%m-%d %H:%M}"
        click.echo(f"{mark}  {each.name}  made {made}  {held_out}  {each.folder}")
    if present not in {each.name for each in found}:
        click.echo(
            f"{present} was promoted but is not here: replicas keep what they have", err=True
        )


def promote(version: str) -> None:
    """Put a version in force; running replicas take it within seconds.

    Raises:
        AutoTicketError: There is no such version, or it is in force already.
        StorageError: The record cannot be written.
    """
    settings = load_settings()
    found = versions.find(settings.model_dir, version)
    configured = versions.configured(settings.model_dir).name

    async def decide(database: Database) -> ModelChange | NewModelChange:
        return await promotion.decide(
            database, by=_who(), version=found.name, configured=configured
        )

    change = asyncio.run(_with_database(settings, decide, migrate=True))
    click.echo(f"{change.to_version} is in force; before it was {change.from_version}")
    click.echo("To take that back: autoticket models rollback")


def roll_back() -> None:
    """Put the version in force that served before the last promotion.

    Raises:
        AutoTicketError: Nothing was promoted, or the version is not there any more.
        StorageError: The record cannot be written.
    """
    settings = load_settings()

    async def take_back(database: Database) -> NewModelChange:
        return await promotion.roll_back(database, settings.model_dir, by=_who())

    change = asyncio.run(_with_database(settings, take_back))
    click.echo(f"{change.to_version} is in force again, in the place of {change.from_version}")


async def _with_database(
    settings: Settings, action: Callable[[Database], Awaitable[T]], *, migrate: bool = False
) -> T:
    database = await Database.open(settings.database_url, migrate=migrate)
    try:
        return await action(database)
    finally:
        await database.close()


def _who() -> str:
    return f"{getpass.getuser()} at the machine"


def _held_out(replay: Mapping[str, Any] | None) -> str:
    if replay is None or not replay["sets"]:
        return "not compared"
    first = replay["sets"][0]
    if not first["gain"]["n"]:
        return "compared, but on no text of people"
    before, after = (first[side]["accuracy"]["value"] for side in ("current", "candidate"))
    return f"accuracy {before:.3f} -> {after:.3f} on {first['gain']['n']} texts of people"


def _print(replay: Replay) -> None:
    console = Console(highlight=False, soft_wrap=True)
    counts = ", ".join(f"{count} to {part}" for part, count in replay.settled.items())
    console.print(f"Settled by people: {counts}")
    if replay.contradicted.answers or replay.contradicted.base:
        console.print(
            f"Left out {replay.contradicted.answers} older answers and "
            f"{replay.contradicted.base} labels of the base data that newer answers contradict"
        )
    for each in replay.sets:
        title = f"{each.name}: {each.texts}"
        table = Table("", f"now: {replay.current}", f"new: {replay.candidate}", title=title)
        for row in _rows(each):
            table.add_row(*row)
        console.print(table)
        console.print(f"Accuracy changes by {_cell(each.gain, signed=True)}")
        console.print(", ".join(f"{count} {change}" for change, count in each.flips.items()))
        for flip in each.shown[:_FLIPS]:
            was, now = (
                f"{queue} ({decision})" for queue, decision in (flip.current, flip.candidate)
            )
            console.print(
                f"  {flip.change}: {flip.text}: {was} -> {now}, right is {flip.right}", markup=False
            )


def _rows(each: Compared) -> Sequence[tuple[str, str, str]]:
    names = {
        "accuracy": "accuracy",
        "coverage": "routed automatically",
        "routed_precision": "of these right",
        "calibration_error": "expected calibration error",
        "false_tickets": "no ticket, but routed",
    }
    rows = [
        (label, _cell(getattr(each.current, name)), _cell(getattr(each.candidate, name)))
        for name, label in names.items()
    ]
    before = {queue.name: queue.precision for queue in each.current.queues}
    for queue in each.candidate.queues:
        was = before.get(queue.name)
        rows.append((f"right in {queue.name}", _cell(was) if was else "-", _cell(queue.precision)))
    return rows


def _cell(figure: Figure, *, signed: bool = False) -> str:
    if not figure.n:
        return "- (n = 0)"
    form = "+.3f" if signed else ".3f"
    value, low, high = (format(each, form) for each in (figure.value, figure.low, figure.high))
    return f"{value} ({low} to {high}, n = {figure.n})"
