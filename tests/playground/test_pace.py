"""Slack's pace for messages, and its ceiling for events."""

import pytest

from slackbot.playground.app import Installation, Manifest
from slackbot.playground.changes import Feed
from slackbot.playground.errors import ApiError
from slackbot.playground.events import Events
from slackbot.playground.handles import ReplyHandles, Triggers
from slackbot.playground.modals import Modals
from slackbot.playground.pace import EventBudget, Pace
from slackbot.playground.records import ChannelKind
from slackbot.playground.site import Site
from slackbot.playground.workspace import Draft, Workspace
from tests.playground.kit import MANIFEST


class Clock:
    now = 3600.0 * 400_000

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_a_quiet_channel_has_saved_a_burst_and_then_gets_one_a_second(clock):
    pace = Pace(clock, burst=2)
    pace.take("C1")
    pace.take("C1")
    with pytest.raises(ApiError, match="ratelimited") as caught:
        pace.take("C1")
    assert (caught.value.status, caught.value.retry_after) == (429, 1)
    pace.take("C2")
    clock.now += 1
    pace.take("C1")
    with pytest.raises(ApiError):
        pace.take("C1")
    clock.now += 3600
    pace.take("C1")
    pace.take("C1")
    with pytest.raises(ApiError):
        pace.take("C1")


def test_above_the_ceiling_the_app_is_warned_once_a_minute(clock):
    workspace = Workspace(Installation.of(Manifest.parse(MANIFEST), "acme"), Feed(), clock)
    site = Site(
        workspace,
        Modals(workspace),
        Triggers(clock),
        ReplyHandles(clock),
        Pace(clock),
        EventBudget(clock, per_hour=2),
    )
    sent = []
    Events(site, sent.append)
    ana = workspace.add_user("ana")
    channel = workspace.add_channel("x", ChannelKind.PUBLIC, [ana.id, workspace.bot.id])
    for seconds in (0, 1, 2, 3, 60, 3600):
        clock.now = Clock.now + seconds
        workspace.post(channel, ana, Draft("x"))
    told, limited = "event_callback", "app_rate_limited"
    assert [payload["type"] for payload in sent] == [told, told, limited, limited, told]
    assert sent[3]["minute_rate_limited"] == Clock.now + 60
