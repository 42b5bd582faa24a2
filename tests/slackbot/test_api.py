import asyncio
import json
from datetime import UTC, datetime

import httpx
import pytest
import schemathesis
from click.testing import CliRunner
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.decision import Reason
from slackbot import api
from slackbot.cli import main
from slackbot.server import MAX_BODY, RefuseLargeBodies
from storage import queue_changes
from storage.errors import DatabaseUnavailable
from storage.records import Action
from storage.review_records import NewQueueChange, RoutingChange
from tests.storage.examples import file_ticket, review

TOKEN = "correct-horse"
SHOWN = {"Authorization": f"Bearer {TOKEN}"}


def app_for(judge):
    app = FastAPI(openapi_url=None)
    app.add_middleware(RefuseLargeBodies)
    app.include_router(api.router(TOKEN, lambda: judge))
    return app


def by_the_model_alone(classifier):
    async def judge(texts, *, filed):
        return classifier.classify(texts, filed=filed)

    return judge


@pytest.fixture(scope="module")
def app(classifier):
    return app_for(by_the_model_alone(classifier))


def post(app, *, headers=SHOWN, **body):
    async def call():
        transport = httpx.ASGITransport(app)  # raises what the application raises
        async with httpx.AsyncClient(transport=transport, base_url="http://bot") as client:
            return await client.post(api.PATH, headers=headers, **body)

    return asyncio.run(call())


def problem(answer):
    """The one clear line of a refusal."""
    assert list(answer.json()) == ["detail"]
    line = answer.json()["detail"]
    assert 0 < len(line) < 250
    assert line.isprintable()
    return line


def test_texts_are_judged_as_the_model_judges_them(app, classifier, texts):
    every = [text for of_kind in texts.values() for text in of_kind]
    answer = post(app, json={"texts": every})
    assert answer.status_code == 200
    assert answer.json() == [result.to_json() for result in classifier.classify(every)]
    [filed] = classifier.classify(texts["ignore"][:1], filed=True)
    one = post(app, json={"text": texts["ignore"][0], "filed": True})
    assert one.json() == filed.to_json()
    assert [*one.json(), "settled_like"] == list(api.Result.model_fields)


def test_the_command_line_says_the_same(app, texts, root, monkeypatch):
    monkeypatch.setenv("AUTOTICKET_MODEL_DIR", str(root / "models" / "default"))
    for text in (texts["auto"][0], texts["ignore"][0]):
        printed = CliRunner().invoke(main, ["classify", "--json", text]).stdout
        assert post(app, json={"text": text}).json() == json.loads(printed)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": TOKEN},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": f"Bearer {TOKEN}x"},
        {"Authorization": "Bearer \xe4".encode("latin-1")},
        {"Authorization": "Bearer"},
    ],
)
def test_who_does_not_show_the_token_learns_nothing(app, headers):
    answer = post(app, headers=headers, content=b"no JSON either")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert TOKEN not in answer.text


def test_a_token_may_hold_any_letter(classifier):
    app = FastAPI()
    app.include_router(api.router("schlüssel", lambda: by_the_model_alone(classifier)))
    shown = {"Authorization": "Bearer schlüssel".encode()}
    assert post(app, headers=shown, json={"text": "a"}).status_code == 200


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"", "body: Invalid JSON"),
        (b"\xff", "body: Invalid JSON"),
        (b"[" * 100_000, "body: Invalid JSON"),
        (b'{"text": "\\ud800"}', "body: Invalid JSON"),
        (b"[]", "body: Input should be an object"),
        (b"{}", "text: Field required"),
        (b'{"text": null}', "text: Input should be a valid string"),
        (b'{"text": "a", "texts": []}', "text: Extra inputs"),
        (b'{"texts": ["a", 7]}', "texts.1: Input should be a valid string"),
        (b'{"text": "a", "filed": "yes"}', "filed: Input should be a valid boolean"),
        (b'{"text": "a", "x\\ny": NaN}', "x y: Extra inputs"),
        (json.dumps({"texts": ["a"] * 257}).encode(), "texts: List should have at most 256"),
    ],
)
def test_a_wrong_body_is_named_in_one_line(app, body, named):
    answer = post(app, content=body)
    assert answer.status_code == 422
    assert problem(answer).startswith(named)


@settings(
    deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["text", "texts", "filed"]) | st.text(), inner)
        ),
        max_leaves=6,
    )
)
def test_whatever_json_comes_the_answer_is_a_result_or_a_line(app, body):
    answer = post(app, content=json.dumps(body).encode())
    assert answer.status_code in (200, 422)
    if answer.status_code == 422:
        problem(answer)


