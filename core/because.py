"""Which words moved a decision most: each is left out once, and the whole model asked again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.classifier import Classifier
from core.text import normalize

MAX_WORDS = 40
"""Words of a text that are tried; each costs one more text to embed."""

# Vowel signs and accents that Python's \w leaves out; all of India's and Thailand's blocks.
_MARKS = r"\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0900-\u0963\u0966-\u109f"
_WORD = re.compile(rf"\w[\w{_MARKS}]*(?:['\u2019-]+[\w{_MARKS}]+)*")
_LEAST = 0.005


@dataclass(frozen=True, slots=True)
class Moved:
    """A word and what it did.

    Attributes:
        word: As it stands in the normalized text.
        share: How much more probable, in [-1, 1], the queue is with the word than without it.
    """

    word: str
    share: float


def because(classifier: Classifier, text: str, queue: str, *, most: int = 5) -> tuple[Moved, ...]:
    """Find the words that moved the decision for a queue most.

    Occlusion (Zeiler and Fergus 2014): a word counts what the queue's calibrated probability
    loses when the word is left out wherever it stands. The whole pooled model is asked, so the
    answer is exact for its linear parts and for the encoder alike. It costs one batch of at most
    `MAX_WORDS` texts: keep it off the event loop.

    Args:
        classifier: Whose decision it is.
        text: As it was written.
        queue: The queue to explain.
        most: How many words at most.

    Returns:
        The words that moved it by half a percent or more, the strongest first; those with a
        negative share spoke against the queue.

    Raises:
        ValueError: The classifier has no such queue.
    """
    if queue not in classifier.queues:
        raise ValueError(f"the model has no queue {queue!r}")
    share = classifier.names.shares[:, classifier.queues.index(queue)]
    normal = normalize(text)
    words = _words(normal)
    variants = [normal, *(_without(normal, word) for word in words)]
    outputs = classifier.heads.predict(variants, classifier.encoder.encode(variants))
    probability = outputs.queue @ share
    shares = probability[0] - probability[1:]
    moved = [Moved(word, float(share)) for word, share in zip(words, shares, strict=True)]
    strongest = sorted(moved, key=lambda each: -abs(each.share))
    return tuple(each for each in strongest[:most] if abs(each.share) >= _LEAST)


def _words(text: str) -> Sequence[str]:
    """The first different words of a text, as they first stand there."""
    first: dict[str, str] = {}
    for word in _WORD.findall(text):
        first.setdefault(word.lower(), word)
    return list(first.values())[:MAX_WORDS]


def _without(text: str, word: str) -> str:
    return _WORD.sub(lambda found: " " if found[0].lower() == word.lower() else found[0], text)
