from datetime import UTC, datetime

import pytest

from slackbot.placement import Placement, controls, placements
from slackbot.team_settings import TeamSettings
from slackbot.views.controls import Controls
from storage.records import Card, Place, Source, State, Ticket
from storage.review_records import ReviewRequest, Why


def ticket(source=Source.MESSAGE, state=State.PENDING, queue=None, channel="C1"):
    private = source in (Source.COMMAND, Source.MODAL)
    return Ticket(
        id=1,
        team="T",
        key="k",
        channel=channel,
        ts=None if private else "1.0",
        thread_ts=None,
        source=source,
        reporter="U1",
        text="x",
        state=state,
        queue=queue,
        urgency="low",
        impact="user",
        priority="P5",
        created_at=datetime.now(UTC),
        updated_at=datetime.now(UTC),
        version=1,
    )


THREAD, DIRECT = Placement(Place.THREAD, "C1", "1.0"), Placement(Place.THREAD, "U1")
SURE = {"state": State.ASSIGNED, "queue": "Hardware"}


@pytest.mark.parametrize(
    ("report", "review_channel", "queue_channels", "expected"),
    [
        (ticket(), "CR", {}, (THREAD, Placement(Place.REVIEW, "CR"))),
        (ticket(), None, {}, (THREAD,)),
        (ticket(Source.COMMAND), None, {}, (DIRECT, Placement(Place.REVIEW, "C1"))),
        (ticket(Source.COMMAND), "CR", {}, (DIRECT, Placement(Place.REVIEW, "CR"))),
        (ticket(Source.COMMAND, channel="D1"), None, {}, (DIRECT,)),
        (ticket(Source.MODAL, channel=None), None, {}, (DIRECT,)),
        (ticket(**SURE), "CR", {"Hardware": "CH"}, (THREAD, Placement(Place.QUEUE, "CH"))),
        (ticket(**SURE), "CR", {"Access": "CA"}, (THREAD, Placement(Place.QUEUE, "CR"))),
        (ticket(**SURE), None, {}, (THREAD,)),
        (ticket(Source.COMMAND, **SURE), None, {}, (DIRECT, Placement(Place.QUEUE, "C1"))),
        (ticket(Source.REACTION, **SURE), None, {}, (THREAD,)),
        (ticket(state=State.WITHDRAWN), "CR", {}, (THREAD,)),
    ],
)
def test_where_cards_go(report, review_channel, queue_channels, expected):
    settings = TeamSettings(review_channel=review_channel, queue_channels=queue_channels)
    assert placements(report, settings) == expected


def test_an_audit_has_its_card_before_the_queues():
    report, settings = (
        ticket(**SURE),
        TeamSettings(review_channel="CR", queue_channels={"Hardware": "CH"}),
    )
    review, queue = Placement(Place.REVIEW, "CR"), Placement(Place.QUEUE, "CH")
    assert placements(report, settings, audited=True) == (THREAD, review, queue)


def card(number, place):
    return Card(
        id=number,
        team="T",
        ticket_id=1,
        place=place,
        channel="C",
        thread_ts=None,
        ts="1.1",
        posted_channel="C",
        retired=False,
    )


ALONE = [card(1, Place.THREAD)]
PAIR = [card(1, Place.THREAD), card(2, Place.REVIEW)]


@pytest.mark.parametrize(
    ("state", "shown", "cards", "expected"),
    [
        (State.PENDING, 0, ALONE, Controls.REVIEW),
        (State.PENDING, 0, PAIR, Controls.NONE),
        (State.PENDING, 1, PAIR, Controls.REVIEW),
        (State.ASSIGNED, 0, ALONE, Controls.STAFF),
        (State.ASSIGNED, 0, PAIR, Controls.NONE),
        (State.ASSIGNED, 1, PAIR, Controls.STAFF),
        (State.WITHDRAWN, 1, PAIR, Controls.NONE),
        (State.WITHDRAWN, 0, ALONE, Controls.NONE),
    ],
)
def test_what_can_be_done_on_a_card(state, shown, cards, expected):
    assert controls(ticket(state=state), cards[shown], cards) is expected


def audit(*, blind):
    return ReviewRequest(
        id=1,
        team="T",
        ticket_id=1,
        why=Why.AUDIT,
        probability=0.05,
        blind=blind,
        created_at=datetime.now(UTC),
        answered=False,
    )


WITH_QUEUE = [*PAIR, card(3, Place.QUEUE)]


@pytest.mark.parametrize(
    ("blind", "shown", "cards", "expected"),
    [
        (False, 1, WITH_QUEUE, Controls.AUDIT),
        (True, 1, WITH_QUEUE, Controls.BLIND),
        (False, 1, PAIR, Controls.AUDIT_STAFF),
        (True, 1, PAIR, Controls.BLIND_STAFF),
        (True, 2, WITH_QUEUE, Controls.STAFF),
        (True, 0, WITH_QUEUE, Controls.NONE),
    ],
)
def test_only_the_review_card_asks_an_audit(blind, shown, cards, expected):
    sure = ticket(state=State.ASSIGNED, queue="Hardware")
    assert controls(sure, cards[shown], cards, audit(blind=blind)) is expected
