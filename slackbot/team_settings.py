"""What a workspace's admins may set from Slack: one value for each team."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any

EVERY_CHANNEL = "*"


class TriageMode(StrEnum):
    """What the bot does with the messages of a triage channel."""

    AUTO = "auto"
    SUGGEST = "suggest"
    SILENT = "silent"


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamSettings:
    """How one team works; the environment gives the first values.

    Attributes:
        triage: By channel id, or `*` for every channel, what is done with its messages.
        review_channel: Where people settle the unsure tickets; None when there is no such place.
        queue_channels: Queue name to the channel of its staff.
        reviewers: User ids (`U…`, `W…`) and user-group ids (`S…`) of who may settle tickets.
        review_budget: How many tickets reviewers shall settle a day; 0 for no limit.
    """

    triage: Mapping[str, TriageMode] = field(default_factory=lambda: MappingProxyType({}))
    review_channel: str | None = None
    queue_channels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    reviewers: frozenset[str] = frozenset()
    review_budget: int = 0

    def mode_of(self, channel: str) -> TriageMode | None:
        """What is done with the messages of `channel`; None when they are nobody's business.

        What staff write where they settle tickets is no ticket, unless that channel is named.
        """
        if channel in self.triage:
            return self.triage[channel]
        staffed = channel == self.review_channel or channel in self.queue_channels.values()
        return None if staffed else self.triage.get(EVERY_CHANNEL)

    def called(self, today: Callable[[str], Sequence[str]]) -> TeamSettings:
        """The same settings where queues were renamed, merged or split.

        The parts of a queue begin with its channel, and so do those who are still in it. Of merged
        queues the one that gave its name gives the channel too, else the first.

        Args:
            today: The queues that a name may mean.
        """
        named = {name: today(name) for name in self.queue_channels}
        channels: dict[str, str] = {}
        for name in sorted(named, key=lambda name: name not in named[name]):
            for queue in (*named[name], *([name] if len(named[name]) > 1 else ())):
                channels.setdefault(queue, self.queue_channels[name])
        return replace(self, queue_channels=channels)

    def to_json(self) -> dict[str, Any]:
        """Every setting by its name, as JSON."""
        return {
            "triage": {channel: mode.value for channel, mode in self.triage.items()},
            "review_channel": self.review_channel,
            "queue_channels": dict(self.queue_channels),
            "reviewers": sorted(self.reviewers),
            "review_budget": self.review_budget,
        }

    def changes_to(self, wanted: TeamSettings) -> dict[str, Any]:
        """The settings in which `wanted` differs, as JSON."""
        before = self.to_json()
        return {name: value for name, value in wanted.to_json().items() if value != before[name]}

    def with_changes(self, changes: Mapping[str, Any]) -> TeamSettings:
        """These settings with others in their place; what is not known here is left out."""
        known = {name: _READ[name](value) for name, value in changes.items() if name in _READ}
        return replace(self, **known)


_READ: Mapping[str, Callable[[Any], Any]] = {
    "triage": lambda value: {channel: TriageMode(mode) for channel, mode in value.items()},
    "review_channel": lambda value: value,
    "queue_channels": dict,
    "reviewers": frozenset,
    "review_budget": int,
}
