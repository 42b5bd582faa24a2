"""Makes Slack fail on purpose: by rule, or by a seeded die."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Generic, TypeVar

Effect = TypeVar("Effect")
CUT = 0
EVERY_TIME = 1_000_000_000
"""For `times`: the rule never wears out."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to one call; by default nothing.

    Attributes:
        error: Slack's name for what is wrong, empty when nothing is.
        status: HTTP status of the answer; `CUT` drops the connection without an answer.
        after: Whether the call takes effect all the same.
        retry_after: Seconds in the `Retry-After` header, for 429.
        delay: Seconds before the answer.
    """

    error: str = ""
    status: int = 200
    after: bool = True
    retry_after: int | None = None
    delay: float = 0.0


@dataclass(slots=True)
class _Rule(Generic[Effect]):
    name: str
    effect: Effect
    times: int
    probability: float


class Faults:
    """The rules in force. Earlier rules go first; a rule that is used up is gone.

    Everywhere, `method` is a Web API method or `*`, `times` says how often the rule strikes, and
    `probability`, in [0, 1], whether it strikes when it could.

    Args:
        seed: Equal seeds let equal runs fail equally.
    """

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)  # noqa: S311  (repeatable, not secret)
        self._calls: list[_Rule[Fault]] = []
        self._copies: list[_Rule[int]] = []

    def fail(
        self,
        method: str,
        *,
        times: int = 1,
        status: int = 500,
        error: str = "internal_error",
        after: bool = False,
        probability: float = 1.0,
    ) -> None:
        """Answer with an error; `after` says whether the call takes effect all the same."""
        fault = Fault(error, status, after)
        self._calls.append(_Rule(method, fault, times, probability))

    def limit(
        self, method: str, *, times: int = 1, retry_after: int = 1, probability: float = 1.0
    ) -> None:
        """Answer 429 with `Retry-After` in seconds."""
        fault = Fault("ratelimited", 429, after=False, retry_after=retry_after)
        self._calls.append(_Rule(method, fault, times, probability))

    def slow(
        self, method: str, seconds: float, *, times: int = 1, probability: float = 1.0
    ) -> None:
        """Answer properly, but late."""
        fault = Fault(delay=seconds)
        self._calls.append(_Rule(method, fault, times, probability))

    def drop(
        self, method: str, *, times: int = 1, after: bool = True, probability: float = 1.0
    ) -> None:
        """Cut the connection; with `after` the call took effect and only the answer is lost."""
        fault = Fault("connection_cut", CUT, after)
        self._calls.append(_Rule(method, fault, times, probability))

    def repeat(self, event: str, copies: int, *, times: int = 1, probability: float = 1.0) -> None:
        """Send an event of this type (`message`, or `*`) `copies` times at once."""
        self._copies.append(_Rule(event, copies, times, probability))

    def clear(self) -> None:
        """Let everything work again."""
        self._calls.clear()
        self._copies.clear()

    def strike_call(self, method: str) -> Fault:
        """What happens to a call that just came in."""
        return self._strike(self._calls, method) or Fault()

    def strike_event(self, event: str) -> int:
        """How often to send an event at once."""
        return self._strike(self._copies, event) or 1

    def _strike(self, rules: list[_Rule[Effect]], name: str) -> Effect | None:
        for rule in rules:
            possible = rule.times > 0 and rule.name in (name, "*")
            if possible and self._random.random() < rule.probability:
                rule.times -= 1
                return rule.effect
        return None
