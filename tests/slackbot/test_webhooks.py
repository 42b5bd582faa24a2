"""Outgoing webhooks, against a real receiver over HTTP."""

import asyncio
import contextlib
import json
import re
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from slackbot import delivery, webhooks
from slackbot.config import parse_settings
from slackbot.errors import ConfigError
from slackbot.outcomes import write_down
from slackbot.record_commands import list_dead, revive_dead
from storage import deliveries, forget
from tests.waiting import until

SECRET = "shared-with-the-receiver"


@dataclass
class Receiver:
    """A program elsewhere: remembers what it was sent, and answers as told."""

    url: str = ""
    got: list = field(default_factory=list)
    answers: list = field(default_factory=list)
    otherwise: object = 200
    released: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request):
        self.got.append((dict(request.headers), await request.read()))
        answer = self.answers.pop(0) if self.answers else self.otherwise
        if answer == "hang":
            await self.released.wait()
            answer = 200
        if isinstance(answer, web.Response):
            return answer
        return web.Response(status=answer, text="a body that nobody wants to see")

    def events(self, number=None):
        bodies = [json.loads(body) for _, body in self.got]
        return [b["event"] for b in bodies if number in (None, b["ticket"]["number"])]


@contextlib.asynccontextmanager
async def receiving():
    receiver = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", receiver.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook/top-secret-path"
    try:
        yield receiver
    finally:
        await runner.cleanup()


@pytest.fixture
async def receiver():
    async with receiving() as one:
        yield one


@pytest.fixture
async def other():
    async with receiving() as one:
        yield one


@pytest.fixture
def told(new_office, monkeypatch):
    """Makes an office that tells receivers, and tries again without long waits."""
    monkeypatch.setattr(delivery, "backoff_s", lambda attempts, rng: 0.01)
    monkeypatch.setattr(delivery, "POLL_S", 0.02)

    def make(*receivers, **env):
        urls = ",".join(each.url for each in receivers)
        return new_office(AUTOTICKET_WEBHOOKS=urls, AUTOTICKET_WEBHOOK_SECRET=SECRET, **env)

    return make


async def dead(office):
    async with office.bot.desk.database.read() as conn:
        return await deliveries.dead(conn, 10)


def example(root):
    """The function that the document shows."""
    [code] = re.findall(r"```python\n(.*?)```", (root / "docs" / "webhooks.md").read_text(), re.S)
    namespace = {}
    exec(code, namespace)
    return namespace["is_genuine"]


async def test_the_life_of_an_unsure_ticket_is_told_in_order_and_signed(told, receiver, root):
    async with told(receiver).open() as office:
        text = office.unsure()
        message = await office.ana.say(office.help_, text)
        review = await office.card("review")
        number = review.metadata["event_payload"]["ticket"]
        for action in ("review_confirm", "ticket_claim", "ticket_resolve", "ticket_reopen"):
            await office.rita.click(review, action)
            await office.settled()
        office.slack.workspace.delete(message, office.ana.id)
        await until(lambda: "ticket.withdrawn" in receiver.events())
    assert receiver.events() == [
        "ticket.created",
        "ticket.settled",
        "ticket.routed",
        "ticket.updated",
        "ticket.resolved",
        "ticket.reopened",
        "ticket.withdrawn",
    ]
    bodies = [json.loads(body) for _, body in receiver.got]
    created, settled = bodies[:2]
    assert created["version"] == 1
    assert created["step"] is None
    assert created["ticket"]["text"] == text
    assert (created["ticket"]["number"], created["ticket"]["state"]) == (number, "pending")
    assert created["ticket"]["queue"] is None
    assert created["prediction"]["decision"] == "review"
    assert 0 < created["prediction"]["confidence"] < 1
    assert settled["ticket"]["queue"] == settled["prediction"]["queue"]
    assert settled["step"] == {"action": "confirm", "by": office.rita.id}
    assert settled["ticket"]["team"] == office.slack.team_id
    assert [b["ticket"]["revision"] for b in bodies] == [1, 2, 2, 3, 4, 5, 6]
    assert len({b["id"] for b in bodies}) == len(bodies)
    is_genuine = example(root)
    for headers, body in receiver.got:
        assert headers["X-AutoTicket-Delivery"] == json.loads(body)["id"]
        assert headers["X-AutoTicket-Event"] == json.loads(body)["event"]
        assert is_genuine(SECRET, headers, body)
        assert not is_genuine(SECRET, headers, body + b" ")
        assert not is_genuine("another", headers, body)
        long_ago = str(int(headers["X-AutoTicket-Timestamp"]) - 301)
        late = {
            "X-AutoTicket-Timestamp": long_ago,
            "X-AutoTicket-Signature": webhooks.signature(SECRET, long_ago, body),
        }
        assert not is_genuine(SECRET, late, body)


