"""Fills a record with tickets that people were asked about, as if they had been filed."""

from storage import predictions, review_requests, reviews, tickets
from storage.records import Action, NewPrediction, NewReview, NewTicket, Source, State
from storage.review_records import NewReviewRequest, Why


async def add_ticket(
    database,
    key,
    *,
    team,
    at,
    queue="Access",
    version="m1",
    confidence=0.97,
    why=Why.AUDIT,
    probability=0.05,
    blind=False,
    answer=None,
    answered_at=None,
    asked=True,
):
    """A ticket with a prediction; `why` None: nobody was asked; `answer` a queue, or None."""
    auto = why in (None, Why.AUDIT)
    reason = {Why.DEMOTED: "queue_demoted", Why.UNSURE: "low_confidence"}.get(why, "confident")
    async with database.write() as conn:
        new = NewTicket(
            team=team,
            key=key,
            channel="C1",
            ts=None,
            thread_ts=None,
            source=Source.MESSAGE,
            reporter="U1",
            text="x",
            state=State.ASSIGNED if auto else State.PENDING,
            queue=queue if auto else None,
            urgency="low",
            impact="user",
            priority="P5",
        )
        [ticket] = await tickets.create(conn, [new], at)
        said = NewPrediction(
            team=team,
            ticket_id=ticket.id,
            model_version=version,
            queue=queue,
            confidence=confidence,
            probabilities={queue: confidence},
            threshold=0.9,
            decision="auto" if auto else "review",
            reason=reason,
            urgency="low",
            impact="user",
            priority="P5",
            language="en",
            latency_ms=1.0,
        )
        await predictions.add(conn, [said], at)
        if why is None:
            return
        request = NewReviewRequest(
            team=team, ticket_id=ticket.id, why=why, probability=probability, blind=blind
        )
        await review_requests.add(conn, [request], at)
        if answer is None:
            return
        review = NewReview(
            team=team,
            ticket_id=ticket.id,
            reviewer="U9",
            action=Action.CONFIRM if answer == queue else Action.REASSIGN,
            queue_before=queue,
            queue_after=answer,
            priority_before="P5",
            priority_after="P5",
        )
        await reviews.add(conn, review, answered_at or at)
        made = (await review_requests.latest(conn, [ticket.id]))[ticket.id]
        await review_requests.answer(conn, made, asked=asked, now=answered_at or at)
