"""From the record to what a card shows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from core.decision import Decision, Impact, Priority, Reason, Urgency
from core.priority import explain
from slackbot.desk.audits import open_audit
from slackbot.placement import controls
from slackbot.queue_names import QueueNames
from slackbot.views.card import card as card_message
from slackbot.views.card import moved
from slackbot.views.message import Message
from slackbot.views.ticket import Judgement, Step, TicketCard
from storage import cards, predictions, review_requests, reviews
from storage.queue_edits import Written
from storage.records import Card, Delivery, Place, Prediction, Review, State, Ticket
from storage.review_records import ReviewRequest

_OfTicket = TypeVar("_OfTicket", Review, Card)


@dataclass(frozen=True, slots=True)
class History:
    """All that is known of a ticket.

    Attributes:
        ticket: As it is now.
        said: What the model said last.
        steps: What people did, oldest first.
        cards: All its cards in the order they were made, the retired ones too.
        audit: Its audit, while one waits for an answer.
    """

    ticket: Ticket
    said: Prediction
    steps: tuple[Review, ...]
    cards: tuple[Card, ...]
    audit: ReviewRequest | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """A card and what it shows.

    Attributes:
        card: Where it belongs, and where it stands.
        message: What it shows now.
        known_by: The metadata it was first posted with, by which it is found again.
        obsolete: It need not be posted any more; where it stands already it must be rewritten.
        since: Not posted before this time (UTC).
    """

    card: Card
    message: Message
    known_by: Mapping[str, Any]
    obsolete: bool
    since: datetime


async def histories_of(conn: AsyncConnection, found: Sequence[Ticket]) -> dict[int, History]:
    """Read what became of some tickets, in as many statements as for one; by the tickets' ids."""
    ids = [ticket.id for ticket in found]
    said = await predictions.latest(conn, ids)
    changed = [ticket.id for ticket in found if ticket.version > 1]  # as every step makes it
    steps = _by_ticket(await reviews.of_tickets(conn, changed) if changed else ())
    made = _by_ticket(await cards.of_tickets(conn, ids))
    maybe = [ticket.id for ticket in found if _may_be_audited(ticket, made[ticket.id])]
    asked = await review_requests.latest(conn, maybe) if maybe else {}
    return {
        ticket.id: History(
            ticket,
            said[ticket.id],
            steps[ticket.id],
            made[ticket.id],
            open_audit(ticket, asked.get(ticket.id)),
        )
        for ticket in found
        if ticket.id in said  # always so: it is written with the ticket and never erased
    }


def _may_be_audited(ticket: Ticket, made: Iterable[Card]) -> bool:
    """Spares the many automatic routes that nobody audits a statement."""
    return ticket.state is not State.PENDING and any(card.place is Place.REVIEW for card in made)


def _by_ticket(rows: Iterable[_OfTicket]) -> defaultdict[int, tuple[_OfTicket, ...]]:
    grouped: defaultdict[int, tuple[_OfTicket, ...]] = defaultdict(tuple)
    for row in rows:
        grouped[row.ticket_id] += (row,)
    return grouped


def as_card(
    history: History, queues: Sequence[str], names: QueueNames, workspace_url: str
) -> TicketCard:
    """What every card of the ticket shows.

    Args:
        history: The record.
        queues: All queues that exist, in the model's order.
        names: What became of queues.
        workspace_url: `https://team.slack.com/`, for links to messages; may be empty.
    """
    ticket, said = history.ticket, names.of_prediction(history.said)
    urgency, impact = Urgency(ticket.urgency), Impact(ticket.impact)
    return TicketCard(
        number=ticket.number,
        text=ticket.text,
        reporter=ticket.reporter,
        permalink=_permalink(ticket, workspace_url),
        state=ticket.state,
        queue=ticket.queue,
        queues=tuple(queues),
        top3=_top3(said.probabilities),
        confidence=said.confidence,
        decision=Decision(said.decision),
        reason=Reason(said.reason),
        priority=Priority(ticket.priority),
        priority_why=explain(urgency, impact, ticket.text),
        language=said.language,
        model_version=said.model_version,
        precedent=f"T-{said.precedent}" if said.precedent else None,
        created_at=ticket.created_at,
        steps=tuple(
            Step(
                by=review.reviewer,
                action=review.action,
                at=review.created_at,
                queue_after=review.queue_after,
                priority_after=Priority(review.priority_after),
                today=names.since(Written.REVIEWS, review.id, review.queue_after),
            )
            for review in history.steps
        ),
        edits=len(names.edits),
    )


def as_judgements(said: Iterable[Prediction], names: QueueNames) -> tuple[Judgement, ...]:
    """What the model said of a ticket, time after time."""
    return tuple(
        Judgement(
            at=each.created_at,
            queue=each.queue,
            confidence=each.confidence,
            decision=Decision(each.decision),
            reason=Reason(each.reason),
            priority=Priority(each.priority),
            language=each.language,
            model_version=each.model_version,
            today=names.since(Written.PREDICTIONS, each.id, each.queue),
        )
        for each in said
    )


def shown_card(delivery: Delivery, history: History, ticket_card: TicketCard) -> Shown | None:
    """The card that `delivery` is about, with what it must show.

    Returns:
        None when there is nothing to show: a card that was overtaken before it was posted.
    """
    ticket = history.ticket
    card = next(card for card in history.cards if card.id == delivery.card_id)
    obsolete = card.retired or ticket.state is State.WITHDRAWN
    if obsolete and card.ts is None and not delivery.uncertain:
        return None
    message = card_message(
        ticket_card,
        card.place,
        controls(ticket, card, history.cards, history.audit),
        for_reporter=card.place is Place.THREAD,
    )
    known_by = message.metadata or {}
    if card.retired:
        message = moved(ticket_card, ticket.queue)
    return Shown(card, message, known_by, obsolete, ticket.created_at)


def _top3(probabilities: Mapping[str, float]) -> tuple[tuple[str, float], ...]:
    ranked = sorted(probabilities.items(), key=lambda item: -item[1])
    return tuple(ranked[:3])


def _permalink(ticket: Ticket, workspace_url: str) -> str | None:
    if not (workspace_url and ticket.channel and ticket.ts):
        return None
    link = f"{workspace_url}archives/{ticket.channel}/p{ticket.ts.replace('.', '')}"
    return f"{link}?thread_ts={ticket.thread_ts}&cid={ticket.channel}" if ticket.thread_ts else link
