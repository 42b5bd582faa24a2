"""How a lane's calls ended, and writing that down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from slackbot.desk.show import show_elsewhere
from slackbot.posting import Posted
from storage import cards, deliveries, lanes
from storage.records import Delivery, DeliveryState, Lane


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one delivery ended.

    Attributes:
        delivery: Which.
        state: DONE; WAITING, to be tried again; DEAD, for the operator to see.
        posted: Where a card was posted.
        error: Why it was not done.
        uncertain: The call may have had its effect all the same.
        tried: Counts as an attempt; a call that Slack put off does not.
        pause_s: How long its lane must rest.
    """

    delivery: Delivery
    state: DeliveryState
    posted: Posted | None = None
    error: str = ""
    uncertain: bool = False
    tried: bool = True
    pause_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of a leased lane.

    Attributes:
        lane: As it was leased.
        outcomes: Of its first deliveries, in order; no call was made for the rest.
        pause_s: How long it must rest.
    """

    lane: Lane
    outcomes: Sequence[Outcome]
    pause_s: float


async def write_down(conn: AsyncConnection, owner: str, delivered: Sequence[Delivered]) -> None:
    """Write down how the calls of some lanes ended, and free the lanes.

    A crash before the commit leaves them leased and so uncertain: whoever takes a lane over looks
    for each message before posting it again.

    Args:
        conn: A write transaction.
        owner: Who holds the lanes.
        delivered: What became of them.
    """
    outcomes = [outcome for each in delivered for outcome in each.outcomes]
    made = [each.delivery.id for each in outcomes if each.state is DeliveryState.DONE]
    await deliveries.done(conn, owner=owner, ids=made, now=_now())
    await cards.posted(
        conn,
        [
            (each.delivery.card_id, each.posted.channel, each.posted.ts)
            for each in outcomes
            if each.posted is not None and each.delivery.card_id is not None
        ],
    )
    for outcome in outcomes:
        await _write_down_trouble(conn, owner, outcome)
    for each in delivered:
        await lanes.let_go(
            conn,
            owner=owner,
            team=each.lane.team,
            lane=each.lane.lane,
            not_before=_now() + timedelta(seconds=each.pause_s),
            emptied=len(each.outcomes) == len(each.lane.deliveries),
        )


async def _write_down_trouble(conn: AsyncConnection, owner: str, outcome: Outcome) -> None:
    """What an outcome means beyond that a call was made; mostly nothing."""
    delivery, posted = outcome.delivery, outcome.posted
    if posted is not None and delivery.card_id is not None:
        if posted.astray:
            await cards.retire(conn, delivery.card_id)
        if posted.after_all:
            await show_elsewhere(conn, delivery)
    if outcome.state is DeliveryState.DEAD:
        await deliveries.bury(conn, owner=owner, delivery_id=delivery.id, error=outcome.error)
        # Where nobody can see a card, another one must offer what it offers.
        if delivery.card_id is not None and await cards.refuse(conn, delivery.card_id):
            await show_elsewhere(conn, delivery)
    elif outcome.state is DeliveryState.WAITING:
        await deliveries.retry(
            conn,
            owner=owner,
            delivery_id=delivery.id,
            due_at=_now() + timedelta(seconds=outcome.pause_s),
            error=outcome.error,
            uncertain=outcome.uncertain,
            tried=outcome.tried,
        )


def _now() -> datetime:
    return datetime.now(UTC)
