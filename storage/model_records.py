"""The values of the record that learning leaves: changes of the model, and what people settled."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from storage.records import Recorded


class ModelChangeKind(StrEnum):
    """What a person decided about a version of the model."""

    PROMOTE = "promote"
    KEEP = "keep"
    ROLLBACK = "rollback"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewModelChange:
    """A decision about the model, to be added to the record.

    Attributes:
        change: What was decided.
        by: Slack user id, or who gave the command on the machine.
        from_version: In force before.
        to_version: In force from then on; for KEEP the version that was not taken.
        offer: The version that a card offered, where this answers one: each has one answer.
    """

    change: ModelChangeKind
    by: str
    from_version: str
    to_version: str
    offer: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChange(NewModelChange, Recorded):
    """A decision about the model, as recorded; never changed afterwards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledText:
    """A ticket that a person settled and whose text is still there.

    Attributes:
        review_id: The step that settled it.
        ticket_id: The ticket.
        team: The workspace.
        text: As recorded, masked.
        queue: Where the person says that it belongs; None: it is no ticket.
        from_channel: It was written in a channel, not filed on purpose.
        probability: With which it was put to a person, in (0, 1]; 1 where a person spoke unasked.
    """

    review_id: int
    ticket_id: int
    team: str
    text: str
    queue: str | None
    from_channel: bool
    probability: float

    @property
    def number(self) -> str:
        """What people call the ticket: `T-12`."""
        return f"T-{self.ticket_id}"
