"""Why a ticket is put to a person and with what probability; automatic routes drawn for audits."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from core.decision import Reason
from storage.records import State, Ticket
from storage.review_records import NewReviewRequest, ReviewRequest, Why

AUDIT_SECRET = "audit_draw"  # noqa: S105 - the name of the secret
"""Under which the record keeps the key of the draw."""

BLIND_SHARE = 0.5
"""Share of the audits that hide the pick: half, so that both kinds are estimated equally well."""

AUDITED_STATES = frozenset({State.ASSIGNED, State.CLAIMED, State.RESOLVED})
"""While a ticket is in one of these, an audit of it can be answered."""

_ABOVE_EVERY_DRAW = 2.0**64


@dataclass(frozen=True, slots=True)
class AuditDraw:
    """Draws automatic routes at random, yet the same for the same ticket, whoever asks and when.

    A crash or a redelivery so repeats the draw, and nobody without the key can foresee it.

    Attributes:
        key: Secret bytes that all replicas share.
        rate: Share in [0, 1] of automatic routes that is drawn.
    """

    key: bytes = b""
    rate: float = 0.0

    def takes(self, team: str, ticket_key: str) -> bool:
        """Whether the ticket of that key is audited if it is routed automatically."""
        return self._uniform(team, ticket_key, b"audit") < self.rate

    def blinds(self, team: str, ticket_key: str) -> bool:
        """Whether its audit hides the pick; independent of `takes`."""
        return self._uniform(team, ticket_key, b"blind") < BLIND_SHARE

    def exploration(self, team: str, ticket_id: int, day: date) -> float:
        """A number in [0, 1) by which tickets beyond the day's review budget are drawn."""
        return self._uniform(team, f"{ticket_id}:{day}", b"exploration")

    def explores(self, team: str, day: date) -> float:
        """A number in [0, 1) by which a budget of one goes to a ticket drawn at random."""
        return self._uniform(team, str(day), b"explores")

    def _uniform(self, team: str, ticket_key: str, what: bytes) -> float:
        """A number in [0, 1), uniform over tickets."""
        message = b"\0".join((what, team.encode(), ticket_key.encode()))
        digest = hmac.new(self.key, message, hashlib.sha256).digest()
        return int.from_bytes(digest[:8]) / _ABOVE_EVERY_DRAW


NO_AUDITS = AuditDraw()
"""Draws nothing."""


def request_for(
    ticket: Ticket, reason: Reason, draw: AuditDraw, *, blind_allowed: bool = True
) -> NewReviewRequest | None:
    """How a ticket that was just judged is put to a person; None when nobody is asked.

    Args:
        ticket: As judged.
        reason: Why the model decided as it did.
        draw: Draws the audits.
        blind_allowed: False when a card has shown the model's guess already.
    """
    if ticket.state is State.PENDING:
        why = _WHY_OF_REASON.get(reason, Why.UNSURE)
        return NewReviewRequest(
            team=ticket.team, ticket_id=ticket.id, why=why, probability=1.0, blind=False
        )
    if ticket.state is not State.ASSIGNED or not draw.takes(ticket.team, ticket.key):
        return None
    return NewReviewRequest(
        team=ticket.team,
        ticket_id=ticket.id,
        why=Why.AUDIT,
        probability=draw.rate,
        blind=blind_allowed and draw.blinds(ticket.team, ticket.key),
    )


_WHY_OF_REASON: dict[Reason, Why] = {
    Reason.QUEUE_DEMOTED: Why.DEMOTED,
    Reason.SUGGEST_ONLY: Why.SUGGESTED,
}


def audited(requests: Collection[NewReviewRequest]) -> frozenset[int]:
    """The ids of the tickets among them that are audited."""
    return frozenset(request.ticket_id for request in requests if request.why is Why.AUDIT)


def open_audit(ticket: Ticket, request: ReviewRequest | None) -> ReviewRequest | None:
    """The ticket's audit while it waits for an answer, out of its last request."""
    if request is None or request.why is not Why.AUDIT or request.answered:
        return None
    return request if ticket.state in AUDITED_STATES else None
