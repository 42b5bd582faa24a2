"""The bot: what one replica consists of, started together and stopped without losing anything."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiohttp import ClientSession
from slack_bolt.async_app import AsyncApp
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.exc import SQLAlchemyError

from core.classifier import Classifier
from slackbot.app import build_app
from slackbot.config import Settings
from slackbot.delivery import Deliverer
from slackbot.desk import Desk
from slackbot.desk.audits import AUDIT_SECRET, AuditDraw
from slackbot.desk.settings import SettingsOfTeams
from slackbot.drift import DriftWatch
from slackbot.housekeeping import Housekeeping
from slackbot.identity import wait_for_identity
from slackbot.learning.watch import ModelWatch
from slackbot.listeners.services import Services
from slackbot.metrics import Metrics, Snapshot
from slackbot.pace import Pace
from slackbot.people import Reviewers
from slackbot.slack_calls import web_client, web_session
from slackbot.socket_mode import SocketMode
from slackbot.webhooks import Webhooks, webhook_session
from slackbot.worker import Worker
from slackbot.workspaces import OneWorkspace, Workspace, Workspaces
from storage import inbox, lanes, secrets
from storage.database import Database
from storage.errors import DatabaseUnavailable, StorageError
from storage.records import QueueDepth

log = logging.getLogger(__name__)

GRACE_S = 6.0
"""What is in hand at SIGTERM may take this long to finish."""

RELEASE_S = 1.0
"""A database that does not answer by then is left, and the leases run out by themselves; a stop may
take 10 s in all, and the connections are still to be closed."""

SNAPSHOT_S = 2.0
"""Prometheus waits 10 s for an answer by default, and asks again every 15."""


@dataclass(slots=True)
class Bot:
    """One replica.

    Attributes:
        settings: As configured.
        desk: Record and decision.
        app: Bolt.
        worker: Works off the inbox.
        deliverer: Works off the outbox.
        housekeeping: Erases what has served its time.
        models: Keeps the classifier at the version that people promoted.
        drift: Compares recent predictions with earlier ones.
        client: Slack's Web API.
        workspaces: Those that it serves.
        owner: This replica's name on leases.
    """

    settings: Settings
    desk: Desk
    app: AsyncApp
    worker: Worker
    deliverer: Deliverer
    housekeeping: Housekeeping
    models: ModelWatch
    drift: DriftWatch
    client: AsyncWebClient
    workspaces: Workspaces
    owner: str
    _socket: SocketMode | None = None

    @property
    def team(self) -> str | None:
        """The one workspace that it serves; None where any may install it."""
        return only_team(self.workspaces)

    async def ready(self) -> dict[str, bool]:
        """What must be true for tickets to be taken."""
        try:
            await self.desk.database.ping()
            database = True
        except StorageError:
            database = False
        return {"model": True, "database": database, "slack": await self._hears_slack()}

    async def snapshot(self) -> Snapshot:
        """What Prometheus may know of this moment; a database that is slow counts as down."""
        depths: Mapping[str, QueueDepth] = {}
        with contextlib.suppress(StorageError, SQLAlchemyError, TimeoutError):
            async with asyncio.timeout(SNAPSHOT_S):
                depths = await self.desk.backlog()
        up = {"model": True, "database": bool(depths), "slack": await self._hears_slack()}
        return Snapshot(
            at=datetime.now(UTC),
            up=up,
            depths=depths,
            model_version=self.desk.classifier.version,
            drift=self.drift.latest,
        )

    async def _hears_slack(self) -> bool:
        return self._socket is None or await self._socket.connected()

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop` is set, then finish what is in hand and lease nothing any more."""
        idle = asyncio.Event()
        loops = [
            asyncio.create_task(self.worker.run(idle), name="worker"),
            asyncio.create_task(self.deliverer.run(idle), name="delivery"),
            asyncio.create_task(self.housekeeping.run(idle), name="housekeeping"),
            asyncio.create_task(self.workspaces.run(idle), name="workspaces"),
            asyncio.create_task(self.models.run(idle), name="models"),
            asyncio.create_task(self.drift.run(idle), name="drift"),
        ]
        try:
            async with self._connected():
                log.info("bot_started", extra={"owner": self.owner})
                await first_of(stop, *loops)
        finally:
            idle.set()
            self.desk.inbox_filled.set()
            self.desk.outbox_filled.set()
            _, late = await asyncio.wait(loops, timeout=GRACE_S)
            for loop in late:
                loop.cancel()
            await self._let_go(loops)

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[None]:
        """The Socket Mode connection, when there is an app token."""
        if not self.settings.app_token:
            yield
            return
        self._socket = SocketMode.of(self.app, self.settings.app_token, self.client)
        connecting = asyncio.create_task(self._socket.connect(), name="socket mode")
        try:
            yield
        finally:
            connecting.cancel()
            await asyncio.gather(connecting, return_exceptions=True)
            await self._socket.close()

    async def _let_go(self, loops: Sequence[asyncio.Task[None]]) -> None:
        """Release all leases, once nothing works on them any more."""
        try:
            async with asyncio.timeout(RELEASE_S):
                await asyncio.gather(*loops, return_exceptions=True)
                async with self.desk.database.write() as conn:
                    await inbox.release(conn, owner=self.owner)
                    await lanes.release(conn, owner=self.owner)
        except (DatabaseUnavailable, TimeoutError) as error:
            log.warning("leases_left_to_expire", extra={"error": str(error)})


