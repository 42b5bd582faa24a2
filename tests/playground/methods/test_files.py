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


async def test_an_upload_must_be_whole_known_and_shared_where_the_bot_is(slack, client):
    async def upload(content):
        answer = await client.files_getUploadURLExternal(filename="x.txt", length=4)
        async with aiohttp.request("POST", answer["upload_url"], data=content) as response:
            return answer["file_id"], response.status

    file_id, status = await upload(b"too long")
    assert status == 400
    assert await refusal(client.files_completeUploadExternal(files=[{"id": file_id}])) == (
        "file_not_found"
    )
    file_id, status = await upload(b"four")
    assert status == 200
    elsewhere = slack.add_channel("elsewhere", bot=False)
    complete = {"files": [{"id": file_id}], "channel_id": elsewhere.id}
    assert await refusal(client.files_completeUploadExternal(**complete)) == "invalid_channel"
    assert await refusal(client.files_info(file=file_id)) == "file_not_found"

    await client.files_completeUploadExternal(files=[{"id": file_id}])
    await client.files_delete(file=file_id)
    assert await refusal(client.files_info(file=file_id)) == "file_not_found"


async def test_only_own_files_are_deleted(slack, client):
    ana = slack.add_user("ana")
    message = await ana.say(slack.add_channel("it-help"), "look", files=["screen.png"])
    deletion = client.files_delete(file=message.files[0].id)
    assert await refusal(deletion) == "cant_delete_file"
