"""Renaming, merging, splitting and adding queues: what it touches, and doing it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from core.queue_edits import QueueEdit
from slackbot.desk.settings import SettingsOfTeams
from slackbot.desk.show import Cause, show
from slackbot.intake import new_correlation
from slackbot.queue_names import QueueNames, read_names
from slackbot.team_settings import TeamSettings
from storage import audit_log, queue_edits, settled, tickets, waiting
from storage.database import Database
from storage.queue_edits import NewQueueEdit, Written

REDRAWN_AT_ONCE = 500
"""Tickets of a workspace whose cards follow at once; those of others do at their next step."""

Wish = Callable[[QueueNames], QueueEdit]
"""From what became of queues so far to what shall become of them; raises DataError."""


@dataclass(frozen=True, slots=True)
class Touched:
    """What an edit touches.

    Attributes:
        open_tickets: Tickets in one of the queues on which somebody may still work.
        waiting: Tickets that wait for a person, with one of them as the bot's guess.
        labels: Tickets that a person has settled into one of them.
        channels: Settings that name one of them.
    """

    open_tickets: int
    waiting: int
    labels: int
    channels: int


async def look(
    database: Database, first: TeamSettings, edit: QueueEdit, names: QueueNames
) -> Touched:
    """Count what an edit touches.

    Args:
        database: The record.
        first: The settings that the environment gives.
        edit: What shall be done.
        names: What was done before.

    Raises:
        DatabaseUnavailable: The record cannot be read.
    """
    teams = SettingsOfTeams(database, first, names=names)
    async with database.read() as conn:
        known = await audit_log.teams(conn)
        labels = [
            names.of_row(Written.REVIEWS, each.review_id, each.queue)
            for each in await settled.everything(conn)
            if each.queue
        ]
        guesses = [
            names.of_row(Written.PREDICTIONS, each.prediction_id, each.queue)
            for team in known
            for each in await waiting.of_team(conn, team)
        ]
        in_them = await tickets.open_in(conn, edit.before)
        channels = [(await teams.within(conn, team)).queue_channels for team in known]
    return Touched(
        open_tickets=len(in_them),
        waiting=_count(guesses, edit.before),
        labels=_count(labels, edit.before),
        channels=sum(queue in each for each in channels for queue in edit.before),
    )


async def carry_out(database: Database, first: TeamSettings, wish: Wish, *, by: str) -> QueueEdit:
    """Make an edit, and have the cards rewritten that show one of its queues.

    Args:
        database: The record.
        first: The settings that the environment gives.
        wish: Asked once nobody else can edit any more.
        by: Who wants it.

    Returns:
        What was done.

    Raises:
        DataError: It cannot be done any more; nothing was written.
        DatabaseUnavailable: Nothing was written.
    """
    async with database.write() as conn:
        await queue_edits.wait_for_writers(conn)
        edit = wish(await read_names(conn))
        new = NewQueueEdit(before=edit.before, after=edit.after, by=by)
        await queue_edits.add(conn, new, datetime.now(UTC))
        teams = SettingsOfTeams(database, first, names=await read_names(conn))
        await _redraw(conn, teams, {*edit.before, *edit.after})
    return edit


async def _redraw(conn: AsyncConnection, teams: SettingsOfTeams, queues: Collection[str]) -> None:
    """Rewrite the cards of what waits, and of what is open in some queues."""
    cause = Cause(new_correlation(), datetime.now(UTC))
    open_there = await tickets.open_in(conn, queues)
    for team in await audit_log.teams(conn):
        settings = await teams.within(conn, team)
        here = [ticket for ticket in open_there if ticket.team == team][:REDRAWN_AT_ONCE]
        for ticket in [*await tickets.pending(conn, team, REDRAWN_AT_ONCE), *here]:
            await show(conn, ticket, settings, cause)


def _count(found: Sequence[Collection[str]], queues: Collection[str]) -> int:
    return sum(not set(names).isdisjoint(queues) for names in found)
