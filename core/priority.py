"""Priority as ITIL has it: urgency times impact by a matrix, with a line that says why."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.decision import Impact, Priority, Urgency
from core.errors import SettingError

_ITIL = {
    Urgency.HIGH: (Priority.P1, Priority.P2, Priority.P3),
    Urgency.MEDIUM: (Priority.P2, Priority.P3, Priority.P4),
    Urgency.LOW: (Priority.P3, Priority.P4, Priority.P5),
}


@dataclass(frozen=True, slots=True)
class PriorityMatrix:
    """Which priority follows from urgency and impact.

    Attributes:
        cells: A priority for every one of the nine pairs.
    """

    cells: Mapping[tuple[Urgency, Impact], Priority]

    def priority(self, urgency: Urgency, impact: Impact) -> Priority:
        """The priority of a pair."""
        return self.cells[urgency, impact]

    @classmethod
    def parse(cls, text: str) -> PriorityMatrix:
        """Read changes to the default matrix, such as `high/user=P2, low/company=P4`.

        Args:
            text: `urgency/impact=priority`, separated by commas; what is not named stays as in
                `DEFAULT_MATRIX`. An empty text is the default.

        Raises:
            SettingError: A part cannot be read, or a pair is named twice.
        """
        cells: dict[tuple[Urgency, Impact], Priority] = {}
        for part in filter(None, map(str.strip, text.split(","))):
            pair, priority = _read_cell(part)
            if pair in cells:
                raise SettingError(f"priority matrix: {'/'.join(pair)} is named twice")
            cells[pair] = priority
        return cls({**DEFAULT_MATRIX.cells, **cells})


def _read_cell(part: str) -> tuple[tuple[Urgency, Impact], Priority]:
    try:
        pair, priority = part.split("=")
        urgency, impact = pair.split("/")
        return (
            (Urgency(urgency.strip().lower()), Impact(impact.strip().lower())),
            Priority(priority.strip().upper()),
        )
    except ValueError as error:
        raise SettingError(
            f"priority matrix: {part!r} is not like high/company=P1 (urgency high, medium or low; "
            "impact company, team or user; P1 to P5)"
        ) from error


DEFAULT_MATRIX = PriorityMatrix(
    {
        (urgency, impact): priority
        for urgency, row in _ITIL.items()
        for impact, priority in zip(Impact, row, strict=True)
    }
)
"""ITIL's usual matrix, from high/company = P1 to low/user = P5."""


def judge(
    urgency: Sequence[float], impact: Sequence[float], *, outage_above: float
) -> tuple[Urgency, Impact, float]:
    """Pick urgency and impact; an outage wins before it is the most probable pair.

    A missed outage costs more than one too many, hence the lower bar.

    Args:
        urgency: Probabilities of high, medium, low.
        impact: Probabilities of company, team, user.
        outage_above: From which probability on high/company is taken, whatever is likelier.

    Returns:
        Urgency, impact, and the probability in [0, 1] that both are right, taken as independent.
    """
    how_soon = max(zip(urgency, Urgency, strict=True), key=lambda pair: pair[0])
    how_many = max(zip(impact, Impact, strict=True), key=lambda pair: pair[0])
    if urgency[0] * impact[0] > outage_above:
        how_soon, how_many = (urgency[0], Urgency.HIGH), (impact[0], Impact.COMPANY)
    return how_soon[1], how_many[1], float(how_soon[0] * how_many[0])


