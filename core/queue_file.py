"""Reads `queues.yml`: a team's own queues, each with a few examples of what belongs there."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from core.dataset import check_names
from core.errors import DataError
from core.splits import text_key
from core.text import normalize

MIN_EXAMPLES = 5
"""With fewer examples a queue cannot even be told apart by cross-validation."""

_MAX_BYTES = 5_000_000
_FIELDS = ("name", "description", "examples")


@dataclass(frozen=True, slots=True)
class QueueExamples:
    """A queue as its team describes it.

    Attributes:
        name: As cards show it.
        description: What belongs there, normalized; empty when the team said nothing.
        examples: Texts that belong there, normalized, no two with the same words.
    """

    name: str
    description: str
    examples: tuple[str, ...]


def read_queue_file(path: Path) -> tuple[QueueExamples, ...]:
    """Read a team's queues.

    Args:
        path: YAML, UTF-8: a list of queues, each with `name`, `description` (may be left out) and
            `examples`.

    Returns:
        The queues, sorted by name: the class order.

    Raises:
        DataError: The file is missing, no such YAML, or its queues cannot be learned; one line
            that says which and why.
    """
    raw = _parse(path)
    if not isinstance(raw, list):
        raise DataError(f"{path}: must be a list of queues, each starting with `- name:`.")
    queues = [_queue(entry, f"{path}: queue {place}") for place, entry in enumerate(raw, start=1)]
    check_names([queue.name for queue in queues], where=str(path))
    for queue in queues:
        if len(queue.examples) < MIN_EXAMPLES:
            raise DataError(
                f"{path}: queue {queue.name!r} has {len(queue.examples)} different examples, "
                f"needs at least {MIN_EXAMPLES}."
            )
    _refuse_shared(queues, path)
    return tuple(sorted(queues, key=lambda queue: queue.name))


class _PlainLoader(yaml.BaseLoader):
    """Takes every value as text, so that a queue may be called `No` or `365`; makes no objects."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Refuse aliases: a small file could say a long text a million times."""
        if self.check_event(yaml.AliasEvent):
            event = self.get_event()  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(
                problem="an alias (*) is not read here, write the text out",
                problem_mark=event.start_mark,
            )
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        """Refuse a field that is no text, or there twice: YAML's usual reading loses the first."""
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(
                    problem="brackets and braces need quotes here", problem_mark=key.start_mark
                )
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    problem=f"{key.value!r} is there twice", problem_mark=key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _parse(path: Path) -> Any:
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file.") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}.") from error
    if len(content) > _MAX_BYTES:
        raise DataError(
            f"{path}: is over {_MAX_BYTES // 1_000_000} MB; examples are few and short."
        )
    try:
        return yaml.load(content.decode("utf-8-sig"), _PlainLoader)  # noqa: S506  makes only texts
    except UnicodeDecodeError:
        raise DataError(f"{path}: is not UTF-8 text.") from None
    except yaml.MarkedYAMLError as error:
        at = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise DataError(f"{path}: {at}is not YAML: {error.problem}.") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise DataError(f"{path}: is not YAML: {' '.join(str(error).split())}.") from error


def _queue(entry: Any, where: str) -> QueueExamples:
    if not isinstance(entry, dict):
        raise DataError(f"{where}: must have the fields {', '.join(_FIELDS)}.")
    if stray := sorted(set(entry) - set(_FIELDS)):
        raise DataError(f"{where}: has the field {stray[0]!r}; known are {', '.join(_FIELDS)}.")
    name = _text(entry.get("name", ""), f"{where}: name").strip()
    if not name:
        raise DataError(f"{where}: has no name.")
    where = f"{where} ({name[:30]!r})"
    examples = entry.get("examples") or []
    if not isinstance(examples, list):
        raise DataError(f"{where}: examples must be a list of texts.")
    texts = (normalize(_text(each, f"{where}: an example")) for each in examples)
    return QueueExamples(
        name=name,
        description=normalize(_text(entry.get("description", ""), f"{where}: description")),
        examples=tuple({text_key(text): text for text in texts if text_key(text)}.values()),
    )


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise DataError(
            f"{where} must be one text; put it in quotes if it has a colon or brackets."
        )
    return value


def _refuse_shared(queues: list[QueueExamples], path: Path) -> None:
    """Refuse an example that two queues claim."""
    owners: dict[str, str] = {}
    for queue in queues:
        for text in queue.examples:
            owner = owners.setdefault(text_key(text), queue.name)
            if owner != queue.name:
                raise DataError(
                    f"{path}: the example {text[:40]!r} is in {owner!r} and in {queue.name!r}."
                )
