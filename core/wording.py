"""What the words alone tell, whatever the model says: no subject at all, or a security incident."""

from __future__ import annotations

import re

_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NO_SUBJECT = _words(
    """a again all already and any anybody anyone are asap at badly been broke broken bump can
    can't cannot could critical do does doesn't don't down else emergency error everything
    fail failed fails fast fix fixed for going guys have hello help hey hi high i i'm
    important in is isn't issue issues it it's its immediately just me my need needed needs
    news no not nothing now of on or our out please pls plz priority problem problems question
    quick quickly really right so somebody someone something sos still stuck super thanks that
    that's the there thing this ticket time to today too trouble up update updates urgent
    urgently us very want was we what when who why will with won't work working works would
    wrong you your"""
)
"""Words that name no thing: nobody could pick a queue by these."""

_INCIDENT = re.compile(
    r"(?<!\w)(?:i|we|my \w+|our \w+)(?:['\u2019](?:ve|m))? (?:[\w']+ ){0,3}?"
    r"(?:clicked|opened|fell for|got|get|have|has|had|been|was|were|is|answered|replied)(?!\w)"
    r"[^.!?\n]{0,40}?(?<!\w)(?:phish\w*|virus(?:es)?|malware|ransomware|trojan|hacked|stolen"
    r"|compromised)(?!\w)"
    r"|(?<!\w)(?:stole my|stolen my|hacked my)(?!\w)",
    re.I,
)


def names_nothing(text: str) -> bool:
    """Whether a text says at most that something is urgent or broken, and never what.

    Args:
        text: A text as `core.text.normalize` leaves it.
    """
    words = _WORD.findall(text.lower().replace("\u2019", "'"))
    return _NO_SUBJECT.issuperset(words) and not any(map(str.isdigit, text))


def reports_incident(text: str) -> bool:
    """Whether somebody says of themselves, in English, that they were phished, hacked or robbed.

    Talk about such things, as in "phishing training is due", is none.

    Args:
        text: A text as `core.text.normalize` leaves it.
    """
    return _INCIDENT.search(text) is not None
