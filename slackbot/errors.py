"""What can go wrong in the conversation; each message is one line that says what to do."""

from __future__ import annotations

from collections.abc import Sequence


class AutoTicketError(Exception):
    """An error that people may see: its text is for them."""


class ConfigError(AutoTicketError):
    """Settings that cannot work, all of them at once.

    Attributes:
        problems: One line each, naming the variable and the remedy.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


class SlackRefused(AutoTicketError):
    """Slack answered that this will never work (a wrong token, a missing scope)."""
