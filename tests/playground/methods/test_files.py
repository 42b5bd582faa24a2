"""Uploads."""

import aiohttp

from tests.playground.kit import refusal


async def test_a_file_is_uploaded_in_three_steps_and_shared(slack, client):
    ana = slack.add_user("ana")
    channel = slack.add_channel("it-help")
    parent = await ana.say(channel, "stats?")
    answer = await client.files_upload_v2(
        filename="plot.png",
        content=b"\x89PNG...",
        title="Volume",
        alt_txt="tickets by day",
        channel=channel.id,
        thread_ts=parent.ts,
        initial_comment="here",
    )
    shared = slack.thread(parent)[0]
    assert (shared.text, shared.files[0].title) == ("here", "Volume")
    info = (await client.files_info(file=answer["file"]["id"]))["file"]
    assert info["alt_txt"] == "tickets by day"
    headers = {"Authorization": f"Bearer {slack.bot_token}"}
    async with aiohttp.request("GET", info["url_private"], headers=headers) as response:
        assert await response.read() == b"\x89PNG..."
    async with aiohttp.request("GET", info["url_private"]) as response:
        assert response.status == 403
    never = client.files_completeUploadExternal(files=[{"id": "F404"}])
    assert await refusal(never) == "file_not_found"
