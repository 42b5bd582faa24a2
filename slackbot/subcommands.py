"""What people say to the bot that is no ticket: nothing, help, list, setup, stats, status."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.text import clean, is_blank
from storage.tickets import parse_number


def said_to_the_bot(body: Mapping[str, Any], bot_user: str) -> str | None:
    """What somebody said to the bot on purpose: mentioned, directly, or by the shortcut."""
    if body.get("type") == "message_action":
        return ""
    event = body.get("event") or {}
    if event.get("subtype") not in (None, "file_share") or event.get("bot_id"):
        return None
    direct = event.get("channel_type") == "im" and not event.get("thread_ts")
    # A mention also comes as a `message`; the answer follows one of the two only.
    if event.get("type") != "app_mention" and not (direct and event.get("user") != bot_user):
        return None
    return clean(event.get("text") or "").replace(f"<@{bot_user}>", " ").strip()


def is_subcommand(raw: str) -> bool:
    """Whether a text for the bot asks for something else than a new ticket.

    "status T-12" does, "status page is down" is a ticket.
    """
    if is_blank(clean(raw)):
        return True
    words = clean(raw).split()
    match [word.lower() for word in words]:
        case ["help" | "list" | "setup" | "stats" | "status"]:
            return True
        case ["stats", _]:  # a period, or what was meant to be one
            return True
        case ["status", number]:
            like_a_number = number.startswith(("t-", "#")) or any(map(str.isdigit, number))
            return parse_number(number) is not None or like_a_number
    return False
