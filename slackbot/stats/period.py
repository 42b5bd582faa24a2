"""Which stretch of time numbers are about: `7d`, `30d`, `all`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from slackbot.errors import AutoTicketError

DEFAULT = "30d"
_DAYS = {"7d": 7, "30d": 30, "all": None}
_BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)


class UnknownPeriod(AutoTicketError):
    """A period that is none of those there are."""

    def __init__(self) -> None:
        super().__init__(
            "There are three periods: `/ticket stats 7d`, `30d` (as without) or `all`."
        )


@dataclass(frozen=True, slots=True)
class Period:
    """From when to when.

    Attributes:
        words: For people: "the last 30 days".
        since: Its beginning (UTC).
        until: Its end (UTC), not included.
    """

    words: str
    since: datetime
    until: datetime


def parse_period(word: str | None, now: datetime) -> Period:
    """The period that a person asked for; the last 30 days when nothing was said.

    Raises:
        UnknownPeriod: There is no such period.
    """
    name = (word or DEFAULT).strip().lower()
    if name not in _DAYS:
        raise UnknownPeriod
    days = _DAYS[name]
    if days is None:
        return Period("all time", _BEGINNING, now)
    return Period(f"the last {days} days", now - timedelta(days=days), now)
