"""What the bot says to one person: answers to commands and clicks, notices to reporters."""

from __future__ import annotations

from collections.abc import Sequence

from core.because import Moved
from core.decision import Priority
from slackbot.mrkdwn import escape, mention, moment, shorten, snippet
from slackbot.views import blocks
from slackbot.views.card import full_body, notification
from slackbot.views.message import Block, Message
from slackbot.views.ticket import TicketCard
from slackbot.views.words import SIGNS, STATES, counted, deed, queue_name
from storage.records import Action, Review, State, Ticket

_HELP = """*Tell me what is wrong, and I find the queue for it.*
`/ticket my vpn drops every 5 minutes` files a ticket
`/ticket` opens a form
`/ticket status T-12` shows one ticket
`/ticket list` shows yours
`/ticket stats 7d` shows how often the bot is right, for reviewers
`/ticket setup` opens the settings, for workspace admins
`/ticket help` shows this"""

_LISTED = 20
_PARTS = 5
_LISTED_TEXT = 60
_WORD_SHOWN = 40


def plain_text(text: str) -> Message:
    """An answer of one paragraph.

    Args:
        text: mrkdwn; what people wrote is escaped in it already.
    """
    return Message(text, (blocks.section(text),))


def because(number: str, queue: str, moved: Sequence[Moved]) -> Message:
    """The words that moved the model's decision most.

    Args:
        number: "T-12".
        queue: That the model found most probable.
        moved: The words, the strongest first.
    """
    if not moved:
        return plain_text(f"No single word of {number} speaks for {queue_name(queue)}.")
    lines = [
        f"• *{escape(shorten(each.word, _WORD_SHOWN))}* {each.share * 100:+.0f}" for each in moved
    ]
    return plain_text(
        f"{number} looks like {queue_name(queue)} because of these words. By so many percentage "
        "points each makes the model surer or, with a minus, less sure:\n" + "\n".join(lines)
    )


# Commands ------------------------------------------------------------------------------------


def help_text(reaction: str = "ticket") -> Message:
    """What the bot does, and how to ask for it.

    Args:
        reaction: The emoji that files a message, without colons.
    """
    elsewhere = (
        "You can also write to me directly, mention me in a channel, use *File as ticket* in a "
        f"message's menu, or react to a message with :{reaction}:"
    )
    return Message(_HELP, (blocks.section(_HELP), blocks.context(elsewhere)))


def status(ticket: TicketCard) -> Message:
    """One ticket with all that the model said and people did."""
    return Message(notification(ticket), tuple(full_body(ticket)))


def status_usage() -> Message:
    """Asks for the ticket's number."""
    return plain_text("Which one? Try `/ticket status T-12`, or `/ticket list` for yours.")


def ticket_list(tickets: Sequence[Ticket]) -> Message:
    """A person's own tickets, in the order given; the first 20 of them."""
    if not tickets:
        return plain_text("You have no tickets yet. `/ticket my vpn drops` files one.")
    listed = tickets[:_LISTED]
    title = "Your ticket" if len(listed) == 1 else f"Your {len(listed)} latest tickets"
    return Message(title, (blocks.header(title), *ticket_lines(listed)))


def ticket_lines(tickets: Sequence[Ticket]) -> list[Block]:
    """One paragraph for each ticket, so that nobody's formatting reaches the next one."""
    return [blocks.section(_ticket_line(ticket)) for ticket in tickets]


def _ticket_line(ticket: Ticket) -> str:
    shown = "" if ticket.state is State.WITHDRAWN else snippet(ticket.text, _LISTED_TEXT)
    queue = f" · {queue_name(ticket.queue)}" if ticket.queue else ""
    return (
        f"{SIGNS[ticket.state]} *{ticket.number}*  {shown}\n"
        f"{STATES[ticket.state]}{queue} · {moment(ticket.created_at)}"
    )


def unknown_ticket(number: str) -> Message:
    """No such ticket; `number` is shown as it was typed."""
    return plain_text(f"I know no ticket {snippet(number, 40)}. `/ticket list` shows yours.")


def blank_hint() -> Message:
    """Nothing was said, so there is nothing to file."""
    return plain_text("Please say what is wrong, for example `/ticket my vpn drops`.")


def nothing_to_file() -> Message:
    """The message that somebody wants to file says nothing, or is the bot's own."""
    return plain_text(
        "There are no words of a person in this message, so there is nothing to file. "
        "`/ticket my vpn drops` files a ticket."
    )


def already_filed(number: str) -> Message:
    """The message that a thread is about is a ticket already."""
    return plain_text(f"{number} is about this already: its card is in this thread.")


# Clicks --------------------------------------------------------------------------------------


def not_a_reviewer(*, any_set: bool) -> Message:
    """The click had no effect; `any_set` tells whether there are reviewers at all."""
    if any_set:
        return plain_text("Only IT reviewers can do this. Guests never can.")
    return plain_text(
        "Nobody can do this yet: a workspace admin names the reviewers in `/ticket setup`, "
        "or whoever runs the bot does in `AUTOTICKET_REVIEWERS`."
    )


