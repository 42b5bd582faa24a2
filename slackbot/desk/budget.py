"""The review budget: which part of a long backlog is for today, and in which order.

What is left out is not drawn at random, so what people say about the rest tells nothing of it. A
fixed share of the budget therefore goes to tickets drawn at random from what would be left out,
with the probability of the draw on record.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from core.decision import Priority
from slackbot.reasons import PROBABILITY_DOES_NOT_HOLD
from storage.waiting import Waiting

EXPLORATION_SHARE = 0.2
"""Share of the budget for tickets drawn at random."""

_WEIGHTS = {
    Priority.P1: 16.0,
    Priority.P2: 8.0,
    Priority.P3: 4.0,
    Priority.P4: 2.0,
    Priority.P5: 1.0,
}
"""ITIL's priority adds up urgency and impact; with each step a wrong route costs twice as much."""


@dataclass(frozen=True, slots=True)
class Today:
    """What waits, in the order to settle it.

    Attributes:
        order: All of it; today's share comes first.
        beyond: How many wait beyond today's share.
    """

    order: tuple[Waiting, ...]
    beyond: int


@dataclass(frozen=True, slots=True)
class Drawn:
    """Tickets drawn at random from what would be left out.

    Attributes:
        tickets: Which.
        probability: With which each of those that might have been was drawn, in (0, 1]; 0 when
            there was nothing to draw.
    """

    tickets: tuple[Waiting, ...]
    probability: float


def expected_cost(ticket: Waiting) -> float:
    """What it may cost to trust the model with a ticket, in [0, 16].

    That is the probability that its first choice is wrong, times the weight of the priority.
    """
    wrong = 1.0 if ticket.reason in PROBABILITY_DOES_NOT_HOLD else 1.0 - ticket.confidence
    return wrong * _WEIGHTS[Priority(ticket.priority)]


def today(waiting: Sequence[Waiting], left: int | None, drawn: Collection[int] = ()) -> Today:
    """Put what waits in order.

    Args:
        waiting: All that waits.
        left: How many decisions today's budget has left; None without a budget.
        drawn: Ids of tickets that are for today because they were drawn.

    Returns:
        Without more than the budget: the most urgent first, then the oldest. With more: today's
        share first, drawn ones included, each part with the highest expected cost first.
    """
    if left is None or len(waiting) <= left:
        return Today(tuple(sorted(waiting, key=_by_urgency)), 0)
    ranked = _ranked(waiting)
    explored = [each for each in ranked if each.ticket_id in drawn][:left]
    others = [each for each in ranked if each not in explored]
    share = _ranked([*explored, *others[: left - len(explored)]])
    return Today((*share, *others[left - len(explored) :]), len(waiting) - left)


def draw(
    waiting: Sequence[Waiting], left: int, chance: Callable[[Waiting], float], coin: float
) -> Drawn:
    """Draw the random share of today's budget.

    Args:
        waiting: All that waits.
        left: How many decisions today's budget has left.
        chance: A number in [0, 1) for each ticket, uniform and independent of all else.
        coin: A number in [0, 1) for the day, likewise: whether the only place is drawn.

    Returns:
        A simple random sample of what the expected cost alone would leave out.
    """
    if not 0 < left < len(waiting):
        return Drawn((), 0.0)
    if left == 1:  # one place cannot be shared on one day: over the days it is
        rest = _ranked(waiting)[1:]
        sample = [min(rest, key=chance)] if coin < EXPLORATION_SHARE else []
        return Drawn(tuple(sample), EXPLORATION_SHARE / len(rest))
    size = max(round(EXPLORATION_SHARE * left), 1)
    rest = _ranked(waiting)[left - size :]
    sample = sorted(rest, key=chance)[:size]
    return Drawn(tuple(sample), size / len(rest))


def _ranked(waiting: Sequence[Waiting]) -> list[Waiting]:
    return sorted(waiting, key=lambda each: (-expected_cost(each), each.ticket_id))


def _by_urgency(ticket: Waiting) -> tuple[str, int]:
    return ticket.priority, ticket.ticket_id
