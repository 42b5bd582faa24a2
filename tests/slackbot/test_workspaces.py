"""Several workspaces on one bot, over real HTTP: installed by OAuth, and blind to each other.

Both have the same ids for everything: people, channels and messages. Slack never gives such ids,
and whatever is not kept apart by team would show.
"""

import json
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from core.decision import Reason
from slackbot import delivery, installed
from slackbot.config import parse_settings
from slackbot.desk import precedents
from slackbot.doctor import diagnose
from slackbot.errors import ConfigError
from slackbot.stats.period import parse_period
from slackbot.views.ids import ActionId
from slackbot.views.model import ModelAction
from storage import deliveries, forget
from storage.schema import metadata, predictions
from storage.schema import tickets as tickets_table
from tests.slackbot.house import KEY, found
from tests.waiting import until


def forge(card, number):
    """Put another ticket's number into everything that can be pressed on a card."""
    shown = card.metadata["event_payload"]["ticket"]
    card.blocks = json.loads(json.dumps(card.blocks).replace(f"{shown}:", f"{number}:"))


async def states(house):
    async with house.bot.desk.database.read() as conn:
        rows = await conn.execute(
            sa.select(tickets_table.c.team, tickets_table.c.state).order_by(tickets_table.c.id)
        )
        return [(team, state.value) for team, state in rows]


async def test_no_team_sees_or_settles_what_is_anothers(house):
    acme, globex = house.acme, house.globex
    async with house.open():
        await house.furnish(acme, acme.rita)
        await house.furnish(globex, globex.rob)
        theirs = await house.pending(acme)
        own = await house.pending(globex)
        asked = [office.slack.messages(office.help_) for office in (acme, globex)]
        assert len({(each.channel, each.ts, each.user) for (each,) in asked}) == 1
        tickets = [card.metadata["event_payload"]["ticket"] for card in (theirs, own)]
        assert tickets == ["T-1", "T-2"]
        assert len(acme.cards()) == len(globex.cards()) == 2

        # A reviewer there is none here, although the id is the same.
        await globex.rita.click(own, "review_confirm")
        assert "Only IT reviewers" in globex.slack.ephemerals(globex.rita)[-1].text
        # A guessed number in a click, in a command, in Home.
        forge(own, "T-1")
        await globex.rob.click(own, "review_confirm")
        await globex.rob.choose(own, "review_priority", "P1")
        assert "T-1" in globex.slack.ephemerals(globex.rob)[-1].text
        for person in (globex.rob, globex.ana):
            assert await person.command("/ticket", "status T-1", channel=globex.random) is None
            told = globex.slack.ephemerals(person)[-1]
            assert "no ticket T-1" in told.text
            assert globex.unsure() not in told.shown
        await globex.rob.say(globex.random, f"<@{globex.slack.bot_user_id}> status T-1")
        listed = await globex.ana.command("/ticket", "list", channel=globex.random)
        assert "T-2" in listed.shown
        assert "T-1" not in listed.shown
        for person in (globex.rob, globex.ana):
            await person.open_home()
            home = await globex.slack.until(lambda: globex.slack.home(person))  # noqa: B023
            assert "T-2" in json.dumps(home.body)
            assert "T-1" not in json.dumps(home.body)
        # Who reported T-1 has the id of somebody here, who may not withdraw it.
        answer = await globex.card("thread")
        forge(answer, "T-1")
        await globex.ana.click(answer, "ticket_withdraw")
        assert "T-1" in globex.slack.ephemerals(globex.ana)[-1].text
        # What one team has set is not what the other has set.
        one = await house.bot.desk.teams.of(globex.slack.team_id)
        assert one.reviewers == {globex.rob.id}
        await globex.settled()
        assert await states(house) == [
            (acme.slack.team_id, "pending"),
            (globex.slack.team_id, "pending"),
        ]

        # By the shortcut and the form people file in their own workspace.
        message = await globex.ana.say(globex.random, globex.sure())
        await globex.ana.shortcut("file_ticket", message)
        await globex.settled()
        await globex.ana.command("/ticket", "", channel=globex.random)
        form = await globex.slack.until(lambda: globex.slack.open_view(globex.ana))
        await globex.ana.submit(
            form, {"summary": globex.sure()[:140], "urgency": "Work has stopped"}
        )
        await globex.settled()
        await acme.rita.click(theirs, "review_confirm")
        await acme.settled()
        assert await states(house) == [
            (acme.slack.team_id, "assigned"),
            (globex.slack.team_id, "pending"),
            (globex.slack.team_id, "assigned"),
            (globex.slack.team_id, "assigned"),
        ]
        assert {c.metadata["event_payload"]["ticket"] for c in acme.cards()} == {"T-1"}
        numbers = {c.metadata["event_payload"]["ticket"] for c in globex.cards()}
        assert numbers == {"T-2", "T-3", "T-4"}
        assert house.grid.refused == []


