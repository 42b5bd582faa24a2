"""What can go wrong between the app, the people and Slack."""

from __future__ import annotations

from typing import Any


class PlaygroundError(Exception):
    """Anything that the playground refuses."""


class NotPossibleError(PlaygroundError):
    """A person tried what Slack's own client would not let them do."""


class NotAcknowledgedError(PlaygroundError):
    """The app did not take what it was sent.

    Attributes:
        reason: Why, in the words of `X-Slack-Retry-Reason`.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ApiError(PlaygroundError):
    """A Web API call failed.

    Attributes:
        error: Slack's name for it.
        status: HTTP status of the answer; Slack mostly says 200.
        messages: What is wrong in detail, with JSON pointers.
        more: Further fields of the answer.
        retry_after: Seconds to wait, for a rate limit.
    """

    def __init__(
        self,
        error: str,
        *messages: str,
        status: int = 200,
        retry_after: int | None = None,
        **more: Any,
    ) -> None:
        super().__init__(": ".join((error, *messages)))
        self.error = error
        self.status = status
        self.messages = messages
        self.more = more
        self.retry_after = retry_after

    def body(self) -> dict[str, Any]:
        """The answer as Slack writes it."""
        answer: dict[str, Any] = {"ok": False, "error": self.error, **self.more}
        if self.messages:
            answer["response_metadata"] = {"messages": [f"[ERROR] {m}" for m in self.messages]}
        return answer