_MANY = r"(?:users|people|colleagues|employees|coworkers|staff|persons|of us|testers|clients)"
_PLACE = r"(?:office|building|site|floor|plant|warehouse|store|branch|country|school|campus)"
_FEW = r"(?:several|multiple|many|a few|two|three|four|five|six|eight|ten|\d{1,3})"
_WEEKDAY = r"(?:mon|tues|wednes|thurs|fri)day"
_CUES: Mapping[Impact | Urgency, str] = {
    Impact.COMPANY: rf"(?:whole|entire) (?:company|organi[sz]ation|business|{_PLACE})"
    rf"|all (?:our )?(?:{_MANY}|sites|offices|locations|branches|stores|customers|countries)"
    r"|company[- ]wide|site[- ]wide|everyone|everybody|(?:nobody|no one) can \w{2,12}"
    r"|ganze (?:firma|büro)|toute l'entreprise|toda la empresa|toda a empresa",
    Impact.TEAM: rf"(?:whole|entire|my|our) (?:team|department|group|shift|{_PLACE})"
    rf"|{_FEW} (?:other |new )?{_MANY}|my colleagues|(?:all|none|both|some|most) of us"
    r"|we (?:all|both)|everyone in [a-z]{2,20}"
    r"|ganze (?:team|abteilung)|toute l'équipe|todo (?:el equipo|o time)",
    Impact.USER: r"(?:only|just) (?:for )?me|my own|only my \w{2,20}"
    r"|my (?:laptop|phone|account|mailbox|outlook|screen|mouse|keyboard|headset|badge|computer)",
    Urgency.HIGH: r"(?:can(?:no|')?t|can not|unable to|not able to) (?:work|log ?in|log on|sign in"
    r"|connect|access|start|open|send|print|pay|ship|do anything)(?: at all| anything)?"
    r"|(?:is|are|went|completely|totally) (?:all )?(?:down|offline)|outage|nothing works"
    r"|locked out|cut off|unreachable|(?:work )?(?:is |has )?stopped|data (?:is |was )?lost|hacked"
    r"|right now|immediately|(?:by|at|before|until) (?:noon|midnight)|(?:by |for )?tonight"
    r"|(?:in|within) \d{1,2} (?:min|minutes|hours)|deadline (?:is )?today|phishing|ransomware"
    r"|kann nicht arbeiten|impossible de travailler|no puedo trabajar|não consigo trabalhar",
    Urgency.MEDIUM: r"(?:very |so |really |extremely )?slow(?:ly)?|keeps? \w{3,15}ing"
    r"|every (?:few|\d{1,2}) (?:minutes|hours)|sometimes|intermittent(?:ly)?|work ?around"
    rf"|(?:by|before|until|till|on|starts(?: on)?|for) (?:tomorrow|{_WEEKDAY}|next week)"
    r"|(?:this|next) week|in (?:two|three|\d) days",
    Urgency.LOW: r"no (?:rush|hurry|drama)|not urgent|whenever(?: you (?:can|have))?"
    r"|when you (?:get|have) (?:a )?(?:minute|moment|time|chance)|nice to have|low priority"
    r"|next (?:month|quarter|year)|just (?:asking|wondering|curious)"
    r"|keine eile|pas urgent|sin prisa|sem pressa",
}
_FIND = {label: re.compile(rf"(?<!\w)(?:{cues})(?!\w)", re.I) for label, cues in _CUES.items()}
_WORDS: Mapping[Impact | Urgency, str] = {
    Impact.COMPANY: "whole company",
    Impact.TEAM: "several people",
    Impact.USER: "one person",
    Urgency.HIGH: "cannot wait",
    Urgency.MEDIUM: "needed soon",
    Urgency.LOW: "can wait",
}


def explain(urgency: Urgency, impact: Impact, text: str) -> str:
    """Say in one short line why, such as "whole office, cannot work".

    The text's own words are used where it has words for the label, ours where it has none.

    Args:
        urgency: As judged.
        impact: As judged.
        text: The normalised text.

    Returns:
        At most 100 characters, without line ends; safe to show.
    """
    return f"{_words_for(impact, text)}, {_words_for(urgency, text)}"


def _words_for(label: Impact | Urgency, text: str) -> str:
    found = _FIND[label].search(text)
    return found[0].lower().replace("\n", " ") if found else _WORDS[label]
