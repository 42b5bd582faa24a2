"""Installations: the workspaces that have the app, each with its sealed tokens; and OAuth states.

What is sealed in `secrets` is nobody's business here.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.schema import installations, oauth_states
from storage.statements import insert

_row = installations.c


@dataclass(frozen=True, slots=True, kw_only=True)
class NewInstallation:
    """The app in one workspace, to be recorded.

    Attributes:
        team: The workspace.
        team_name: What people call it.
        enterprise: The organisation it belongs to; None when it is on its own.
        bot_user: The bot's user id there, as in mentions.
        bot_id: The bot's id there, as on its messages.
        workspace_url: `https://team.slack.com/`.
        scopes: What the bot may do, comma-separated.
        installed_by: Slack user id.
        secrets: The tokens, sealed.
        expires_at: When the bot's token ends (UTC); None when it never does.
    """

    team: str
    team_name: str
    enterprise: str | None
    bot_user: str
    bot_id: str
    workspace_url: str
    scopes: str
    installed_by: str
    secrets: str
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation(NewInstallation):
    """The app in one workspace.

    Attributes:
        installed_at: When it was last installed (UTC).
        version: Counts installations and new tokens, from 1.
    """

    installed_at: datetime
    version: int


_ALL = sa.select(*(_row[field.name] for field in fields(Installation))).order_by(_row.team)
_OF_TEAM = _ALL.where(_row.team == sa.bindparam("of_team"))


async def save(conn: AsyncConnection, new: NewInstallation, now: datetime) -> None:
    """Record an installation; a later one of the same workspace takes its place."""
    values = asdict(new) | {"installed_at": now, "version": 1, "renewing_until": None}
    statement = insert(conn.dialect.name, installations)
    renewed = {name: statement.excluded[name] for name in values} | {"version": _row.version + 1}
    del renewed["team"]
    await conn.execute(
        statement.on_conflict_do_update(index_elements=[_row.team], set_=renewed), [values]
    )


async def get(conn: AsyncConnection, team: str) -> Installation | None:
    """The app in a workspace; None when it is not installed there."""
    found = (await conn.execute(_OF_TEAM, {"of_team": team})).one_or_none()
    return None if found is None else Installation(**found._mapping)


async def everywhere(conn: AsyncConnection) -> list[Installation]:
    """The app in all workspaces, by their ids."""
    return [Installation(**found._mapping) for found in await conn.execute(_ALL)]


async def remove(conn: AsyncConnection, team: str, *, before: datetime) -> bool:
    """Forget an installation and its tokens; False when there is none as old as that.

    What Slack says about an earlier installation must not end a later one.
    """
    old = sa.and_(_row.team == team, _row.installed_at <= before)
    return (await conn.execute(sa.delete(installations).where(old))).rowcount == 1


async def begin_renewal(
    conn: AsyncConnection, team: str, version: int, *, now: datetime, seconds: float
) -> bool:
    """Take the right to fetch new tokens; False when others have it, or have fetched them."""
    free = sa.or_(_row.renewing_until.is_(None), _row.renewing_until <= now)
    until = now + timedelta(seconds=seconds)
    taken = sa.update(installations).where(_row.team == team, _row.version == version, free)
    return (await conn.execute(taken.values(renewing_until=until))).rowcount == 1


async def seal_anew(
    conn: AsyncConnection, team: str, version: int, secrets: str, expires_at: datetime | None
) -> bool:
    """Put other secrets in place of those of `version`; False when that is not the newest."""
    values = {
        "secrets": secrets,
        "expires_at": expires_at,
        "version": version + 1,
        "renewing_until": None,
    }
    newest = sa.and_(_row.team == team, _row.version == version)
    return (await conn.execute(sa.update(installations).where(newest).values(values))).rowcount == 1


async def issue_state(conn: AsyncConnection, state: str, now: datetime, seconds: float) -> None:
    """Remember that somebody has begun to install; what has run out is forgotten."""
    await conn.execute(sa.delete(oauth_states).where(oauth_states.c.expires_at <= now))
    row = {"state": state, "expires_at": now + timedelta(seconds=seconds)}
    await conn.execute(sa.insert(oauth_states).values(row))


async def consume_state(conn: AsyncConnection, state: str, now: datetime) -> bool:
    """Whether this was issued and has not run out; a second time it is not known any more."""
    valid = sa.and_(oauth_states.c.state == state, oauth_states.c.expires_at > now)
    return (await conn.execute(sa.delete(oauth_states).where(valid))).rowcount == 1
