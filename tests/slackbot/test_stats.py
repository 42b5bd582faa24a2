"""The numbers: counted right, told to who may know, drawn with words beside, written as a page."""

import asyncio
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from slackbot.cli import main
from slackbot.learning import versions
from slackbot.stats.figures import count
from slackbot.stats.period import UnknownPeriod, parse_period
from slackbot.stats.pictures import draw
from slackbot.stats.reader import drift_now, numbers_of
from slackbot.stats.recent import RecentNumbers
from slackbot.stats.words import percent, summary
from slackbot.views import stats as views
from storage.database import Database
from storage.records import Action
from storage.review_records import Why
from tests import tiny_bundle
from tests.slackbot.audited import add_ticket
from tests.views.judges import accept_message, shown

NOW = datetime.now(UTC)
TEAM = "T1"
GAP = 20 / 30 * (0.97 - 5 / 6)
HOSTILE = "$x_1 <!channel> & *bold* <b>"


async def fill(database, team=TEAM, queue="Access"):
    """20 routed tickets, 8 of them audited and 6 answered; 10 unsure ones, all settled."""
    for number in range(20):
        audited = number < 8
        await add_ticket(
            database,
            f"{team}:{number}",
            team=team,
            at=NOW - timedelta(days=2, minutes=number),
            queue=queue,
            why=Why.AUDIT if audited else None,
            probability=0.4,
            blind=number % 2 == 0,
            answer=("Storage" if number == 0 else queue) if number < 6 else None,
        )
    for number in range(20, 30):
        at = NOW - timedelta(days=2, minutes=number)
        await add_ticket(
            database,
            f"{team}:{number}",
            team=team,
            at=at,
            queue=queue,
            confidence=0.5,
            why=Why.UNSURE,
            probability=1.0,
            answer="Storage" if number % 2 else queue,
            answered_at=at + timedelta(minutes=10 * (number - 19)),
        )


@pytest.fixture
async def record(tmp_path):
    database = await Database.open(f"sqlite:///{tmp_path}/autoticket.db")
    yield database
    await database.close()


async def numbers(record, team=TEAM, word="30d"):
    return await numbers_of(record, team, parse_period(word, datetime.now(UTC)), promise=0.95)


async def test_the_numbers_are_what_the_record_says(record):
    await fill(record)
    found = await numbers(record)
    assert (found.tickets, found.automatic.value) == (30, pytest.approx(2 / 3))
    assert (found.audits, found.audits_answered) == (8, 6)
    assert (found.precision.n, found.precision.value) == (6, pytest.approx(5 / 6))
    # 20 routed stand by 6 answers, 10 unsure ones by themselves.
    assert found.accuracy.value == pytest.approx((20 * 5 / 6 + 5) / 30)
    assert found.answers == {Action.CONFIRM: 10, Action.REASSIGN: 6}
    assert found.decision_quantile(0.5) == pytest.approx(55 * 60)
    assert (found.agreement.blind.n, found.agreement.open.n) == (3, 3)
    # Stated 0.97 where 5 of 6 were right, and 0.5 where half were: two bins, weighed by tickets.
    assert dict(summary(found))["Calibration"].startswith(f"stated confidence is {percent(GAP)}")
    [queue] = found.queues
    assert (queue.name, queue.tickets, queue.routed, queue.demoted) == ("Access", 30, 20, False)
    assert sum(sum(counts.values()) for _, counts in found.days) == 30
    assert [each.right.n for each in found.reliability] == [10, 6]


async def test_what_staff_moved_without_being_asked_is_told(new_office):
    async with new_office().open() as office:
        await office.ana.say(office.help_, office.sure())
        card = await office.card("queue")
        others = [o["text"]["text"] for o in card.find("review_reassign")["options"]]
        await office.rita.choose(card, "review_reassign", next(q for q in others if q != "Access"))
        await office.settled()
        found = await numbers(office.bot.desk.database, office.slack.team_id)
        assert found.answers == {Action.REASSIGN: 1}
        assert found.precision is None  # nobody drew it, so it says nothing of the others


async def test_what_an_edit_made_sure_is_no_fair_draw_of_the_routes(new_office):
    async with new_office().open() as office:
        message = await office.ana.say(office.help_, office.unsure())
        card = await office.card("review")
        await office.settled()
        await office.ana.edit(message, office.sure())
        await office.slack.until(lambda: card.find("ticket_claim"), 10)
        others = [o["text"]["text"] for o in card.find("review_reassign")["options"]]
        await office.rita.choose(card, "review_reassign", next(q for q in others if q != "Access"))
        await office.settled()
        found = await numbers(office.bot.desk.database, office.slack.team_id)
        assert found.answers == {Action.REASSIGN: 1}
        assert found.precision is None
        assert found.decision_s == ()


