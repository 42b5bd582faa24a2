"""From the record to what a card shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from core.decision import Decision, Impact, Priority, Reason, Urgency
from core.priority import explain
from slackbot.views.ticket import Step, TicketCard
from storage import predictions, reviews
from storage.records import Prediction, Review, Ticket


@dataclass(frozen=True, slots=True)
class History:
    """All that is known of a ticket.

    Attributes:
        ticket: As it is now.
        said: What the model said last; None only for a ticket whose prediction is gone.
        steps: What people did, oldest first.
    """

    ticket: Ticket
    said: Prediction
    steps: tuple[Review, ...]


async def history_of(conn: AsyncConnection, ticket: Ticket) -> History:
    """Read what the model said about a ticket and what people did with it."""
    said = await predictions.latest(conn, ticket.id)
    if said is None:
        raise LookupError(f"{ticket.number} has no prediction")  # written with it, never erased
    return History(ticket, said, tuple(await reviews.of_ticket(conn, ticket.id)))


def as_card(history: History, queues: Sequence[str], workspace_url: str) -> TicketCard:
    """What every card of the ticket shows.

    Args:
        history: The record.
        queues: All queues that exist, in the model's order.
        workspace_url: `https://team.slack.com/`, for links to messages; may be empty.
    """
    ticket, said = history.ticket, history.said
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
        created_at=ticket.created_at,
        steps=tuple(
            Step(
                by=review.reviewer,
                action=review.action,
                at=review.created_at,
                queue_after=review.queue_after,
                priority_after=Priority(review.priority_after),
            )
            for review in history.steps
        ),
    )


def _top3(probabilities: Mapping[str, float]) -> tuple[tuple[str, float], ...]:
    ranked = sorted(probabilities.items(), key=lambda item: -item[1])
    return tuple(ranked[:3])


def _permalink(ticket: Ticket, workspace_url: str) -> str | None:
    if not (workspace_url and ticket.channel and ticket.ts):
        return None
    link = f"{workspace_url}archives/{ticket.channel}/p{ticket.ts.replace('.', '')}"
    return f"{link}?thread_ts={ticket.thread_ts}&cid={ticket.channel}" if ticket.thread_ts else link
