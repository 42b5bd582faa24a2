"""What the app is told of, in Slack's own words, and what it is not."""

import pytest

from slackbot.playground import Playground
from tests.playground.kit import MANIFEST, listening, section


@pytest.fixture
async def heard(slack):
    async with listening(slack) as payloads:
        yield payloads


def events(payloads):
    """The events in the order in which things happened; HTTP may have mixed them up."""
    return sorted((payload["event"] for payload in payloads), key=lambda e: e["event_ts"])


async def quiet(slack):
    await slack.until(lambda: slack.in_flight == 0)


async def test_a_message_is_told_as_slack_documents_it(slack, heard):
    ana = slack.add_user("ana")
    channel = slack.add_channel("it-help")
    text = f"hey <@{slack.bot_user_id}|bot>, see <https://x.example|this> & <!here>"
    message = await ana.say(channel, text, files=["screen.png"])
    await quiet(slack)
    payload = heard[0]
    assert payload["type"] == "event_callback"
    assert payload["team_id"] == slack.team_id
    assert payload["authorizations"][0]["user_id"] == slack.bot_user_id
    event = payload["event"]
    expected = {
        "type": "message",
        "subtype": "file_share",
        "user": ana.id,
        "text": text,
        "ts": message.ts,
        "event_ts": message.ts,
        "channel": channel.id,
        "channel_type": "channel",
    }
    assert {name: event[name] for name in expected} == expected
    assert event["files"][0]["name"] == "screen.png"
    parts = event["blocks"][0]["elements"][0]["elements"]
    assert [part["type"] for part in parts] == [
        "text",
        "user",
        "text",
        "link",
        "text",
        "broadcast",
    ]
    assert "bot_id" not in event


async def test_a_mention_comes_twice_with_one_ts(slack, heard):
    ana = slack.add_user("ana")
    message = await ana.say(slack.add_channel("it-help"), f"<@{slack.bot_user_id}> help")
    await quiet(slack)
    assert {(e["type"], e["ts"]) for e in events(heard)} == {
        ("message", message.ts),
        ("app_mention", message.ts),
    }
    assert len({payload["event_id"] for payload in heard}) == 2


async def test_edits_and_deletions_are_told_with_what_was_before(slack, heard):
    ana = slack.add_user("ana")
    message = await ana.say(slack.add_channel("it-help"), "vpn down")
    await ana.edit(message, "vpn up")
    await ana.delete(message)
    await quiet(slack)
    changed, deleted = events(heard)[1:]
    assert changed["subtype"] == "message_changed"
    assert changed["message"]["text"] == "vpn up"
    assert changed["message"]["edited"]["user"] == ana.id
    assert changed["previous_message"]["text"] == "vpn down"
    assert (deleted["subtype"], deleted["deleted_ts"]) == ("message_deleted", message.ts)
    assert deleted["previous_message"]["text"] == "vpn up"


async def test_a_deleted_parent_with_a_reply_becomes_a_tombstone(slack, heard, client):
    ana = slack.add_user("ana")
    channel = slack.add_channel("it-help")
    message = await ana.say(channel, "vpn down")
    await client.chat_postMessage(channel=channel.id, text="card", thread_ts=message.ts)
    await ana.delete(message)
    await quiet(slack)
    tombstone = events(heard)[-1]
    assert tombstone["subtype"] == "message_changed"
    assert tombstone["message"]["subtype"] == "tombstone"
    assert tombstone["message"]["text"] == "This message was deleted."
    assert tombstone["previous_message"]["text"] == "vpn down"
    replies = await client.conversations_replies(channel=channel.id, ts=message.ts)
    assert replies["messages"][0]["subtype"] == "tombstone"


async def test_the_bots_own_messages_come_back_without_a_subtype(slack, heard, client):
    channel = slack.add_channel("it-help")
    answer = await client.chat_postMessage(channel=channel.id, text="x", blocks=[section("x")])
    await client.chat_update(channel=channel.id, ts=answer["ts"], text="y")
    await quiet(slack)
    own, changed = events(heard)
    assert "subtype" not in own
    assert (own["bot_id"], own["app_id"]) == (slack.app.bot_id, slack.app.app_id)
    assert changed["subtype"] == "message_changed"


async def test_another_bot_is_known_by_its_bot_id(slack, heard):
    jenkins = slack.add_user("jenkins", bot=True)
    await jenkins.say(slack.add_channel("it-help"), "build failed", subtype="bot_message")
    await quiet(slack)
    assert events(heard)[0]["bot_id"] not in (None, slack.app.bot_id)
    assert events(heard)[0]["subtype"] == "bot_message"


async def test_threads_broadcasts_and_direct_messages_say_where_they_are(slack, heard):
    ana = slack.add_user("ana")
    parent = await ana.say(slack.add_channel("it-help", private=True), "one")
    await ana.say(parent.channel, "two", thread=parent)
    await ana.say(parent.channel, "three", thread=parent, subtype="thread_broadcast")
    await ana.say(slack.bot_user_id, "psst")
    await quiet(slack)
    assert [(e["channel_type"], e.get("thread_ts"), e.get("subtype")) for e in events(heard)] == [
        ("group", None, None),
        ("group", parent.ts, None),
        ("group", parent.ts, "thread_broadcast"),
        ("im", None, None),
    ]


async def test_the_app_is_not_told_of_what_it_cannot_see(slack, heard, client):
    ana = slack.add_user("ana")
    elsewhere = await ana.say(slack.add_channel("elsewhere", bot=False), "hi")
    await ana.react(elsewhere, "ticket")
    channel = slack.add_channel("it-help")
    await client.chat_postEphemeral(channel=channel.id, user=ana.id, text="psst")
    await quiet(slack)
    assert events(heard) == []


async def test_only_subscribed_events_are_sent():
    settings = {**MANIFEST["settings"], "event_subscriptions": {"bot_events": ["reaction_added"]}}
    async with (
        Playground(manifest={**MANIFEST, "settings": settings}) as slack,
        listening(slack) as heard,
    ):
        ana = slack.add_user("ana")
        message = await ana.say(slack.add_channel("it-help"), "vpn down")
        await ana.edit(message, "vpn up")
        await ana.react(message, "ticket")
        await ana.unreact(message, "ticket")
        await ana.open_home()
        await quiet(slack)
        assert [event["type"] for event in events(heard)] == ["reaction_added"]
        assert events(heard)[0]["item"]["ts"] == message.ts
        assert (events(heard)[0]["user"], events(heard)[0]["item_user"]) == (ana.id, ana.id)


async def test_home_opened_carries_the_published_view(slack, heard, client):
    ana = slack.add_user("ana")
    await ana.open_home()
    await client.views_publish(user_id=ana.id, view={"type": "home", "blocks": [section("x")]})
    await ana.open_home()
    await quiet(slack)
    first, second = events(heard)
    assert (first["tab"], first["user"]) == ("home", ana.id)
    assert "view" not in first
    assert second["view"]["blocks"][0]["text"]["text"] == "x"


async def test_a_link_preview_is_an_edit_that_changes_no_text(slack, heard):
    ana = slack.add_user("ana")
    message = await ana.say(slack.add_channel("it-help"), "see <https://a.example>")
    slack.unfurl(message)
    await quiet(slack)
    changed = events(heard)[-1]
    assert changed["subtype"] == "message_changed"
    assert changed["message"]["text"] == changed["previous_message"]["text"]
    assert changed["message"]["attachments"]
    assert "edited" not in changed["message"]
