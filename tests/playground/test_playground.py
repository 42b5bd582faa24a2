"""The whole way with the real SDK, over HTTP and over Socket Mode."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from slack_bolt.app.async_app import AsyncApp

from slackbot.playground import Playground
from tests.playground.kit import actions, button, field, menu, modal, section

pytestmark = pytest.mark.usefixtures("connected")


async def test_a_message_gets_a_card_in_its_thread_and_a_click_rewrites_it(
    slack: Playground, app: AsyncApp
) -> None:
    @app.event("message")
    async def file(event: dict[str, Any], client: Any) -> None:
        card = [section("*Hardware* 38 %"), actions(button("review_confirm", "T-1:Hardware"))]
        await client.chat_postMessage(
            channel=event["channel"],
            thread_ts=event["ts"],
            text="filed",
            blocks=card,
            metadata={"event_type": "autoticket_ticket", "event_payload": {"ticket": "T-1"}},
        )

    @app.action("review_confirm")
    async def confirm(ack: Any, body: dict[str, Any], client: Any) -> None:
        await ack()
        await client.chat_update(
            channel=body["channel"]["id"],
            ts=body["message"]["ts"],
            text="settled",
            blocks=[section(f"settled by <@{body['user']['id']}>")],
        )

    ana, rita = slack.add_user("ana"), slack.add_user("rita")
    channel = slack.add_channel("it-help")
    message = await ana.say(channel, "vpn down")
    card = (await slack.until(lambda: slack.thread(message)))[0]

    assert card.shown == "*Hardware* 38 %\nreview_confirm"
    assert card.metadata == {
        "event_type": "autoticket_ticket",
        "event_payload": {"ticket": "T-1"},
    }
    assert card.find("review_confirm")["value"] == "T-1:Hardware"
    assert slack.messages(channel) == [message]

    assert await rita.click(card, "review_confirm")
    assert card.shown == f"settled by <@{rita.id}>"
    assert card.edited is None


async def test_command_answers_at_once_and_later_at_its_response_url(
    slack: Playground, app: AsyncApp
) -> None:
    @app.command("/ticket")
    async def ticket(ack: Any, respond: Any, command: dict[str, Any]) -> None:
        await ack(f"got {command['text']}")
        await respond("later, for all", response_type="in_channel")
        await respond("later", blocks=[section("later in a block")])

    ana = slack.add_user("ana")
    channel = slack.add_channel("it-help", bot=False)
    answer = await ana.command("/ticket", "vpn", channel=channel)
    assert answer.text == "got vpn"
    await slack.until(lambda: len(slack.ephemerals(ana)) == 2)
    assert {m.text for m in slack.ephemerals(ana)} == {"got vpn", "later"}
    assert [m.text for m in slack.messages(channel)] == ["later, for all"]


async def test_a_modal_is_opened_filled_in_refused_and_accepted(
    slack: Playground, app: AsyncApp
) -> None:
    @app.command("/ticket")
    async def ticket(ack: Any, body: dict[str, Any], client: Any) -> None:
        await ack()
        queue = {"type": "input", "label": {"type": "plain_text", "text": "Queue"}}
        queue["element"] = menu("queue", "Hardware", "Access")
        await client.views_open(
            trigger_id=body["trigger_id"],
            view=modal(field("summary"), queue, field("more", optional=True)),
        )

    seen: list[dict[str, Any]] = []

    @app.view("ticket_modal")
    async def submitted(ack: Any, view: dict[str, Any]) -> None:
        seen.append(view["state"]["values"])
        if view["state"]["values"]["summary_block"]["summary"]["value"] == "x":
            await ack(response_action="errors", errors={"summary_block": "too short"})
        else:
            await ack()

    ana = slack.add_user("ana")
    channel = slack.add_channel("it-help")
    assert await ana.command("/ticket", channel=channel) is None
    view = slack.open_view(ana)
    assert "summary" in view.shown

    assert await ana.submit(view, {"summary": "x", "queue": "Acc"}) is view
    assert view.errors == {"summary_block": "too short"}
    assert await ana.submit(view, {"summary": "vpn down"}) is None
    assert slack.open_view(ana) is None
    assert seen[1]["summary_block"]["summary"]["value"] == "vpn down"
    assert seen[1]["more_block"]["more"] == {"type": "plain_text_input", "value": None}
    chosen = [v for actions in seen[1].values() for k, v in actions.items() if k == "queue"]
    assert chosen[0]["selected_option"]["value"] == "T-1:Access"


async def test_home_shortcuts_reactions_mentions_and_direct_messages_arrive(
    slack: Playground, app: AsyncApp
) -> None:
    heard: list[tuple[str, str]] = []

    @app.event("app_home_opened")
    async def home(event: dict[str, Any], client: Any) -> None:
        view = {"type": "home", "blocks": [section(f"Hello <@{event['user']}>")]}
        await client.views_publish(user_id=event["user"], view=view)

    @app.event("reaction_added")
    async def reacted(event: dict[str, Any]) -> None:
        heard.append((event["reaction"], event["item"]["ts"]))

    @app.event("app_mention")
    async def mentioned(event: dict[str, Any]) -> None:
        heard.append(("mention", event["ts"]))

    @app.event("message")
    async def said(event: dict[str, Any]) -> None:
        heard.append((event["channel_type"], event["ts"]))

    @app.shortcut("file_ticket")
    async def filed(ack: Any, shortcut: dict[str, Any]) -> None:
        await ack()
        heard.append((shortcut["message"]["text"], shortcut["message_ts"]))

    @app.shortcut("new_ticket")
    async def new(ack: Any, shortcut: dict[str, Any]) -> None:
        await ack()
        heard.append((shortcut["callback_id"], shortcut["user"]["id"]))

    ana = slack.add_user("ana")
    channel = slack.add_channel("it-help")
    await ana.open_home()
    await slack.until(lambda: slack.home(ana))
    assert slack.home(ana).shown == f"Hello <@{ana.id}>"

    mention = await ana.say(channel, f"<@{slack.bot_user_id}> help")
    direct = await ana.say(slack.bot_user_id, "psst")
    await ana.react(mention, "ticket")
    assert await ana.shortcut("file_ticket", mention)
    assert await ana.global_shortcut("new_ticket")
    await slack.until(lambda: slack.in_flight == 0)
    assert sorted(heard) == sorted(
        [
            ("channel", mention.ts),
            ("mention", mention.ts),
            ("im", direct.ts),
            ("ticket", mention.ts),
            (mention.text, mention.ts),
            ("new_ticket", ana.id),
        ]
    )
    assert slack.dm(ana) == [direct]


async def test_two_reviewers_who_click_at_once_are_both_heard(
    slack: Playground, app: AsyncApp
) -> None:
    heard: list[str] = []

    @app.action("review_reassign")
    async def reassign(ack: Any, body: dict[str, Any], action: dict[str, Any]) -> None:
        await ack()
        heard.append(f"{body['user']['name']}: {action['selected_option']['value']}")

    rita, ben = slack.add_user("rita"), slack.add_user("ben")
    channel = slack.add_channel("it-review")
    blocks = [section("T-1", accessory=menu("review_reassign", "Hardware", "Access"))]
    await app.client.chat_postMessage(channel=channel.id, text="T-1", blocks=blocks)
    card = slack.messages(channel)[0]
    await asyncio.gather(
        rita.choose(card, "review_reassign", "Hardware"),
        ben.choose(card, "review_reassign", "Access"),
    )
    assert sorted(heard) == ["ben: T-1:Access", "rita: T-1:Hardware"]
