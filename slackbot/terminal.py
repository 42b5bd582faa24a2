"""How results look in a terminal."""

from __future__ import annotations

from rich.text import Text

from core.decision import Classification, Decision

_EIGHTHS = " ▏▎▍▌▋▊▉"
_STYLES = {Decision.AUTO: "green", Decision.REVIEW: "yellow", Decision.IGNORE: "dim"}


def bar(share: float, width: int = 12) -> str:
    """A bar of `width` characters, `share` in [0, 1] of it filled, to an eighth of a character."""
    eighths = round(max(0.0, min(1.0, share)) * width * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(width)


def decision_words(result: Classification) -> Text:
    """What happens with a text, in a few words and a colour."""
    words = {
        Decision.AUTO: f"→ {result.queue_label}",
        Decision.REVIEW: f"? a person checks ({result.reason.value.replace('_', ' ')})",
        Decision.IGNORE: "· no ticket",
    }[result.decision]
    return Text(words, style=_STYLES[result.decision])
