"""What is not acknowledged comes again: over HTTP with Slack's headers, a few times, in time."""

import asyncio
import json

import pytest
from aiohttp import web
from slack_sdk.signature import SignatureVerifier

from slackbot.playground import Playground
from tests.playground.kit import MANIFEST, serve


class App:
    """Answers each request with the next status, then always with the last one."""

    def __init__(self, *statuses, delay=0.0):
        self.statuses = list(statuses)
        self.delay = delay
        self.requests = []

    async def handle(self, request):
        self.requests.append((request.headers, await request.text()))
        status = self.statuses.pop(0) if self.statuses[1:] else self.statuses[0]
        await asyncio.sleep(self.delay)
        return web.Response(status=status)

    def retries(self):
        names = ("X-Slack-Retry-Num", "X-Slack-Retry-Reason")
        return [tuple(headers.get(name) for name in names) for headers, _ in self.requests]


async def settle(slack):
    await slack.until(lambda: slack.in_flight == 0)


async def test_an_event_comes_again_until_it_is_taken(slack):
    app = App(500, 503, 200)
    async with serve(app.handle) as url:
        slack.use_http(url)
        await slack.add_user("ana").say(slack.add_channel("it-help"), "vpn down")
        await settle(slack)
    assert app.retries() == [(None, None), ("1", "http_error"), ("2", "http_error")]
    assert len({body for _, body in app.requests}) == 1
    assert [a.failure for a in slack.deliveries[0].attempts] == ["http_error", "http_error", ""]
    assert slack.deliveries[0].acknowledged


async def test_after_three_redeliveries_slack_gives_up(slack):
    app = App(500)
    async with serve(app.handle) as url:
        slack.use_http(url)
        await slack.add_user("ana").say(slack.add_channel("it-help"), "vpn down")
        await settle(slack)
    assert len(app.requests) == 4
    assert not slack.deliveries[0].acknowledged


async def test_too_late_is_not_taken():
    app = App(200, delay=0.3)
    async with Playground(manifest=MANIFEST, ack_timeout=0.1, retry_delays=(0,)) as slack:
        async with serve(app.handle) as url:
            slack.use_http(url)
            ana, channel = slack.add_user("ana"), slack.add_channel("it-help")
            await ana.say(channel, "vpn down")
            await settle(slack)
        assert app.retries() == [(None, None), ("1", "http_timeout")]


async def test_a_refused_connection_is_tried_again(slack):
    app = App(200)
    async with serve(app.handle) as url:
        pass
    slack.use_http(url)
    await slack.add_user("ana").say(slack.add_channel("it-help"), "vpn down")
    await settle(slack)
    attempts = slack.deliveries[0].attempts
    assert [attempt.failure for attempt in attempts] == ["connection_failed"] * 4


async def test_every_request_is_signed(slack):
    app = App(200)
    verifier = SignatureVerifier(slack.signing_secret)
    async with serve(app.handle) as url:
        slack.use_http(url)
        ana, channel = slack.add_user("ana"), slack.add_channel("it-help")
        await ana.say(channel, "vpn dówn 😀")
        await ana.command("/ticket", "vpn & <more>", channel=channel)
        await ana.global_shortcut("new_ticket")
        await settle(slack)
    assert len(app.requests) == 3
    for headers, body in app.requests:
        assert verifier.is_valid_request(body, dict(headers))
        assert not verifier.is_valid_request(body + " ", dict(headers))


async def test_text_that_is_no_valid_unicode_is_delivered_all_the_same(slack):
    app = App(200)
    async with serve(app.handle) as url:
        slack.use_http(url)
        ana, channel = slack.add_user("ana"), slack.add_channel("it-help")
        await ana.say(channel, "a\0\ud800b")
        assert await ana.command("/ticket", "a\0\ud800b", channel=channel) is None
        await settle(slack)
    event = next(body for _, body in app.requests if body.startswith("{"))
    assert json.loads(event)["event"]["text"] == "a\0\ud800b"
    command = next(body for _, body in app.requests if not body.startswith("{"))
    assert "text=a%00%3Fb" in command


async def test_a_slow_or_failing_command_shows_slacks_own_error():
    app = App(200, 500, delay=1)
    async with Playground(manifest=MANIFEST, ack_timeout=0.5) as slack:
        ana, channel = slack.add_user("ana"), slack.add_channel("it-help")
        async with serve(app.handle) as url:
            slack.use_http(url)
            slow = await ana.command("/ticket", "x", channel=channel)
            app.delay = 0
            failed = await ana.command("/ticket", "x", channel=channel)
        nobody = await ana.command("/ticket", "x", channel=channel)
        assert slow.text == '/ticket failed with the error "operation_timeout"'
        assert failed.text == nobody.text == '/ticket failed with the error "dispatch_failed"'
        assert slack.ephemerals(ana) == [slow, failed, nobody]
        assert len(app.requests) == 2  # nobody sends a command again


@pytest.mark.parametrize(
    ("answer", "seen"),
    [
        ({"text": "hello"}, "hello"),
        ({"text": "hello", "blocks": [{"type": "marquee"}]}, "invalid_command_response"),
        ({"response_type": "ephemeral"}, "invalid_command_response"),
    ],
)
async def test_a_command_shows_the_body_of_its_acknowledgement(slack, answer, seen):
    async def handle(_request):
        return web.json_response(answer)

    async with serve(handle) as url:
        slack.use_http(url)
        ana = slack.add_user("ana")
        message = await ana.command("/ticket", "x", channel=slack.add_channel("it-help"))
    assert seen in message.text


async def test_the_same_event_can_come_many_times_at_once(slack):
    app = App(200)
    slack.faults.repeat("message", 4)
    async with serve(app.handle) as url:
        slack.use_http(url)
        ana, channel = slack.add_user("ana"), slack.add_channel("it-help")
        await ana.say(channel, "vpn down")
        await ana.say(channel, "again")
        await settle(slack)
    ids = [json.loads(body)["event_id"] for _, body in app.requests]
    assert sorted(map(ids.count, set(ids))) == [1, 4]


async def test_stopping_leaves_nothing_behind():
    async with Playground(manifest=MANIFEST, retry_delays=(60,)) as slack:
        await slack.add_user("ana").say(slack.add_channel("it-help"), "vpn down")
        await slack.until(lambda: slack.deliveries and slack.deliveries[0].attempts)
        assert slack.in_flight == 1
    assert slack.in_flight == 0
