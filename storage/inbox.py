"""The inbox: payloads recorded before they are acknowledged, leased until they are worked off."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import work
from storage.records import ChangeState, DeliveryState, InboxItem, NewInboxItem, QueueDepth
from storage.schema import inbox
from storage.statements import columns_of, insert_if_new, values_of

_NOBODY = {"owner": None, "lease_until": None}

_DUE = sa.and_(inbox.c.state == DeliveryState.WAITING, inbox.c.due_at <= bindparam("at"))
_ABANDONED = sa.and_(inbox.c.state == DeliveryState.LEASED, inbox.c.lease_until <= bindparam("at"))
_PICKED = (
    sa.select(inbox.c.id)
    .where(work.is_open(inbox), sa.or_(_DUE, _ABANDONED))
    .order_by(inbox.c.id)
    .limit(bindparam("at_most"))
    .with_for_update(skip_locked=True)  # SQLite has one writer and needs no row locks
    .cte("picked")
)
_LEASE = (
    sa.update(inbox)
    .where(inbox.c.id.in_(sa.select(_PICKED.c.id)))
    .values(
        state=DeliveryState.LEASED,
        owner=bindparam("taker"),
        lease_until=bindparam("until"),
        attempts=inbox.c.attempts + 1,
    )
    .returning(*columns_of(InboxItem, inbox))
)


async def record(conn: AsyncConnection, items: Sequence[NewInboxItem], now: datetime) -> list[bool]:
    """Record payloads; once this is committed they may be acknowledged.

    A payload whose key was given up comes to life again: somebody asks for it once more.

    Returns:
        For each, False when its key is known in the team: a redelivery, to be acknowledged as
        well.
    """
    rows = [values_of(item) | _waiting_since(now) for item in items]
    inserted = await insert_if_new(conn, inbox, rows, inbox.c.team, inbox.c.key)
    new = {(row.team, row.key) for row in inserted}
    taken = []
    for item in items:
        is_new = (item.team, item.key) in new
        new.discard((item.team, item.key))
        taken.append(is_new or await _revive(conn, item, now))
    return taken


def _waiting_since(now: datetime) -> dict[str, Any]:
    return {
        "received_at": now,
        "state": DeliveryState.WAITING,
        "due_at": now,
        "attempts": 0,
        "error": "",
    }


async def _revive(conn: AsyncConnection, item: NewInboxItem, now: datetime) -> bool:
    same = sa.and_(inbox.c.team == item.team, inbox.c.key == item.key)
    again = {**_waiting_since(now), "payload": item.payload}
    del again["received_at"]
    revived = sa.update(inbox).where(work.is_dead(inbox), same).values(again)
    return (await conn.execute(revived)).rowcount == 1


async def lease(
    conn: AsyncConnection, *, owner: str, limit: int, now: datetime, seconds: float = 30
) -> list[InboxItem]:
    """Take what is due, and what another owner's lease has run out on; oldest first.

    Two owners that ask at once never get the same item.
    """
    until = now + timedelta(seconds=seconds)
    rows = await conn.execute(_LEASE, {"taker": owner, "at_most": limit, "at": now, "until": until})
    return sorted((InboxItem(**row._mapping) for row in rows), key=lambda item: item.id)


async def renew(
    conn: AsyncConnection,
    *,
    owner: str,
    ids: Collection[int],
    now: datetime,
    seconds: float = 30,
) -> int:
    """Keep items for longer.

    Returns:
        How many the owner still holds; fewer than asked when some were taken over.
    """
    longer = {"lease_until": now + timedelta(seconds=seconds)}
    return await _change_held(conn, owner, inbox.c.id.in_(ids), longer)


async def finish(conn: AsyncConnection, *, owner: str, ids: Collection[int]) -> int:
    """Mark items as done and erase their payloads; their keys stay known.

    Returns:
        How many the owner still held. Fewer than asked means that another has taken some over:
        roll back, it will do that work.
    """
    return (await conn.execute(_FINISH, {"held_by": owner, "ids": ids})).rowcount


async def postpone(
    conn: AsyncConnection,
    *,
    owner: str,
    id: int,  # noqa: A002 - the column's own name
    due_at: datetime,
    error: str,
    tried: bool = True,
) -> bool:
    """Let go of an item until `due_at`, saying why; False when it is no longer the owner's.

    With `tried` false this does not count as an attempt.
    """
    later: dict[str, Any] = {"due_at": due_at, "error": error, **_NOBODY}
    later["state"] = DeliveryState.WAITING
    if not tried:
        later["attempts"] = inbox.c.attempts - 1
    return await _change_held(conn, owner, inbox.c.id == id, later) == 1


async def bury(
    conn: AsyncConnection,
    *,
    owner: str,
    id: int,  # noqa: A002 - the column's own name
    error: str,
) -> bool:
    """Give an item up, keeping its payload for the operator; False when no longer the owner's."""
    dead = {"state": DeliveryState.DEAD, "error": error, **_NOBODY}
    return await _change_held(conn, owner, inbox.c.id == id, dead) == 1


