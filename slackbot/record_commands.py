"""Commands on the record: export, forget, and what could not be delivered."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click

from slackbot.config import load_settings
from slackbot.errors import AutoTicketError
from slackbot.files import replacing
from slackbot.queue_names import read_names
from storage import deliveries, export, forget, inbox
from storage.database import Database
from storage.export import Dataset, Format
from storage.queue_edits import Written
from storage.tickets import parse_number

_SHOWN = 1000


@asynccontextmanager
async def _record() -> AsyncIterator[Database]:
    """The database as configured; it must be there already.

    Raises:
        StorageError: There is none, or it cannot be reached.
    """
    database = await Database.open(load_settings().database_url, migrate=False)
    try:
        yield database
    finally:
        await database.close()


async def export_record(dataset: Dataset, form: Format, out: Path | None) -> None:
    """Write a data set to standard output, or to a file that is whole or not there."""
    async with _record() as database, database.read() as conn:
        today = partial((await read_names(conn)).one_of_row, Written.REVIEWS)
        if out is None:
            await export.write(conn, dataset, form, sys.stdout, today)
        else:
            with replacing(out, private=True) as stream:
                count = await export.write(conn, dataset, form, stream, today)
            click.echo(f"{count} {dataset.value} written to {out}", err=True)


async def forget_text(*, user: str | None, number: str | None, team: str | None) -> None:
    """Erase the texts of one ticket, of all that a person reported, or of a whole workspace.

    Raises:
        AutoTicketError: The number is none.
    """
    ticket_id = parse_number(number) if number is not None else None
    if number is not None and ticket_id is None:
        raise AutoTicketError(f"{number!r} is no ticket number such as T-12")
    async with _record() as database:
        async with database.write() as conn:
            if ticket_id is not None:
                erased = await forget.ticket(conn, team=team, ticket_id=ticket_id)
            elif user is not None:
                erased = await forget.reporter(conn, team=team, reporter=user)
            else:
                erased = await forget.everything_of(conn, team=team or "")
        await database.scrub()
    click.echo(f"the text of {erased} ticket(s) was erased")


async def list_dead() -> None:
    """Show what was given up."""
    async with _record() as database, database.read() as conn:
        unposted = await deliveries.dead(conn, _SHOWN)
        unjudged = await inbox.dead(conn, _SHOWN)
    for _, kind, error, received_at in unjudged:
        click.echo(f"{received_at:%Y-%m-%d %H:%M} came in as {kind}: {error}")
    for delivery in unposted:
        about = f"T-{delivery.ticket_id}" if delivery.ticket_id else "-"
        click.echo(f"{delivery.created_at:%Y-%m-%d %H:%M} {delivery.lane} {about} {delivery.error}")
    count = len(unposted) + len(unjudged)
    click.echo(f"{count} given up" + ("; autoticket outbox retry tries again" if count else ""))


async def revive_dead() -> None:
    """Put what was given up back, for the running bot to try again."""
    async with _record() as database, database.write() as conn:
        unposted = await deliveries.dead(conn, _SHOWN)
        unjudged = await inbox.dead(conn, _SHOWN)
        revived = await deliveries.revive(conn, [delivery.id for delivery in unposted])
        revived += await inbox.revive(conn, [item[0] for item in unjudged], datetime.now(UTC))
    click.echo(f"{revived} put back")