async def test_what_the_budget_left_out_counts_once(record):
    at = NOW - timedelta(days=2)
    for number in range(20):  # every second route is audited, and right
        asked = {"why": Why.AUDIT, "probability": 0.5, "answer": "Access"}
        await add_ticket(
            record, f"r{number}", team=TEAM, at=at, **(asked if number % 2 else {"why": None})
        )
    for number in range(20):  # four of these come first and are wrong, one of the others is drawn
        unsure = {"why": Why.UNSURE, "probability": 1.0, "answer": "Storage"}
        drawn = {"why": Why.EXPLORATION, "probability": 1 / 16, "answer": "Access"}
        asked = drawn if number == 4 else unsure if number < 4 else {**unsure, "answer": None}
        await add_ticket(record, f"u{number}", team=TEAM, at=at, confidence=0.5, **asked)
    found = await numbers(record)
    assert found.accuracy.value == pytest.approx((20 + 16) / 40)
    assert found.accuracy.n == 15


async def test_other_teams_and_other_times_do_not_count(record):
    await fill(record, "T2")
    assert (await numbers(record)).tickets == 0
    old = NOW - timedelta(days=20)
    await add_ticket(record, "old", team=TEAM, at=old, why=None)
    counted = [(await numbers(record, word=word)).tickets for word in ("7d", "30d", "all")]
    assert counted == [0, 1, 1]


async def test_drift_is_seen_over_all_teams(record):
    for number in range(60):
        at = NOW - timedelta(days=20 if number < 40 else 1)
        queue = "Access" if number < 40 else "Storage"
        await add_ticket(record, f"d{number}", team=f"T{number % 2}", at=at, queue=queue, why=None)
    found = await drift_now(record, datetime.now(UTC))
    assert found.psi > found.by_chance > 0
    assert found.low_confidence.n == 20


def test_an_unknown_period_is_refused():
    assert parse_period(None, NOW).words == "the last 30 days"
    for word in ("8d", "yesterday", "-7d", "7 d"):
        with pytest.raises(UnknownPeriod):
            parse_period(word, NOW)


async def test_slack_takes_the_numbers_whatever_the_queues_are_called(record):
    await fill(record, queue=HOSTILE)
    found = await numbers(record)
    message = views.stats(found, pictures=True)
    accept_message(message)
    said = shown(message.blocks)
    assert "83.3" in said
    assert "n = 6" in said
    assert "promised: 95.0" in said
    for picture in draw(found):
        assert picture.png.startswith(b"\x89PNG")
        assert len(picture.alt) > 40


async def test_what_pictures_say_in_words_is_what_they_show(record):
    for number in range(9):  # the eight fullest queues have no audit, and one day is long ago
        days = 90 if number < 2 else 1
        for copy in range(2):
            at, key = NOW - timedelta(days=days), f"{number}:{copy}"
            await add_ticket(record, key, team=TEAM, at=at, queue=f"Q{number}", why=None)
    await add_ticket(record, "x", team=TEAM, at=NOW, queue="Small", answer="Small")
    volume, precision, _ = draw(await numbers(record, word="all"))
    assert "Small 100.0" in precision.alt
    assert volume.title.endswith("the last 60 days")
    assert f"most on {NOW - timedelta(days=1):%d %B} (14)" in volume.alt


async def test_nothing_yet_is_told_too(record):
    found = await numbers(record)
    accept_message(views.stats(found, pictures=False))
    assert draw(found) == []
    assert "not known yet" in shown(views.stats(found, pictures=False).blocks)
    assert count([], [], found.period, promise=0.9, demoted=()).tickets == 0


async def test_reviewers_get_numbers_at_once_and_pictures_with_words(new_office):
    async with new_office().open() as office:
        await fill(office.bot.desk.database, office.slack.team_id)
        await office.rita.command("/ticket", "stats 7d", channel=office.random)
        await office.slack.until(lambda: office.slack.ephemerals(office.rita))
        told = office.slack.ephemerals(office.rita)[-1]
        assert "Numbers for the last 7 days" in told.text
        await office.slack.until(lambda: office.slack.dm(office.rita), 30)
        [message] = office.slack.dm(office.rita)
        assert {file.title for file in message.files} >= {"Tickets by day and queue"}
        assert all("n = " in file.alt_text or "tickets" in file.alt_text for file in message.files)


async def test_others_and_odd_periods_get_one_line(new_office):
    async with new_office().open() as office:
        for person, words, line in (
            (office.ana, "stats", "Only IT reviewers"),
            (office.gus, "stats all", "Only IT reviewers"),
            (office.rita, "stats 9d", "three periods"),
        ):
            await office.slack.until(lambda: not office.slack.in_flight)
            await person.command("/ticket", words, channel=office.random)
            await office.slack.until(lambda p=person: office.slack.ephemerals(p))
            assert line in office.slack.ephemerals(person)[-1].text
        await office.settled()
        assert office.cards() == []


