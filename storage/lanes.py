"""Lanes of the outbox: each is delivered in order, by one owner at a time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningInsert, ReturningUpdate

from storage import deliveries, work
from storage.records import Delivery, DeliveryState, Lane
from storage.schema import deliveries as outbox
from storage.schema import lanes
from storage.statements import columns_of, insert

_DELIVERY = columns_of(Delivery, outbox)
_row = outbox.c


async def lease(
    conn: AsyncConnection,
    *,
    owner: str,
    limit: int,
    per_lane: int,
    now: datetime,
    seconds: float = 30,
) -> list[Lane]:
    """Take free lanes whose first delivery is due; the lane with the oldest one comes first.

    A lane is free when nobody holds it, or its lease ran out, and its `not_before` has come. A
    first delivery that waits for its next attempt holds up its lane, because order is kept.

    What a dead owner had leased comes as uncertain: it may have made the call. So does a card of
    which an earlier delivery is uncertain, be it in work or given up.

    Args:
        conn: A write transaction.
        owner: Who takes them.
        limit: How many lanes at most.
        per_lane: How many deliveries of each at most.
        now: The time.
        seconds: How long the lease lasts.
    """
    until = now + timedelta(seconds=seconds)
    free = await conn.execute(_FREE_LANES, {"at": now, "at_most": limit})
    leased = []
    for team, lane in sorted(free.all()):  # owners lock lanes in one order: no deadlock
        holder = {"team": team, "lane": lane, "owner": owner, "lease_until": until}
        taken = await conn.scalar(
            _take_lane(conn.dialect.name), holder | {"not_before": now, "at": now}
        )
        if taken is None:
            continue
        first = await _lease_first(conn, team, lane, per_lane, now)
        if first:
            leased.append(Lane(team=team, lane=lane, deliveries=first))
        else:  # another owner emptied it a moment ago
            await _free(conn, _DROP_LANE, {"of_team": team, "of_lane": lane}, {})
    return sorted(leased, key=lambda lane: lane.deliveries[0].id)


async def _lease_first(
    conn: AsyncConnection, team: str, lane: str, at_most: int, now: datetime
) -> tuple[Delivery, ...]:
    wanted = {"of_team": team, "of_lane": lane, "at_most": at_most, "at": now}
    rows = await conn.execute(_LEASE_FIRST, wanted)
    return tuple(sorted((Delivery(**row._mapping) for row in rows), key=lambda first: first.id))


_LANE_IS_FREE = sa.and_(
    sa.or_(lanes.c.owner.is_(None), lanes.c.lease_until <= bindparam("at")),
    lanes.c.not_before <= bindparam("at"),
)
_IN_LANE = sa.and_(
    work.is_open(outbox), _row.team == bindparam("of_team"), _row.lane == bindparam("of_lane")
)


def _free_lanes() -> sa.Select[str, str]:
    heads = (
        sa.select(_row.team, _row.lane, sa.func.min(_row.id).label("id"))
        .where(work.is_open(outbox))
        .group_by(_row.team, _row.lane)
        .subquery()
    )
    same_lane = sa.and_(lanes.c.team == heads.c.team, lanes.c.lane == heads.c.lane)
    return (
        sa.select(heads.c.team, heads.c.lane)
        .join(outbox, _row.id == heads.c.id)
        .outerjoin(lanes, same_lane)
        .where(_row.due_at <= bindparam("at"), sa.or_(lanes.c.team.is_(None), _LANE_IS_FREE))
        .order_by(heads.c.id)
        .limit(bindparam("at_most"))
    )


@cache
def _take_lane(dialect: str) -> ReturningInsert[str]:
    """Hold a lane, whether it is new or free; nothing comes back when another was first."""
    statement = insert(dialect, lanes)
    holder = {"owner": statement.excluded.owner, "lease_until": statement.excluded.lease_until}
    return statement.on_conflict_do_update(
        index_elements=[lanes.c.team, lanes.c.lane], set_=holder, where=_LANE_IS_FREE
    ).returning(lanes.c.lane)


def _first_leased() -> ReturningUpdate[Any]:
    """Lease the first deliveries of a lane, but none behind one that is not due."""
    first = (
        sa.select(_row.id, _row.due_at)
        .where(_IN_LANE)
        .order_by(_row.id)
        .limit(bindparam("at_most"))
        .subquery()
    )
    all_due_at = sa.func.max(first.c.due_at).over(order_by=first.c.id)
    in_order = sa.select(first.c.id, all_due_at.label("all_due_at")).subquery()
    due = sa.select(in_order.c.id).where(in_order.c.all_due_at <= bindparam("at"))
    earlier = outbox.alias()
    same_card = sa.and_(
        earlier.c.ticket_id == _row.ticket_id,  # by which an index finds it
        earlier.c.card_id == _row.card_id,
    )
    unseen = sa.exists().where(same_card, earlier.c.uncertain)
    return (
        sa.update(outbox)
        .where(work.is_open(outbox), _row.id.in_(due))
        .values(
            state=DeliveryState.LEASED,
            attempts=_row.attempts + 1,
            uncertain=sa.or_(_row.uncertain, _row.state == DeliveryState.LEASED, unseen),
        )
        .returning(*_DELIVERY)
    )


_FREE_LANES = _free_lanes()
_LEASE_FIRST = _first_leased()


async def renew(
    conn: AsyncConnection,
    *,
    owner: str,
    team: str,
    lane: str,
    now: datetime,
    seconds: float = 30,
) -> bool:
    """Keep a lane for longer; False when it was lost."""
    until = now + timedelta(seconds=seconds)
    mine = {"of_team": team, "of_lane": lane, "held_by": owner, "lease_until": until}
    return (await conn.execute(_RENEW_LANE, mine)).rowcount == 1


async def let_go(
    conn: AsyncConnection,
    *,
    owner: str,
    team: str,
    lane: str,
    not_before: datetime,
    emptied: bool = False,
) -> bool:
    """Let go of a lane that nobody takes again before a time.

    What is left of it waits again; the owner says by this that it has made no call for it. With
    `emptied` it says that nothing is left, and nothing is looked for.

    Returns:
        False when it was lost already.
    """
    mine = {"of_team": team, "of_lane": lane, "held_by": owner, "rests_until": not_before}
    if emptied:
        return (await conn.execute(_RELEASE_LANE, mine)).one_or_none() is not None
    return await _free(conn, _RELEASE_LANE, mine, {"attempts": _row.attempts - 1}) == 1


async def release(conn: AsyncConnection, *, owner: str) -> int:
    """Let go of all lanes that the owner holds, at its end; how many those were.

    What is left of them waits again, as uncertain: a call may have been cut off.
    """
    return await _free(conn, _RELEASE, {"held_by": owner}, {"uncertain": True})


async def _free(
    conn: AsyncConnection,
    statement: ReturningUpdate[str, str],
    parameters: Mapping[str, Any],
    left_as: Mapping[str, Any],
) -> int:
    freed = (await conn.execute(statement, parameters)).all()
    for team, lane in freed:
        left = await conn.execute(_LEFT, {"of_team": team, "of_lane": lane})
        await deliveries.requeue(conn, left.all(), left_as)
    return len(freed)


_THIS_LANE = sa.and_(lanes.c.team == bindparam("of_team"), lanes.c.lane == bindparam("of_lane"))
_MINE = lanes.c.owner == bindparam("held_by")
_FREED = sa.update(lanes).values(owner=None, lease_until=None).returning(lanes.c.team, lanes.c.lane)
_RELEASE = _FREED.where(_MINE)
_RELEASE_LANE = _FREED.where(_THIS_LANE, _MINE).values(not_before=bindparam("rests_until"))
_DROP_LANE = _FREED.where(_THIS_LANE)
_RENEW_LANE = sa.update(lanes).where(_THIS_LANE, _MINE)


_LEFT = sa.select(_row.id, _row.card_id).where(_IN_LANE, _row.state == DeliveryState.LEASED)
