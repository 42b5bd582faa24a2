"""What comes in: Slack's payloads that file, change or withdraw a ticket, as one value."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from core.masking import mask
from core.text import clean, is_blank
from slackbot.config import Settings
from slackbot.mrkdwn import plain
from slackbot.subcommands import is_subcommand
from slackbot.team_settings import EVERY_CHANNEL, TeamSettings, TriageMode
from slackbot.views import modal

Body = Mapping[str, Any]

FILE_SHORTCUT = "file_ticket"
SLACKBOT = "USLACKBOT"
TAKEN_SUBTYPES = frozenset({None, "file_share"})


class Kind(StrEnum):
    """How something came in."""

    MESSAGE = "message"
    MENTION = "mention"
    DIRECT = "direct"
    COMMAND = "command"
    MODAL = "modal"
    SHORTCUT = "shortcut"
    REACTION = "reaction"
    EDIT = "edit"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Intake:
    """One payload to be worked on.

    Attributes:
        kind: How it came in.
        key: Unique within the team: a payload with a known key is a repetition.
        team: Slack workspace id; filled in by `parse`.
        channel: Where; None for a modal that was opened outside a channel.
        ts: The message; None for commands and modals.
        thread_ts: The thread the message is in, None at top level.
        user: Who did it.
        reporter: Whose trouble it is; differs from `user` when somebody files another's message.
        text: Cleaned and masked; None when it must be fetched from Slack.
        urgency: As picked in the modal.
        in_conversation: Written where every message is judged, not filed on purpose.
        mode: What its channel wants done with what is filed there.
        only_if_known: Of interest only when the message is a ticket already.
        response_url: Where the doer can be answered for 30 minutes.
        correlation: Follows this payload through logs and tables.
    """

    kind: Kind
    key: str
    team: str
    channel: str | None
    ts: str | None
    user: str
    reporter: str
    text: str | None
    thread_ts: str | None = None
    urgency: str | None = None
    in_conversation: bool = False
    mode: TriageMode = TriageMode.AUTO
    only_if_known: bool = False
    response_url: str | None = None
    correlation: str = ""

    @property
    def silent(self) -> bool:
        """Whether nobody may see that it was judged; who files on purpose gets an answer."""
        return self.in_conversation and self.mode is TriageMode.SILENT

    @property
    def needs_text(self) -> bool:
        """Whether the text must be fetched from Slack before it can be judged."""
        return self.text is None and self.kind is not Kind.DELETE

    @property
    def about(self) -> str | None:
        """The message that this edits, deletes or files, where its key does not tell."""
        kinds = (Kind.EDIT, Kind.DELETE, Kind.SHORTCUT)
        return self.ticket_key if self.kind in kinds else None

    @property
    def ticket_key(self) -> str:
        """Unique for a ticket in its team: the message it is about, or the command that made it."""
        return f"{self.channel}:{self.ts}" if self.ts else self.key

    def to_payload(self) -> dict[str, Any]:
        """As JSON for the database."""
        return asdict(self)

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> Intake:
        """Back from the database."""
        mode = TriageMode(payload.get("mode", TriageMode.AUTO))
        return cls(**{**payload, "kind": Kind(payload["kind"]), "mode": mode})


def parse(body: Body, *, team: str, bot_user: str, settings: Settings) -> Intake | None:
    """Read a payload; None when it is nothing to be recorded.

    Args:
        body: As Bolt gives it: parsed JSON or form.
        team: The workspace the bot is installed in; in shared channels the payload may name
            another one.
        bot_user: The bot's own user id.
        settings: Reaction and allowed bots; `settings.team` as it is for that team now.
    """
    intake: Intake | None = None
    if body.get("type") == "event_callback":
        intake = _from_event(body, bot_user, settings)
    elif body.get("command"):
        intake = _from_command(body)
    elif body.get("type") == "message_action" and body.get("callback_id") == FILE_SHORTCUT:
        intake = _from_shortcut(body, bot_user)
    elif (
        body.get("type") == "view_submission" and body["view"].get("callback_id") == modal.CALLBACK
    ):
        intake = _from_modal(body)
    if intake is None:
        return None
    mode = settings.team.mode_of(intake.channel or "") or TriageMode.AUTO
    return replace(intake, team=team, mode=mode)


def to_text(raw: str | None) -> str:
    """Slack's wire text as it may be stored: readable, clean, secrets masked."""
    return mask(clean(plain(raw or "")))


