"""Arguments in JSON and forms, and bodies that are neither."""

import contextlib
import json
from urllib.parse import urlencode

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slackbot.playground.arguments import read
from slackbot.playground.errors import ApiError
from tests.playground.kit import refusal, section


async def test_json_and_forms_say_the_same(slack, client):
    channel = slack.add_channel("it-help")
    metadata = {"event_type": "t", "event_payload": {"ticket": "T-1"}}
    wanted = {"channel": channel.id, "text": "a & b ü 😀", "blocks": [section("x")]}
    await client.api_call("chat.postMessage", json={**wanted, "metadata": metadata})
    as_text = {"blocks": '[{"type":"section","text":{"type":"mrkdwn","text":"x"}}]'}
    as_text["metadata"] = '{"event_type": "t", "event_payload": {"ticket": "T-1"}}'
    await client.api_call("chat.postMessage", data={**wanted, **as_text})
    first, second = slack.messages(channel)
    assert (
        (first.text, first.metadata)
        == (second.text, second.metadata)
        == (
            "a & b ü 😀",
            metadata,
        )
    )
    assert first.blocks[0]["text"] == second.blocks[0]["text"]


@pytest.mark.parametrize(
    "body",
    [
        b'{"text": "\\ud83d"}',
        b'{"text": "a\\u0000b"}',
        b"{",
        b"[1]",
        b'"x"',
        b"[" * 100_000,
        b'{"text": "\xff"}',
    ],
)
async def test_a_malformed_body_is_refused_with_400(slack, body):
    headers = {
        "Authorization": f"Bearer {slack.bot_token}",
        "Content-Type": "application/json",
    }
    url = f"{slack.api_url}chat.postMessage"
    async with aiohttp.request("POST", url, data=body, headers=headers) as response:
        assert response.status == 400
        assert (await response.json())["ok"] is False


sendable = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)


@given(text=sendable, block=sendable)
def test_every_text_arrives_as_it_was_sent(text, block):
    values = {"text": text, "blocks": [section(block)]}
    form = urlencode({"text": text, "blocks": json.dumps(values["blocks"])})
    assert read("application/json", json.dumps(values).encode(), "").values == values
    assert read("application/x-www-form-urlencoded", form.encode(), "").values == values
    assert read("", b"", form).values == values


@given(st.binary(max_size=60), st.sampled_from(["application/json", ""]))
def test_any_bytes_are_read_or_refused(body, content_type):
    with contextlib.suppress(ApiError):
        assert read(content_type, body, "").values is not None


@pytest.mark.parametrize(
    ("method", "arguments", "error"),
    [
        ("chat.postMessage", {"channel": 7}, "channel_not_found"),
        ("chat.postMessage", {"channel": ["C1"]}, "invalid_arguments"),
        ("conversations.list", {"limit": "many"}, "invalid_limit"),
        ("conversations.list", {"limit": 0}, "invalid_limit"),
        ("conversations.list", {"cursor": "bmV4dDpDNDA0"}, "invalid_cursor"),
        ("conversations.list", {"types": "public_channel,fax"}, "invalid_types"),
        ("files.completeUploadExternal", {"files": "F1"}, "invalid_arguments"),
        ("files.completeUploadExternal", {"files": [1]}, "invalid_arguments"),
        ("files.getUploadURLExternal", {"filename": "x", "length": -1}, "invalid_arguments"),
    ],
)
async def test_an_argument_of_the_wrong_kind_is_refused(client, method, arguments, error):
    assert await refusal(client.api_call(method, json=arguments)) == error


async def test_a_body_of_an_unknown_kind_is_refused(slack):
    url, headers = f"{slack.api_url}auth.test", {"Content-Type": "image/png"}
    async with aiohttp.request("POST", url, data=b"x", headers=headers) as response:
        assert (await response.json())["error"] == "invalid_post_type"