async def test_a_sure_ticket_is_created_and_routed_at_once(told, receiver):
    async with told(receiver, AUTOTICKET_WEBHOOK_TEXT="no").open() as office:
        await office.ana.say(office.help_, office.sure())
        await office.ana.say(office.help_, office.chat())
        await office.card("thread")
        await office.settled()
    assert receiver.events() == ["ticket.created", "ticket.routed"]
    for _, body in receiver.got:
        ticket = json.loads(body)["ticket"]
        assert ticket["text"] is None
        assert ticket["queue"]


async def test_what_fails_is_sent_again_with_the_same_id_and_keeps_its_place(told, receiver):
    receiver.answers = [500, 429, 503]
    async with told(receiver).open() as office:
        await office.ana.say(office.help_, office.sure())
        await until(lambda: len(receiver.got) == 5)
        await office.settled()
        assert await dead(office) == []
        counted = office.bot.desk.metrics.exposition(await office.bot.snapshot()).decode()
        assert 'autoticket_webhooks_total{outcome="ok"} 2.0' in counted
        assert 'autoticket_webhooks_total{outcome="unknown"} 3.0' in counted
    ids = [headers["X-AutoTicket-Delivery"] for headers, _ in receiver.got]
    assert ids[:4] == [ids[0]] * 4
    assert receiver.events() == ["ticket.created"] * 4 + ["ticket.routed"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (410, "HTTP 410"),
        (400, "HTTP 400"),
        (web.Response(status=302, headers={"Location": "/elsewhere"}), "redirects"),
    ],
)
async def test_a_no_gives_one_event_up_and_not_the_next(
    told, receiver, answer, reason, capsys, monkeypatch
):
    receiver.answers = [answer]
    office = told(receiver)
    async with office.open():
        await office.ana.say(office.help_, office.sure())
        await until(lambda: len(receiver.got) == 2)
        await office.settled()
        [given_up] = await dead(office)
        assert reason in given_up.error
        monkeypatch.setenv("AUTOTICKET_DATABASE_URL", office.env["AUTOTICKET_DATABASE_URL"])
        await list_dead()
        shown = capsys.readouterr().out
        assert "webhook:127.0.0.1" in shown
        assert "T-1 " in shown
        assert "top-secret-path" not in shown
        assert "nobody wants" not in shown
        await revive_dead()
        await until(lambda: len(receiver.got) == 3)
        await office.settled()
    assert receiver.events() == ["ticket.created", "ticket.routed", "ticket.created"]


async def test_a_dead_target_is_given_up_after_its_attempts(told, receiver, caplog):
    receiver.otherwise = 500
    async with told(receiver).open() as office:
        await office.ana.say(office.help_, office.sure())
        await until(lambda: len(receiver.got) >= 2 * delivery.MAX_ATTEMPTS)
        await office.settled()
        assert [each.error for each in await dead(office)] == ["gave up: HTTP 500"] * 2
    assert len(receiver.got) == 2 * delivery.MAX_ATTEMPTS
    logged = " ".join(str(vars(record)) for record in caplog.records)
    assert "top-secret-path" not in logged
    assert SECRET not in logged


