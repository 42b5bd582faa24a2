"""`autoticket doctor`: every check with a tick or a cross, and the exact remedy."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace

from rich.console import Console

from core.classifier import Classifier
from core.errors import CoreError
from slackbot.checkup import Finding, Mark, choices, examine
from slackbot.config import Settings, load_settings
from slackbot.desk.settings import SettingsOfTeams
from slackbot.errors import ConfigError
from slackbot.learning.in_force import InForce, in_force
from slackbot.learning.versions import UnknownVersion
from slackbot.queue_names import QueueNames
from slackbot.slack_calls import web_client
from slackbot.team_settings import TeamSettings
from slackbot.vault import CannotUnseal, Vault
from storage import installations
from storage.database import Database, sqlite_file
from storage.errors import StorageError

__all__ = ["Finding", "Mark", "diagnose", "report"]


async def diagnose() -> list[Finding]:
    """Make every check that can be made, in the order in which one sets the bot up."""
    try:
        settings = load_settings()
    except ConfigError as error:
        return [Finding(Mark.BAD, problem) for problem in error.problems]
    found = await _in_force(settings)
    queues, model = await asyncio.to_thread(_check_model, settings, found)
    async with _database(settings) as (database, state):
        findings = [Finding(Mark.GOOD, "settings can be read"), model, state]
        try:
            settings.require_slack()
        except ConfigError as error:
            findings += [Finding(Mark.BAD, problem) for problem in error.problems]
            several = bool(settings.client_id)
            return [*findings, *choices(settings.first_of_teams, queues, several=several)]
        teams = _Teams(settings.first_of_teams, database, found.names)
        if settings.client_id:
            slack = _workspaces(settings, database, teams, queues)
        else:
            slack = _workspace(settings, teams, queues)
        return findings + [finding async for finding in slack]


def report(findings: Iterable[Finding]) -> int:
    """Print the findings; the exit code is 1 when one keeps the bot from working."""
    console = Console(highlight=False)
    styles = {Mark.GOOD: "green", Mark.WARNING: "yellow", Mark.BAD: "red"}
    bad = False
    for finding in findings:
        console.print(f"[{styles[finding.mark]}]{finding.mark}[/]", end=" ")
        console.print(finding.text, markup=False)
        bad = bad or finding.mark is Mark.BAD
    return 1 if bad else 0


async def _in_force(settings: Settings) -> InForce:
    """Which model serves; the configured one where the record cannot be asked."""
    try:
        return await in_force(settings.database_url)
    except StorageError:  # the check of the database says so
        return InForce()


def _check_model(settings: Settings, found: InForce) -> tuple[Sequence[str], Finding]:
    """The queues of today, none when the model cannot be loaded."""
    try:
        folder = found.folder(settings)
        classifier = found.names.told(Classifier.load(folder, matrix=settings.priority_matrix))
    except UnknownVersion as error:
        return (), Finding(Mark.BAD, f"model: {error}")
    except CoreError as error:
        return (), Finding(
            Mark.BAD, f"model: {error}; set AUTOTICKET_MODEL_DIR, or bring back the whole folder"
        )
    names = ", ".join(classifier.queues)
    good = Finding(Mark.GOOD, f"model {classifier.version} with the queues {names}")
    return classifier.queues, good


@contextlib.asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[tuple[Database | None, Finding]]:
    """The database as it is, when this version can read it, and what there is to say about it."""
    try:
        database = await Database.open(settings.database_url, migrate=False)
    except StorageError as error:
        yield None, _no_database(settings.database_url, error)
        return
    try:
        state = await _check_revision(database)
        yield database if state.mark is Mark.GOOD else None, state
    finally:
        await database.close()


def _no_database(url: str, error: StorageError) -> Finding:
    """A first start creates a missing file: only where it cannot, that is a fault."""
    with contextlib.suppress(StorageError):
        file = sqlite_file(url)
        if file is not None and not file.exists():
            folder = next(parent for parent in file.absolute().parents if parent.exists())
            if os.access(folder, os.W_OK):
                return Finding(Mark.WARNING, f"database: {error} (`autoticket run` creates it)")
            return Finding(
                Mark.BAD,
                f"database: {error}, and this user may not write in {folder}: let it, or set "
                "AUTOTICKET_DATABASE_URL to another file",
            )
    return Finding(
        Mark.BAD,
        f"database: {error}; look at AUTOTICKET_DATABASE_URL, and whether that database runs and "
        "lets this user in",
    )


async def _check_revision(database: Database) -> Finding:
    try:
        current, head = await database.schema_revision()
    except StorageError as error:
        return Finding(Mark.BAD, f"database: {error}")
    if current == head:
        return Finding(Mark.GOOD, f"database answers, revision {head}")
    from storage.migrate import is_known  # noqa: PLC0415  Alembic takes a while to load

    if current is not None and not is_known(current):
        return Finding(
            Mark.BAD,
            f"database is at revision {current}, which a newer version made: install that version, "
            "or restore the copy from before",
        )
    return Finding(
        Mark.WARNING,
        f"database is at revision {current}, not {head}: `autoticket run` migrates it",
    )


async def _workspace(
    settings: Settings, teams: _Teams, queues: Sequence[str]
) -> AsyncIterator[Finding]:
    """The one workspace of the bot token."""
    client = web_client(settings.bot_token, settings.api_url)
    async for finding in examine(client, settings, teams, queues):
        yield finding


async def _workspaces(
    settings: Settings, database: Database | None, teams: _Teams, queues: Sequence[str]
) -> AsyncIterator[Finding]:
    """All that have installed the app, each by its name."""
    everywhere = []
    if database is not None:
        async with database.read() as conn:
            everywhere = await installations.everywhere(conn)
    if not everywhere:
        yield Finding(
            Mark.WARNING,
            "no workspace has installed the app yet: start the bot and open /slack/install there",
        )
    vault = Vault(settings.encryption_keys)
    for found in everywhere:
        try:
            token = vault.unseal(found.team, found.secrets).bot_token
        except CannotUnseal as error:
            yield Finding(Mark.BAD, f"{found.team_name}: {error}")
            continue
        client = web_client(token, settings.api_url)
        async for finding in examine(client, settings, teams, queues):
            yield replace(finding, text=f"{found.team_name}: {finding.text}")


class _Teams:
    """Gives the settings in force, or the first ones while there is no record of others."""

    def __init__(self, first: TeamSettings, database: Database | None, names: QueueNames) -> None:
        self._first = first
        self._known = SettingsOfTeams(database, first, names=names) if database else None

    async def of(self, team: str) -> TeamSettings:
        return self._first if self._known is None else await self._known.of(team)
