"""What the names of queues in the record mean today."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy.ext.asyncio import AsyncConnection

from core.queue_edits import ClassNames, QueueEdit, carry, meant_at
from slackbot.views.ids import spellings
from storage import queue_edits
from storage.audit_log import Counts, JudgedTicket
from storage.queue_edits import RecordedEdit, Written
from storage.records import Prediction
from storage.review_records import QueueChange, RoutingChange

if TYPE_CHECKING:  # a model takes a while to load, and most commands need none
    from core.classifier import Classifier

BEFORE_SPLIT = "(before it was split)"
"""Stands after the name of a queue that nobody can say any more which part of it was meant."""


@dataclass(frozen=True, slots=True)
class QueueNames:
    """Carries names from where they were written to today.

    Attributes:
        recorded: All edits of the list of queues, the oldest first.
        edits: The same as `core` knows them.
    """

    recorded: Sequence[RecordedEdit] = ()
    edits: tuple[QueueEdit, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Translate the record."""
        edits = tuple(QueueEdit(each.before, each.after) for each in self.recorded)
        object.__setattr__(self, "edits", edits)

    @property
    def newest(self) -> int:
        """The id of the last edit; 0 when there is none."""
        return self.recorded[-1].id if self.recorded else 0

    def made_after(self, moment: datetime) -> int:
        """How many edits had been made at a time: so many are in the names of a bundle of then."""
        return sum(edit.created_at <= moment for edit in self.recorded)

    def today(self, name: str, at: int) -> tuple[str, ...]:
        """The queues that a name may mean which somebody wrote or saw after `at` edits."""
        return carry(name, self.edits[meant_at(name, self.edits, at) :])

    def picked(
        self, choice: str, queues: Collection[str], at: int | None = None
    ) -> tuple[str, ...]:
        """The queues of today that somebody's choice may mean; several after a split, or none.

        Args:
            choice: As Slack sent it.
            queues: All there are today.
            at: How many edits were known where it was chosen; None where that is not known.
        """
        seen = len(self.edits) if at is None else min(at, len(self.edits))
        for name in spellings(choice):
            if found := tuple(q for q in self.today(name, seen) if q in queues):
                return found
        return ()

    def in_use(self, name: str) -> bool:
        """Whether a queue may have that name today: no edit has taken it away."""
        return meant_at(name, self.edits, len(self.edits)) == len(self.edits)

    def of_bundle(self, queues: Sequence[str], made_at: datetime) -> ClassNames:
        """What the queues of a bundle are called today."""
        return ClassNames.of(queues, self.edits, self.made_after(made_at))

    def told(self, classifier: Classifier) -> Classifier:
        """The same model, answering in the names of today."""
        return classifier.after(self.edits, self.made_after(classifier.manifest.created_at))

    def of_row(self, table: Written, row_id: int, name: str) -> tuple[str, ...]:
        """The queues that a name in the record may mean; several where its queue was split."""
        if not self.recorded:
            return (name,)
        return carry(name, self.edits[self._at(table, row_id) :])

    def _at(self, table: Written, row_id: int) -> int:
        """How many edits had been made when a row was written."""
        return bisect_left(self.recorded, row_id, key=lambda edit: edit.written[table])

    def since(self, table: Written, row_id: int, name: str | None) -> tuple[str, ...]:
        """What a name in the record means today; nothing where that is the same, or was None."""
        found = self.of_row(table, row_id, name) if name is not None else ()
        return () if found == (name,) else found

    def of_prediction(self, said: Prediction) -> Prediction:
        """The same with the queues of today; of those that one was split into the most probable."""
        if not self.recorded:
            return said
        edits = self.edits[self._at(Written.PREDICTIONS, said.id) :]
        probabilities: defaultdict[str, float] = defaultdict(float)
        for name, probability in said.probabilities.items():
            found = carry(name, edits)
            for queue in found:
                probabilities[queue] += probability / len(found)
        queue = max(carry(said.queue, edits), key=lambda name: probabilities[name])
        return replace(
            said, queue=queue, confidence=probabilities[queue], probabilities=dict(probabilities)
        )

    def of_ticket(self, ticket: JudgedTicket) -> JudgedTicket:
        """The same, with the names of today.

        What was said of a queue before it was split has a name of its own; it was right if the
        ticket was settled into one of the parts.
        """
        if not self.recorded:
            return ticket
        said = self.of_row(Written.PREDICTIONS, ticket.prediction_id, ticket.queue)
        queue = said[0] if len(said) == 1 else f"{ticket.queue} {BEFORE_SPLIT}"
        settled = ticket.settled_queue
        if settled is not None and ticket.settled_id is not None:
            found = self.of_row(Written.REVIEWS, ticket.settled_id, settled)
            settled = queue if set(found) <= set(said) else found[0]
        return replace(ticket, queue=queue, settled_queue=settled)

    def of_counts(self, counts: Counts) -> Counter[tuple[str, str]]:
        """Predictions by today's queue and reason, counted between `borders`."""
        found: Counter[tuple[str, str]] = Counter()
        for (stretch, name, reason), count in counts.items():
            names = carry(name, self.edits[stretch:])
            queue = names[0] if len(names) == 1 else f"{name} {BEFORE_SPLIT}"
            found[queue, reason] += count
        return found

    def of_routing(self, changes: Iterable[QueueChange]) -> dict[str, QueueChange]:
        """The last change of each queue of today, without those of which nothing was changed.

        A merged queue is under review if one of its parts was, and so are the parts of a split one.

        Args:
            changes: Of one team, oldest first.
        """
        by_queue: dict[str, QueueChange] = {}
        done = 0
        for change in changes:
            at = self._at(Written.QUEUE_CHANGES, change.id)
            by_queue = _renamed(by_queue, self.edits[done:at])
            by_queue[change.queue] = change
            done = at
        return _renamed(by_queue, self.edits[done:])

    @property
    def borders(self) -> tuple[int, ...]:
        """The last prediction before each edit."""
        return tuple(edit.written[Written.PREDICTIONS] for edit in self.recorded)

    def one_of_row(self, table: Written, row_id: int, name: str | None) -> str | None:
        """The queue that a name in the record means; None where it is not known, or was None."""
        if name is None:
            return None
        found = self.of_row(table, row_id, name)
        return found[0] if len(found) == 1 else None


def _renamed(
    by_queue: Mapping[str, QueueChange], edits: Iterable[QueueEdit]
) -> dict[str, QueueChange]:
    """The strictest change of what a queue was made of."""
    found = dict(by_queue)
    for edit in edits:
        parts = [found.pop(name) for name in edit.before if name in found]
        strict = [part for part in parts if part.change is not RoutingChange.RESTORED] or parts
        if strict:
            found |= dict.fromkeys(edit.after, max(strict, key=lambda part: part.id))
    return found


EVER_THE_SAME = QueueNames()
"""No queue was ever edited."""


async def read_names(conn: AsyncConnection) -> QueueNames:
    """What is recorded now."""
    return QueueNames(await queue_edits.everything(conn))
