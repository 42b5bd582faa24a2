"""What a decision's reason says about the probabilities beside it."""

from __future__ import annotations

from core.decision import Reason

PROBABILITY_DOES_NOT_HOLD = frozenset(
    {Reason.UNKNOWN_LANGUAGE, Reason.UNLIKE_TRAINING, Reason.TOO_LITTLE_TEXT}
)
"""Where these are the reason, the probabilities were checked on no text of that kind."""
