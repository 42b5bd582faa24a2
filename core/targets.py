"""Turns what is known about texts into the arrays that models are fitted to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.dataset import Example
from core.decision import Impact, Urgency

_ALTERNATIVE = 0.25
"""What a second defensible queue weighs, out of 1."""

_URGENCIES, _IMPACTS = list(Urgency), list(Impact)


@dataclass(frozen=True, slots=True)
class Targets:
    """What is known about n texts; a row sums to the text's weight, or is zero when unknown.

    Attributes:
        queue: float32 [n, queues].
        ticket: float32 [n, 2]: no, yes; a table holds nothing but tickets, and says little.
        urgency: float32 [n, 3]: high, medium, low.
        impact: float32 [n, 3]: company, team, user.
    """

    queue: NDArray[np.float32]
    ticket: NDArray[np.float32]
    urgency: NDArray[np.float32]
    impact: NDArray[np.float32]

    def by_name(self) -> dict[str, NDArray[np.float32]]:
        """The arrays by the labellings' names, but those that know nothing of any text."""
        named = {
            "queue": self.queue,
            "ticket": self.ticket,
            "urgency": self.urgency,
            "impact": self.impact,
        }
        return {name: target for name, target in named.items() if target.any()}


def targets(
    examples: Sequence[Example],
    queues: Sequence[str],
    *,
    message_weight: float = 1.0,
    table_weight: float = 0.0,
) -> Targets:
    """Collect what is known.

    Args:
        examples: The n texts.
        queues: Names in class order.
        message_weight: What a message weighs for its queue where a ticket of the table weighs 1.
        table_weight: What a ticket of the table weighs as proof of how tickets look, where a
            message weighs 1.

    Returns:
        The arrays, rows in the order of the examples.
    """
    n = len(examples)
    queue = np.zeros((n, len(queues)), dtype=np.float32)
    ticket = np.zeros((n, 2), dtype=np.float32)
    urgency = np.zeros((n, len(_URGENCIES)), dtype=np.float32)
    impact = np.zeros((n, len(_IMPACTS)), dtype=np.float32)
    place = {name: column for column, name in enumerate(queues)}
    for row, example in enumerate(examples):
        if example.queue:
            queue[row, place[example.queue]] = 1
        for name in example.one_of:
            queue[row, place[name]] = 1 / len(example.one_of)
        if example.queue and example.alt_queue:
            queue[row, place[example.queue]] = 1 - _ALTERNATIVE
            queue[row, place[example.alt_queue]] = _ALTERNATIVE
        if example.is_ticket is not None:
            ticket[row, int(example.is_ticket)] = 1 if example.batch else table_weight
        if example.urgency:
            urgency[row, _URGENCIES.index(example.urgency)] = 1
        if example.impact:
            impact[row, _IMPACTS.index(example.impact)] = 1
    from_messages = np.array([bool(example.batch) for example in examples])
    queue[from_messages] *= message_weight
    return Targets(queue=queue, ticket=ticket, urgency=urgency, impact=impact)