async def rows_of(house, office):
    """All that the record says of a team's tickets, steps and cards."""
    kept = []
    async with house.bot.desk.database.read() as conn:
        for table in metadata.sorted_tables:
            if "team" in table.c and table.name not in ("inbox", "lanes", "deliveries"):
                rows = await conn.execute(sa.select(table))
                kept += [tuple(row) for row in rows if row.team == office.slack.team_id]
    return kept


def press(card, action_id, value):
    """Give a card one button, such as only a forger would."""
    button = {
        "type": "button",
        "action_id": action_id,
        "value": value,
        "text": {"type": "plain_text", "text": "x"},
    }
    card.blocks = [{"type": "actions", "block_id": "audit:T-1:x", "elements": [button]}]


async def test_no_button_with_anothers_number_reads_or_changes_anything(house, monkeypatch):
    monkeypatch.setattr(precedents, "FRESH_S", 0)
    acme, globex = house.acme, house.globex
    secret = "the zebra printer in the vault"
    async with house.open():
        await house.furnish(acme, acme.rita)
        await house.furnish(globex, globex.rob)
        await acme.ana.command("/ticket", f"{secret} {acme.unsure()}", channel=acme.random)
        theirs = await acme.card("review")
        await acme.settled()
        own = await house.pending(globex)
        queue = house.bot.desk.classifier.queues[0]
        before = await rows_of(house, acme)
        for action_id in (*ActionId, *ModelAction):
            choice = "P1" if action_id is ActionId.PRIORITY else queue
            press(own, action_id.value, f"T-1:{choice}")
            for person in (globex.rob, globex.ana):  # a reviewer, and one with the reporter's id
                await person.click(own, action_id.value)
        for number in ("T-1", "t-1", "1", "#1", " T-1", "T-01"):
            await globex.ana.command("/ticket", f"status {number}", channel=globex.random)
        await globex.settled()
        assert await rows_of(house, acme) == before
        seen = [globex.slack.ephemerals(person) for person in (globex.rob, globex.ana)]
        shown = json.dumps([message.shown for messages in seen for message in messages])
        assert "zebra" not in shown
        assert "T-1" in shown  # it was asked about, and told that there is none

        # What one team has settled governs nothing in another.
        other = next(name for name in house.bot.desk.classifier.queues if name != queue)
        await acme.rita.choose(theirs, "review_reassign", other)
        await acme.settled()
        for office in (globex, acme):
            text = f"{secret} {acme.unsure()}"
            await office.ana.command("/ticket", text, channel=office.random)
            await office.settled()
        async with house.bot.desk.database.read() as conn:
            rows = await conn.execute(
                sa.select(predictions.c.team, predictions.c.reason).order_by(predictions.c.id)
            )
            [(first, unlike), (last, like)] = list(rows)[-2:]
        assert (first, last) == (globex.slack.team_id, acme.slack.team_id)
        assert (unlike == Reason.SETTLED_LIKE, like == Reason.SETTLED_LIKE) == (False, True)

        # The numbers count one's own, and forgetting one team leaves the other.
        numbers = house.bot.desk.numbers
        counted = [
            (await numbers.of(office.slack.team_id, parse_period("all", datetime.now(UTC)), 0.95))
            for office in (acme, globex)
        ]
        assert [each.tickets for each in counted] == [2, 2]
        kept = await rows_of(house, globex)
        async with house.bot.desk.database.write() as conn:
            assert await forget.everything_of(conn, team=acme.slack.team_id) == 2
        assert await rows_of(house, globex) == kept


