"""The words for states, reasons, sureness and steps: one vocabulary for every view."""

from __future__ import annotations

from collections.abc import Sequence

from core.decision import Decision, Priority, Reason
from slackbot.mrkdwn import mention, moment, snippet
from slackbot.views.ids import MAX_QUEUE_NAME
from slackbot.views.ticket import Judgement, Step
from storage.records import Action, State

SIGNS = {
    State.PENDING: "⏳",
    State.ASSIGNED: "📥",
    State.CLAIMED: "🔧",
    State.RESOLVED: "✅",
    State.DISMISSED: "🚫",
    State.WITHDRAWN: "↩️",
    State.SILENT: "🤫",
}
"""The sign that stands for each state in titles and lists."""

STATES = {
    State.PENDING: "Waiting for a person",
    State.ASSIGNED: "Assigned",
    State.CLAIMED: "In work",
    State.RESOLVED: "Resolved",
    State.DISMISSED: "Not a ticket",
    State.WITHDRAWN: "Withdrawn",
    State.SILENT: "Recorded only",
}
"""Each state in words."""

REASONS = {
    Reason.CONFIDENT: "It was sure enough.",
    Reason.SUGGEST_ONLY: "It is sure, but in this channel it only suggests.",
    Reason.LOW_CONFIDENCE: "No queue stands out clearly enough.",
    Reason.QUEUE_NOT_PROVEN: "The bot has not yet proven that it gets this queue right.",
    Reason.SETTLED_LIKE: "A person has settled nearly the same text so.",
    Reason.SETTLED_OTHERWISE: "People have settled texts like this one otherwise.",
    Reason.QUEUE_DEMOTED: "Audits found too many wrong routes to this queue.",
    Reason.UNKNOWN_LANGUAGE: "The bot cannot tell the language, or was not tested in it.",
    Reason.UNLIKE_TRAINING: "This is unlike anything the bot has learned from.",
    Reason.TOO_LITTLE_TEXT: "There is too little text to tell.",
    Reason.NOT_A_TICKET: "This does not read like a request.",
    Reason.MAYBE_NOT_A_TICKET: "This may not be a request at all.",
}
"""Why the bot decided so, for people who know nothing of models."""

DECISIONS = {
    Decision.AUTO: "The bot routed it.",
    Decision.REVIEW: "The bot asked a person.",
    Decision.IGNORE: "The bot took it for no ticket.",
}
"""What the bot did about it."""

_SURENESS = ((0.95, "almost certain"), (0.8, "very likely"), (0.6, "likely"), (0.4, "unsure"))
_BAR_CELLS = 10
_PARTS = 3
_FIGURE_SPACE = "\u2007"


def queue_name(queue: str) -> str:
    """A queue's name in bold mrkdwn."""
    return f"*{snippet(queue, MAX_QUEUE_NAME)}*"


def then_and_now(queue: str, today: Sequence[str]) -> str:
    """A queue in history: "*Hardware* (now: *Devices*)".

    Args:
        queue: As it was called then.
        today: What it is called now, or was split into; empty while nothing changed.
    """
    if not today:
        return queue_name(queue)
    shown = [queue_name(name) for name in today[:_PARTS]]
    shown += [f"{len(today) - _PARTS} more"] if len(today) > _PARTS else []
    return f"{queue_name(queue)} (now: {' or '.join(shown)})"


def counted(n: int, what: str) -> str:
    """How many things: "1 ticket", "2 tickets"."""
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def percent(probability: float) -> str:
    """A probability in [0, 1] as whole percent; never 100, as no model is certain."""
    return f"{min(99, round(100 * probability))} %"


def sureness(probability: float) -> str:
    """A probability in [0, 1] in words and percent: "very likely, 86 %"."""
    word = next((word for least, word in _SURENESS if probability >= least), "very unsure")
    return f"{word}, {percent(probability)}"


def bar(queue: str, probability: float) -> str:
    """A line with a bar of ten cells, the percentage and the queue; bars align below each other."""
    filled = round(_BAR_CELLS * probability)
    cells = "█" * filled + "░" * (_BAR_CELLS - filled)
    return f"`{cells} {percent(probability):{_FIGURE_SPACE}>4}` {snippet(queue, MAX_QUEUE_NAME)}"


def priority_line(priority: Priority, why: str) -> str:
    """The priority with its reason, which is mrkdwn already; P1 stands out."""
    mark = "🔴 " if priority is Priority.P1 else ""
    return f"{mark}*{priority.label}*" + (f" · {why}" if why else "")


def step_line(step: Step) -> str:
    """Who did what and when: "@rita moved it to *Access* · Today at 11:09"."""
    done = deed(step.by, step.action, step.queue_after, step.priority_after, step.today)
    return f"{done} · {moment(step.at)}"


def judgement_line(said: Judgement) -> str:
    """What the model said: "Model 2026.11 took it for *Access*, 91 %, P3 …"."""
    return (
        f"Model {snippet(said.model_version, 60)}: {then_and_now(said.queue, said.today)} "
        f"({percent(said.confidence)}), {said.priority.label}, "
        f"language {snippet(said.language, 20)}. {DECISIONS[said.decision]} "
        f"{REASONS[said.reason]} · {moment(said.at)}"
    )


def deed(
    by: str, action: Action, queue: str | None, priority: Priority, today: Sequence[str] = ()
) -> str:
    """Who did what: "@rita moved it to *Access*".

    Args:
        by: Slack user id.
        action: What was done.
        queue: Where the ticket was afterwards.
        priority: What priority it had afterwards.
        today: What that queue is called now; empty while nothing changed.
    """
    to = then_and_now(queue, today) if queue else "no queue"
    what = {
        Action.CONFIRM: f"confirmed {to}",
        Action.REASSIGN: f"moved it to {to}",
        Action.DISMISS: "said that it is not a ticket",
        Action.PRIORITY: f"set the priority to *{priority.label}*",
        Action.CLAIM: "took it on",
        Action.RESOLVE: "resolved it",
        Action.REOPEN: "reopened it",
        Action.WITHDRAW: "withdrew it",
        Action.WRONG_QUEUE: f"says that it belongs to {to}",
    }[action]
    return f"{mention(by)} {what}"
