"""What reviewers are told when a queue loses automatic routing or may have it back."""

from __future__ import annotations

from collections.abc import Sequence

from slackbot.mrkdwn import mention
from slackbot.views import blocks
from slackbot.views.ids import ActionId, edits_mark
from slackbot.views.message import Message
from slackbot.views.words import queue_name
from storage.review_records import NewQueueChange, RoutingChange


def notice(change: NewQueueChange, edits: int) -> Message:
    """Says what changed and on what numbers; an offer has a button.

    Args:
        change: Of a queue as it is called now.
        edits: How often the list of queues has been edited.
    """
    right, n = int(change.evidence["right"]), int(change.evidence["n"])
    promise, queue = float(change.evidence["promise"]), queue_name(change.queue)
    shown = f"{right} of the last {n} checked routes were right ({right / n:.0%})"
    if change.change is RoutingChange.DEMOTED:
        text = (
            f"⚠️ The bot no longer routes to {queue} by itself: {shown}, and it promises "
            f"{promise:.0%}. From now on people settle these tickets. When the evidence is back, "
            "I offer to go on."
        )
        return Message(text, (blocks.section(text),))
    text = (
        f"{queue} may be routed automatically again: of what the bot would have routed since, "
        f"{right} of {n} were right ({right / n:.0%}; promised: {promise:.0%}). "
        "It stays under review until somebody agrees."
    )
    button = blocks.button(ActionId.RESTORE, "Route automatically", change.queue, "primary")
    actions = blocks.actions(f"queue:restore{edits_mark(edits)}", [button])
    return Message(text, (blocks.section(text), actions))


def restored(queues: Sequence[str], by: str) -> Message:
    """Takes the place of the offer; its queue may have been renamed or split since."""
    names = ", ".join(queue_name(queue) for queue in queues)
    text = f"{mention(by)} has put {names} back to automatic routing."
    return Message(text, (blocks.section(text),))


def nothing_to_restore(queue: str) -> Message:
    """Somebody was first, or the evidence is gone."""
    text = f"{queue_name(queue)} is not on offer any more; nothing was changed."
    return Message(text, (blocks.section(text),))
