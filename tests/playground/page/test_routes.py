"""The page's server side: who sees what, what may be done, and who is kept out."""

import asyncio
import json

import aiohttp
import pytest

from slackbot.playground import Playground
from slackbot.playground.page import Member, Morning, Page, Scene
from slackbot.playground.workspace import Draft
from tests.playground.kit import MANIFEST, button, modal, section


class Visitor:
    """Speaks to the page as a browser would."""

    def __init__(self, slack, session):
        self.slack = slack
        self.session = session

    async def state(self, person):
        async with self.session.get("/page/state", params={"as": person.id}) as response:
            return await response.json()

    async def act(self, person, act, **wish):
        params, body = {"as": person.id}, {"act": act, **wish}
        async with self.session.post("/page/act", params=params, json=body) as response:
            return response.status, await response.json(content_type=None)

    async def morning(self, **wish):
        async with self.session.post("/page/morning", json=wish) as response:
            return await response.json() if response.ok else response.status


@pytest.fixture
async def slack():
    playground = Playground(manifest=MANIFEST, pace=False, retry_delays=())
    page = Page(playground)
    async with playground:
        playground.page = page
        yield playground


@pytest.fixture
async def people(slack):
    people = {name: slack.add_user(name) for name in ("ana", "rita")}
    people["help"] = slack.add_channel("it-help")
    people["desk"] = slack.add_channel("it-review", members=[people["rita"]])
    decided = iter([{"auto": 1}, {"auto": 3}, {"auto": 3}, {"auto": 3}])

    async def tally():
        return next(decided)

    cast = [Member(people["ana"], "employee"), Member(people["rita"], "reviewer")]
    morning = Morning(["a", "b", "c"], [people["ana"]], people["help"])
    slack.page.show(Scene(cast, {people["help"].id: "Help"}, morning, tally))
    return people


@pytest.fixture
async def visitor(slack):
    async with aiohttp.ClientSession(slack.base_url) as session:
        yield Visitor(slack, session)


async def test_each_person_sees_their_own_channels_and_whispers(slack, people, visitor):
    ana, rita, desk = people["ana"], people["rita"], people["desk"]
    await ana.say(people["help"], "for all")
    await rita.say(desk, "for the desk")
    slack.workspace.whisper(people["help"], slack.workspace.bot, Draft("psst"), ana.id)
    texts = {
        person: {message["json"]["text"] for message in (await visitor.state(person))["messages"]}
        for person in (ana, rita)
    }
    assert texts == {ana: {"for all", "psst"}, rita: {"for all", "for the desk"}}
    names = [channel.get("name") for channel in (await visitor.state(ana))["channels"]]
    assert names == ["it-help", None]  # the last one is the direct message with the app


async def test_changes_come_as_they_happen_and_end_with_the_playground(slack, people, visitor):
    ana, rita = people["ana"], people["rita"]
    async with visitor.session.get("/page/changes", params={"as": rita.id}) as stream:

        async def news():
            line = (await asyncio.wait_for(stream.content.readuntil(b"\n\n"), 5)).decode()
            return json.loads(line.removeprefix("data: "))

        assert (await news())["kind"] == "snapshot"
        message = await ana.say(people["help"], "hello")
        assert (await news())["message"]["json"]["text"] == "hello"
        slack.workspace.whisper(people["help"], slack.workspace.bot, Draft("psst"), ana.id)
        await ana.edit(message, "hello again")
        assert (await news())["message"]["json"]["text"] == "hello again"
        await ana.delete(message)
        assert await news() == {"kind": "gone", "channel": message.channel, "ts": message.ts}
        slack._site.modals.open(rita.id, modal())
        assert (await news())["modal"]["json"]["type"] == "modal"
        await slack.stop()
        assert await stream.content.read() == b""