def test_limits_are_where_they_are_said_to_be(app):
    assert len(post(app, json={"texts": [""] * 256}).json()) == 256
    assert post(app, json={"texts": []}).json() == []
    frame = len(b'{"text":""}')
    fits = b'{"text":"%s"}' % (b"a " * ((MAX_BODY - frame) // 2))
    assert post(app, content=fits).status_code == 200
    refused = post(app, content=fits + b" " * 2)
    assert (refused.status_code, problem(refused)) == (413, "the body is over 1 MB")


def test_a_bot_that_is_starting_asks_for_patience():
    answer = post(app_for(None), json={"text": "a"})
    assert (answer.status_code, problem(answer)) == (503, "the bot is still starting")


def test_a_database_that_does_not_answer_asks_for_patience():
    async def judge(texts, *, filed):
        raise DatabaseUnavailable("no answer from /secret/place")

    answer = post(app_for(judge), json={"text": "a"})
    assert (answer.status_code, "secret" in answer.text) == (503, False)
    assert "database" in problem(answer)


@pytest.fixture(scope="module")
def document(app):
    return schemathesis.openapi.from_asgi("/openapi.json", app)


@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode))
def test_the_openapi_document_keeps_its_word(document, mode):
    @settings(deadline=None, max_examples=60)
    @given(document[api.PATH]["POST"].as_strategy(generation_mode=mode))
    def holds(case):
        case.call_and_validate(headers=SHOWN)

    holds()


async def test_without_a_token_there_is_no_such_address(new_office):
    addresses = (api.PATH, "/openapi.json", "/docs")
    async with new_office().open() as office, httpx.AsyncClient() as client:
        url = f"http://127.0.0.1:{office.port}"
        assert (await client.post(url + api.PATH, json={"text": "a"})).status_code == 404
        assert {(await client.get(url + path)).status_code for path in addresses} == {404}


async def test_with_a_token_the_bot_answers_and_explains_itself(new_office, classifier):
    office = new_office("http", AUTOTICKET_API_TOKEN=TOKEN)
    async with office.open(), httpx.AsyncClient() as client:
        url = f"http://127.0.0.1:{office.port}"
        said = await client.post(url + api.PATH, headers=SHOWN, json={"text": office.sure()})
        assert said.json() == classifier.classify([office.sure()])[0].to_json()
        page = (await client.get(url + "/docs")).text
        assert api.PATH in page
        assert "<script" not in page  # nothing comes from elsewhere
        assert list((await client.get(url + "/openapi.json")).json()["paths"]) == [api.PATH]


async def settle_one(bot, team, text, queue):
    async with bot.desk.database.write() as conn:
        ticket = await file_ticket(conn, team=team, key=f"{team}:{text}", text=text)
        await review(conn, ticket.id, Action.REASSIGN, team=team, queue_after=queue)
    bot.desk.precedents.settled(team)
    return ticket


async def test_what_people_settled_goes_before_the_model_as_it_does_in_slack(new_office):
    office = new_office("http", AUTOTICKET_API_TOKEN=TOKEN)
    async with office.open(), httpx.AsyncClient(headers=SHOWN) as client:
        url = f"http://127.0.0.1:{office.port}{api.PATH}"
        text, own, desk = office.sure(), office.slack.team_id, office.bot.desk
        before = (await client.post(url, json={"text": text})).json()
        other = next(name for name in desk.classifier.queues if name != before["queue"])
        await settle_one(office.bot, "T0OTHER", text, other)
        assert (await client.post(url, json={"text": text})).json() == before
        ticket = await settle_one(office.bot, own, text, other)
        [after, unlike] = (await client.post(url, json={"texts": [text, office.unsure()]})).json()
        assert (after["queue"], after["reason"]) == (other, "settled_like")
        assert after["settled_like"] == ticket.number
        assert list(after) == list(api.Result.model_fields)
        assert "settled_like" not in unlike
        await office.ana.say(office.help_, text)
        card = await office.card("thread", containing=f"settled like {ticket.number}")
        assert other in str(card.blocks)


async def test_a_queue_that_lost_automatic_routing_has_lost_it_here_too(new_office):
    async with new_office().open() as office:
        desk, team = office.bot.desk, office.bot.team
        [said] = await desk.judge([office.sure()], filed=False, team=team)
        change = NewQueueChange(
            team=team, queue=said.queue, change=RoutingChange.DEMOTED, by="", evidence={}
        )
        async with desk.database.write() as conn:
            await queue_changes.add(conn, change, datetime.now(UTC))
        desk.watch.clock = lambda: float("inf")
        [watched] = await desk.judge([office.sure()], filed=False, team=team)
        assert watched.reason is Reason.QUEUE_DEMOTED
        # A bot of many workspaces cannot tell whose text it is: the model alone decides.
        assert await desk.judge([office.sure()], filed=False, team=None) == [said]
