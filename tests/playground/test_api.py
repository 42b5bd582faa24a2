"""The Web API through the real client: who may call what, and every refusal by Slack's name."""

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from slackbot.playground import Playground
from slackbot.playground.api import METHODS
from slackbot.playground.app import ManifestError
from tests.playground.kit import MANIFEST, refusal


def without_scope(scope):
    scopes = [s for s in MANIFEST["oauth_config"]["scopes"]["bot"] if s != scope]
    return {**MANIFEST, "oauth_config": {"scopes": {"bot": scopes}}}


# Who may call ------------------------------------------------------------------------------


async def test_the_token_says_who_calls_and_what_is_granted(slack, client):
    answer = await client.auth_test()
    assert (answer["team_id"], answer["user_id"]) == (slack.team_id, slack.bot_user_id)
    assert "chat:write" in answer.headers["X-OAuth-Scopes"].split(",")
    bot = (await client.bots_info(bot=answer["bot_id"]))["bot"]
    assert bot["user_id"] == slack.bot_user_id


@pytest.mark.parametrize(
    ("token", "error"),
    [("", "not_authed"), ("xoxb-other", "invalid_auth"), ("app", "not_allowed_token_type")],
)
async def test_a_wrong_token_is_refused(slack, client, token, error):
    token = slack.app_token if token == "app" else token
    stranger = AsyncWebClient(token=token, base_url=slack.api_url)
    assert await refusal(stranger.auth_test()) == error


async def test_only_the_app_token_opens_connections(slack, client):
    assert (await client.apps_connections_open(app_token=slack.app_token))["url"]
    opening = client.apps_connections_open(app_token=slack.bot_token)
    assert await refusal(opening) == "not_allowed_token_type"


async def test_an_unknown_method_is_unknown(client):
    assert await refusal(client.api_call("chat.shout")) == "unknown_method"


@pytest.mark.parametrize(
    ("scope", "method", "params"),
    [
        ("chat:write", "chat.postMessage", {"channel": "C1", "text": "x"}),
        ("users:read", "users.info", {"user": "U1"}),
        ("usergroups:read", "usergroups.list", {}),
        ("reactions:write", "reactions.add", {"channel": "C1", "name": "x", "timestamp": "1"}),
        ("channels:join", "conversations.join", {"channel": "C1"}),
        ("im:write", "conversations.open", {"users": "U1"}),
        ("files:write", "files.getUploadURLExternal", {"filename": "x", "length": 1}),
    ],
)
async def test_a_method_without_its_scope_is_refused(scope, method, params):
    async with Playground(manifest=without_scope(scope)) as slack:
        client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
        with pytest.raises(SlackApiError) as caught:
            await client.api_call(method, params=params)
        answer = caught.value.response
        assert answer["error"] == "missing_scope"
        assert scope in answer["needed"]
        assert "commands" in answer["provided"]


async def test_history_of_a_private_channel_needs_the_scope_of_its_kind():
    manifest = without_scope("groups:history")
    events = {"event_subscriptions": {"bot_events": []}}
    async with Playground(manifest={**manifest, "settings": events | INTERACTIVE}) as slack:
        client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
        private, public = slack.add_channel("p", private=True), slack.add_channel("c")
        assert await refusal(client.conversations_history(channel=private.id)) == "missing_scope"
        assert (await client.conversations_history(channel=public.id))["messages"] == []


INTERACTIVE = {"interactivity": {"is_enabled": True}}


@pytest.mark.parametrize("scope", ["app_mentions:read", "im:history", "commands"])
def test_a_manifest_that_contradicts_itself_is_refused(scope):
    with pytest.raises(ManifestError, match=scope):
        Playground(manifest=without_scope(scope))


@pytest.mark.parametrize("name", [n for n, method in METHODS.items() if method.required])
async def test_a_missing_argument_is_named(client, name):
    with pytest.raises(SlackApiError) as caught:
        await client.api_call(name)
    assert caught.value.response["error"] == "invalid_arguments"
    named = [m.rpartition(" ")[2] for m in caught.value.response["response_metadata"]["messages"]]
    assert named == list(METHODS[name].required)
