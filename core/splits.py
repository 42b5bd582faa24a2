"""Divides texts into train, calibrate and test so that no text is ever on two sides."""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_WORD = re.compile(r"\w+")
_RUN = 3
_NEAR = 0.5


@dataclass(frozen=True, slots=True)
class Shares:
    """How much of the data each part gets; the three sum to 1.

    Attributes:
        train: Share in (0, 1) that models are fitted on.
        calibrate: Share in (0, 1) that confidences and thresholds are fitted on.
        test: Share in (0, 1) that is only ever measured on.
    """

    train: float = 0.88
    calibrate: float = 0.06
    test: float = 0.06


@dataclass(frozen=True, slots=True)
class Split:
    """Row numbers of each part, int64, sorted, disjoint, together all rows.

    Attributes:
        train: Rows to fit on.
        calibrate: Rows to calibrate on.
        test: Rows to measure on.
    """

    train: NDArray[np.int64]
    calibrate: NDArray[np.int64]
    test: NDArray[np.int64]


def text_key(text: str) -> str:
    """What makes two texts the same text: their words, without case and punctuation."""
    return " ".join(_WORD.findall(text.casefold()))


def split(
    texts: Sequence[str], labels: Sequence[str], *, shares: Shares | None = None, seed: int = 0
) -> Split:
    """Split by a hash of each text, stratified by label.

    The place of a text depends on itself, the seed and its label's other texts, not on the
    order of the rows. Texts with the same words always land in the same part, also when their
    labels differ.

    Args:
        texts: The rows' texts.
        labels: The rows' labels, one each.
        shares: Sizes of the parts; 88/6/6 by default.
        seed: Another seed gives another split.

    Returns:
        The rows of each part.
    """
    shares = shares or Shares()
    rows: dict[str, list[int]] = defaultdict(list)
    for row, text in enumerate(texts):
        rows[text_key(text)].append(row)
    by_label: dict[str, list[str]] = defaultdict(list)
    for key, same in rows.items():
        by_label[min(labels[row] for row in same)].append(key)

    parts: tuple[list[int], ...] = ([], [], [])
    for keys in by_label.values():
        keys.sort(key=lambda key: _hash(key, seed))
        test_end = _count(len(keys), shares.test)
        calibrate_end = test_end + _count(len(keys), shares.calibrate)
        for place, key in enumerate(keys):
            part = 2 if place < test_end else 1 if place < calibrate_end else 0
            parts[part].extend(rows[key])
    train, calibrate, test = (np.array(sorted(part), dtype=np.int64) for part in parts)
    return Split(train=train, calibrate=calibrate, test=test)


def near_duplicates(texts: Sequence[str], known: Sequence[str]) -> NDArray[np.bool_]:
    """Tell which texts are nearly one of the known ones: mails of one thread, say.

    Args:
        texts: The texts to judge.
        known: What they are compared with.

    Returns:
        For each text [n] whether half of all runs of three words that it or a known text has
        are in both (Jaccard index of at least 0.5).
    """
    asked = [_runs(text) for text in texts]
    where: dict[int, list[int]] = defaultdict(list)
    for row, runs in enumerate(asked):
        for run in runs:
            where[run].append(row)
    found = np.zeros(len(asked), dtype=bool)
    for text in known:
        runs = _runs(text)
        shared = Counter(row for run in runs for row in where.get(run, ()))
        for row, count in shared.items():
            found[row] |= count >= _NEAR * (len(runs) + len(asked[row]) - count)
    return found


def _runs(text: str) -> frozenset[int]:
    """Hashes of a text's runs of three words; of all its words when it has fewer."""
    found = _WORD.findall(text.casefold())
    return frozenset(
        hash(tuple(found[at : at + _RUN])) for at in range(max(len(found) - _RUN + 1, 1))
    )


def _hash(key: str, seed: int) -> str:
    return hashlib.sha256(f"{seed}\0{key}".encode()).hexdigest()


def _count(total: int, share: float) -> int:
    """A label's texts in a part: its share, at least one when there are three or more."""
    return max(round(total * share), 1) if total >= 3 else 0