async def first_of(stop: asyncio.Event, *tasks: asyncio.Task[Any]) -> None:
    """Return when `stop` is set or the first task ends; raise what that raised."""
    stopping = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait({stopping, *tasks}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    for task in tasks:
        if task in done:
            task.result()


@contextlib.asynccontextmanager
async def open_bot(
    settings: Settings, stop: asyncio.Event, metrics: Metrics | None = None
) -> AsyncIterator[Bot | None]:
    """Load the model, open the database and ask Slack who we are, all at once.

    Args:
        settings: As configured.
        stop: Ends the waiting for Slack, and for another replica that migrates the database.
        metrics: Where the bot counts; its own when nobody reads them.

    Yields:
        The bot; None when `stop` was set before both had answered.

    Raises:
        SlackRefused: Slack does not accept the bot token.
        CoreError: The model bundle cannot be used.
        StorageError: The database cannot be used.
    """
    metrics = metrics or Metrics()
    async with web_session() as session, webhook_session() as elsewhere:
        webhooks = _webhooks(settings, elsewhere)
        connect = _connector(settings, metrics, session)
        loading = asyncio.create_task(asyncio.to_thread(_load_classifier, settings))
        database = await _opened(settings, stop)
        if database is None:
            yield None
            return
        teams = SettingsOfTeams(database, settings.first_of_teams)
        asking = asyncio.create_task(_workspaces(settings, database, teams, connect))
        try:
            classifier = await loading
            await first_of(stop, asking)
            if not asking.done():
                yield None
                return
            desk = Desk(
                database=database,
                classifier=classifier,
                matrix=settings.priority_matrix,
                teams=teams,
                audits=await _audits(settings, database),
                url_of=asking.result().url_of,
                webhooks=webhooks.lanes,
                metrics=metrics,
            )
            bot = _assemble(settings, desk, asking.result(), webhooks, connect)
            await bot.models.check()  # the promoted version decides from the first text on
            yield bot
        finally:
            asking.cancel()
            await database.close()


async def _opened(settings: Settings, stop: asyncio.Event) -> Database | None:
    """The database; None when `stop` was set before it was open."""
    opening = asyncio.create_task(Database.open(settings.database_url))
    try:
        await first_of(stop, opening)
        return opening.result() if opening.done() else None
    finally:
        opening.cancel()
        await asyncio.gather(opening, return_exceptions=True)


async def _workspaces(
    settings: Settings,
    database: Database,
    teams: SettingsOfTeams,
    connect: Callable[[str], AsyncWebClient],
) -> Workspaces:
    """All that install the app; or the one of the bot token, once Slack says which that is."""
    if settings.client_id:
        # Loaded here because Slack's OAuth and the sealing of tokens cost a start that needs none.
        from slackbot.installed import InstalledWorkspaces  # noqa: PLC0415
        from slackbot.vault import Vault  # noqa: PLC0415

        return InstalledWorkspaces(
            database,
            Vault(settings.encryption_keys),
            connect,
            teams,
            settings.client_id,
            settings.client_secret,
        )
    client = connect(settings.bot_token)
    identity = await wait_for_identity(client)
    return OneWorkspace(Workspace(identity, client, Reviewers(client, teams, identity.team)))


def _assemble(
    settings: Settings,
    desk: Desk,
    workspaces: Workspaces,
    webhooks: Webhooks,
    connect: Callable[[str], AsyncWebClient],
) -> Bot:
    owner = f"{socket.gethostname()}-{uuid.uuid4().hex[:8]}"
    client = connect(settings.bot_token)
    # What one workspace's reviewers decide must not change what the others get.
    models = ModelWatch(desk, settings.model_dir, only_team(workspaces), settings.retrain_days)
    return Bot(
        settings=settings,
        desk=desk,
        app=build_app(
            client,
            Services(desk, workspaces, settings, models),
            _oauth_flow(settings, desk.database, connect),
        ),
        worker=Worker(desk, workspaces, owner),
        deliverer=Deliverer(desk, workspaces, webhooks, owner, Pace(settings.posts_per_second)),
        housekeeping=Housekeeping(
            desk.database, settings.retention_days, desk.check_queues, desk.plan_reviews
        ),
        models=models,
        drift=DriftWatch(desk.database),
        client=client,
        workspaces=workspaces,
        owner=owner,
    )


def _oauth_flow(
    settings: Settings, database: Database, connect: Callable[[str], AsyncWebClient]
) -> AsyncOAuthFlow | None:
    """The pages on which workspaces install the app, where there may be several."""
    if not settings.client_id:
        return None
    from slackbot.oauth import oauth_flow  # noqa: PLC0415
    from slackbot.vault import Vault  # noqa: PLC0415

    return oauth_flow(settings, database, Vault(settings.encryption_keys), connect)


def _connector(
    settings: Settings, metrics: Metrics, session: ClientSession
) -> Callable[[str], AsyncWebClient]:
    def connect(token: str) -> AsyncWebClient:
        return web_client(token, settings.api_url, metrics.slack_call, session)

    return connect


async def _audits(settings: Settings, database: Database) -> AuditDraw:
    """Every replica draws alike: the key is in the record."""
    async with database.write() as conn:
        key = await secrets.get_or_make(conn, AUDIT_SECRET, datetime.now(UTC))
    return AuditDraw(key, settings.audit_rate)


def _webhooks(settings: Settings, session: ClientSession) -> Webhooks:
    with_text = settings.webhook_text
    return Webhooks.of(settings.webhooks, settings.webhook_secret, session, with_text=with_text)


def only_team(workspaces: Workspaces) -> str | None:
    """The one workspace that is served; None where any may install the app."""
    return workspaces.only.identity.team if isinstance(workspaces, OneWorkspace) else None


def _load_classifier(settings: Settings) -> Classifier:
    classifier = Classifier.load(settings.model_dir, matrix=settings.priority_matrix)
    classifier.warm_up()
    return classifier