def without_mention(raw: str, bot_user: str) -> str:
    """Wire text without the mentions of the bot itself."""
    return re.sub(rf"<@{re.escape(bot_user)}(\|[^>]*)?>", " ", raw).strip()


def new_correlation() -> str:
    """An id that follows one payload through logs and tables."""
    return uuid.uuid4().hex[:12]


def _from_event(body: Body, bot_user: str, settings: Settings) -> Intake | None:
    event = body["event"]
    if event.get("type") == "reaction_added":
        return _from_reaction(body, event, bot_user, settings)
    if event.get("type") not in ("message", "app_mention") or not event.get("channel"):
        return None
    subtype = event.get("subtype")
    if subtype in ("message_changed", "message_deleted"):
        return _from_change(body, event, bot_user, settings)
    if subtype not in TAKEN_SUBTYPES and not (
        subtype == "bot_message" and event.get("bot_id") in settings.allowed_bots
    ):
        return None
    return _from_message(event["channel"], event, bot_user, settings)


def _from_message(channel: str, message: Body, bot_user: str, settings: Settings) -> Intake | None:
    """Take a person's message that mentions the bot, is sent to it, or is in a triage channel."""
    user = message.get("user") or message.get("bot_id") or ""
    bot = message.get("bot_id")
    if not message.get("ts") or user in ("", bot_user, SLACKBOT):
        return None
    if bot and bot not in settings.allowed_bots:
        return None
    raw = message.get("text") or ""
    thread = message.get("thread_ts")
    in_thread = thread is not None and thread != message["ts"]
    kind = _message_kind(channel, message, raw, bot_user, in_thread, settings)
    if kind is None:
        return None
    text: str | None = to_text(without_mention(raw, bot_user))
    ts, key = message["ts"], "message"
    if is_blank(text or ""):
        if kind is not Kind.MENTION or not in_thread:
            return None
        # "@AutoTicket" alone in a thread asks for the message that the thread is about.
        ts, thread, text, key = thread, None, None, "filed"
    elif kind is not Kind.MESSAGE and is_subcommand(text or ""):
        return None  # "help" to the bot is a question, not a ticket
    return Intake(
        kind=kind,
        key=f"{key}:{channel}:{ts}",
        team="",
        channel=channel,
        ts=ts,
        thread_ts=thread if thread != ts else None,
        user=user,
        reporter=user,
        text=text,
        in_conversation=kind is Kind.MESSAGE,
        correlation=new_correlation(),
    )


def _message_kind(
    channel: str, message: Body, raw: str, bot_user: str, in_thread: bool, settings: Settings
) -> Kind | None:
    # A mention in a triage channel arrives as `message` and as `app_mention`, in any order:
    # both must read the same, or the mention could be judged as small talk.
    if message.get("type") == "app_mention" or without_mention(raw, bot_user) != raw.strip():
        return Kind.MENTION
    if in_thread:
        return None  # an answer to somebody, not a new report
    if message.get("channel_type") == "im" or channel.startswith("D"):
        return Kind.DIRECT
    return Kind.MESSAGE if settings.team.mode_of(channel) else None