async def test_a_target_that_hangs_delays_neither_slack_nor_others(told, receiver, other):
    receiver.otherwise = "hang"
    async with told(receiver, other).open() as office:
        for index in range(3):
            await office.ana.say(office.help_, office.sure(index))
        await office.slack.until(lambda: len(office.cards("thread")) == 3, 5)
        await until(lambda: len(other.got) == 6, 5)
        assert len(receiver.got) == 1
        receiver.released.set()
        await until(lambda: len(receiver.got) == 6, 5)
        await office.settled()
    assert receiver.events() == other.events()


async def test_no_answer_in_time_is_tried_again(told, receiver, monkeypatch):
    monkeypatch.setattr(webhooks, "TIMEOUT_S", 0.2)
    receiver.answers = ["hang"]
    async with told(receiver).open() as office:
        await office.ana.say(office.help_, office.unsure())
        await until(lambda: len(receiver.got) == 2)
        await office.settled()
        receiver.released.set()
    assert receiver.events() == ["ticket.created"] * 2


async def test_what_was_sent_and_not_marked_is_sent_again_under_its_id(told, receiver, monkeypatch):
    async def dies_before_it_marks(conn, owner, delivered):
        to_slack = [each for each in delivered if not each.lane.lane.startswith("webhook:")]
        await write_down(conn, owner, to_slack)

    office = told(receiver)
    with monkeypatch.context() as dying:
        dying.setattr(delivery, "write_down", dies_before_it_marks)
        async with office.open():
            await office.ana.say(office.help_, office.sure())
            await until(lambda: len(receiver.got) == 2)
    async with office.open():
        await office.settled()
    ids = [headers["X-AutoTicket-Delivery"] for headers, _ in receiver.got]
    assert ids[2:] == ids[:2]


async def test_a_forgotten_text_is_not_sent_any_more(told, receiver):
    receiver.otherwise = 500
    async with told(receiver).open() as office:
        await office.ana.say(office.help_, office.unsure())
        await until(lambda: receiver.got)
        async with office.bot.desk.database.write() as conn:
            assert await forget.ticket(conn, team=None, ticket_id=1) == 1
        seen = len(receiver.got)
        receiver.otherwise = 200
        await office.settled()
    assert json.loads(receiver.got[-1][1])["ticket"]["text"] is None
    assert len(receiver.got) > seen


async def test_a_target_that_was_removed_is_given_up(told, new_office, receiver):
    receiver.otherwise = 500
    async with told(receiver).open() as office:
        await office.ana.say(office.help_, office.unsure())
        await until(lambda: receiver.got)
    office.env["AUTOTICKET_WEBHOOKS"] = ""
    async with office.open():
        await office.settled()
        [given_up] = await dead(office)
        assert "AUTOTICKET_WEBHOOKS" in given_up.error


async def test_without_webhooks_nothing_is_written_for_them(new_office):
    async with new_office().open() as office:
        await office.ana.say(office.help_, office.sure())
        await office.card("thread")
        await office.settled()
        async with office.bot.desk.database.read() as conn:
            kinds = await conn.exec_driver_sql("SELECT DISTINCT kind FROM deliveries")
            assert [kind for (kind,) in kinds] == ["card"]


@pytest.mark.parametrize(
    "url",
    ["ftp://x/y", "https://", "hook", "http://a b/c", "http://x:99999/", "file:///etc/passwd"],
)
def test_a_wrong_url_is_named_by_its_place_and_not_shown(url):
    env = {"AUTOTICKET_WEBHOOKS": f"https://fine/x, {url}", "AUTOTICKET_WEBHOOK_SECRET": "s"}
    with pytest.raises(ConfigError) as caught:
        parse_settings(env)
    [problem] = caught.value.problems
    assert "number 2" in problem
    assert url not in problem


def test_webhooks_need_a_secret():
    with pytest.raises(ConfigError, match="AUTOTICKET_WEBHOOK_SECRET"):
        parse_settings({"AUTOTICKET_WEBHOOKS": "https://example.com/hook"})
    assert "example.com" not in repr(
        parse_settings(
            {"AUTOTICKET_WEBHOOKS": "https://example.com/hook", "AUTOTICKET_WEBHOOK_SECRET": "s"}
        )
    )
