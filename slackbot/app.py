"""The Bolt app: one object behind Socket Mode and HTTP."""

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.authorization.async_authorize import AsyncAuthorize
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_sdk.web.async_client import AsyncWebClient

from slackbot.listeners import register
from slackbot.listeners.services import Services
from slackbot.recording import RecordBeforeAck
from slackbot.workspaces import NotInstalled, Workspaces


class Authorize(AsyncAuthorize):
    """Tells Bolt whose installation a payload is for.

    Bolt would otherwise ask Slack, and acknowledge and lose the payload when Slack does not answer.

    Args:
        workspaces: Those that the bot serves.
    """

    def __init__(self, workspaces: Workspaces) -> None:
        self._workspaces = workspaces

    async def __call__(
        self,
        *,
        context: AsyncBoltContext,
        enterprise_id: str | None,
        team_id: str | None,
        user_id: str | None,
        **_: Any,
    ) -> AuthorizeResult | None:
        """The installation; None when there is none, which Bolt tells who waits for an answer."""
        try:
            workspace = await self._workspaces.of_payload(team_id)
        except NotInstalled:
            return None
        identity = workspace.identity
        return AuthorizeResult(
            enterprise_id=None,
            team_id=identity.team,
            bot_token=workspace.client.token,
            bot_id=identity.bot_id,
            bot_user_id=identity.bot_user,
        )


def build_app(
    client: AsyncWebClient, services: Services, oauth_flow: AsyncOAuthFlow | None = None
) -> AsyncApp:
    """Put the app together.

    Args:
        client: Slack's Web API; Bolt gives each payload's listener a copy with the right token.
        services: What listeners work with.
        oauth_flow: Where workspaces install the app themselves.
    """
    app = AsyncApp(
        name="autoticket",  # else Bolt looks through the sources of all that is loaded for one
        client=client,
        authorize=Authorize(services.workspaces),  # type: ignore[arg-type]  # its own kind too
        oauth_flow=oauth_flow,
        signing_secret=services.settings.signing_secret or None,
    )
    desk = services.desk
    app.middleware(RecordBeforeAck(desk.record, services.settings, desk.teams).process)
    register(app, services)
    return app
