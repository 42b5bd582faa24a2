"""`autoticket queues`: list them; rename, merge, split or add after a look at what it touches."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Sequence

import click

from core.queue_edits import QueueEdit
from slackbot.config import Settings, load_settings
from slackbot.desk.edit_queues import Touched, carry_out, look
from slackbot.learning import versions
from slackbot.learning.in_force import in_force, in_force_of
from slackbot.queue_names import QueueNames
from storage.database import Database

Wish = Callable[[Sequence[str]], QueueEdit]
"""From the queues of today to what shall become of them; raises DataError."""


async def show() -> None:
    """Print the queues of today, and what became of others.

    Raises:
        BundleError: There is no model.
        UnknownVersion: The promoted version is not here.
    """
    settings = load_settings()
    found = await in_force(settings.database_url)
    for queue in _queues(settings, found.version, found.names):
        click.echo(queue)
    for edit in found.names.recorded:
        what = _words(edit.before, edit.after)
        click.echo(f"{edit.created_at:%Y-%m-%d %H:%M}  {what}, by {edit.by}", err=True)


async def edit(wish: Wish, *, do: bool) -> None:
    """Say what an edit touches, or make it.

    Args:
        wish: What is wanted.
        do: Make it.

    Raises:
        DataError: It cannot be made; nothing has changed.
        StorageError: There is no record, or it cannot be written.
        BundleError: There is no model.
        UnknownVersion: The promoted version is not here.
    """
    settings = load_settings()
    database = await Database.open(settings.database_url, migrate=do)
    try:
        found = await in_force_of(database)

        def wanted(names: QueueNames) -> QueueEdit:
            return wish(_queues(settings, found.version, names))

        made = wanted(found.names)
        touched = await look(database, settings.first_of_teams, made, found.names)
        click.echo(f"{_words(made.before, made.after)}\n{_touches(touched)}")
        if do:
            await carry_out(database, settings.first_of_teams, wanted, by=_who())
            click.echo("Done; running bots follow within two seconds.")
        else:
            click.echo("Nothing has changed yet; the same with --yes does it.")
    finally:
        await database.close()


def _queues(settings: Settings, version: str | None, names: QueueNames) -> tuple[str, ...]:
    """The queues of today: those of the model in force, after all that became of them."""
    if version is None:
        model = versions.configured(settings.model_dir)
    else:
        model = versions.find(settings.model_dir, version)
    return names.of_bundle(model.queues, model.created_at).queues


def _words(before: Sequence[str], after: Sequence[str]) -> str:
    old, new = (" + ".join(names) for names in (before, after))
    return f"{old} -> {new}" if before else f"{new} is added"


def _touches(found: Touched) -> str:
    return (
        f"This touches {found.open_tickets} open and {found.waiting} waiting tickets, "
        f"{found.labels} answers of people, and {found.channels} channel settings."
    )


def _who() -> str:
    return f"{getpass.getuser()} at the machine"
