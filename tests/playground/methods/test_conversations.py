"""Channels, members, histories and threads, as the bot may see them."""

from tests.playground.kit import refusal


async def test_threads_and_history_are_read_back_with_metadata_and_in_pages(slack, client):
    ana = slack.add_user("ana")
    channel = slack.add_channel("it-help")
    parent = await ana.say(channel, "one")
    await ana.say(channel, "two")
    metadata = {"event_type": "t", "event_payload": {"ticket": "T-1"}}
    reply = await client.chat_postMessage(
        channel=channel.id, thread_ts=parent.ts, text="card", metadata=metadata
    )
    everything = await client.conversations_history(channel=channel.id)
    assert [m["text"] for m in everything["messages"]] == ["two", "one"]
    assert everything["messages"][1]["reply_count"] == 1

    pages = [
        [m["text"] for m in page["messages"]]
        async for page in await client.conversations_history(channel=channel.id, limit=1)
    ]
    assert pages == [["two"], ["one"]]
    exact = await client.conversations_history(
        channel=channel.id, latest=parent.ts, inclusive=True, limit=1
    )
    assert [m["ts"] for m in exact["messages"]] == [parent.ts]

    where = {"channel": channel.id, "ts": parent.ts}
    plain = await client.conversations_replies(**where)
    assert [m["ts"] for m in plain["messages"]] == [parent.ts, reply["ts"]]
    assert "metadata" not in plain["messages"][1]
    rich = await client.conversations_replies(**where, include_all_metadata=True)
    assert rich["messages"][1]["metadata"] == metadata
    gone = client.conversations_replies(channel=channel.id, ts="1.000001")
    assert await refusal(gone) == "thread_not_found"
    bad = client.conversations_history(channel=channel.id, cursor="%%%")
    assert await refusal(bad) == "invalid_cursor"


async def test_channels_are_listed_joined_and_hidden(slack, client):
    ana = slack.add_user("ana")
    public = slack.add_channel("it-help", bot=False)
    private = slack.add_channel("it-review", private=True)
    hidden = slack.add_channel("secret", private=True, bot=False)
    listed = await client.conversations_list(types="public_channel,private_channel")
    assert [c["id"] for c in listed["channels"]] == [public.id, private.id]
    assert not (await client.conversations_info(channel=public.id))["channel"]["is_member"]
    await client.conversations_join(channel=public.id)
    members = await client.conversations_members(channel=public.id)
    assert members["members"] == sorted([ana.id, slack.bot_user_id])
    assert await refusal(client.conversations_info(channel=hidden.id)) == "channel_not_found"
    joining = client.conversations_join(channel=private.id)
    assert await refusal(joining) == "method_not_supported_for_channel_type"


async def test_a_replys_ts_finds_the_whole_thread(slack, client):
    ana = slack.add_user("ana")
    channel = slack.add_channel("it-help")
    parent = await ana.say(channel, "one")
    reply = await ana.say(channel, "two", thread=parent)
    found = await client.conversations_replies(channel=channel.id, ts=reply.ts)
    assert [m["text"] for m in found["messages"]] == ["one", "two"]


async def test_direct_messages_are_opened_once_with_people_only(slack, client):
    ana, ben = slack.add_user("ana"), slack.add_user("ben")
    first = await client.conversations_open(users=ana.id)
    again = await client.conversations_open(users=ana.id, return_im=True)
    assert again["already_open"]
    assert (again["channel"]["id"], again["channel"]["user"]) == (first["channel"]["id"], ana.id)
    group = await client.conversations_open(users=[ana.id, ben.id])
    assert slack.workspace.channels[group["channel"]["id"]].kind == "mpim"
    for users, error in (
        ("", "users_list_not_supplied"),
        ("U404", "user_not_found"),
        (slack.bot_user_id, "cannot_dm_bot"),
    ):
        assert await refusal(client.conversations_open(users=users)) == error


async def test_the_bot_reads_only_where_it_is(slack, client):
    elsewhere = slack.add_channel("elsewhere", bot=False)
    assert await refusal(client.conversations_history(channel=elsewhere.id)) == "not_in_channel"
    elsewhere.archived = True
    assert await refusal(client.conversations_join(channel=elsewhere.id)) == "is_archived"
