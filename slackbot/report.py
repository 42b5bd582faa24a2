"""`autoticket report`: the numbers of one workspace as a page."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from core.bundle import Bundle
from slackbot.config import load_settings
from slackbot.errors import AutoTicketError
from slackbot.files import replace_bytes
from slackbot.learning.in_force import in_force_of
from slackbot.stats.page import page
from slackbot.stats.period import parse_period
from slackbot.stats.pictures import DARK, LIGHT, draw
from slackbot.stats.reader import numbers_of
from storage import audit_log
from storage.database import Database


async def write_report(out: Path, *, period: str | None, team: str | None) -> None:
    """Write the page, all of it or nothing.

    Args:
        out: The file.
        period: `7d`, `30d` or `all`.
        team: The workspace; needed only where the record holds several.

    Raises:
        AutoTicketError: The period or the workspace is not clear, or the version in force is gone.
        StorageError: The record cannot be read.
        BundleError: The model's promise cannot be read.
    """
    wanted = parse_period(period, datetime.now(UTC))
    settings = load_settings()
    database = await Database.open(settings.database_url, migrate=False)
    try:
        whose = await _team(database, team)
        serves = Bundle.load((await in_force_of(database)).folder(settings))
        promise = serves.manifest.rules.promised_precision
        numbers = await numbers_of(database, whose, wanted, promise=promise)
    finally:
        await database.close()
    text = page(numbers, draw(numbers, LIGHT), draw(numbers, DARK), whose)
    replace_bytes(out, text.encode())
    click.echo(f"{numbers.tickets} tickets of {wanted.words} in {out}")


async def _team(database: Database, team: str | None) -> str:
    async with database.read() as conn:
        known = await audit_log.teams(conn)
    if team is None and len(known) > 1:
        raise AutoTicketError(f"the record holds several workspaces: --team {' | '.join(known)}")
    if team is not None and known and team not in known:
        raise AutoTicketError(f"the record holds no workspace {team}; it has {', '.join(known)}")
    return team or (known[0] if known else "")
