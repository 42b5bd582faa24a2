"""Settings of teams: every change is appended, and the newest one counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.records import Recorded
from storage.schema import team_settings
from storage.statements import insert_if_new, values_of


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSettings:
    """What shall hold for a team from now on, to be added to the record.

    Attributes:
        team: The workspace.
        version: Counts the team's changes, from 1.
        changed_by: Slack user id of who set it.
        values: All that was ever set from Slack, by the settings' names.
    """

    team: str
    version: int
    changed_by: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsRecord(NewSettings, Recorded):
    """What held for a team from `created_at` on; never changed afterwards."""


_OF_TEAM = (
    sa.select(team_settings)
    .where(team_settings.c.team == sa.bindparam("of_team"))
    .order_by(team_settings.c.version.desc())
)
_NEWEST = _OF_TEAM.limit(1)


async def newest(conn: AsyncConnection, team: str) -> SettingsRecord | None:
    """What is set for a team now; None when nobody has ever set anything."""
    row = (await conn.execute(_NEWEST, {"of_team": team})).one_or_none()
    return None if row is None else SettingsRecord(**row._mapping)


async def history(conn: AsyncConnection, team: str) -> list[SettingsRecord]:
    """All that was ever set for a team, newest first."""
    rows = await conn.execute(_OF_TEAM, {"of_team": team})
    return [SettingsRecord(**row._mapping) for row in rows]


async def add(conn: AsyncConnection, settings: NewSettings, now: datetime) -> bool:
    """Append what shall hold from now on; False when that version is there already."""
    row = values_of(settings) | {"created_at": now}
    return len(await insert_if_new(conn, team_settings, [row], team_settings.c.id)) == 1
