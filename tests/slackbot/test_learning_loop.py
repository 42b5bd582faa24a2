"""The loop: correct, learn, compare, promote, and the running bot answers otherwise; and back."""

import asyncio
import contextlib

import httpx
import pytest

from core.classifier import Classifier
from core.decision import Decision
from slackbot.config import parse_settings
from slackbot.desk.precedents import FRESH_S, Precedents
from slackbot.learning import promotion, retrain
from slackbot.learning.watch import EVERY_S
from storage import forget
from storage.database import Database
from storage.records import Action, State
from storage.schema import model_changes
from tests import tiny_bundle
from tests.slackbot.serving import serving
from tests.storage.examples import file_ticket, review
from tests.waiting import until

SURE = "laptop printer laptop"


@pytest.fixture
def learning_office(new_office, tmp_path):
    """An office with the tiny bundle, which may be fitted again in a moment."""
    tiny_bundle.save(tmp_path / "models" / "default")
    office = new_office(AUTOTICKET_MODEL_DIR=str(tmp_path / "models" / "default"))
    office.texts = {Decision.AUTO: [SURE]}
    return office


async def answers_of_people(office, words, queue, count):
    """As if reviewers had settled so many tickets before."""
    async with office.bot.desk.database.write() as conn:
        for number in range(count):
            ticket = await file_ticket(
                conn,
                f"{words}{number}",
                team=office.slack.team_id,
                text=f"{words} {tiny_bundle.filler(500 + number)}",
                state=State.ASSIGNED if queue else State.DISMISSED,
                queue=queue,
            )
            action = Action.REASSIGN if queue else Action.DISMISS
            values = {"team": office.slack.team_id, "queue_after": queue}
            await review(conn, ticket.id, action, **values)


async def new_version(office):
    """What `autoticket retrain` does, in this process."""
    await answers_of_people(office, "zebra zebra", "Storage", 60)
    await answers_of_people(office, "password", "Access", 20)
    settings = parse_settings(office.env)
    record = await retrain.read_record(settings.database_url)
    return await asyncio.to_thread(retrain.retrain, settings, record, lambda *_: None)


def notices(office):
    return office.cards(event="autoticket_notice")


async def offered(office):
    def found():
        return [card for card in notices(office) if "new version" in str(card.blocks)]

    await office.slack.until(found, 10)
    assert len(found()) == 1
    return found()[0]


def version(office):
    return office.bot.desk.classifier.version


@contextlib.asynccontextmanager
async def second_replica(office):
    """Another replica on the same record."""
    async with serving(office.env) as front:
        yield front.bot


async def test_a_reviewer_promotes_and_takes_back_while_the_bot_runs(learning_office):
    async with learning_office.open() as office, second_replica(office) as other:
        configured = version(office)
        encoder = office.bot.desk.classifier.encoder
        made = await new_version(office)
        card = await offered(office)
        assert card.channel == office.review.id
        assert "held out" in str(card.blocks)
        assert made.version in str(card.blocks)
        await asyncio.sleep(2 * EVERY_S)
        assert len(notices(office)) == 1  # two replicas, one card
        assert version(office) == configured

        await office.gus.click(card, "model_promote")  # a guest
        await office.slack.until(lambda: office.slack.ephemerals(office.gus), 5)
        assert version(office) == configured

        await asyncio.gather(
            office.rita.click(card, "model_promote"), office.rob.click(card, "model_promote")
        )
        await until(lambda: version(office) == made.version)
        await until(lambda: other.desk.classifier.version == made.version)
        assert office.bot.desk.classifier.encoder is encoder
        told = office.slack.ephemerals(office.rita) + office.slack.ephemerals(office.rob)
        assert len(told) == 1
        assert "already" in told[0].text
        await until(lambda: "put it in force" in str(card.blocks))

        await office.ana.say(office.help_, "zebra zebra zebra")
        own = await office.card("thread", containing="zebra")
        assert "Storage" in str(own.blocks)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{office.port}") as web:
            assert made.version in (await web.get("/metrics")).text
            assert (await web.get("/readyz")).status_code == 200

        await office.rob.click(card, "model_rollback")
        await until(lambda: version(office) == configured)
        await until(lambda: other.desk.classifier.version == configured)
        await until(lambda: "in force again" in str(card.blocks))
        async with office.bot.desk.database.read() as conn:
            rows = (await conn.execute(model_changes.select())).all()
        assert [(row.change.value, row.to_version) for row in rows] == [
            ("promote", made.version),
            ("rollback", configured),
        ]