async def release(conn: AsyncConnection, *, owner: str) -> int:
    """Let go of all that the owner holds, as if it had never taken it; for an orderly end.

    Returns:
        How many items wait again.
    """
    back = {"state": DeliveryState.WAITING, "attempts": inbox.c.attempts - 1, **_NOBODY}
    return await _change_held(conn, owner, sa.true(), back)


async def status(conn: AsyncConnection, *, team: str, key: str) -> DeliveryState | None:
    """Where the payload of that key stands; None when none was recorded."""
    state: DeliveryState | None = await conn.scalar(
        sa.select(inbox.c.state).where(inbox.c.team == team, inbox.c.key == key)
    )
    return state


async def changes(
    conn: AsyncConnection, messages: Collection[tuple[str, str]]
) -> dict[tuple[str, str], list[ChangeState]]:
    """The edits, deletions and shortcuts of messages that were recorded, oldest first.

    Args:
        conn: A transaction.
        messages: Team and message of each.

    Returns:
        By team and message; nothing for a message that has none.
    """
    found: dict[tuple[str, str], list[ChangeState]] = {}
    asked = {
        "of_teams": {team for team, _ in messages},
        "of_messages": [message for _, message in messages],
    }
    for row in await conn.execute(_CHANGES, asked):
        change = ChangeState(key=row.key, kind=row.kind, state=row.state)
        found.setdefault((row.team, row.changes), []).append(change)
    return found


_CHANGES = (
    sa.select(inbox.c.team, inbox.c.changes, inbox.c.key, inbox.c.kind, inbox.c.state)
    .where(
        inbox.c.team.in_(bindparam("of_teams", expanding=True)),
        inbox.c.changes.in_(bindparam("of_messages", expanding=True)),
    )
    .order_by(inbox.c.id)
)


async def dead(conn: AsyncConnection, limit: int) -> list[tuple[int, str, str, datetime]]:
    """What was given up, newest first: id, kind, error, and when it came in."""
    columns = (inbox.c.id, inbox.c.kind, inbox.c.error, inbox.c.received_at)
    given_up = sa.select(*columns).where(work.is_dead(inbox)).order_by(inbox.c.id.desc())
    return [tuple(row) for row in await conn.execute(given_up.limit(limit))]


async def revive(conn: AsyncConnection, ids: Collection[int], now: datetime) -> int:
    """Work again on what was given up; how many items that are."""
    again = {"state": DeliveryState.WAITING, "attempts": 0, "due_at": now, "error": ""}
    chosen = sa.update(inbox).where(work.is_dead(inbox), inbox.c.id.in_(ids))
    return (await conn.execute(chosen.values(again))).rowcount


async def depth(conn: AsyncConnection) -> QueueDepth:
    """How much lies in the inbox."""
    return await work.depth(conn, inbox, inbox.c.received_at)


async def purge(conn: AsyncConnection, before: datetime) -> int:
    """Forget done items received before a time; their keys are then no longer known.

    Returns:
        How many were forgotten.
    """
    done = [DeliveryState.DONE]
    return await work.sweep(conn, inbox, inbox.c.received_at, before=before, states=done)


async def _change_held(
    conn: AsyncConnection, owner: str, which: sa.ColumnElement[bool], values: Mapping[str, Any]
) -> int:
    statement = sa.update(inbox).where(which, _HELD).values(values)
    return (await conn.execute(statement, {"held_by": owner})).rowcount


_HELD = sa.and_(
    work.is_open(inbox),
    inbox.c.state == DeliveryState.LEASED,
    inbox.c.owner == bindparam("held_by"),
)
_FINISH = (
    sa.update(inbox)
    .where(inbox.c.id.in_(bindparam("ids", expanding=True)), _HELD)
    .values(state=DeliveryState.DONE, payload={}, error="", **_NOBODY)
)
