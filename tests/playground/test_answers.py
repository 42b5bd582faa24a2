"""Answers at a `response_url`, and what a submission's acknowledgement does to a modal."""

import aiohttp
import pytest

from slackbot.playground.answers import TROUBLE
from tests.playground.kit import actions, button, field, listening, modal, section, sent_by


@pytest.fixture
def ana(slack):
    return slack.add_user("ana")


@pytest.fixture
def channel(slack, ana):
    return slack.add_channel("it-help", bot=False)


@pytest.fixture
async def url(slack, ana, channel):
    payload = await sent_by(slack, ana.command("/ticket", "vpn", channel=channel))
    return payload["response_url"]


async def respond(url, **body):
    async with aiohttp.request("POST", url, json=body) as response:
        return response.status, await response.text()


async def test_five_answers_and_no_more(slack, ana, url):
    for number in range(5):
        assert await respond(url, text=f"{number}") == (200, "ok")
    assert await respond(url, text="5") == (404, "used_url")
    assert [message.text for message in slack.ephemerals(ana)] == list("01234")


async def test_no_answer_after_thirty_minutes_nor_at_an_unknown_address(clock, url):
    clock.ahead = 30 * 60 - 1
    assert (await respond(url, text="in time"))[0] == 200
    clock.ahead += 2
    assert await respond(url, text="late") == (404, "expired_url")
    assert (await respond(f"{url}x", text="guess"))[0] == 404


async def test_a_wrong_answer_is_refused(slack, ana, url):
    assert await respond(url) == (400, "no_text")
    assert await respond(url, blocks=[{"type": "marquee"}]) == (400, "invalid_blocks")
    assert slack.ephemerals(ana) == []


async def url_of_click(slack, person, message):
    return (await sent_by(slack, person.click(message, "b")))["response_url"]


async def test_a_click_may_replace_delete_or_add_to_its_message(slack, client, ana):
    channel = slack.add_channel("it-review")
    blocks = [actions(button("b"))]
    await client.chat_postMessage(channel=channel.id, text="card", blocks=blocks)
    card = slack.messages(channel)[0]
    url = await url_of_click(slack, ana, card)

    await respond(url, text="only you see this")
    assert slack.ephemerals(ana)[0].text == "only you see this"
    await respond(url, text="settled", replace_original=True)
    assert (card.shown, card.blocks) == ("settled", [])
    await respond(url, delete_original=True)
    assert slack.messages(channel) == []


async def test_an_ephemeral_message_is_replaced_and_taken_away(slack, client, ana):
    channel = slack.add_channel("it-help-2")
    blocks = [section("sure?"), actions(button("b"))]
    await client.chat_postEphemeral(channel=channel.id, user=ana.id, text="x", blocks=blocks)
    whisper = slack.ephemerals(ana)[0]
    url = await url_of_click(slack, ana, whisper)
    await respond(url, text="done", replace_original=True)
    assert whisper.shown == "done"
    await respond(url, delete_original=True)
    assert slack.ephemerals(ana) == []


# Submissions -------------------------------------------------------------------------------


@pytest.fixture
async def view(slack, client, ana):
    trigger = (await sent_by(slack, ana.global_shortcut("new_ticket")))["trigger_id"]
    await client.views_open(trigger_id=trigger, view=modal(field("summary"), notify_on_close=True))
    return slack.open_view(ana)


async def submit(slack, person, view, entries, answer=None):
    async with listening(slack, answer):
        return await person.submit(view, entries)


async def test_without_an_answer_the_modal_closes(slack, ana, view):
    assert await submit(slack, ana, view, {"summary": "vpn"}) is None


async def test_errors_keep_it_open_with_what_was_typed(slack, ana, view):
    answer = {"response_action": "errors", "errors": {"summary_block": "longer"}}
    assert await submit(slack, ana, view, {"summary": "vpn"}, answer) is view
    assert view.errors == {"summary_block": "longer"}
    assert view.values["summary_block"]["summary"]["value"] == "vpn"


async def test_update_push_and_clear(slack, ana, view):
    answer = {"response_action": "update", "view": modal(field("summary"), field("more"))}
    assert await submit(slack, ana, view, {"summary": "vpn"}, answer) is view
    assert view.values["summary_block"]["summary"]["value"] == "vpn"
    answer = {"response_action": "push", "view": modal(field("last"))}
    top = await submit(slack, ana, view, {"more": "x"}, answer)
    assert (top.previous_id, top.root_id) == (view.id, view.id)
    assert await submit(slack, ana, top, {"last": "x"}, {"response_action": "clear"}) is None


@pytest.mark.parametrize(
    "answer",
    [
        {"response_action": "errors", "errors": {"no_such_block": "x"}},
        {"response_action": "errors", "errors": {}},
        {"response_action": "update", "view": {"type": "modal"}},
        {"response_action": "explode"},
    ],
)
async def test_a_wrong_answer_shows_trouble(slack, ana, view, answer):
    assert await submit(slack, ana, view, {"summary": "vpn"}, answer) is view
    assert view.errors == {"": TROUBLE}


async def test_no_answer_shows_trouble(slack, ana, view):
    assert await ana.submit(view, {"summary": "vpn"}) is view
    assert view.errors == {"": TROUBLE}


async def test_closing_is_told_if_asked_for(slack, ana, view):
    payload = await sent_by(slack, ana.close(view))
    assert slack.open_view(ana) is None
    assert (payload["type"], payload["view"]["id"]) == ("view_closed", view.id)