async def test_a_correction_governs_nearly_the_same_text_at_once(learning_office):
    async with learning_office.open() as office:
        await office.ana.say(office.help_, "laptop printer laptop")
        await office.rita.choose(await office.card("queue"), "review_reassign", "Access")
        await office.settled()
        await office.ben.say(office.help_, "Laptop, printer, laptop!")
        own = await office.card("thread", containing="settled like T-1")
        assert "Access" in str(own.blocks)
        await office.settled()
        async with office.bot.desk.database.write() as conn:
            await forget.ticket(conn, team=office.slack.team_id, ticket_id=1)
        await asyncio.sleep(FRESH_S)
        await office.ana.say(office.help_, "laptop printer laptop please")
        fresh = await office.card("thread", containing="laptop please")
        assert "settled like" not in str(fresh.blocks)
        assert "Hardware" in str(fresh.blocks)


async def test_what_is_forgotten_is_forgotten_while_another_replica_learns(tmp_path):
    tiny_bundle.save(tmp_path / "tiny")
    classifier = Classifier.load(tmp_path / "tiny")
    database = await Database.open(f"sqlite:///{tmp_path}/autoticket.db")

    async def settle(word):
        async with database.write() as conn:
            ticket = await file_ticket(conn, word, text=f"laptop {word}", state=State.ASSIGNED)
            await review(conn, ticket.id, Action.REASSIGN, queue_after="Access")
        return ticket

    async def known(replica):
        replica.settled(first.team)
        memory = await replica.of(first.team, classifier)
        return [precedent.ticket for precedent in memory.precedents]

    first = await settle("kaka")
    here, there = Precedents(database), Precedents(database)
    assert await known(here) == [first.id]
    second = await settle("dada")
    assert await known(there) == [first.id, second.id]
    async with database.write() as conn:
        await forget.ticket(conn, team=first.team, ticket_id=first.id)
    assert await known(here) == [second.id]
    await database.close()


async def test_what_was_no_ticket_is_looked_at_and_not_lost(learning_office):
    async with learning_office.open() as office:
        await answers_of_people(office, "laptop printer", None, 1)
        await office.ana.say(office.help_, "laptop printer dididi kakaka")
        own = await office.card("thread", containing="otherwise")
        assert "A person will check" in str(own.blocks)


async def test_a_comparison_with_a_version_that_serves_no_more_promotes_nothing(learning_office):
    async with learning_office.open() as office:
        made = await new_version(office)
        card, models = await offered(office), office.bot.models
        await promotion.decide(
            models.desk.database, by="U1", version="newer", configured=version(office)
        )
        await office.rita.click(card, "model_promote")
        await office.slack.until(lambda: office.slack.ephemerals(office.rita), 5)
        [told] = office.slack.ephemerals(office.rita)
        assert f"{made.version} was compared with {version(office)}, but newer is" in told.text
        assert "autoticket retrain" in told.text
        assert await promotion.in_force(models.desk.database) == "newer"
        assert card.find("model_promote")  # rolled back, the comparison holds again


async def test_kept_means_kept(learning_office):
    async with learning_office.open() as office:
        configured = version(office)
        made = await new_version(office)
        card = await offered(office)
        await office.rita.click(card, "model_keep")
        await office.slack.until(lambda: "kept the present version" in str(card.blocks), 5)
        assert version(office) == configured
        with pytest.raises(Exception, match="decided"):
            await office.bot.models.answer(made.version, by="U1", keep=False)


async def test_a_replica_without_the_folder_keeps_what_it_has_and_says_so(learning_office, caplog):
    async with learning_office.open() as office:
        configured = version(office)
        made = await new_version(office)
        await office.rita.click(await offered(office), "model_promote")
        await until(lambda: version(office) == made.version)
        await office.bot.models.take_back(made.version, by="U1")
        assert version(office) == configured
        (made.folder / "heads.joblib").write_bytes(b"damaged")
        await promotion.decide(
            office.bot.desk.database, by="U1", version=made.version, configured=configured
        )
        await until(lambda: "model_not_swapped" in caplog.text)
        assert version(office) == configured
        assert all((await office.bot.ready()).values())


async def test_a_restarted_bot_begins_with_the_promoted_version(learning_office):
    async with learning_office.open() as office:
        made = await new_version(office)
        await office.rita.click(await offered(office), "model_promote")
        await until(lambda: version(office) == made.version)
    async with learning_office.open() as office:
        assert version(office) == made.version
