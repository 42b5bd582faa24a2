"""What became of queues: renamed, merged, split or added; and what old names mean today."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.dataset import check_names
from core.errors import DataError
from core.policy import UNPROVEN, Rules

_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})


@dataclass(frozen=True, slots=True)
class QueueEdit:
    """One change of the list of queues.

    Whatever was in one of the queues before is in one of those after. One for one is a renaming,
    several for one a merger, one for several a split, and none for one an addition.

    Attributes:
        before: Names that are no more, unless they are among those after.
        after: Names from then on.
    """

    before: tuple[str, ...]
    after: tuple[str, ...]


def carry(name: str, edits: Iterable[QueueEdit]) -> tuple[str, ...]:
    """What a name has become through some edits, the oldest first.

    Returns:
        The queue; or several, of which nobody knows which one is meant, as a queue was split.
    """
    names: tuple[str, ...] = (name,)
    for edit in edits:
        if not set(edit.before).isdisjoint(names):
            found = (n for each in names for n in (edit.after if each in edit.before else (each,)))
            names = tuple(dict.fromkeys(found))
    return names


def meant_at(name: str, edits: Sequence[QueueEdit], at: int) -> int:
    """From which edit on a name is to be carried that was written after `at` of them.

    That is `at`, unless no queue had that name any more: then it is meant as it last was. So the
    name that somebody is used to still leads where it belongs.
    """
    for position in range(at, 0, -1):
        edit = edits[position - 1]
        if name in edit.after:
            return at
        if name in edit.before:
            return position - 1
    return at


def edited(queues: Sequence[str], edits: Iterable[QueueEdit]) -> tuple[str, ...]:
    """The list of queues after some edits; a new name takes the place of the first old one."""
    names = list(queues)
    for edit in edits:
        gone = [name for name in names if name in edit.before]
        if edit.before and not gone:
            continue  # another model, which never had that queue
        at = names.index(gone[0]) if gone else len(names)
        names[at:at] = edit.after
        kept = (name for name in names if name not in edit.before or name in edit.after)
        names = list(dict.fromkeys(kept))
    return tuple(names)


@dataclass(frozen=True, slots=True, eq=False)
class ClassNames:
    """What a model's classes are called today.

    Attributes:
        own: The classes' names when the model was made.
        queues: Every queue there is today; some may be none of the model's.
        classes: For each class the queues that it may mean: several where its queue was split.
        shares: How much of each class belongs to each queue, float64 [classes, queues]; rows sum
            to 1. What is split is shared out evenly, as the model cannot know.
    """

    own: tuple[str, ...]
    queues: tuple[str, ...]
    classes: tuple[tuple[str, ...], ...]
    shares: NDArray[np.float64]

    @classmethod
    def of(cls, names: Sequence[str], edits: Sequence[QueueEdit] = (), at: int = 0) -> ClassNames:
        """Carry a model's names.

        Args:
            names: In class order, as they were when the model was made.
            edits: All there ever were, the oldest first.
            at: How many of them had been made by then.
        """
        since = [meant_at(name, edits, at) for name in names]
        then = [carry(name, edits[start:at]) for name, start in zip(names, since, strict=True)]
        queues = edited(list(dict.fromkeys(n for some in then for n in some)), edits[at:])
        classes = tuple(
            carry(name, edits[start:]) for name, start in zip(names, since, strict=True)
        )
        shares = [[(queue in some) / len(some) for queue in queues] for some in classes]
        return cls(tuple(names), queues, classes, np.array(shares, dtype=np.float64))

    @property
    def edited(self) -> bool:
        """Whether anything is called otherwise than when the model was made."""
        return self.queues != self.own or self.classes != tuple((name,) for name in self.own)

    def is_divided(self, probabilities: NDArray[np.float64]) -> bool:
        """Whether no queue of today is as probable as a class was whose queue was split.

        Args:
            probabilities: Of the classes, float64 [classes].
        """
        split = np.array([len(some) > 1 for some in self.classes])
        most = float(probabilities[split].max(initial=0.0))
        return bool(most > 0 and most >= (probabilities @ self.shares).max())

    def rules(self, rules: Rules) -> Rules:
        """The limits for the queues of today.

        A merged queue needs what the strictest of its parts needed: each of them kept the promise
        from its own threshold on, and to be in one of several is never less probable than to be in
        one of them. Nothing is known of what came out of a split, or was added.
        """
        stripped = rules.stripped_thresholds
        return replace(
            rules,
            thresholds=self._thresholds(rules.thresholds),
            stripped_thresholds=stripped and self._thresholds(stripped),
        )

    def _thresholds(self, before: Mapping[str, float]) -> dict[str, float]:
        found: dict[str, float] = {}
        for queue in self.queues:
            parts = [
                before[name] if len(some) == 1 else UNPROVEN
                for name, some in zip(self.own, self.classes, strict=True)
                if queue in some
            ]
            found[queue] = max(parts, default=UNPROVEN)
        return found


# What people may ask for -----------------------------------------------------------------------


def rename(queues: Sequence[str], old: str, new: str) -> QueueEdit:
    """Give a queue another name.

    Raises:
        DataError: There is no such queue, or the name will not do; one line says why.
    """
    _require(queues, old)
    if _clean(new) == old:
        raise DataError(f"the queue is called {old!r} already.")
    return _checked(queues, (old,), (new,))


def merge(queues: Sequence[str], parts: Sequence[str], into: str) -> QueueEdit:
    """Make one queue of several; it may be one of them, or have a new name.

    Raises:
        DataError: There is no such queue, nothing is merged, or the name will not do.
    """
    for part in parts:
        _require(queues, part)
    others = [part for part in dict.fromkeys(parts) if part != into]
    if not others:
        raise DataError(f"queue {into!r} cannot be merged into itself.")
    if into in queues:
        return _checked(queues, (*others, into), (into,))
    if len(others) == 1:
        raise DataError(f"there is no queue {into!r} to merge into; renaming gives another name.")
    return _checked(queues, tuple(others), (into,))


def split(queues: Sequence[str], old: str, parts: Sequence[str]) -> QueueEdit:
    """Make several queues of one; it may itself stay as one of them.

    Raises:
        DataError: There is no such queue, the parts are fewer than two, or a name will not do.
    """
    _require(queues, old)
    if len(parts) < 2:
        raise DataError(f"queue {old!r} must be split into two queues or more; renaming makes one.")
    return _checked(queues, (old,), tuple(parts))


def add(queues: Sequence[str], new: str) -> QueueEdit:
    """Begin a new queue.

    Raises:
        DataError: The name will not do.
    """
    return _checked(queues, (), (new,))


def _require(queues: Sequence[str], name: str) -> None:
    if name not in queues:
        raise DataError(f"there is no queue {name!r}; there are: {', '.join(queues)}.")


def _checked(queues: Sequence[str], before: tuple[str, ...], wanted: Sequence[str]) -> QueueEdit:
    """The edit, if everybody can tell apart the queues that it leaves."""
    after = tuple(map(_clean, wanted))
    left = [name for name in queues if name not in before]
    check_names([*left, *after], where="queues")
    return QueueEdit(before, after)


def _clean(name: str) -> str:
    """A name as people read it, with single spaces.

    Raises:
        DataError: It is blank, or has letters that nobody sees.
    """
    plain = " ".join(name.split())
    if not plain:
        raise DataError("a queue needs a name.")
    if any(unicodedata.category(letter) in _INVISIBLE for letter in plain):
        raise DataError(f"queue name {plain!r} has letters that nobody sees.")
    return plain
