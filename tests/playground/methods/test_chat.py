"""Posting, updating, deleting, reacting: what is refused, cut, kept and recorded."""

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from slackbot.playground import Playground
from tests.playground.kit import MANIFEST, actions, button, refusal, section


async def test_posting_is_refused_where_the_bot_cannot(slack, client):
    ana = slack.add_user("ana")
    archived = slack.add_channel("old")
    archived.archived = True

    async def post(channel, **message):
        arguments = {"channel": channel, "text": "x", **message}
        return await refusal(client.api_call("chat.postMessage", json=arguments))

    assert await post("C404") == "channel_not_found"
    assert await post(slack.add_channel("elsewhere", bot=False).id) == "not_in_channel"
    assert await post(slack.add_channel("secret", bot=False, private=True).id) == (
        "channel_not_found"
    )
    assert await post(archived.id) == "is_archived"
    here = slack.add_channel("here", members=[])
    assert await post(here.id, text=" ") == "no_text"
    assert await post(here.id, blocks=[{"type": "marquee"}]) == "invalid_blocks"
    assert await post(here.id, blocks="[{") == "invalid_blocks_format"
    assert await post(here.id, metadata={"event_type": "x"}) == "invalid_metadata_format"
    whisper = client.chat_postEphemeral(channel=here.id, user=ana.id, text="x")
    assert await refusal(whisper) == "user_not_in_channel"
    assert slack.messages(here) == []


async def test_invalid_blocks_are_named_in_the_answer(slack, client):
    channel = slack.add_channel("it-help")
    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel=channel.id, text="x", blocks=[section("x" * 3001)])
    assert caught.value.response["response_metadata"]["messages"] == [
        "[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]"
    ]


async def test_a_person_is_reached_by_user_id(slack, client):
    ana = slack.add_user("ana")
    answer = await client.chat_postMessage(channel=ana.id, text="filed")
    assert answer["channel"].startswith("D")
    assert [m.text for m in slack.dm(ana)] == ["filed"]
    opened = await client.conversations_open(users=ana.id)
    assert opened["channel"]["id"] == answer["channel"]
    await client.chat_update(channel=answer["channel"], ts=answer["ts"], text="settled")
    assert slack.dm(ana)[0].text == "settled"
    wrong = client.chat_update(channel=ana.id, ts=answer["ts"], text="x")
    assert await refusal(wrong) == "channel_not_found"


async def test_long_text_is_cut_when_posted_and_refused_when_updated(slack, client):
    channel = slack.add_channel("it-help")
    answer = await client.chat_postMessage(channel=channel.id, text="x" * 40_001)
    assert len(slack.messages(channel)[0].text) == 40_000
    update = client.chat_update(channel=channel.id, ts=answer["ts"], text="x" * 40_001)
    assert await refusal(update) == "msg_too_long"


async def test_only_own_messages_can_be_changed(slack, client):
    ana = slack.add_user("ana")
    channel = slack.add_channel("it-help")
    hers = await ana.say(channel, "vpn down")
    where = {"channel": channel.id, "ts": hers.ts}
    assert await refusal(client.chat_update(**where, text="x")) == "cant_update_message"
    assert await refusal(client.chat_delete(**where)) == "cant_delete_message"
    gone = {"channel": channel.id, "ts": "1.000001"}
    assert await refusal(client.chat_update(**gone, text="x")) == "message_not_found"


async def test_an_update_keeps_what_it_does_not_give_but_text_alone_drops_the_blocks(slack, client):
    channel = slack.add_channel("it-help")
    metadata = {"event_type": "t", "event_payload": {}}
    answer = await client.chat_postMessage(
        channel=channel.id, text="x", blocks=[section("card")], metadata=metadata
    )
    message = slack.messages(channel)[0]
    where = {"channel": channel.id, "ts": answer["ts"]}
    await client.api_call("chat.update", json={**where, "blocks": [section("new card")]})
    assert (message.text, message.shown, message.metadata) == ("x", "new card", metadata)
    assert message.edited is None
    await client.api_call("chat.update", json={**where, "text": "plain", "metadata": {}})
    assert (message.shown, message.blocks, message.metadata) == ("plain", [], None)
    assert message.edited


