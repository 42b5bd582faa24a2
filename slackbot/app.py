"""The Bolt app: one object behind Socket Mode and HTTP."""

from __future__ import annotations

from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from slackbot.identity import Identity
from slackbot.listeners import register
from slackbot.listeners.services import Services
from slackbot.recording import RecordBeforeAck


def build_app(client: AsyncWebClient, identity: Identity, services: Services) -> AsyncApp:
    """Put the app together.

    Args:
        client: Slack's Web API.
        identity: Who the bot is. Bolt would otherwise ask Slack at the first payload, and
            acknowledge and lose that payload when Slack does not answer.
        services: What listeners work with.
    """

    async def authorize() -> AuthorizeResult:
        return AuthorizeResult(
            enterprise_id=None,
            team_id=identity.team,
            bot_token=client.token,
            bot_id=identity.bot_id,
            bot_user_id=identity.bot_user,
        )

    app = AsyncApp(
        client=client,
        authorize=authorize,
        signing_secret=services.settings.signing_secret or None,
    )
    desk = services.desk
    app.middleware(RecordBeforeAck(desk.record, services.settings, desk.teams).process)
    register(app, services)
    return app
