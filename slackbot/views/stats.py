"""Honest numbers as blocks: everything that the pictures show, for who cannot see them too."""

from __future__ import annotations

from slackbot.mrkdwn import escape
from slackbot.stats.figures import Numbers, QueueNumbers
from slackbot.stats.words import figure, promise_kept, summary
from slackbot.views import blocks
from slackbot.views.message import Block, Message
from slackbot.views.words import counted, queue_name

_QUEUES = 20
_QUEUES_IN_A_BLOCK = 5


def stats(numbers: Numbers, *, pictures: bool) -> Message:
    """The numbers of a period.

    Args:
        numbers: What was counted.
        pictures: Whether pictures follow in a direct message.
    """
    title = f"Numbers for {numbers.period.words}"
    note = "Estimates from reviewed tickets, weighed by their chance to be asked about."
    follows = " Pictures follow in a direct message." if pictures else ""
    last = blocks.context(f"{note} 95 % intervals.{follows}")
    return Message(title, (blocks.header(title), *_told(numbers), last))


def at_home(numbers: Numbers) -> list[Block]:
    """The same for App Home."""
    title = blocks.header(f"Numbers for {numbers.period.words}")
    more = "Counted in the last minutes; `/ticket stats` counts anew, and sends pictures."
    return [title, *_told(numbers), blocks.context(more)]


def pictures_title(numbers: Numbers) -> str:
    """What stands above the pictures."""
    return f"Numbers for {numbers.period.words}, tickets: {numbers.tickets}"


def only_for_reviewers() -> Message:
    """The numbers are for who is responsible for them."""
    return Message(text := "Only IT reviewers and admins see the numbers.", (blocks.section(text),))


def _told(numbers: Numbers) -> list[Block]:
    lines = [f"*{escape(name)}:* {escape(text)}" for name, text in summary(numbers)]
    queues = [blocks.section("*Queues*"), *_queues(numbers)] if numbers.queues else []
    return [blocks.section("\n".join(lines)), *queues]


def _queues(numbers: Numbers) -> list[Block]:
    lines = [_queue_line(queue, numbers.promise) for queue in numbers.queues[:_QUEUES]]
    left_out = len(numbers.queues) - len(lines)
    shown = [
        blocks.section("\n".join(lines[start : start + _QUEUES_IN_A_BLOCK]))
        for start in range(0, len(lines), _QUEUES_IN_A_BLOCK)
    ]
    return (
        [*shown, blocks.context(f"And {counted(left_out, 'more queue')}.")] if left_out else shown
    )


def _queue_line(queue: QueueNumbers, promise: float) -> str:
    return (
        f"{queue_name(queue.name)}: {queue.tickets} filed, {queue.routed} routed alone; right: "
        f"{figure(queue.precision)}; promise: {promise_kept(queue, promise)}"
    )
