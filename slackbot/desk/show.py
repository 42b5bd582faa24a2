"""Into the outbox: every card that a ticket needs, and what its reporter must hear."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from slackbot.intake import new_correlation
from slackbot.placement import Placement, own_card, placements
from slackbot.team_settings import TeamSettings
from slackbot.views.message import Message
from storage import cards, deliveries, tickets
from storage.records import Card, Delivery, DeliveryKind, NewCard, NewDelivery, Place, Ticket


@dataclass(frozen=True, slots=True)
class Cause:
    """What somebody did, and Slack must be told of.

    Attributes:
        correlation: Follows it through logs and tables.
        received_at: When it reached us (UTC).
    """

    correlation: str
    received_at: datetime


async def show(
    conn: AsyncConnection,
    ticket: Ticket,
    settings: TeamSettings,
    cause: Cause,
    *,
    audited: bool = False,
) -> None:
    """Have every card of the ticket posted, or rewritten to what is true now.

    A ticket that moves to another queue's channel leaves a stub behind and gets a new card there.
    """
    everything = await cards.of_tickets(conn, [ticket.id])
    live = {card.place: card for card in everything if not card.retired}
    for placement in placements(ticket, settings, audited=audited):
        card = live.get(placement.place)
        if card is None and placement.thread_ts and placement.place in _places(everything):
            continue  # the message with that thread is gone, and the card was taken back
        if card is not None and card.channel == placement.channel:
            continue
        if card is not None:
            await cards.retire(conn, card.id)
            await deliveries.enqueue(conn, [_delivery(card, cause)], datetime.now(UTC))
            del live[placement.place]
        if _has_card_in(placement, live.values()):
            continue
        [live[placement.place]] = await cards.want(conn, [_new_card(ticket, placement)])
    stale = [_delivery(card, cause) for card in live.values()]
    await deliveries.enqueue(conn, stale, datetime.now(UTC))


async def show_new(
    conn: AsyncConnection,
    filed: Sequence[tuple[Ticket, Cause]],
    settings: Mapping[str, TeamSettings],
    audited: Collection[int] = (),
) -> None:
    """Have the first cards of new tickets posted, in as many statements as for one.

    Args:
        conn: A write transaction.
        filed: The tickets, each with what it goes back to.
        settings: By team.
        audited: Ids of those among them that are put to a reviewer although they are sure.
    """
    cause_of = {ticket.id: cause for ticket, cause in filed}
    wanted = [
        _new_card(ticket, placement)
        for ticket, _ in filed
        for placement in _first_placements(
            ticket, settings[ticket.team], audited=ticket.id in audited
        )
    ]
    posts = [_delivery(card, cause_of[card.ticket_id]) for card in await cards.want(conn, wanted)]
    await deliveries.enqueue(conn, posts, datetime.now(UTC))


def _first_placements(ticket: Ticket, settings: TeamSettings, *, audited: bool) -> list[Placement]:
    first: list[Placement] = []
    for placement in placements(ticket, settings, audited=audited):
        if not _has_card_in(placement, first):
            first.append(placement)
    return first


async def show_elsewhere(conn: AsyncConnection, delivery: Delivery) -> None:
    """Rewrite the ticket's other cards: that of `delivery` cannot come, or has after all."""
    ticket = await tickets.get(conn, delivery.team, delivery.ticket_id or 0)
    if ticket is None:
        return
    cause = Cause(delivery.correlation, datetime.now(UTC))
    others = [
        _delivery(card, cause)
        for card in await cards.of_tickets(conn, [ticket.id])
        if card.id != delivery.card_id and not card.retired
    ]
    await deliveries.enqueue(conn, others, datetime.now(UTC))


async def notify(
    conn: AsyncConnection, ticket: Ticket, message: Message, key: str, cause: Cause
) -> None:
    """Tell the reporter where their own card is, once for each `key`."""
    own = own_card(ticket)
    notice = NewDelivery(
        team=ticket.team,
        lane=own.channel,
        kind=DeliveryKind.NOTICE,
        ticket_id=ticket.id,
        card_id=None,
        key=key,
        payload={"message": message.to_payload(), "thread_ts": own.thread_ts},
        correlation=cause.correlation,
    )
    await deliveries.enqueue(conn, [notice], datetime.now(UTC))


async def tell_channel(
    conn: AsyncConnection, team: str, channel: str, message: Message, key: str
) -> bool:
    """Post what is about no single ticket, once for each `key`; False when that is under way."""
    notice = NewDelivery(
        team=team,
        lane=channel,
        kind=DeliveryKind.NOTICE,
        ticket_id=None,
        card_id=None,
        key=key,
        payload={"message": message.to_payload(), "thread_ts": None},
        correlation=new_correlation(),
    )
    return await deliveries.enqueue(conn, [notice], datetime.now(UTC)) == 1


async def answer(
    conn: AsyncConnection, *, team: str, url: str, ticket: Ticket, key: str, correlation: str
) -> None:
    """Answer who gave the command, through Slack's `response_url`."""
    said = NewDelivery(
        team=team,
        lane=f"answer:{key}",
        kind=DeliveryKind.ANSWER,
        ticket_id=ticket.id,
        card_id=None,
        key=f"answer:{key}",
        payload={"url": url},
        correlation=correlation,
    )
    await deliveries.enqueue(conn, [said], datetime.now(UTC))


def _places(made: Iterable[Card]) -> set[Place]:
    return {card.place for card in made}


def _has_card_in(placement: Placement, live: Iterable[Card | Placement]) -> bool:
    """Whether the ticket already has a card for staff in that very channel."""
    return any(
        card.channel == placement.channel and card.thread_ts == placement.thread_ts for card in live
    )


def _new_card(ticket: Ticket, placement: Placement) -> NewCard:
    return NewCard(
        team=ticket.team,
        ticket_id=ticket.id,
        place=placement.place,
        channel=placement.channel,
        thread_ts=placement.thread_ts,
    )


def _delivery(card: Card, cause: Cause) -> NewDelivery:
    return NewDelivery(
        team=card.team,
        # Rewrites do not wait behind the channel's new posts, which Slack allows fewer of.
        lane=card.channel if card.ts is None else f"{card.channel}:rewrites",
        kind=DeliveryKind.CARD,
        ticket_id=card.ticket_id,
        card_id=card.id,
        key=None,
        payload={"received_at": cause.received_at.isoformat()},
        correlation=cause.correlation,
    )
