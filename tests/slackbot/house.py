"""Several workspaces on one bot, and how one of them installs it as a browser would."""

import contextlib
import html
import re
import time
from dataclasses import dataclass

import httpx
import yaml
from cryptography.fernet import Fernet

from slackbot.playground import Playground
from slackbot.playground.grid import CLIENT_ID, CLIENT_SECRET, Grid
from slackbot.team_settings import TeamSettings, TriageMode
from storage import installations
from tests.slackbot.conftest import Office
from tests.slackbot.serving import serving

KEY = Fernet.generate_key().decode()


@dataclass
class House:
    """Two workspaces, and the settings of the bot that serves both."""

    grid: Grid
    acme: Office
    globex: Office
    env: dict
    bot: object = None
    port: int = 0

    @contextlib.asynccontextmanager
    async def open(self):
        async with serving(self.env) as front:
            self.bot, self.port = front.bot, front.port
            for office in (self.acme, self.globex):
                office.bot, office.port = front.bot, front.port
                office.slack.use_http(f"http://127.0.0.1:{front.port}/slack/events")
            yield self

    def page(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    async def begin(self, browser):
        """The link to Slack's page, and the cookie that comes with it."""
        first = await browser.get(self.page("/slack/install"))
        link = html.unescape(re.search(r'href="(http[^"]+authorize[^"]+)"', first.text)[1])
        return link, {"Cookie": first.headers["set-cookie"].split(";")[0]}

    async def install(self, office):
        """Go through the pages as a browser would."""
        async with httpx.AsyncClient() as browser:
            link, cookie = await self.begin(browser)
            query = self.grid.approve(link, office.slack)
            return await browser.get(self.page(f"/slack/oauth_redirect?{query}"), headers=cookie)

    async def furnish(self, office, reviewer):
        """Install, and set channels and reviewers as an admin would."""
        assert (await self.install(office)).status_code == 200
        wanted = TeamSettings(
            triage={office.help_.id: TriageMode.AUTO},
            review_channel=office.review.id,
            reviewers=frozenset({reviewer.id}),
        )
        await self.bot.desk.teams.change(office.slack.team_id, wanted, seen=0, by="UADMIN")

    async def pending(self, office):
        """The team's ticket that waits in its review channel."""
        await office.ana.say(office.help_, office.unsure())
        card = await office.card("review")
        await office.settled()
        return card


@contextlib.asynccontextmanager
async def two_workspaces(folder, root, texts):
    """Both have the same ids for everything."""
    manifest = yaml.safe_load((root / "manifest.yml").read_text(encoding="utf-8"))
    now = time.time() + 60  # the same for both, and so are all timestamps

    async with contextlib.AsyncExitStack() as stack:
        offices = []
        for team in ("acme", "globex"):
            slack = Playground(
                manifest=manifest,
                team=team,
                signing_secret="shared",
                pace=False,
                clock=lambda: now,
                retry_delays=(0.0, 0.05, 0.2),
            )
            await stack.enter_async_context(slack)
            people = {name: slack.add_user(name) for name in ("ana", "rita", "rob")}
            names = {"help_": "it-help", "review": "it-review", "random": "random"}
            channels = {name: slack.add_channel(called) for name, called in names.items()}
            offices.append(Office(slack, {}, texts, people, channels))
        acme, globex = offices
        assert (acme.ana.id, acme.help_.id) == (globex.ana.id, globex.help_.id)
        grid = await stack.enter_async_context(Grid((acme.slack, globex.slack)))
        env = {
            "SLACK_CLIENT_ID": CLIENT_ID,
            "SLACK_CLIENT_SECRET": CLIENT_SECRET,
            "SLACK_SIGNING_SECRET": "shared",
            "AUTOTICKET_ENCRYPTION_KEY": KEY,
            "SLACK_API_URL": grid.api_url,
            "AUTOTICKET_PORT": "0",
            "AUTOTICKET_DATABASE_URL": f"sqlite:///{folder / 'autoticket.db'}",
            "AUTOTICKET_MODEL_DIR": str(root / "models" / "default"),
            "AUTOTICKET_POSTS_PER_SECOND": "1000",
            "AUTOTICKET_AUDIT_RATE": "0",
        }
        yield House(grid, acme, globex, env)


async def found(house, office):
    async with house.bot.desk.database.read() as conn:
        return await installations.get(conn, office.slack.team_id)
