"""Slack's text: from the wire to what a person reads, and safely back."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_BROADCAST = re.compile(r"@(?<!\w@)(?=(?:here|channel|everyone)\b)", re.IGNORECASE)
_ZERO_WIDTH_SPACE = "\u200b"

_MARKUP = re.compile(r"<([@#!][^<>]*|[a-z][a-z0-9+.-]*:[^<>]*)>")
_ADDRESS_SCHEME = re.compile(r"^(?:mailto|tel):")
_WEB_SCHEME = re.compile(r"^https?://")

_USER_ID = re.compile(r"[UW][A-Z0-9]+")
_LONGEST_ENTITY = len("&amp;")


def escape(text: str) -> str:
    """Make text inert for mrkdwn: it shows as written and notifies nobody.

    Slack also reads a bare `@here` as a broadcast where it parses names, so those three words
    get a zero width space behind the `@`. All other text keeps its characters.
    """
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _BROADCAST.sub(f"@{_ZERO_WIDTH_SPACE}", text)


def plain(text: str) -> str:
    """Turn Slack's wire text into what a person reads.

    `<@U1|ana>` becomes `@ana`, `<https://x.org|label>` becomes `label (https://x.org)`,
    `&lt;` becomes `<`. Back-ticks and other formatting stay. Never raises.
    """
    shown = _MARKUP.sub(lambda match: _shown(match[1]), text)
    return shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _shown(markup: str) -> str:
    """What a person sees of one `<markup>`, still with entities."""
    target, _, label = markup.partition("|")
    kind, name = target[:1], target[1:]
    if kind in ("@", "#"):
        return kind + (label or name).removeprefix(kind)
    if kind == "!":
        return _shown_special(name, label)
    address = _ADDRESS_SCHEME.sub("", target)
    bare = _WEB_SCHEME.sub("", address)
    if label in (address, bare, bare.rstrip("/")):
        return label  # Slack made the link from what the person typed
    return f"{label} ({address})" if label else address


def _shown_special(name: str, label: str) -> str:
    """What a person sees of a broadcast, a user group or a date."""
    command, _, argument = name.partition("^")
    if command == "date":
        return label
    return "@" + (label or argument or command).removeprefix("@")


def shorten(text: str, limit: int) -> str:
    """Cut text to at most `limit` characters, at a word where one ends near, marked with `…`.

    Never cuts inside an entity that `escape` wrote, nor between two surrogates.
    """
    if len(text) <= limit:
        return text
    if limit < 1:
        return ""
    end = limit - 1
    entity = text.rfind("&", max(0, end - _LONGEST_ENTITY + 1), end)
    if entity >= 0 and ";" not in text[entity:end]:
        end = entity
    if end and "\ud800" <= text[end - 1] <= "\udbff":
        end -= 1
    space = max(text.rfind(gap, max(0, end - limit // 4), end + 1) for gap in " \n")
    return text[: space if space > 0 else end].rstrip() + "…"


def one_line(text: str) -> str:
    """Text on one line, single spaces between words, without code fences.

    An unclosed fence would swallow what stands behind it.
    """
    return " ".join(text.replace("```", " ").split())


def snippet(text: str, limit: int) -> str:
    """Text for the middle of an mrkdwn line: one line, inert, at most `limit` characters."""
    return shorten(escape(one_line(text)), limit)


def mention(user: str) -> str:
    """A live mention of a user id; anything else is shown inert."""
    return f"<@{user}>" if _USER_ID.fullmatch(user) else escape(user)


def link(url: str, label: str) -> str:
    """A live link; just the label when the address could break out of the markup."""
    if not url.startswith("https://") or set(url) & set("<>| \n"):
        return escape(label)
    return f"<{url.replace('&', '&amp;')}|{escape(label)}>"


def moment(at: datetime) -> str:
    """A point in time, which Slack shows in the reader's own time zone.

    Args:
        at: Aware.
    """
    fallback = at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} at {{time}}|{fallback}>"


def quote(text: str, *, limit: int, lines: int) -> str:
    """People's text as a block quote: inert, without blank lines and code fences; may be empty.

    Args:
        text: Any text.
        limit: Most characters before the quote marks, which add two a line.
        lines: Most lines.
    """
    written = [line for line in text.replace("```", "").splitlines() if line.strip()]
    if len(written) > lines:
        written[lines:] = ["…"]
    shown = shorten(escape("\n".join(written)), limit)
    return "\n".join(f"> {line}" for line in shown.splitlines())
