"""Queues are renamed, merged, split and added while the bot runs and people click."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from core.decision import Decision
from core.queue_edits import add, merge, rename, split
from slackbot.desk.edit_queues import carry_out
from slackbot.stats.period import parse_period
from slackbot.views.home import Wanted
from storage import queue_changes
from storage.records import Action
from storage.review_records import NewQueueChange, RoutingChange, Why
from tests import tiny_bundle
from tests.slackbot.audited import add_ticket

SURE = "laptop printer laptop"
UNSURE = "laptop password"


@pytest.fixture
def tiny_office(new_office, tmp_path):
    """An office with the tiny bundle, which may be fitted again in a moment."""
    tiny_bundle.save(tmp_path / "models" / "default")
    office = new_office(AUTOTICKET_MODEL_DIR=str(tmp_path / "models" / "default"))
    office.texts = {Decision.AUTO: [SURE], Decision.REVIEW: [UNSURE]}
    return office


async def edit(office, wish, *arguments):
    """What `autoticket queues … --yes` does, in a process of its own."""
    desk = office.bot.desk

    def wanted(names):
        return wish(names.told(desk.classifier).queues, *arguments)

    return await carry_out(desk.database, desk.teams.first, wanted, by="ops")


async def until(condition, seconds=10.0):
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


async def ticket(office, number="T-1"):
    return (await office.bot.desk.history(office.slack.team_id, number)).ticket


def shown(card):
    return str(card.blocks)


async def test_a_queue_is_renamed_between_card_and_click(tiny_office):
    async with tiny_office.open() as office:
        await office.ana.say(office.help_, UNSURE)
        card = await office.card("review")
        before = list(card.blocks)
        await edit(office, rename, "Hardware", "Devices")
        await office.slack.until(lambda: "Devices" in shown(card), 5)  # redrawn by itself
        assert "'Hardware'" not in shown(card)
        card.blocks = before  # as somebody sees it who looked away
        await office.rita.choose(card, "review_reassign", "Hardware")
        await office.settled()
        settled = await ticket(office)
        assert (settled.state.value, settled.queue) == ("assigned", "Devices")
        there = await office.card("queue")  # with the channel of old
        assert there.channel == office.hardware.id

        await office.ben.say(office.help_, SURE)  # and the model goes on under the new name
        own = await office.card("queue", containing="printer")
        assert "Devices" in shown(own)
        said = await office.ana.command("/ticket", "status T-1", channel=office.random)
        assert "*Hardware* (now: *Devices*)" in said.shown


async def test_after_a_split_what_was_picked_before_is_asked_again(tiny_office):
    async with tiny_office.open() as office:
        await office.ana.say(office.help_, UNSURE)
        card = await office.card("review")
        before = list(card.blocks)
        await edit(office, split, "Hardware", ["Hardware", "Printers"])
        await office.slack.until(lambda: "Printers" in shown(card), 5)
        card.blocks = before
        await office.rita.choose(card, "review_reassign", "Hardware")
        await office.slack.until(lambda: office.slack.ephemerals(office.rita), 5)
        [told] = office.slack.ephemerals(office.rita)
        assert "was split into *Hardware*, *Printers*" in told.text
        await office.settled()
        assert (await ticket(office)).state.value == "pending"
        assert "Printers" in shown(card)  # and it was drawn anew
        await office.rita.choose(card, "review_reassign", "Hardware")
        await office.settled()
        assert (await ticket(office)).queue == "Hardware"

        await office.ben.say(office.help_, SURE)
        asked = await office.card("review", containing="printer")
        assert "not yet proven" in shown(asked)
        assert "Confirm Hardware" in shown(asked)
        assert "Printers" in shown(asked)


async def test_a_new_queue_is_offered_at_once(tiny_office):
    async with tiny_office.open() as office:
        await office.ana.say(office.help_, SURE)
        card = await office.card("queue")
        await edit(office, add, "Printers")
        await office.ben.say(office.help_, UNSURE)
        asked = await office.card("review")
        await office.rita.choose(asked, "review_reassign", "Printers")
        await office.settled()
        assert (await ticket(office, "T-2")).queue == "Printers"
        assert (await ticket(office)).queue == "Hardware"
        assert "Hardware" in shown(card)


async def test_a_click_on_a_queue_that_never_was_changes_nothing(tiny_office):
    async with tiny_office.open() as office:
        await office.ana.say(office.help_, UNSURE)
        card = await office.card("review")
        for block in card.blocks:
            for element in block.get("elements", []):
                if element.get("action_id") == "review_confirm":
                    element["value"] = "T-1:Nowhere"
        await office.rita.click(card, "review_confirm")
        await office.slack.until(lambda: office.slack.ephemerals(office.rita), 5)
        assert "no queue *Nowhere*" in office.slack.ephemerals(office.rita)[0].text
        await office.settled()
        assert (await ticket(office)).state.value == "pending"
        assert "Nowhere" not in shown(card)


async def test_evidence_of_the_parts_counts_for_the_merged_queue(tiny_office):
    async with tiny_office.open() as office:
        desk, team, now = office.bot.desk, office.slack.team_id, datetime.now(UTC)
        version = desk.classifier.version
        for number, queue in enumerate(["Hardware"] * 3 + ["Access"] * 5):
            answer = "Storage" if number == 0 else queue
            values = {"team": team, "at": now, "version": version, "why": Why.AUDIT}
            await add_ticket(desk.database, f"k{number}", queue=queue, answer=answer, **values)
        async with desk.database.write() as conn:
            lost = NewQueueChange(
                team=team, queue="Access", change=RoutingChange.DEMOTED, by="", evidence={}
            )
            await queue_changes.add(conn, lost, now)
        await edit(office, merge, ["Hardware", "Access"], "Front desk")
        await desk.follow_edits()
        period = parse_period("7d", datetime.now(UTC))
        found = await desk.numbers.of(team, period, 0.9)
        [merged] = found.queues
        assert (merged.name, merged.tickets, merged.precision.n) == ("Front desk", 8, 8)
        assert merged.precision.value == pytest.approx(7 / 8)
        assert merged.demoted  # as the stricter part was
        assert await desk.watch.demoted(team) == {"Front desk"}
        assert (await desk.teams.of(team)).queue_channels == {"Front desk": office.hardware.id}


async def test_an_offer_of_before_a_renaming_can_be_accepted(tiny_office):
    async with tiny_office.open() as office:
        desk, team, now = office.bot.desk, office.slack.team_id, datetime.now(UTC)
        lost = NewQueueChange(
            team=team, queue="Hardware", change=RoutingChange.DEMOTED, by="", evidence={}
        )
        async with desk.database.write() as conn:
            await queue_changes.add(conn, lost, now - timedelta(days=3))
        values = {"team": team, "at": now - timedelta(days=1), "why": Why.DEMOTED}
        values |= {"queue": "Hardware", "answer": "Hardware"}
        for number in range(45):
            key, version = f"k{number}", desk.classifier.version
            await add_ticket(desk.database, key, version=version, **values)
        await desk.check_queues(now)
        await office.settled()
        [offer] = office.cards(event="autoticket_notice")
        await edit(office, rename, "Hardware", "Gear & desks")
        await office.rita.click(offer, "queue_restore")
        await office.slack.until(lambda: offer.find("queue_restore") is None)
        assert "Gear &amp; desks* back" in shown(offer)
        assert await desk.watch.demoted(team) == frozenset()


async def test_what_people_settled_governs_under_the_new_name(tiny_office):
    async with tiny_office.open() as office:
        await office.ana.say(office.help_, SURE)
        await office.rita.choose(await office.card("queue"), "review_reassign", "Access")
        await office.settled()
        await edit(office, rename, "Access", "Accounts")
        await office.ben.say(office.help_, "Laptop, printer, laptop!")
        own = await office.card("thread", containing="settled like T-1")
        assert "Accounts" in shown(own)
        await edit(office, split, "Accounts", ["Passwords", "Rights"])
        await office.ben.say(office.help_, "LAPTOP printer laptop")
        fresh = await office.card("thread", containing="LAPTOP")
        assert "settled like" not in shown(fresh)


async def test_a_filter_that_was_set_before(tiny_office):
    async with tiny_office.open() as office:
        await office.ana.say(office.help_, UNSURE)
        await office.card("review")
        desk, team = office.bot.desk, office.slack.team_id
        queue = (await desk.history(team, "T-1")).said.queue
        await edit(office, rename, queue, "Devices")
        page = await desk.waiting(team, Wanted(queue=queue))
        assert (page.found, page.wanted.queue) == (1, "Devices")
        await edit(office, split, "Devices", ["Laptops", "Printers"])
        page = await desk.waiting(team, Wanted(queue=queue))
        assert (page.found, page.wanted.queue) == (1, None)
        page = await desk.waiting(team, Wanted(queue="Nowhere"))
        assert (page.found, page.wanted.queue) == (1, None)
        page = await desk.waiting(team, Wanted(queue="Printers"))
        assert (page.found, page.wanted.queue) == (1, "Printers")


async def test_a_form_of_before_an_edit_saves_nothing(tiny_office):
    async with tiny_office.open() as office:
        await office.ada.command("/ticket", "setup", channel=office.random)
        await office.slack.until(
            lambda: (v := office.slack.open_view(office.ada)) and "submit" in v.body, 5
        )
        form = office.slack.open_view(office.ada)
        await edit(office, rename, "Hardware", "Devices")
        after = await office.ada.submit(form, {"queue:Access": office.random.id})
        assert "Somebody else" in str(after.errors)


async def test_actions_are_kept_as_they_were_made(tiny_office):
    async with tiny_office.open() as office:
        await office.ana.say(office.help_, UNSURE)
        await office.rita.choose(await office.card("review"), "review_reassign", "Hardware")
        await office.settled()
        await edit(office, rename, "Hardware", "Devices")
        history = await office.bot.desk.history(office.slack.team_id, "T-1")
        assert history.said.queue in ("Hardware", "Access")
        assert [(s.action, s.queue_after) for s in history.steps][-1][1] == "Hardware"
        assert history.steps[-1].action in (Action.CONFIRM, Action.REASSIGN)
