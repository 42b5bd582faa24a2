"""Sparse features of how a text is worded: its words, and runs of characters; both hashed."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Self
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

_WORD = re.compile(r"[^\W\d_]{2,}")
_DIGIT = re.compile(r"\d")
_RUN_LENGTHS = (3, 4, 5)
_SPACE = ord(" ")
_PRIME, _SPREAD = np.uint32(16777619), np.uint32(0x85EBCA6B)  # of FNV-1a, and of MurmurHash3


def words(text: str) -> list[str]:
    """The words of a text and its pairs of neighbouring words, in lower case, without digits."""
    single = _WORD.findall(text.lower())
    return single + [f"{first} {second}" for first, second in pairwise(single)]


@dataclass(frozen=True, slots=True)
class SparseRows:
    """A sparse matrix [n, buckets] with as much of it as prediction needs.

    Attributes:
        values: float32 [entries], row after row.
        buckets: Column of each entry, int64 [entries].
        offsets: Where each row begins in them, and the end, int64 [n + 1].
    """

    values: NDArray[np.float32]
    buckets: NDArray[np.int64]
    offsets: NDArray[np.int64]

    def __matmul__(self, weights: NDArray[np.float16 | np.float32]) -> NDArray[np.float32]:
        """The product float32 [n, classes] with dense weights [buckets, classes]."""
        starts, lengths = self.offsets[:-1], np.diff(self.offsets)
        result = np.zeros((len(starts), weights.shape[1]), dtype=np.float32)
        filled = lengths > 0
        if filled.any():
            products = weights[self.buckets] * self.values[:, None]
            result[filled] = np.add.reduceat(products, starts[filled], axis=0)
        return result


@dataclass(frozen=True, slots=True)
class _Hashed:
    """Weighs the pieces of a text by how rare they are; hashed, so no vocabulary is kept.

    Attributes:
        rarity: Inverse document frequency float32 [buckets].
    """

    rarity: NDArray[np.float32]

    @staticmethod
    @abstractmethod
    def hashed(text: str, buckets: int) -> NDArray[np.int64]:
        """Buckets of the text's pieces, as often as they occur."""

    @classmethod
    def fit(cls, texts: Sequence[str], *, buckets: int) -> Self:
        """Count in how many of the texts the pieces of each bucket occur."""
        seen = np.zeros(buckets, dtype=np.int64)
        for text in texts:
            seen[np.unique(cls.hashed(text, buckets))] += 1
        rarity = np.log((1 + len(texts)) / (1 + seen)) + 1
        return cls(rarity=rarity.astype(np.float32))

    def transform(self, texts: Sequence[str]) -> SparseRows:
        """Features of n texts, each row of length 1, or empty for a text without any piece."""
        buckets, values = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.float32)]
        for text in texts:
            found, counts = np.unique(self.hashed(text, len(self.rarity)), return_counts=True)
            weights = (1 + np.log(counts)) * self.rarity[found]
            length = max(float(np.linalg.norm(weights)), 1e-12)
            buckets.append(found)
            values.append((weights / length).astype(np.float32))
        return SparseRows(
            values=np.concatenate(values),
            buckets=np.concatenate(buckets),
            offsets=np.cumsum(list(map(len, buckets)), dtype=np.int64),
        )


class WordFeatures(_Hashed):
    """The words of a text and its pairs of neighbouring words."""

    __slots__ = ()

    @staticmethod
    def hashed(text: str, buckets: int) -> NDArray[np.int64]:
        """Buckets of the words and pairs, as often as they occur."""
        hashes = (crc32(word.encode()) % buckets for word in words(text))
        return np.fromiter(hashes, dtype=np.int64)


class RunFeatures(_Hashed):
    """Runs of three to five characters within a word and the spaces around it.

    They see endings, compounds, typos and marks that words alone do not ("char_wb" in
    scikit-learn). Any digit is the same digit.
    """

    __slots__ = ()

    @staticmethod
    def hashed(text: str, buckets: int) -> NDArray[np.int64]:
        """Buckets of the runs, as often as they occur."""
        spaced = f" {' '.join(_DIGIT.sub('0', text.lower()).split())} "
        codes = np.frombuffer(spaced.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
        inner = codes != _SPACE
        found = [np.empty(0, dtype=np.uint32)]
        for length in _RUN_LENGTHS:
            starts = max(len(codes) - length + 1, 0)
            mixed = np.full(starts, length, dtype=np.uint32)
            in_one_word = np.ones(starts, dtype=np.bool_)
            for place in range(length):
                mixed = (mixed ^ codes[place : place + starts]) * _PRIME
                if 0 < place < length - 1:
                    in_one_word &= inner[place : place + starts]
            found.append(mixed[in_one_word])
        hashes = np.concatenate(found)
        hashes = (hashes ^ (hashes >> np.uint32(15))) * _SPREAD
        return ((hashes >> np.uint32(7)) % np.uint32(buckets)).astype(np.int64)