def reviewer_unknown() -> Message:
    """Slack did not say who clicked, so nothing was done."""
    return plain_text("I could not find out whether you are a reviewer. Please try again.")


def already_settled(ticket: Ticket, last: Review | None) -> Message:
    """Somebody was faster, or the ticket has moved on; `last` is what happened to it last."""
    if last is None:
        return plain_text(f"{ticket.number} has changed: {STATES[ticket.state].lower()}.")
    done = deed(last.reviewer, last.action, last.queue_after, Priority(last.priority_after))
    what = "has changed" if ticket.state is State.PENDING else "is already settled"
    return plain_text(f"{ticket.number} {what}: {done} · {moment(last.created_at)}")


def forgotten(number: str) -> Message:
    """The click had no effect: nobody can know any more what the ticket was about."""
    return plain_text(f"The text of {number} was erased. It can only be closed.")


def not_the_reporter() -> Message:
    """The click had no effect: it is for who reported the ticket."""
    return plain_text("Only who reported this ticket can do this.")


def already_there(ticket: Ticket) -> Message:
    """Somebody says that it belongs where it is."""
    where = queue_name(ticket.queue) if ticket.queue else "no queue"
    return plain_text(f"{ticket.number} is with {where} already.")


def unknown_queue(queue: str) -> Message:
    """The picked queue does not exist, or not any more."""
    return plain_text(f"There is no queue {queue_name(queue)} any more. Please pick another one.")


def queue_was_split(queue: str, parts: Sequence[str]) -> Message:
    """The picked queue is several now, and nobody knows which one was meant."""
    shown = ", ".join(queue_name(part) for part in parts[:_PARTS])
    more = f" and {len(parts) - _PARTS} more" if len(parts) > _PARTS else ""
    return plain_text(
        f"{queue_name(queue)} was split into {shown}{more} after this was drawn. Nothing was "
        "changed: please pick one of them."
    )


def stale_card() -> Message:
    """The clicked element means nothing any more."""
    return plain_text("This card is out of date, nothing was changed. `/ticket status` knows more.")


def admins_only() -> Message:
    """The settings are not for this person, or Slack did not say that they are."""
    return plain_text("Only admins and owners of this workspace can change AutoTicket's settings.")


def setup_by_command() -> Message:
    """A form can be opened by a command only."""
    return plain_text("Please type `/ticket setup`: only a command can open the settings.")


def channels_not_checked() -> Message:
    """Slack did not say in time whether the chosen channels will do."""
    return plain_text("Slack did not answer in time, so nothing was changed. Please save again.")


def settings_changed() -> Message:
    """Somebody else has changed the settings since they were shown."""
    return plain_text("Somebody else has just changed the settings. Please open them again.")


def beyond_budget(waiting: int, beyond: int, budget: int) -> Message:
    """Tells reviewers that more waits than they have set themselves for a day.

    Args:
        waiting: How many tickets wait.
        beyond: How many of them are beyond what is left of today's budget.
        budget: How many decisions a day they have set themselves.
    """
    waits = f"{counted(waiting, 'ticket')} {'waits' if waiting == 1 else 'wait'}"
    return plain_text(
        f"{waits} for a decision: {beyond} more than is left of the {budget} that "
        "are set for a day. My Home shows first where a wrong route would cost most, and some that "
        "are drawn at random, so that the numbers stay honest."
    )


# Trouble -------------------------------------------------------------------------------------


def not_recorded() -> Message:
    """What was asked for is lost, and the person must know."""
    return plain_text("This could not be recorded. Please try again in a minute.")


def failed(error_id: str) -> Message:
    """An error of ours; the id is in the log."""
    return plain_text(f"Something went wrong on my side. IT finds it in the log as `{error_id}`.")


# Notices to the reporter ---------------------------------------------------------------------


def notice(ticket: Ticket, action: Action, *, by: str) -> Message:
    """Tells the reporter what a person did with the ticket.

    Args:
        ticket: As it is now.
        action: What was done; a new priority stands on the card, and is no news.
        by: Slack user id of who did it.
    """
    queue = queue_name(ticket.queue) if ticket.queue else "IT"
    who, number = mention(by), ticket.number
    what = {
        Action.CONFIRM: f"{number} is with {queue}.",
        Action.REASSIGN: f"{number} is with {queue} now.",
        Action.DISMISS: f"{who} says that {number} is not a ticket. If it is one, please file it "
        "again with `/ticket` and a few more words.",
        Action.CLAIM: f"{who} is working on {number}.",
        Action.RESOLVE: f"{who} has resolved {number}.",
        Action.REOPEN: f"{who} has reopened {number}; it is with {queue}.",
        Action.WITHDRAW: f"{number} is withdrawn; nobody will work on it.",
        Action.WRONG_QUEUE: f"Thank you. A person will look where {number} belongs.",
    }[action]
    about = "" if action is Action.WITHDRAW else snippet(ticket.text, _LISTED_TEXT)
    quoted = (blocks.context(about),) if about else ()
    return Message(what, (blocks.section(what), *quoted))
