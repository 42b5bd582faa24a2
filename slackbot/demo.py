"""`autoticket demo`: the bot at work in a playground on this machine, without any account."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import signal
import socket
import tempfile
import webbrowser
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import yaml

from slackbot.bot import Bot, open_bot
from slackbot.config import Settings, load_settings
from slackbot.demo_table import SAMPLES, read_samples, show_table
from slackbot.errors import AutoTicketError
from slackbot.logs import configure_logging
from slackbot.playground import Playground
from slackbot.playground.page import Member, Morning, Page, Scene
from slackbot.playground.person import Person
from slackbot.playground.records import Channel
from slackbot.team_settings import TeamSettings, TriageMode
from storage import export

MANIFEST = Path(__file__).parents[1] / "manifest.yml"
_PORTS_TRIED = 20
_CONNECTED_WITHIN_S = 30.0


@dataclass(frozen=True, slots=True)
class Office:
    """Who works in the playground, and where.

    Attributes:
        people: By name.
        help: Every message here is triaged.
        review: Where people settle what the bot is not sure of.
        queues: Each queue's channel.
        random: Nothing here is triaged unless somebody asks for it.
    """

    people: Mapping[str, Person]
    help: Channel
    review: Channel
    queues: Mapping[str, Channel]
    random: Channel


@dataclass(frozen=True, slots=True)
class Demo:
    """A running demo.

    Attributes:
        slack: The playground.
        office: What it is furnished with.
        bot: The real bot, connected to it.
    """

    slack: Playground
    office: Office
    bot: Bot


def run_demo(*, terminal: bool, port: int, data: Path | None, open_browser: bool) -> None:
    """Print the table, then serve the playground until Ctrl+C.

    Args:
        terminal: The table is all.
        port: Where the playground listens; when it is taken, one of the next ones.
        data: Folder that keeps the record; None throws it away at the end.
        open_browser: Whether to open the page.

    Raises:
        AutoTicketError: This is no checkout, or no port is free.
        CoreError: The bundle cannot be used.
        StorageError: The record cannot be kept in `data`.
    """
    settings = load_settings()
    queues = show_table(settings).queues
    if terminal:
        return
    configure_logging("ERROR")
    logging.getLogger().setLevel(logging.ERROR)  # libraries too: a visitor cannot act on warnings
    with _folder(data) as folder:
        asyncio.run(_serve(settings, queues, folder, free_port(port), open_browser))


def free_port(first: int) -> int:
    """The first port from `first` on that is free on this machine; 0 stays 0.

    Raises:
        AutoTicketError: None of the next ones is.
    """
    for port in range(first, min(first + _PORTS_TRIED, 65536)):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AutoTicketError(f"no port from {first} on is free; try another --port")


@contextlib.contextmanager
def _folder(data: Path | None) -> Iterator[Path]:
    if data is not None:
        data.mkdir(parents=True, exist_ok=True)
        yield data
        return
    with tempfile.TemporaryDirectory(prefix="autoticket-demo-") as folder:
        yield Path(folder)


async def _serve(
    settings: Settings, queues: Sequence[str], folder: Path, port: int, open_browser: bool
) -> None:
    stop = asyncio.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signal_number, stop.set)
    async with open_demo(settings, queues, folder, port=port) as demo:
        address = f"{demo.slack.base_url}/"
        click.echo(f"\nThe playground: {address}  (no Slack account needed; Ctrl+C stops it)")
        if open_browser:
            webbrowser.open(address)
        await stop.wait()


@contextlib.asynccontextmanager
async def open_demo(
    settings: Settings, queues: Sequence[str], folder: Path, *, port: int = 0
) -> AsyncIterator[Demo]:
    """Start a furnished playground and the bot in it; both end with the context.

    Args:
        settings: Model and priority matrix are taken from here; nothing of Slack is.
        queues: The bundle's queues.
        folder: Where the record is kept.
        port: Where the playground listens; 0 takes a free one.

    Raises:
        AutoTicketError: This is no checkout.
        CoreError: The bundle cannot be used.
        StorageError: The record cannot be kept.
    """
    slack = Playground(manifest=_manifest(), port=port)
    page = Page(slack)
    async with slack:
        office = _furnish(slack, queues)
        async with _bot_at_work(slack, _settings(settings, slack, office, folder)) as bot:
            page.show(_scene(slack, office, bot))
            yield Demo(slack, office, bot)


def _manifest() -> Mapping[str, object]:
    try:
        manifest: Mapping[str, object] = yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))
    except OSError as error:
        raise AutoTicketError(f"{MANIFEST}: {error.strerror}; run this in a checkout") from error
    return manifest


def _furnish(slack: Playground, queues: Sequence[str]) -> Office:
    people = {name: slack.add_user(name) for name in ("ana", "ben")}
    people["rita"] = slack.add_user("rita", admin=True)
    people["gus"] = slack.add_user("gus", restricted=True)
    staff = [people["rita"]]
    return Office(
        people=people,
        help=slack.add_channel("it-help"),
        review=slack.add_channel("it-review", members=staff),
        queues={queue: slack.add_channel(_slug(queue), members=staff) for queue in queues},
        random=slack.add_channel("random"),
    )


def _slug(queue: str) -> str:
    return "it-" + re.sub(r"[^\w]+", "-", queue.lower()).strip("-")


def _scene(slack: Playground, office: Office, bot: Bot) -> Scene:
    roles = {"ana": "employee", "ben": "employee", "rita": "reviewer", "gus": "guest"}
    topics = {
        office.help.id: "Say what is wrong: AutoTicket reads every message here. Then be Rita.",
        office.review.id: "What AutoTicket is not sure of, for people to settle.",
        office.random.id: "Anything else. A 🎫 reaction makes a ticket of a message.",
    }
    topics |= {channel.id: f"Tickets for {queue}." for queue, channel in office.queues.items()}
    for person in office.people.values():
        direct = slack.workspace.open_dm(person.id, slack.bot_user_id)
        topics[direct.id] = "What you write here becomes a ticket."
    texts = [sample.text for sample in read_samples(SAMPLES)]
    writers = [office.people[name] for name in ("ana", "ben", "gus")]

    async def tally() -> Mapping[str, int]:
        async with bot.desk.database.read() as conn:
            said = export.rows(conn, export.Dataset.PREDICTIONS)
            return Counter([str(row["decision"]) async for row in said])

    return Scene(
        cast=[Member(office.people[name], role) for name, role in roles.items()],
        topics=topics,
        morning=Morning(texts, writers, office.help),
        tally=tally,
    )


def _settings(settings: Settings, slack: Playground, office: Office, folder: Path) -> Settings:
    return Settings(
        bot_token=slack.bot_token,
        app_token=slack.app_token,
        api_url=slack.api_url,
        port=0,
        database_url=f"sqlite:///{(folder / 'autoticket.db').resolve()}",
        model_dir=settings.model_dir,
        team=TeamSettings(
            triage={office.help.id: TriageMode.AUTO},
            review_channel=office.review.id,
            queue_channels={queue: channel.id for queue, channel in office.queues.items()},
            reviewers=frozenset({office.people["rita"].id}),
        ),
        audit_rate=settings.audit_rate,
        priority_matrix=settings.priority_matrix,
    )


@contextlib.asynccontextmanager
async def _bot_at_work(slack: Playground, settings: Settings) -> AsyncIterator[Bot]:
    """A bot that takes tickets in `slack`, until the context ends."""
    stop = asyncio.Event()
    async with open_bot(settings, stop) as bot:
        assert bot is not None  # nobody else knows `stop`
        running = asyncio.create_task(bot.run(stop), name="bot")
        try:
            await slack.until(lambda: slack.socket.connections, _CONNECTED_WITHIN_S)
            yield bot
        finally:
            stop.set()
            await running