async def test_who_removes_the_app_hears_nothing_more_and_harms_nobody(house, monkeypatch):
    monkeypatch.setattr(delivery, "backoff_s", lambda attempts, rng: 0.01)
    acme, globex = house.acme, house.globex
    async with house.open():
        await house.furnish(acme, acme.rita)
        await house.furnish(globex, globex.rob)
        await house.pending(globex)
        house.grid.uninstall(globex.slack)

        async def removed():
            return await found(house, globex) is None

        await until(removed)
        # What was under way there goes nowhere.
        await house.bot.desk.settle(
            globex.slack.team_id, confirm(house, globex.rob.id, "T-1", globex.unsure())
        )
        await globex.settled()
        async with house.bot.desk.database.read() as conn:
            given_up = await deliveries.dead(conn, 10)
        assert {each.team for each in given_up} == {globex.slack.team_id}
        assert "not installed" in given_up[0].error
        assert house.grid.refused == []
        await house.pending(acme)

        await house.install(globex)
        await globex.ana.say(globex.help_, globex.sure())
        await globex.card("thread", containing="T-3")


async def test_revoked_tokens_are_forgotten(house):
    async with house.open():
        await house.furnish(house.acme, house.acme.rita)
        await house.furnish(house.globex, house.globex.rob)
        house.grid.revoke(house.globex.slack)

        async def removed():
            return await found(house, house.globex) is None

        await until(removed)
        assert await found(house, house.acme) is not None


def confirm(house, user, number, text):
    from slackbot.desk import Step  # noqa: PLC0415
    from storage.records import Action  # noqa: PLC0415

    queue = house.bot.desk.classifier.classify([text])[0].queue_label
    return Step(number=number, action=Action.CONFIRM, user=user, queue=queue)


async def test_a_workspace_without_the_app_is_told_so(house):
    async with house.open():
        acme = house.acme
        await acme.ana.command("/ticket", "vpn down", channel=acme.random)
        told = await acme.slack.until(lambda: acme.slack.ephemerals(acme.ana))
        assert "reinstall this app" in told[0].text
        assert await states(house) == []


async def test_the_doctor_looks_at_every_workspace(house, monkeypatch):
    for name, value in house.env.items():
        monkeypatch.setenv(name, value)
    found_before = [finding.text for finding in await diagnose()]
    async with house.open():
        assert any("/slack/install" in text for text in found_before)
        await house.furnish(house.acme, house.acme.rita)
        await house.furnish(house.globex, house.globex.rob)
        house.grid.uninstall(house.globex.slack)
        monkeypatch.setattr(installed, "LIFE_S", 0)
        texts = "\n".join(f"{finding.mark} {finding.text}" for finding in await diagnose())
        assert "✓ acme: Slack knows the bot as" in texts
        assert "✓ acme: the bot is in review channel #it-review" in texts
        monkeypatch.setenv("AUTOTICKET_ENCRYPTION_KEY", Fernet.generate_key().decode())
        texts = "\n".join(f"{finding.mark} {finding.text}" for finding in await diagnose())
        assert "✗ acme: the tokens of" in texts
        assert "AUTOTICKET_ENCRYPTION_KEY" in texts


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"SLACK_BOT_TOKEN": "xoxb-1"}, "SLACK_BOT_TOKEN must be empty"),
        ({"SLACK_APP_TOKEN": "xapp-1"}, "SLACK_APP_TOKEN must be empty"),
        ({"SLACK_CLIENT_SECRET": ""}, "SLACK_CLIENT_SECRET is missing"),
        ({"SLACK_SIGNING_SECRET": ""}, "SLACK_SIGNING_SECRET is missing"),
        ({"AUTOTICKET_ENCRYPTION_KEY": ""}, "AUTOTICKET_ENCRYPTION_KEY is missing"),
    ],
)
def test_what_several_workspaces_need_is_said_at_the_start(change, problem):
    env = {
        "SLACK_CLIENT_ID": "1.2",
        "SLACK_CLIENT_SECRET": "s",
        "SLACK_SIGNING_SECRET": "s",
        "AUTOTICKET_ENCRYPTION_KEY": KEY,
    }
    parse_settings(env).require_slack()
    with pytest.raises(ConfigError, match=problem):
        parse_settings({**env, **change}).require_slack()


@pytest.mark.parametrize("key", ["secret", f"{KEY},short"], ids=["one", "of two"])
def test_a_wrong_key_is_refused_and_not_shown(key):
    with pytest.raises(ConfigError, match="AUTOTICKET_ENCRYPTION_KEY") as caught:
        parse_settings({"AUTOTICKET_ENCRYPTION_KEY": key})
    assert key not in str(caught.value.problems)