def _from_change(body: Body, event: Body, bot_user: str, settings: Settings) -> Intake | None:
    """An edit or a deletion; a deleted message with replies comes as an edit to a tombstone."""
    previous = event.get("previous_message") or {}
    message = event.get("message") or {}
    channel = event["channel"]
    if event["subtype"] == "message_deleted" or message.get("subtype") == "tombstone":
        ts = event.get("deleted_ts") or message.get("ts") or previous.get("ts")
        user = previous.get("user") or ""
        if not ts or user == bot_user:
            return None
        return Intake(
            kind=Kind.DELETE,
            key=f"delete:{channel}:{ts}",
            team="",
            channel=channel,
            ts=ts,
            user=user,
            reporter=user,
            text=None,
            correlation=new_correlation(),
        )
    if message.get("text") == previous.get("text"):
        return None  # Slack adds link previews by "editing" the message
    return _from_edit(body, event, message, bot_user, settings)


def _from_edit(
    body: Body, event: Body, message: Body, bot_user: str, settings: Settings
) -> Intake | None:
    """A changed text; where messages are not judged it matters only to a ticket there is."""
    channel = event["channel"]
    placed = {"channel_type": event.get("channel_type"), **message}
    new = _from_message(channel, placed, bot_user, settings)
    if new is None:
        everywhere = TeamSettings(triage={EVERY_CHANNEL: TriageMode.AUTO})
        anywhere = replace(settings, team=everywhere)
        top_level = {name: value for name, value in placed.items() if name != "thread_ts"}
        new = _from_message(channel, top_level, bot_user, anywhere)
        if new is None:
            return None
        new = replace(new, only_if_known=True, in_conversation=False)
    if new.text is None:
        return None
    edited = (message.get("edited") or {}).get("ts") or event.get("event_ts") or event.get("ts")
    return replace(new, kind=Kind.EDIT, key=f"edit:{channel}:{new.ts}:{edited}")


def _from_reaction(body: Body, event: Body, bot_user: str, settings: Settings) -> Intake | None:
    item = event.get("item") or {}
    reaction = str(event.get("reaction", "")).split("::")[0]  # skin tones follow "::"
    user = event.get("user") or ""
    author = event.get("item_user") or user
    if reaction != settings.reaction or item.get("type") != "message":
        return None
    if bot_user in (user, author):
        return None
    return Intake(
        kind=Kind.REACTION,
        key=f"filed:{item['channel']}:{item['ts']}",
        team="",
        channel=item["channel"],
        ts=item["ts"],
        user=user,
        reporter=author,
        text=None,
        correlation=new_correlation(),
    )


def _from_shortcut(body: Body, bot_user: str) -> Intake | None:
    message = body["message"]
    text = to_text(message.get("text"))
    if is_blank(text) or message.get("user") == bot_user:
        return None
    thread = message.get("thread_ts")
    return Intake(
        kind=Kind.SHORTCUT,
        key=f"trigger:{body['trigger_id']}",
        team="",
        channel=body["channel"]["id"],
        ts=message["ts"],
        thread_ts=thread if thread != message["ts"] else None,
        user=body["user"]["id"],
        reporter=message.get("user") or body["user"]["id"],
        text=text,
        response_url=body.get("response_url"),
        correlation=new_correlation(),
    )


def _from_command(body: Body) -> Intake | None:
    raw = body.get("text") or ""
    if is_subcommand(raw):
        return None
    return Intake(
        kind=Kind.COMMAND,
        key=f"trigger:{body['trigger_id']}",
        team="",
        channel=body["channel_id"],
        ts=None,
        user=body["user_id"],
        reporter=body["user_id"],
        text=to_text(raw).strip(),
        response_url=body.get("response_url"),
        correlation=new_correlation(),
    )


def _from_modal(body: Body) -> Intake | None:
    submission = modal.parse_submission(body["view"])
    if modal.problems(submission):
        return None
    return Intake(
        kind=Kind.MODAL,
        key=f"view:{body['view']['id']}",
        team="",
        channel=submission.channel,
        ts=None,
        user=body["user"]["id"],
        reporter=body["user"]["id"],
        text=to_text(f"{submission.summary}\n{submission.description}").strip(),
        urgency=submission.urgency.value if submission.urgency else None,
        response_url=submission.response_url,
        correlation=new_correlation(),
    )
