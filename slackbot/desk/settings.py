"""The settings of each team: from the environment first, from the record once somebody set them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from slackbot.errors import AutoTicketError
from slackbot.queue_names import QueueNames
from slackbot.team_settings import TeamSettings
from slackbot.views import answers
from storage import queue_edits, team_settings
from storage.database import Database
from storage.errors import DatabaseUnavailable
from storage.queue_edits import Written
from storage.team_settings import NewSettings, SettingsRecord

log = logging.getLogger(__name__)

LIFE_S = 1.0
"""How long what was read holds: so late at most does a replica hear what another one changed."""

REFRESH_WITHIN_S = 0.5
"""Slack waits 3 s for every payload: a slow database must not use them up for what is known."""


class SettingsChanged(AutoTicketError):
    """Somebody else has changed the settings meanwhile; nothing was changed."""

    def __init__(self) -> None:
        super().__init__(answers.settings_changed().text)


@dataclass(frozen=True, slots=True)
class VersionedSettings:
    """A team's settings at one moment.

    Attributes:
        settings: In force.
        version: How often they were changed from Slack.
    """

    settings: TeamSettings
    version: int


@dataclass(slots=True)
class SettingsOfTeams:
    """Reads and changes the settings of teams; every replica has one.

    What nobody has set from Slack follows the environment.

    Attributes:
        database: The record.
        first: What the environment says.
        clock: Seconds that only grow.
        names: What became of queues.
    """

    database: Database
    first: TeamSettings
    clock: Callable[[], float] = time.monotonic
    names: QueueNames = field(default_factory=QueueNames)
    _known: dict[str, tuple[float, TeamSettings]] = field(default_factory=dict)

    async def of(self, team: str) -> TeamSettings:
        """The settings of a team, at most a second old while the database answers.

        Raises:
            DatabaseUnavailable: They were never read, and cannot be now.
        """
        until, known = self._known.get(team, (0.0, None))
        if known is not None and self.clock() < until:
            return known
        if known is not None:
            self._remember(team, known)  # who comes meanwhile need not read too
        if known is None:
            return (await self.now(team)).settings
        try:
            async with asyncio.timeout(REFRESH_WITHIN_S):
                return (await self.now(team)).settings
        except (DatabaseUnavailable, TimeoutError) as error:
            log.warning("settings_not_refreshed", extra={"error": str(error)})
            return known

    def follow(self, names: QueueNames) -> None:
        """Call queues by other names from now on."""
        self.names = names
        self._known.clear()

    async def now(self, team: str) -> VersionedSettings:
        """The settings of a team as they are this moment.

        Raises:
            DatabaseUnavailable: They cannot be read.
        """
        async with self.database.read() as conn:
            found = await self._read(conn, team)
        self._remember(team, found.settings)
        return found

    async def within(self, conn: AsyncConnection, team: str) -> TeamSettings:
        """The settings of a team as a transaction sees them.

        Raises:
            DatabaseUnavailable: They cannot be read.
        """
        return (await self._read(conn, team)).settings

    async def _read(self, conn: AsyncConnection, team: str) -> VersionedSettings:
        row = await team_settings.newest(conn, team)
        return VersionedSettings(self._with(self._values(row)), row.version if row else 0)

    def _values(self, row: SettingsRecord | None) -> dict[str, Any]:
        """What was set from Slack, with the queues' names of today."""
        if row is None:
            return {}
        values = dict(row.values)
        if "queue_channels" in values:
            set_then = TeamSettings(queue_channels=values["queue_channels"])
            now = set_then.called(partial(self.names.of_row, Written.TEAM_SETTINGS, row.id))
            values["queue_channels"] = dict(now.queue_channels)
        return values

    def _with(self, values: Mapping[str, Any]) -> TeamSettings:
        """The environment's names are those of the beginning; those that are in use, of today."""
        now = self.first.called(lambda name: self.names.today(name, 0))
        in_use = {q: c for q, c in self.first.queue_channels.items() if self.names.in_use(q)}
        channels = {**now.queue_channels, **in_use}
        return replace(now, queue_channels=channels).with_changes(values)

    async def change(self, team: str, wanted: TeamSettings, *, seen: int, by: str) -> None:
        """Set what differs from what is in force, and record who did.

        Args:
            team: The workspace.
            wanted: All settings as they shall be.
            seen: The version that `by` has seen and changed.
            by: Slack user id.

        Raises:
            SettingsChanged: Somebody else was first.
            DatabaseUnavailable: Nothing was written.
        """
        async with self.database.write() as conn:
            if await queue_edits.newest(conn) != self.names.newest:
                raise SettingsChanged  # of queues, in the moment between
            row = await team_settings.newest(conn, team)
            version, values = row.version if row else 0, self._values(row)
            if version != seen:
                raise SettingsChanged
            changes = self._with(values).changes_to(wanted)
            if not changes:
                return
            new = NewSettings(
                team=team, version=version + 1, changed_by=by, values={**values, **changes}
            )
            if not await team_settings.add(conn, new, datetime.now(UTC)):
                raise SettingsChanged
        self._remember(team, wanted)
        log.info("settings_changed", extra={"by": by, "names": ",".join(sorted(changes))})

    def _remember(self, team: str, settings: TeamSettings) -> None:
        self._known[team] = (self.clock() + LIFE_S, settings)
