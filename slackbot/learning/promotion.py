"""Which version is in force: promote, keep and roll back, recorded with who did it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from slackbot.errors import AutoTicketError
from slackbot.learning import versions
from storage import model_changes
from storage.database import Database
from storage.model_records import ModelChange, ModelChangeKind, NewModelChange


class NothingToRollBack(AutoTicketError):
    """No version was ever promoted, or all promotions are taken back."""


class AlreadyInForce(AutoTicketError):
    """The version serves already."""


class AlreadyDecided(AutoTicketError):
    """Somebody has answered the card before.

    Attributes:
        answer: What was decided.
    """

    def __init__(self, answer: ModelChange | None) -> None:
        super().__init__("somebody has decided about this version already")
        self.answer = answer


class Outdated(AutoTicketError):
    """The offered version was compared with another than the one in force."""

    def __init__(self, version: str, compared_with: str, present: str) -> None:
        super().__init__(
            f"{version} was compared with {compared_with}, but {present} is in force by now: run "
            "`autoticket retrain` for a new version that is compared with that one"
        )


async def in_force(database: Database) -> str | None:
    """The version that people promoted; None when nobody has, or the record is older than that.

    Raises:
        DatabaseUnavailable: The database does not answer.
    """
    found, wanted = await database.schema_revision()
    if found != wanted:
        return None
    async with database.read() as conn:
        return await model_changes.in_force(conn)


async def decide(
    database: Database,
    *,
    by: str,
    version: str,
    configured: str,
    keep: bool = False,
    offer: str | None = None,
    compared_with: str | None = None,
) -> ModelChange | NewModelChange:
    """Put a version in force, or say that it shall not be.

    Args:
        database: The record.
        by: Slack user id, or who gave the command.
        version: What it is about.
        configured: The version that serves while nobody has promoted any.
        keep: Leave the present version in force.
        offer: The card's version when this answers a card: the first answer counts.
        compared_with: The version that a card compares it with; None when nobody looked at a card.

    Returns:
        The decision, as recorded.

    Raises:
        AlreadyInForce: That version serves.
        AlreadyDecided: The card was answered before.
        Outdated: It is to be promoted, and the comparison is with a version that serves no more.
        DatabaseUnavailable: Nothing was written.
    """
    async with database.write() as conn:
        if offer is not None and (answer := await model_changes.answer_to(conn, offer)):
            raise AlreadyDecided(answer)
        present = await model_changes.in_force(conn) or configured
        if version == present:
            raise AlreadyInForce(f"{version} is in force already")
        if not keep and compared_with not in (None, present):
            raise Outdated(version, compared_with, present)
        change = NewModelChange(
            change=ModelChangeKind.KEEP if keep else ModelChangeKind.PROMOTE,
            by=by,
            from_version=present,
            to_version=version,
            offer=offer,
        )
        if not await model_changes.add(conn, change, datetime.now(UTC)):
            raise AlreadyDecided(None)  # in the moment between, on PostgreSQL
    return change


async def roll_back(
    database: Database, model_dir: Path, *, by: str, expected: str | None = None
) -> NewModelChange:
    """Put the version in force that served before the last promotion.

    Args:
        database: The record.
        model_dir: The configured bundle; versions lie beside it.
        by: Slack user id, or who gave the command.
        expected: The version that is to be taken back; None: whichever is in force.

    Raises:
        NothingToRollBack: There was none, or another version than the expected one is in force.
        UnknownVersion: The earlier one is not there any more, so that no replica could take it.
        DatabaseUnavailable: Nothing was written.
    """
    async with database.write() as conn:
        changes = await model_changes.everything(conn)
        earlier, present = model_changes.before(changes), await model_changes.in_force(conn)
        if earlier is None or present is None:
            raise NothingToRollBack("no promotion is left to take back")
        if expected not in (None, present):
            raise NothingToRollBack(f"{expected} is not in force any more: {present} is")
        await asyncio.to_thread(versions.find, model_dir, earlier)
        change = NewModelChange(
            change=ModelChangeKind.ROLLBACK, by=by, from_version=present, to_version=earlier
        )
        await model_changes.add(conn, change, datetime.now(UTC))
    return change
