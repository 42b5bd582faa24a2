"""The outbox: calls to Slack that must happen, in order within a lane, by one owner at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningInsert, ReturningUpdate

from storage import work
from storage.records import Delivery, DeliveryState, NewDelivery, QueueDepth
from storage.schema import cards, deliveries, lanes
from storage.statements import columns_of, insert, literal, values_of

_DELIVERY = columns_of(Delivery, deliveries)
_row = deliveries.c


async def enqueue(conn: AsyncConnection, wanted: Sequence[NewDelivery], now: datetime) -> int:
    """Add deliveries to the ends of their lanes, in this order.

    A card is rendered when it is delivered, so one waiting delivery of it is enough.

    Returns:
        How many were added; fewer than asked when a key is known in the team, or a card waits to
        be delivered already.
    """
    rows = [{**values_of(each), **_waiting_since(now), "of_card": each.card_id} for each in wanted]
    for row in rows:
        del row["card_id"]  # comes from the locked card
    return len((await conn.execute(_enqueue(conn.dialect.name), rows)).all()) if rows else 0


def _waiting_since(now: datetime) -> dict[str, Any]:
    return {
        "state": DeliveryState.WAITING,
        "attempts": 0,
        "uncertain": False,
        "due_at": now,
        "error": "",
        "created_at": now,
    }


@cache
def _enqueue(dialect: str) -> ReturningInsert[int]:
    # PostgreSQL would lock the card only after the insert, and `_make_room` locks it before.
    card = sa.select(cards.c.id).where(cards.c.id == bindparam("of_card"))
    locked = card.with_for_update(read=True, key_share=True).scalar_subquery()
    statement = insert(dialect, deliveries).values(card_id=locked)
    return statement.on_conflict_do_nothing().returning(_row.id)


async def done(conn: AsyncConnection, *, owner: str, ids: Collection[int], now: datetime) -> int:
    """Mark deliveries as made and erase their payloads.

    Returns:
        How many; fewer than asked when the lane was lost.
    """
    if not ids:
        return 0
    made = {"ids": ids, "held_by": owner, "done_at": now}
    return len((await conn.execute(_DONE, made)).all())


async def retry(
    conn: AsyncConnection,
    *,
    owner: str,
    delivery_id: int,
    due_at: datetime,
    error: str,
    uncertain: bool = True,
    tried: bool = True,
) -> bool:
    """Put a delivery back to the head of its lane, to be tried again from `due_at` on.

    Args:
        conn: A write transaction.
        owner: Who holds the lane.
        delivery_id: What failed.
        due_at: When to try again.
        error: Why it failed, without secrets.
        uncertain: False when Slack certainly did not do it (it answered 429, say).
        tried: False when this shall not count as an attempt.

    Returns:
        False when the lane was lost.
    """
    failed = {"due_at": due_at, "error": error, "uncertain": uncertain}
    held = _held() if tried else _held(attempts=_row.attempts - 1)
    row = await _change_held(conn, held, owner, delivery_id, failed)
    if row is not None:
        await requeue(conn, [row], {})
    return row is not None


async def bury(conn: AsyncConnection, *, owner: str, delivery_id: int, error: str) -> bool:
    """Give a delivery up and keep it for the operator; False when the lane was lost."""
    given_up = {"state": DeliveryState.DEAD, "error": error}
    return await _change_held(conn, _held(), owner, delivery_id, given_up) is not None


async def _change_held(
    conn: AsyncConnection,
    statement: ReturningUpdate[int, int | None],
    owner: str,
    delivery_id: int,
    values: Mapping[str, Any],
) -> sa.Row[int, int | None] | None:
    parameters = {"ids": [delivery_id], "held_by": owner, **values}
    return (await conn.execute(statement, parameters)).one_or_none()


def _held(**values: Any) -> ReturningUpdate[int, int | None]:
    """Change a leased delivery if the lane is still the owner's; it stays so until we commit."""
    lane = sa.select(lanes.c.owner).where(
        lanes.c.team == _row.team,
        lanes.c.lane == _row.lane,
        lanes.c.owner == bindparam("held_by"),
    )
    chosen = _row.id.in_(bindparam("ids", expanding=True))
    leased = sa.and_(chosen, _row.state == DeliveryState.LEASED)
    held = lane.with_for_update(read=True).exists()
    update = sa.update(deliveries).where(leased, held).values(values)
    return update.returning(_row.id, _row.card_id)


_DONE = _held(state=DeliveryState.DONE, payload={}, uncertain=False, error="")


async def requeue(
    conn: AsyncConnection, rows: Iterable[sa.Row[int, int | None]], values: Mapping[str, Any]
) -> int:
    """Let deliveries wait again; of each card only the oldest, which knows what was tried.

    Args:
        conn: A write transaction.
        rows: Id and card of each delivery.
        values: What else to change in them.

    Returns:
        How many wait again.
    """
    oldest: dict[int, int] = {}
    kept, doubled = [], []
    for delivery_id, card_id in sorted(rows):
        if card_id is None or oldest.setdefault(card_id, delivery_id) == delivery_id:
            kept.append(delivery_id)
        else:
            doubled.append(delivery_id)
    if oldest:
        await _make_room(conn, oldest.keys(), doubled)
    if kept:
        again = {"state": DeliveryState.WAITING, **values}
        await conn.execute(sa.update(deliveries).where(_row.id.in_(kept)).values(again))
    return len(kept)


async def _make_room(
    conn: AsyncConnection, card_ids: Collection[int], doubled: Collection[int]
) -> None:
    """Drop the waiting deliveries of cards that an older one will serve."""
    # On PostgreSQL this lock waits for whoever is just enqueueing one, and keeps others from it.
    lock = sa.select(cards.c.id).where(cards.c.id.in_(card_ids)).order_by(cards.c.id)
    await conn.execute(lock.with_for_update())
    waits = sa.and_(_row.state == literal(DeliveryState.WAITING), _row.card_id.in_(card_ids))
    await conn.execute(sa.delete(deliveries).where(sa.or_(waits, _row.id.in_(doubled))))


async def depth(conn: AsyncConnection) -> QueueDepth:
    """How much lies in the outbox."""
    return await work.depth(conn, deliveries, _row.created_at)


async def dead(conn: AsyncConnection, limit: int) -> list[Delivery]:
    """What was given up, newest first, for the operator."""
    given_up = sa.select(*_DELIVERY).where(work.is_dead(deliveries))
    rows = await conn.execute(given_up.order_by(_row.id.desc()).limit(limit))
    return [Delivery(**row._mapping) for row in rows]


async def revive(conn: AsyncConnection, ids: Collection[int]) -> int:
    """Try again what was given up, each at its old place in its lane, once for a card.

    Returns:
        How many deliveries wait again.
    """
    again = sa.update(deliveries).where(work.is_dead(deliveries), _row.id.in_(ids))
    # Long ago somebody may have called: look before posting.
    rows = await conn.execute(
        again.values(attempts=0, uncertain=True).returning(_row.id, _row.card_id)
    )
    return await requeue(conn, rows.all(), {})


async def purge(conn: AsyncConnection, before: datetime) -> int:
    """Forget the deliveries made that were enqueued before a time; how many those were.

    Lanes that rest since then go too: one that is needed again is made anew.
    """
    resting = sa.and_(lanes.c.owner.is_(None), lanes.c.not_before < before)
    await conn.execute(sa.delete(lanes).where(resting))
    made = [DeliveryState.DONE]
    return await work.sweep(conn, deliveries, _row.created_at, before=before, states=made)