async def test_a_mention_asks_for_them_too(new_office):
    async with new_office().open() as office:
        await office.rita.say(office.help_, f"<@{office.slack.bot_user_id}> stats all")
        await office.slack.until(lambda: office.slack.ephemerals(office.rita))
        assert "Numbers for all time" in office.slack.ephemerals(office.rita)[-1].text


async def test_lately_is_counted_once_in_a_while(record):
    now = [0.0]
    recent = RecentNumbers(record, lambda: now[0])
    counted = [(await recent.lately(TEAM, 0.95)).tickets]
    await fill(record)
    for now[0] in (1.0, 301.0):
        counted.append((await recent.lately(TEAM, 0.95)).tickets)
    assert counted == [0, 0, 30]


async def test_reviewers_see_them_at_home(new_office):
    async with new_office().open() as office:
        await fill(office.bot.desk.database, office.slack.team_id)
        await office.rita.open_home()
        await office.slack.until(lambda: office.slack.home(office.rita))
        now = office.bot.desk.numbers
        found = await now.of(office.slack.team_id, parse_period(None, datetime.now(UTC)), 0.95)
        home = office.slack.home(office.rita).shown
        assert "Numbers for the last 30 days" in home
        told = shown(views.stats(found, pictures=True).blocks).splitlines()
        assert all(line in home for line in told[1:-1])
        await office.ana.open_home()
        await office.slack.until(lambda: office.slack.home(office.ana))
        assert "30 days" not in office.slack.home(office.ana).shown


def test_pictures_cost_a_start_nothing():
    code = "import slackbot.run, slackbot.cli, sys; print('matplotlib' in sys.modules)"
    run = [sys.executable, "-c", code]
    assert subprocess.run(run, capture_output=True, check=True, timeout=60).stdout == b"False\n"


@pytest.fixture
def report(root, tmp_path, monkeypatch):
    """Runs the command on the record in `tmp_path`."""
    monkeypatch.setenv("AUTOTICKET_DATABASE_URL", f"sqlite:///{tmp_path}/autoticket.db")
    monkeypatch.setenv("AUTOTICKET_MODEL_DIR", str(root / "models" / "default"))

    def run(*arguments):
        out = tmp_path / "report.html"
        result = CliRunner().invoke(main, ["report", "--out", str(out), *arguments])
        return result, out.read_text(encoding="utf-8") if out.exists() else ""

    return run


def filled(tmp_path, *teams, queue="Access"):
    async def run():
        database = await Database.open(f"sqlite:///{tmp_path}/autoticket.db")
        for team in teams:
            await fill(database, team, queue)
        await database.close()

    asyncio.run(run())


def test_the_page_needs_nothing_else_and_says_everything_in_words(report, tmp_path):
    filled(tmp_path, TEAM, queue=HOSTILE)
    result, page = report()
    assert result.exit_code == 0, result.output
    sources = re.findall(r'(?:src|srcset|href)="([^"]{0,30})', page)
    assert sources
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert "<script" not in page
    assert "<b>" not in page
    assert len(re.findall(r"<img [^>]*alt=\"[^\"]{40,}\"", page)) == page.count("<img ") == 3
    assert "prefers-color-scheme: dark" in page
    assert page.count("<td>6</td>") == 2  # n of the audits, and of their bin


def test_an_empty_record_has_a_page_and_a_missing_one_has_a_line(report, tmp_path):
    missing, page = report()
    assert (missing.exit_code, page) == (2, "")
    filled(tmp_path)
    result, page = report("--period", "all")
    assert result.exit_code == 0
    assert "No tickets in this period yet" in page


def test_the_page_is_about_one_workspace(report, tmp_path):
    filled(tmp_path, "T1", "T2")
    unclear, page = report()
    assert (unclear.exit_code, page) == (2, "")
    result, page = report("--team", "T2")
    assert result.exit_code == 0
    assert "workspace T2" in page
    assert "<td>30</td>" in page
    assert report("--team", "T9")[0].exit_code == 2
    assert report("--period", "soon", "--team", "T1")[0].exit_code == 2


def test_the_promise_is_that_of_the_version_in_force(report, tmp_path, root, monkeypatch):
    tiny_bundle.save(tmp_path / "models" / "default")
    monkeypatch.setenv("AUTOTICKET_MODEL_DIR", str(tmp_path / "models" / "default"))
    filled(tmp_path, TEAM)
    assert "promised precision 90.0" in report()[1]
    (tmp_path / "models" / "other").symlink_to(root / "models" / "default")
    promoted = versions.configured(root / "models" / "default").name
    result = CliRunner().invoke(main, ["models", "promote", promoted])
    assert result.exit_code == 0, result.output
    assert "promised precision 95.0" in report()[1]
