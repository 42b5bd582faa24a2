import contextlib
from dataclasses import dataclass, field, replace
from functools import partial

import pytest
import yaml

from core.decision import Decision
from slackbot import bot
from slackbot.bot import Bot
from slackbot.playground import Playground
from tests.slackbot.serving import nothing_under_way, serving
from tests.waiting import until


@dataclass
class Office:
    """A workspace with people, and a real bot that serves it."""

    slack: Playground
    env: dict
    texts: dict
    people: dict = field(default_factory=dict)
    channels: dict = field(default_factory=dict)
    bot: Bot | None = None
    port: int = 0

    def __getattr__(self, name):
        for things in (self.people, self.channels):
            if name in things:
                return things[name]
        raise AttributeError(name)

    def sure(self, index=0):
        return self.texts[Decision.AUTO][index]

    def unsure(self, index=0):
        return self.texts[Decision.REVIEW][index]

    def chat(self, index=0):
        return self.texts[Decision.IGNORE][index]

    def cards(self, place=None, event="autoticket_ticket"):
        """All cards that stand anywhere, oldest first."""
        found = []
        for channel in self.slack.workspace.channels.values():
            for message in channel.messages.values():
                metadata = message.metadata or {}
                if not message.deleted and metadata.get("event_type") == event:
                    found.append(message)
        wanted = [m for m in found if place in (None, (m.metadata["event_payload"]).get("place"))]
        return sorted(wanted, key=lambda message: float(message.ts))

    async def card(self, place, *, containing="", within=10):
        """The one card of that place, once it is there."""

        def only():
            return [card for card in self.cards(place) if containing in str(card.blocks)]

        await self.slack.until(only, within)
        assert len(only()) == 1
        return only()[0]

    async def settled(self):
        """Wait until nothing is under way any more: inbox and outbox are empty."""
        here = partial(nothing_under_way, self.slack, self.bot.desk.database)
        await until(here, what="inbox and outbox are empty")

    @contextlib.asynccontextmanager
    async def open(self):
        """Start the bot; it is stopped as SIGTERM would stop it."""
        async with serving(self.env) as front:
            self.bot, self.port = front.bot, front.port
            if not front.settings.app_token:
                self.slack.use_http(f"http://127.0.0.1:{front.port}/slack/events")
            yield self


@pytest.fixture
async def slack(root):
    manifest = yaml.safe_load((root / "manifest.yml").read_text(encoding="utf-8"))
    async with Playground(manifest=manifest, pace=False, retry_delays=(0.0, 0.05, 0.2)) as slack:
        yield slack


@pytest.fixture(params=["socket", "http"])
def mode(request):
    return request.param


@pytest.fixture
def model_once(monkeypatch, classifier, root):
    """Gives every bot in this process the shipped model that is loaded already.

    Bots that are processes of their own load it, and so do those of another model.
    """
    load = bot._load_classifier

    def given(settings):
        if settings.model_dir != root / "models" / "default":
            return load(settings)
        return replace(classifier, matrix=settings.priority_matrix)

    monkeypatch.setattr(bot, "_load_classifier", given)


@pytest.fixture
def new_office(slack, tmp_path, texts, root, model_once):
    """Makes an office; `env` changes the settings."""

    def make(mode="socket", **env):
        people = {name: slack.add_user(name) for name in ("ana", "ben", "rita", "rob")}
        people["ada"] = slack.add_user("ada", admin=True)
        people["gus"] = slack.add_user("gus", restricted=True)
        people["eve"] = slack.add_user("eve", stranger=True)
        channels = {
            "help_": slack.add_channel("it-help"),
            "review": slack.add_channel("it-review"),
            "hardware": slack.add_channel("it-hardware"),
            "random": slack.add_channel("random"),
        }
        staff = slack.add_usergroup("it-staff", [people["rita"], people["rob"], people["gus"]])
        token = {
            "socket": {"SLACK_APP_TOKEN": slack.app_token},
            "http": {"SLACK_SIGNING_SECRET": slack.signing_secret},
        }[mode]
        settings = {
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_API_URL": slack.api_url,
            "AUTOTICKET_PORT": "0",
            "AUTOTICKET_DATABASE_URL": f"sqlite:///{tmp_path / 'autoticket.db'}",
            "AUTOTICKET_MODEL_DIR": str(root / "models" / "default"),
            "AUTOTICKET_TRIAGE_CHANNELS": channels["help_"].id,
            "AUTOTICKET_REVIEW_CHANNEL": channels["review"].id,
            "AUTOTICKET_QUEUE_CHANNELS": f"Hardware={channels['hardware'].id}",
            "AUTOTICKET_REVIEWERS": staff.id,
            "AUTOTICKET_POSTS_PER_SECOND": "1000",
            "AUTOTICKET_AUDIT_RATE": "0",  # chance has no place in the other tests
            **token,
            **env,
        }
        return Office(slack, settings, texts, people, channels)

    return make


@pytest.fixture
async def house(tmp_path, root, texts, model_once):
    from tests.slackbot.house import two_workspaces  # noqa: PLC0415  it needs the office above

    async with two_workspaces(tmp_path, root, texts) as house:
        yield house
