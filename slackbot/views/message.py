"""A message to Slack, as one value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Block = dict[str, Any]
"""One Block Kit block or element, as JSON."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is posted, whatever the channel.

    Attributes:
        text: mrkdwn for notifications and screen readers.
        blocks: What is shown instead where blocks are.
        metadata: Slack's message metadata (`event_type`, `event_payload`); never shown.
    """

    text: str
    blocks: tuple[Block, ...]
    metadata: Mapping[str, Any] | None = None

    def to_payload(self) -> dict[str, Any]:
        """As JSON: also the arguments that chat.postMessage takes."""
        payload: dict[str, Any] = {"text": self.text, "blocks": list(self.blocks)}
        if self.metadata is not None:
            payload["metadata"] = dict(self.metadata)
        return payload

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> Message:
        """Back from JSON."""
        return cls(payload["text"], tuple(payload["blocks"]), payload.get("metadata"))