async def test_an_ephemeral_message_is_for_one_person_and_cannot_be_updated(slack, client):
    ana, ben = slack.add_user("ana"), slack.add_user("ben")
    channel = slack.add_channel("it-help")
    answer = await client.chat_postEphemeral(channel=channel.id, user=ana.id, text="psst")
    assert [m.text for m in slack.ephemerals(ana)] == ["psst"]
    assert slack.ephemerals(ben) == slack.messages(channel) == []
    update = client.chat_update(channel=channel.id, ts=answer["message_ts"], text="x")
    assert await refusal(update) == "message_not_found"


async def test_live_mentions_of_many_are_recorded_and_escaped_ones_are_not(slack, client):
    channel = slack.add_channel("it-help")
    await client.chat_postMessage(
        channel=channel.id,
        text="&lt;!channel&gt;",
        blocks=[{"type": "section", "text": {"type": "plain_text", "text": "<!here>"}}],
    )
    assert slack.broadcasts == []
    await client.chat_postMessage(channel=channel.id, text="<!channel>")
    await client.chat_postMessage(
        channel=channel.id, text="x", blocks=[section("<!subteam^S1|@it> <!here>")]
    )
    mentions = [broadcast.mention for broadcast in slack.broadcasts]
    assert mentions == ["<!channel>", "<!subteam^S1|@it>", "<!here>"]


async def test_reactions_are_added_once(slack, client):
    ana = slack.add_user("ana")
    channel = slack.add_channel("it-help")
    message = await ana.say(channel, "vpn down")
    where = {"channel": channel.id, "timestamp": message.ts}
    await client.reactions_add(**where, name="eyes")
    assert message.reactions == {"eyes": [slack.bot_user_id]}
    assert await refusal(client.reactions_add(**where, name="eyes")) == "already_reacted"
    await client.reactions_remove(**where, name="eyes")
    assert message.reactions == {}
    assert await refusal(client.reactions_remove(**where, name="eyes")) == "no_reaction"
    assert await refusal(client.reactions_add(**where, name="<x>")) == "invalid_name"


async def test_permalinks_show_the_thread(slack, client):
    ana = slack.add_user("ana")
    channel = slack.add_channel("it-help")
    parent = await ana.say(channel, "one")
    reply = await ana.say(channel, "two", thread=parent)
    link = await client.chat_getPermalink(channel=channel.id, message_ts=reply.ts)
    assert link["permalink"].endswith(f"?thread_ts={parent.ts}&cid={channel.id}")


async def test_posting_faster_than_slack_likes_is_limited_per_channel():
    now = [1_700_000_000.0]
    async with Playground(manifest=MANIFEST, clock=lambda: now[0]) as slack:
        client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
        one, two = slack.add_channel("one"), slack.add_channel("two")
        for _ in range(4):
            await client.chat_postMessage(channel=one.id, text="x")
        with pytest.raises(SlackApiError) as caught:
            await client.chat_postMessage(channel=one.id, text="x")
        assert caught.value.response["error"] == "ratelimited"
        assert caught.value.response.status_code == 429
        assert caught.value.response.headers["Retry-After"] == "1"
        await client.chat_postMessage(channel=two.id, text="x", blocks=[actions(button("b"))])
        now[0] += 1
        await client.chat_postMessage(channel=one.id, text="x")
        assert [call.status for call in slack.calls] == [200] * 4 + [429] + [200] * 2


async def test_a_reply_can_be_shown_in_the_channel_too(slack, client):
    ana = slack.add_user("ana")
    channel = slack.add_channel("it-help")
    parent = await ana.say(channel, "one")
    await client.chat_postMessage(
        channel=channel.id, thread_ts=parent.ts, reply_broadcast=True, text="two"
    )
    assert [message.text for message in slack.messages(channel)] == ["one", "two"]
    assert [message.text for message in slack.thread(parent)] == ["two"]


async def test_nothing_is_changed_in_an_archived_channel(slack, client):
    channel = slack.add_channel("it-help")
    answer = await client.chat_postMessage(channel=channel.id, text="x")
    channel.archived = True
    update = client.chat_update(channel=channel.id, ts=answer["ts"], text="y")
    assert await refusal(update) == "is_inactive"


async def test_with_the_public_scope_the_bot_posts_where_it_is_not():
    scopes = [*MANIFEST["oauth_config"]["scopes"]["bot"], "chat:write.public"]
    manifest = {**MANIFEST, "oauth_config": {"scopes": {"bot": scopes}}}
    async with Playground(manifest=manifest) as slack:
        client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
        channel = slack.add_channel("elsewhere", bot=False)
        await client.chat_postMessage(channel=channel.id, text="x")
        assert len(slack.messages(channel)) == 1