async def test_a_person_writes_changes_reacts_and_deletes(slack, people, visitor):
    ana, channel = people["ana"], people["help"].id
    assert await visitor.act(ana, "say", channel=channel, text="one") == (200, {"took": True})
    [message] = slack.messages(channel)
    at = {"channel": channel, "ts": message.ts}
    await visitor.act(ana, "say", channel=channel, text="two", thread=message.ts)
    await visitor.act(ana, "edit", **at, text="1")
    await visitor.act(ana, "react", **at, emoji="ticket")
    assert (message.text, message.reactions) == ("1", {"ticket": [ana.id]})
    assert [reply.text for reply in slack.thread(message)] == ["two"]
    await visitor.act(ana, "react", **at, emoji="ticket")
    assert message.reactions == {}
    await visitor.act(ana, "delete", **at)
    assert slack.messages(channel) == []


async def test_nobody_does_what_their_client_would_not_offer(slack, people, visitor):
    rita, ana = people["rita"], people["ana"]
    message = await rita.say(people["desk"], "secret")
    at = {"channel": message.channel, "ts": message.ts}
    for act, wish in [
        ("say", {"channel": message.channel, "text": "let me in"}),
        ("say", {"channel": "C404", "text": "x"}),
        ("say", {"channel": people["help"].id, "text": " "}),
        ("say", {"channel": people["help"].id, "text": "x", "thread": "1.1"}),
        ("say", {"channel": people["help"].id}),
        ("edit", {**at, "text": "mine now"}),
        ("delete", {**at, "ts": "1.1"}),
        ("command", {"channel": people["help"].id, "command": "/rm", "text": ""}),
        ("click", {**at, "action": "review_confirm"}),
        ("submit", {"view": "V1", "entries": {}}),
        ("close", {"view": 1}),
    ]:
        status, answer = await visitor.act(ana, act, **wish)
        assert status == 409, act
        assert answer["error"]
    assert message.text == "secret"


async def test_controls_are_pressed_on_messages_only_their_reader_sees(slack, people, visitor):
    blocks = ({"type": "actions", "elements": [button("go", "T-1:x")]}, section("text"))
    ana, bot = people["ana"], slack.workspace.bot
    whisper = slack.workspace.whisper(people["help"], bot, Draft("psst", blocks), ana.id)
    wish = {"channel": whisper.channel, "ts": whisper.ts, "action": "go", "value": "T-1:x"}
    # Nobody listens for the app, and the person is told so.
    assert await visitor.act(ana, "click", **wish) == (200, {"took": False})
    assert slack.deliveries[-1].name == "block_actions"
    assert (await visitor.act(people["rita"], "click", **wish))[0] == 409


async def test_a_morning_is_played_counted_and_stopped(slack, people, visitor):
    assert await visitor.morning(per_minute=601) == 400
    before = await visitor.morning(per_minute=600)
    assert (before["sent"], before["total"], before["tally"]) == (0, 3, {})
    await visitor.morning(play=True)
    await slack.until(lambda: len(slack.messages(people["help"])) == 3)
    stopped = await visitor.morning(play=False)
    assert (stopped["playing"], stopped["tally"]) == (False, {"auto": 2})
    assert {message.text for message in slack.messages(people["help"])} == {"a", "b", "c"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "rebound.example"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Content-Type": "text/plain"}, 415),
    ],
)
async def test_other_sites_are_kept_out(people, visitor, headers, status):
    body = json.dumps({"act": "open_home"})
    headers = {"Content-Type": "application/json", **headers}
    async with visitor.session.post("/page/act", data=body, headers=headers) as response:
        assert response.status == status


@pytest.mark.parametrize("body", ["", "[]", '{"act": "fly"}'])
async def test_nonsense_is_refused(people, visitor, body):
    headers = {"Content-Type": "application/json"}
    async with visitor.session.post("/page/act", data=body, headers=headers) as response:
        assert response.status == 400


async def test_the_page_loads_nothing_from_elsewhere_and_waits_for_its_scene(slack, visitor):
    async with visitor.session.get("/") as response:
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
        assert "AutoTicket playground" in await response.text()
    async with visitor.session.get("/page/state") as response:
        assert response.status == 503


async def test_only_members_of_the_cast_can_be_played(slack, people, visitor):
    async with visitor.session.get("/page/state", params={"as": slack.bot_user_id}) as response:
        assert response.status == 404
