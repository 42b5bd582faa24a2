"""Where a ticket's cards go and what can be done on each: pure rules, one place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from slackbot.team_settings import TeamSettings
from slackbot.views.controls import Controls, audit_controls
from storage.records import Card, Place, Source, State, Ticket
from storage.review_records import ReviewRequest

PRIVATE_SOURCES = frozenset({Source.COMMAND, Source.MODAL})
"""Filed without a message in a channel: answered to the filer only, and by direct message."""


@dataclass(frozen=True, slots=True)
class Placement:
    """One card that must exist.

    Attributes:
        place: What the card is for.
        channel: Channel id, or the user id for a direct message.
        thread_ts: The message whose thread the card is in, None for the channel itself.
    """

    place: Place
    channel: str
    thread_ts: str | None = None


def placements(
    ticket: Ticket, settings: TeamSettings, *, audited: bool = False
) -> tuple[Placement, ...]:
    """The cards that `ticket` needs in its present state, the reporter's first.

    An audit's card comes before the queue's: where both would stand in one channel, the queue's
    would tell what a blind audit hides, and the audit's alone must do.
    """
    wanted = [own_card(ticket)]
    if audited and settings.review_channel:
        wanted.append(Placement(Place.REVIEW, settings.review_channel))
    if ticket.state is State.PENDING:
        channel = settings.review_channel or _command_channel(ticket)
        if channel:
            wanted.append(Placement(Place.REVIEW, channel))
    elif ticket.queue is not None:
        channel = (
            settings.queue_channels.get(ticket.queue)
            or settings.review_channel
            or _command_channel(ticket)
        )
        if channel:
            wanted.append(Placement(Place.QUEUE, channel))
    return tuple(wanted)


def own_card(ticket: Ticket) -> Placement:
    """The card for who reported: in the message's thread, or as a direct message."""
    if ticket.source in PRIVATE_SOURCES or ticket.channel is None:
        return Placement(Place.THREAD, ticket.reporter)
    return Placement(Place.THREAD, ticket.channel, ticket.thread_ts or ticket.ts)


def _command_channel(ticket: Ticket) -> str | None:
    # Not another direct message: nobody but the reporter could act on a card there.
    private = ticket.source in PRIVATE_SOURCES
    return ticket.channel if private and ticket.channel and ticket.channel[0] != "D" else None


def controls(
    ticket: Ticket, card: Card, cards: Iterable[Card], audit: ReviewRequest | None = None
) -> Controls:
    """What can be done on `card`, one of the ticket's `cards`, with its audit while one is open."""
    if ticket.state is State.WITHDRAWN:
        return Controls.NONE
    live = [other for other in cards if not other.retired and not other.refused]
    only_card = all(other.id == card.id for other in live)
    if audit is not None and card.place is Place.REVIEW:
        for_staff = all(other.place is not Place.QUEUE for other in live)
        return audit_controls(blind=audit.blind, for_staff=for_staff)
    if card.place is Place.THREAD and not only_card:
        return Controls.NONE
    if ticket.state is not State.PENDING:
        return Controls.STAFF
    # An edit, or the reporter, can make a sure ticket an unsure one: the review card asks, and
    # the queue's where there is none.
    asked_elsewhere = any(other.place is Place.REVIEW for other in live)
    return Controls.NONE if card.place is Place.QUEUE and asked_elsewhere else Controls.REVIEW
