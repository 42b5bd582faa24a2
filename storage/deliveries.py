"""The outbox: calls to Slack that must happen, in order within a lane, by one owner at a time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import work
from storage.records import Delivery, DeliveryKind, DeliveryState, Lane, QueueDepth
from storage.schema import deliveries, lanes
from storage.statements import columns_of, insert, insert_if_new, literal

_DELIVERY = columns_of(Delivery, deliveries)
_FREE = {"owner": None, "lease_until": None}


async def enqueue(
    conn: AsyncConnection,
    *,
    team: str,
    lane: str,
    kind: DeliveryKind,
    ticket_id: int | None,
    card_id: int | None,
    key: str | None,
    payload: Mapping[str, Any],
    correlation: str,
    now: datetime,
) -> bool:
    """Add a delivery to the end of its lane.

    A card is rendered when it is delivered, so one waiting delivery of it is enough.

    Returns:
        False when the key is known in the team, or the card waits to be delivered already.
    """
    row = {
        "team": team,
        "lane": lane,
        "kind": kind,
        "ticket_id": ticket_id,
        "card_id": card_id,
        "key": key,
        "payload": payload,
        "state": DeliveryState.WAITING,
        "attempts": 0,
        "uncertain": card_id is not None and _is_uncertain(ticket_id, card_id),
        "due_at": now,
        "error": "",
        "correlation": correlation,
        "created_at": now,
    }
    return await insert_if_new(conn, deliveries, row, [deliveries.c.id]) is not None


async def lease_lanes(
    conn: AsyncConnection,
    *,
    owner: str,
    limit: int,
    per_lane: int,
    now: datetime,
    seconds: float = 30,
) -> list[Lane]:
    """Take free lanes whose first delivery is due; the lane with the oldest one first.

    A lane is free when nobody holds it, or its lease ran out, and its `not_before` has come. A
    first delivery that waits for its next attempt holds up its lane, because order is kept.

    Args:
        conn: A write transaction.
        owner: Who takes them.
        limit: How many lanes at most.
        per_lane: How many deliveries of each at most.
        now: The time.
        seconds: How long the lease lasts.
    """
    names = await _free_lanes(conn, limit, now)
    taken = await _take(conn, names, owner, now, now + timedelta(seconds=seconds))
    if not taken:
        return []
    by_lane = await _mark_leased(conn, taken, per_lane, now)
    leased = [Lane(team=team, lane=lane, deliveries=rows) for (team, lane), rows in by_lane.items()]
    for team, lane in taken - by_lane.keys():  # another owner emptied it a moment ago
        await conn.execute(sa.update(lanes).where(_named(team, lane)).values(_FREE))
    return sorted(leased, key=lambda lane: lane.deliveries[0].id)


async def _free_lanes(conn: AsyncConnection, limit: int, now: datetime) -> list[tuple[str, str]]:
    heads = (
        sa.select(deliveries.c.team, deliveries.c.lane, sa.func.min(deliveries.c.id).label("id"))
        .where(work.is_open(deliveries))
        .group_by(deliveries.c.team, deliveries.c.lane)
        .subquery()
    )
    same_lane = sa.and_(lanes.c.team == heads.c.team, lanes.c.lane == heads.c.lane)
    rows = await conn.execute(
        sa.select(heads.c.team, heads.c.lane)
        .join(deliveries, deliveries.c.id == heads.c.id)
        .outerjoin(lanes, same_lane)
        .where(deliveries.c.due_at <= now, sa.or_(lanes.c.team.is_(None), _is_free(now)))
        .order_by(heads.c.id)
        .limit(limit)
    )
    return [(team, lane) for team, lane in rows]


async def _take(
    conn: AsyncConnection,
    names: list[tuple[str, str]],
    owner: str,
    now: datetime,
    until: datetime,
) -> set[tuple[str, str]]:
    if not names:
        return set()
    values = {"owner": owner, "lease_until": until}
    rows = [
        {"team": team, "lane": lane, "not_before": now, **values}
        for team, lane in sorted(names)  # two owners lock lanes in the same order: no deadlock
    ]
    statement = insert(conn, lanes).values(rows)
    taken = await conn.execute(
        # A lane that another owner has taken meanwhile is left to it.
        statement.on_conflict_do_update(
            index_elements=[lanes.c.team, lanes.c.lane], set_=values, where=_is_free(now)
        ).returning(lanes.c.team, lanes.c.lane)
    )
    return {(team, lane) for team, lane in taken}


async def _mark_leased(
    conn: AsyncConnection, taken: set[tuple[str, str]], per_lane: int, now: datetime
) -> dict[tuple[str, str], tuple[Delivery, ...]]:
    name = sa.tuple_(deliveries.c.team, deliveries.c.lane)
    queued = (
        sa.select(
            deliveries.c.id,
            sa.func.row_number()
            .over(partition_by=name, order_by=deliveries.c.id)
            .label("position"),
            sa.func.max(deliveries.c.due_at)
            .over(partition_by=name, order_by=deliveries.c.id)
            .label("all_due_at"),
        )
        .where(work.is_open(deliveries), name.in_(sorted(taken)))
        .subquery()
    )
    due = sa.select(queued.c.id).where(queued.c.position <= per_lane, queued.c.all_due_at <= now)
    rows = await conn.execute(
        sa.update(deliveries)
        .where(work.is_open(deliveries), deliveries.c.id.in_(due))
        .values(state=DeliveryState.LEASED)
        .returning(*_DELIVERY)
    )
    leased = sorted((Delivery(**row._mapping) for row in rows), key=_order)
    return {name: tuple(group) for name, group in groupby(leased, key=lambda d: (d.team, d.lane))}


async def begin(conn: AsyncConnection, *, owner: str, delivery_id: int) -> bool:
    """Note, and commit, that the call is about to be made: should it end unseen, that is known.

    Returns:
        False when the lane is no longer the owner's: do not call.
    """
    begun = {"attempts": deliveries.c.attempts + 1, "uncertain": True}
    return await _change_held(conn, owner, delivery_id, begun)


async def done(conn: AsyncConnection, *, owner: str, delivery_id: int, now: datetime) -> bool:
    """Mark a delivery as made and erase its payload; False when the lane was lost."""
    made = {
        "state": DeliveryState.DONE,
        "payload": {},
        "uncertain": False,
        "error": "",
        "done_at": now,
    }
    return await _change_held(conn, owner, delivery_id, made)


async def retry(
    conn: AsyncConnection,
    *,
    owner: str,
    delivery_id: int,
    due_at: datetime,
    error: str,
    uncertain: bool = True,
) -> bool:
    """Put a delivery back to the head of its lane, to be tried again from `due_at` on.

    Args:
        conn: A write transaction.
        owner: Who holds the lane.
        delivery_id: What failed.
        due_at: When to try again.
        error: Why it failed, without secrets.
        uncertain: False when Slack certainly did not do it (it answered 429, say).

    Returns:
        False when the lane was lost.
    """
    failed = {"due_at": due_at, "error": error, "uncertain": uncertain}
    if not await _change_held(conn, owner, delivery_id, failed):
        return False
    await _requeue(conn, lambda row: row.c.id == delivery_id)
    return True


async def bury(conn: AsyncConnection, *, owner: str, delivery_id: int, error: str) -> bool:
    """Give a delivery up and keep it for the operator; False when the lane was lost."""
    given_up = {"state": DeliveryState.DEAD, "error": error}
    return await _change_held(conn, owner, delivery_id, given_up)


async def renew_lane(
    conn: AsyncConnection,
    *,
    owner: str,
    team: str,
    lane: str,
    now: datetime,
    seconds: float = 30,
) -> bool:
    """Keep a lane for longer; False when it was lost."""
    result = await conn.execute(
        sa.update(lanes)
        .where(_named(team, lane), lanes.c.owner == owner)
        .values(lease_until=now + timedelta(seconds=seconds))
    )
    return result.rowcount == 1


async def release_lane(
    conn: AsyncConnection, *, owner: str, team: str, lane: str, not_before: datetime
) -> bool:
    """Let go of a lane; what is left of it waits again, and nobody takes it before a time.

    Returns:
        False when it was lost already.
    """
    mine = sa.and_(_named(team, lane), lanes.c.owner == owner)
    return await _let_go(conn, mine, {"not_before": not_before}) == 1


async def release(conn: AsyncConnection, *, owner: str) -> int:
    """Let go of all lanes that the owner holds, for an orderly end; how many those were."""
    return await _let_go(conn, lanes.c.owner == owner, {})


async def depth(conn: AsyncConnection) -> QueueDepth:
    """How much lies in the outbox."""
    return await work.depth(conn, deliveries, deliveries.c.created_at)


async def dead(conn: AsyncConnection, limit: int) -> list[Delivery]:
    """What was given up, newest first, for the operator."""
    given_up = sa.select(*_DELIVERY).where(work.is_dead(deliveries))
    rows = await conn.execute(given_up.order_by(deliveries.c.id.desc()).limit(limit))
    return [Delivery(**row._mapping) for row in rows]


async def revive(conn: AsyncConnection, ids: Collection[int]) -> int:
    """Try again what was given up, each at its old place in its lane, once for a card.

    Returns:
        How many deliveries wait again.
    """
    again = {"attempts": 0, "uncertain": True}
    chosen = sa.and_(work.is_dead(deliveries), deliveries.c.id.in_(ids))
    await conn.execute(sa.update(deliveries).where(chosen).values(again))
    return await _requeue(conn, lambda row: sa.and_(work.is_dead(row), row.c.id.in_(ids)))


async def purge(conn: AsyncConnection, before: datetime) -> int:
    """Forget deliveries made that were enqueued before a time; how many those were."""
    return await work.sweep(
        conn, deliveries, deliveries.c.created_at, before=before, states=[DeliveryState.DONE]
    )


def _is_free(now: datetime) -> sa.ColumnElement[bool]:
    unheld = sa.or_(lanes.c.owner.is_(None), lanes.c.lease_until <= now)
    return sa.and_(unheld, lanes.c.not_before <= now)


def _named(team: str, lane: str) -> sa.ColumnElement[bool]:
    return sa.and_(lanes.c.team == team, lanes.c.lane == lane)


def _is_uncertain(ticket_id: int | None, card_id: int) -> sa.ColumnElement[bool]:
    """Whether an earlier delivery of the card, in work or given up, may have posted it unseen."""
    earlier = deliveries.alias()
    return sa.exists().where(
        earlier.c.ticket_id == ticket_id, earlier.c.card_id == card_id, earlier.c.uncertain
    )


def _order(delivery: Delivery) -> tuple[str, str, int]:
    return delivery.team, delivery.lane, delivery.id


async def _change_held(
    conn: AsyncConnection, owner: str, delivery_id: int, values: dict[str, Any]
) -> bool:
    """Change a delivery that the owner still holds; the lane cannot be taken over meanwhile."""
    lane = sa.select(lanes.c.owner).where(
        lanes.c.team == deliveries.c.team,
        lanes.c.lane == deliveries.c.lane,
        lanes.c.owner == owner,
    )
    result = await conn.execute(
        sa.update(deliveries)
        .where(
            deliveries.c.id == delivery_id,
            deliveries.c.state == DeliveryState.LEASED,
            lane.with_for_update(read=True).exists(),
        )
        .values(values)
    )
    return result.rowcount == 1


async def _let_go(
    conn: AsyncConnection, which: sa.ColumnElement[bool], values: dict[str, Any]
) -> int:
    freed = await conn.execute(
        sa.update(lanes).where(which).values(_FREE | values).returning(lanes.c.team, lanes.c.lane)
    )
    names = [(team, lane) for team, lane in freed]
    if names:
        await _requeue(conn, lambda row: _leased_in(row, names))
    return len(names)


def _leased_in(row: sa.FromClause, names: list[tuple[str, str]]) -> sa.ColumnElement[bool]:
    leased = row.c.state == DeliveryState.LEASED
    return sa.and_(work.is_open(row), leased, sa.tuple_(row.c.team, row.c.lane).in_(names))


async def _requeue(
    conn: AsyncConnection, which: Callable[[sa.FromClause], sa.ColumnElement[bool]]
) -> int:
    """Let rows wait again. Of each card only the oldest stays: it knows of attempts, it is first.

    Returns:
        How many rows wait again.
    """
    mine = deliveries.alias()
    same_card = sa.select(mine.c.id).where(mine.c.card_id == deliveries.c.card_id, which(mine))
    waits_too = sa.and_(deliveries.c.state == literal(DeliveryState.WAITING), same_card.exists())
    comes_later = sa.and_(which(deliveries), same_card.where(mine.c.id < deliveries.c.id).exists())
    await conn.execute(sa.delete(deliveries).where(sa.or_(waits_too, comes_later)))
    result = await conn.execute(
        sa.update(deliveries).where(which(deliveries)).values(state=DeliveryState.WAITING)
    )
    return result.rowcount
