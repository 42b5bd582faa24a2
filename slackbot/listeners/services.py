"""What listeners work with."""

from __future__ import annotations

from dataclasses import dataclass

from slackbot.config import Settings
from slackbot.desk import Desk
from slackbot.people import Reviewers


@dataclass(frozen=True, slots=True)
class Services:
    """Handed to every listener.

    Attributes:
        desk: Files and settles tickets.
        reviewers: Who may settle them.
        settings: For texts that depend on what is configured.
    """

    desk: Desk
    reviewers: Reviewers
    settings: Settings
