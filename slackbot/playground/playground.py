"""The playground as tests, benchmarks and the demo use it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

from aiohttp import web

from slackbot.playground.app import Installation, Manifest
from slackbot.playground.changes import Feed
from slackbot.playground.delivery import Courier, Delivery
from slackbot.playground.events import Events
from slackbot.playground.faults import Faults
from slackbot.playground.handles import ReplyHandles, Triggers
from slackbot.playground.modals import Modals
from slackbot.playground.pace import EventBudget, Pace
from slackbot.playground.person import Person
from slackbot.playground.records import (
    Broadcast,
    Channel,
    ChannelKind,
    Clock,
    Message,
    Usergroup,
    View,
)
from slackbot.playground.server import Server, WebCall
from slackbot.playground.site import Site
from slackbot.playground.socket import SocketMode
from slackbot.playground.webhook import Webhook
from slackbot.playground.workspace import Draft, Workspace

Value = TypeVar("Value")


class Playground:
    """One workspace with one app installed, listening on this machine only.

    Use it as an async context manager, or call `start` and `stop`. Events, commands and
    interactions go over Socket Mode, until `use_http` names a request URL.

    Attributes:
        app: Ids, tokens and the signing secret of the installed app.
        workspace: The state underneath, for whatever has no shorter way here.
        feed: Tells about every change, for a page that shows the workspace.
        faults: Makes Slack fail on purpose.
        socket: The Socket Mode connections.
        web_app: Takes further routes before `start`, for the page.

    Args:
        manifest: The app's manifest, as loaded from `manifest.yml`.
        team: The workspace's short name; equal names give equal ids and tokens.
        signing_secret: Of an app that is in several workspaces; one of its own otherwise.
        pace: Whether Slack's pace holds: about one message a second in each channel, 30,000
            events an hour.
        seed: For the faults.
        port: 0 takes a free one.
        clock: Seconds since the epoch, for timestamps, triggers, URLs and pace.
        ack_timeout: Seconds that the app has to acknowledge.
        retry_delays: Seconds before each redelivery of an event; Slack's are 0, 60 and 300.

    Raises:
        ManifestError: Slack would not import the manifest.
    """

    def __init__(
        self,
        *,
        manifest: Mapping[str, Any],
        team: str = "acme",
        signing_secret: str | None = None,
        pace: bool = True,
        seed: int = 0,
        port: int = 0,
        clock: Clock = time.time,
        ack_timeout: float = 3.0,
        retry_delays: Sequence[float] = (0.0, 1.0, 5.0),
    ) -> None:
        self.app = Installation.of(Manifest.parse(manifest), team, signing_secret)
        self.feed = Feed()
        self.faults = Faults(seed)
        self.workspace = Workspace(self.app, self.feed, clock)
        self.socket = SocketMode(self.app, self.feed, ack_timeout)
        self._site = Site(
            workspace=self.workspace,
            modals=Modals(self.workspace),
            triggers=Triggers(clock),
            replies=ReplyHandles(clock),
            pace=Pace(clock, on=pace),
            budget=EventBudget(clock, on=pace),
        )
        self._courier = Courier(self.socket, self.feed, self.faults, retry_delays)
        self._server = Server(self._site, self.socket, self.faults)
        self.web_app = self._server.web_app
        self._ack_timeout = ack_timeout
        self._webhooks: list[Webhook] = []
        self._runner = web.AppRunner(self.web_app, access_log=None, shutdown_timeout=1.0)
        self._port = port
        self._events = Events(self._site, self._courier.send_event)

    # Start and stop --------------------------------------------------------------------------

    async def start(self) -> None:
        """Listen."""
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()

    async def stop(self) -> None:
        """Give up what is under way and close all connections."""
        await self._courier.close()
        await self.socket.close()
        for webhook in self._webhooks:
            await webhook.close()
        await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    # What the app must know --------------------------------------------------------------------

    @property
    def base_url(self) -> str:
        """The address, without a trailing slash.

        Raises:
            RuntimeError: It was not started.
        """
        if not self._runner.addresses:
            raise RuntimeError("start the playground first")
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    @property
    def api_url(self) -> str:
        """The base URL of the Web API."""
        return f"{self.base_url}/api/"

    @property
    def bot_token(self) -> str:
        """The bot's token."""
        return self.app.bot_token

    @property
    def app_token(self) -> str:
        """The token that opens Socket Mode."""
        return self.app.app_token

    @property
    def signing_secret(self) -> str:
        """Signs requests to the app."""
        return self.app.signing_secret

    @property
    def team_id(self) -> str:
        """The workspace's id."""
        return self.app.team_id

    @property
    def bot_user_id(self) -> str:
        """The bot's user id, for mentions and direct messages."""
        return self.app.bot_user_id

    def use_http(self, url: str) -> None:
        """Deliver to a request URL from now on."""
        webhook = Webhook(url, self.app.signing_secret, self._ack_timeout)
        self._webhooks.append(webhook)
        self._courier.transport = webhook

    # Furnish the workspace -----------------------------------------------------------------------

    def add_user(
        self,
        name: str,
        *,
        restricted: bool = False,
        ultra_restricted: bool = False,
        stranger: bool = False,
        admin: bool = False,
        bot: bool = False,
        deleted: bool = False,
    ) -> Person:
        """Create an account; see `records.User` for the traits. A `bot` is another app's."""
        account = self.workspace.add_user(
            name,
            restricted=restricted,
            ultra_restricted=ultra_restricted,
            stranger=stranger,
            admin=admin,
            deleted=deleted,
            **({"team_id": self.workspace.new_id("T")} if stranger else {}),
            **self._other_app() if bot else {},
        )
        return Person(account, self._site, self._courier, self.base_url)

    def _other_app(self) -> dict[str, str]:
        return {"bot_id": self.workspace.new_id("B"), "app_id": self.workspace.new_id("A")}

    def add_channel(
        self,
        name: str,
        *,
        members: Sequence[Person] | None = None,
        bot: bool = True,
        private: bool = False,
    ) -> Channel:
        """Create a channel.

        Args:
            name: Without the `#`.
            members: Who is in it; everybody so far unless given.
            bot: Whether the app's bot is in it.
            private: Whether only members know of it.
        """
        people = self.workspace.users if members is None else [person.id for person in members]
        inside = {*people} - {self.bot_user_id} | ({self.bot_user_id} if bot else set())
        kind = ChannelKind.PRIVATE if private else ChannelKind.PUBLIC
        return self.workspace.add_channel(name, kind, inside)

    def add_usergroup(self, handle: str, members: Sequence[Person]) -> Usergroup:
        """Create a user group."""
        return self.workspace.add_usergroup(handle, [person.id for person in members])

    def tell_app(self, event: str, **fields: Any) -> None:
        """Send the app an event that belongs to no channel, if it has subscribed to it."""
        self._events.tell_app(event, fields)

    def unfurl(self, message: Message) -> None:
        """Show a preview of a link, as Slack does by itself: an edit that changes no text."""
        preview = {
            "id": 1,
            "title": "A page",
            "fallback": "A page",
            "from_url": "https://a.example",
        }
        draft = Draft(message.text, attachments=(preview,), metadata=message.metadata)
        self.workspace.edit(message, draft, message.user, visibly=False)

    # Look -------------------------------------------------------------------------------------

    @property
    def calls(self) -> list[WebCall]:
        """The app's calls of the Web API, oldest first; clear it as you like."""
        return self._server.calls

    @property
    def deliveries(self) -> list[Delivery]:
        """What was sent to the app and what became of it, oldest first; clear it as you like."""
        return self._courier.deliveries

    @property
    def in_flight(self) -> int:
        """How many events are neither acknowledged nor given up."""
        return self._courier.in_flight

    @property
    def broadcasts(self) -> list[Broadcast]:
        """Live mentions of many people that the app let out."""
        return self.workspace.broadcasts

    def messages(self, channel: Channel | str) -> list[Message]:
        """What stands in a channel itself, oldest first, without deleted messages."""
        place = self.workspace.channels[channel] if isinstance(channel, str) else channel
        return [m for m in place.messages.values() if m.is_root and not m.deleted]

    def thread(self, message: Message) -> list[Message]:
        """The replies to a message, oldest first."""
        return list(message.replies)

    def dm(self, person: Person) -> list[Message]:
        """What stands in a person's direct messages with the bot, oldest first."""
        channel = self.workspace.find_dm(self.bot_user_id, person.id)
        return [] if channel is None else self.messages(channel)

    def ephemerals(self, person: Person) -> list[Message]:
        """What only this person sees, oldest first."""
        return [message for message in self.workspace.whispers if message.only_for == person.id]

    def home(self, person: Person) -> View | None:
        """A person's App Home, once the app has published one."""
        return self._site.modals.homes.get(person.id)

    def open_view(self, person: Person) -> View | None:
        """The modal in front of a person."""
        return self._site.modals.top(person.id)

    async def until(self, condition: Callable[[], Value], timeout: float = 5.0) -> Value:  # noqa: ASYNC109
        """Wait until something holds in the workspace; see `changes.Feed.until`.

        Raises:
            TimeoutError: It does not within `timeout` seconds.
        """
        return await self.feed.until(condition, timeout)
