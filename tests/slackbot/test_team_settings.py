"""Settings of teams: the environment first, then what was set; and the modes of channels."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slackbot.desk import settings
from slackbot.desk.settings import LIFE_S, SettingsChanged, SettingsOfTeams
from slackbot.team_settings import TeamSettings, TriageMode
from slackbot.views.home import Wanted
from storage import export
from storage.database import Database
from storage.errors import DatabaseUnavailable
from storage.export import Dataset
from storage.records import State

FIRST = TeamSettings(review_channel="CENV", reviewers=frozenset({"U1"}))


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
async def replicas(tmp_path):
    """Two replicas on one database, and their clock."""
    url = f"sqlite:///{tmp_path / 'autoticket.db'}"
    databases = [await Database.open(url) for _ in range(2)]
    clock = Clock()
    yield *(SettingsOfTeams(database, FIRST, clock) for database in databases), clock
    for database in databases:
        await database.close()


ids = st.text("ABC123", min_size=1, max_size=4)
all_settings = st.builds(
    TeamSettings,
    triage=st.dictionaries(ids, st.sampled_from(TriageMode), max_size=3),
    review_channel=st.none() | ids,
    queue_channels=st.dictionaries(ids, ids, max_size=3),
    reviewers=st.frozensets(ids, max_size=3),
)


@given(before=all_settings, after=all_settings)
def test_changes_lead_from_any_settings_to_any_others(before, after):
    changes = before.changes_to(after)
    assert before.with_changes(changes) == after
    assert (changes == {}) == (before == after)


def test_what_a_newer_version_has_set_is_left_alone():
    assert FIRST.with_changes({"moon": "full"}) == FIRST


async def test_what_was_set_wins_and_the_rest_follows_the_environment(replicas):
    here, there, clock = replicas
    assert await there.of("T1") == FIRST
    wanted = FIRST.with_changes({"review_channel": "CSET"})
    await here.change("T1", wanted, seen=0, by="U7")
    assert (await here.of("T1")).review_channel == "CSET"
    clock.now += LIFE_S
    assert (await there.of("T1")).review_channel == "CSET"
    assert await there.of("T2") == FIRST
    restarted = SettingsOfTeams(here.database, TeamSettings(review_channel="CNEW"))
    assert (await restarted.of("T1")).review_channel == "CSET"
    assert (await restarted.of("T1")).reviewers == frozenset()


async def test_who_changes_what_somebody_else_has_changed_is_told(replicas):
    here, there, _ = replicas
    await here.change("T1", FIRST.with_changes({"reviewers": ["U2"]}), seen=0, by="U7")
    with pytest.raises(SettingsChanged):
        await there.change("T1", FIRST.with_changes({"reviewers": []}), seen=0, by="U8")
    now = await there.now("T1")
    assert (now.version, now.settings.reviewers) == (1, {"U2"})


async def test_while_the_database_is_down_the_last_known_hold(replicas):
    here, there, clock = replicas
    await here.of("T1")
    for replica in (here, there):
        replica.database._check_file = None
        replica.database._connected = unreachable
    clock.now += LIFE_S
    assert await here.of("T1") == FIRST
    with pytest.raises(DatabaseUnavailable):
        await there.of("T1")


async def test_a_slow_database_keeps_nobody_waiting_for_what_is_known(replicas, monkeypatch):
    here, _, clock = replicas
    await here.of("T1")
    clock.now += LIFE_S
    monkeypatch.setattr(settings, "REFRESH_WITHIN_S", 0.01)
    with monkeypatch.context() as slow:
        slow.setattr(SettingsOfTeams, "now", lambda *_: asyncio.sleep(30))
        assert await here.of("T1") == FIRST


def unreachable():
    raise DatabaseUnavailable("down")


# Modes of triage channels ---------------------------------------------------------------------


def with_mode(new_office, mode):
    office = new_office("http")
    office.env["AUTOTICKET_TRIAGE_CHANNELS"] = f"{office.help_.id}={mode}"
    return office.open()


def posts(office):
    """All calls of the bot by which anybody could see anything."""
    return [call for call in office.slack.calls if call.method.startswith("chat.")]


async def exported(office, dataset):
    async with office.bot.desk.database.read() as conn:
        return [row async for row in export.rows(conn, dataset)]


async def test_where_the_bot_only_suggests_a_person_settles_sure_ones_too(new_office):
    async with with_mode(new_office, "suggest") as office:
        await office.ana.say(office.help_, office.sure())
        review = await office.card("review")
        assert "only suggests" in review.shown
        [said] = await exported(office, Dataset.PREDICTIONS)
        assert (said["decision"], said["reason"]) == ("review", "suggest_only")
        await office.rita.click(review, "review_confirm")
        history = await office.bot.desk.history(office.slack.team_id, "T-1")
        assert (history.ticket.state, history.ticket.queue) == (State.ASSIGNED, said["queue"])


async def test_a_silent_channel_is_judged_and_nobody_sees_anything(new_office):
    async with with_mode(new_office, "silent") as office:
        message = await office.ana.say(office.help_, office.sure())
        await office.ana.say(office.help_, office.unsure())
        await office.settled()
        await office.ana.edit(message, office.sure(1))
        await office.settled()
        assert posts(office) == []
        predictions = await exported(office, Dataset.PREDICTIONS)
        assert [row["ticket"] for row in predictions] == ["T-1", "T-2", "T-1"]
        tickets = await exported(office, Dataset.TICKETS)
        assert [(t["state"], t["queue"], t["text"]) for t in tickets] == [
            ("silent", None, office.sure(1)),
            ("silent", None, office.unsure()),
        ]
        assert (await office.bot.desk.waiting(office.slack.team_id, Wanted())).total == 0
        for person, words in ((office.ana, "list"), (office.rita, "status T-1")):
            answer = await person.command("/ticket", words, channel=office.random)
            shown = answer.shown if answer else office.slack.ephemerals(person)[-1].text
            assert office.sure(1)[:20] not in shown


async def test_what_was_taken_back_in_a_silent_channel_is_forgotten(new_office):
    async with with_mode(new_office, "silent") as office:
        message = await office.ana.say(office.help_, office.sure())
        await office.settled()
        await office.ana.delete(message)
        await office.settled()
        [ticket] = await exported(office, Dataset.TICKETS)
        assert (ticket["state"], ticket["text"]) == ("silent", "")
        assert posts(office) == []


async def test_who_files_on_purpose_in_a_silent_channel_gets_a_ticket(new_office):
    async with with_mode(new_office, "silent") as office:
        message = await office.ana.say(office.help_, office.unsure())
        await office.settled()
        await office.ben.react(message, "ticket")
        review = await office.card("review")
        await office.card("thread")
        await office.settled()
        history = await office.bot.desk.history(office.slack.team_id, "T-1")
        assert history.ticket.state is State.PENDING
        assert review.find("review_confirm")
