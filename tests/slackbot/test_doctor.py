import asyncio
import os
import re
import shutil
from dataclasses import replace
from datetime import datetime, timedelta

import aiohttp
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from slackbot import checkup
from slackbot.cli import main
from slackbot.doctor import Mark, diagnose
from slackbot.team_settings import TeamSettings
from storage.database import Database


@pytest.fixture
def configured(new_office, monkeypatch, tmp_path):
    """An office whose settings are the process's environment."""

    def configure(mode="socket", **env):
        office = new_office(mode, **env)
        monkeypatch.chdir(tmp_path)
        for name, value in office.env.items():
            monkeypatch.setenv(name, value)
        return office

    return configure


def told(findings, mark):
    return [finding.text for finding in findings if finding.mark is mark]


async def test_all_is_well(configured):
    office = configured()
    async with office.open():
        pass
    findings = await diagnose()
    assert told(findings, Mark.BAD) == []
    good = "\n".join(told(findings, Mark.GOOD))
    for part in (
        "model",
        "database",
        "scopes",
        "clock",
        "Socket Mode",
        "#it-help",
        "reviewer group",
    ):
        assert part in good


async def test_every_fault_is_named_with_its_remedy(configured, tmp_path):
    office = configured(
        AUTOTICKET_MODEL_DIR=str(tmp_path), AUTOTICKET_QUEUE_CHANNELS="Hardware=CNOWHERE"
    )
    office.slack.workspace.channels[office.review.id].members.discard(office.slack.bot_user_id)
    office.help_.archived = True
    bad = "\n".join(told(await diagnose(), Mark.BAD))
    assert "model" in bad
    assert "CNOWHERE cannot be seen (channel_not_found)" in bad
    assert "/invite @AutoTicket" in bad
    assert "archived" in bad


async def test_what_was_set_in_slack_is_checked_in_place_of_the_environment(configured):
    office = configured(AUTOTICKET_REVIEW_CHANNEL="")
    gone = office.slack.add_channel("gone")
    async with office.open():
        desk, team = office.bot.desk, office.slack.team_id
        wanted = replace(office.bot.settings.team, review_channel=gone.id)
        await desk.change_settings(team, wanted, seen=0, by=office.ada.id)
    gone.archived = True
    findings = await diagnose()
    assert any("review channel #gone is archived" in t for t in told(findings, Mark.BAD))
    assert not any("REVIEW_CHANNEL is unset" in t for t in told(findings, Mark.WARNING))


async def test_wrong_tokens_are_told_apart(configured, monkeypatch):
    configured(SLACK_BOT_TOKEN="xoxb-wrong")
    assert any(
        "SLACK_BOT_TOKEN (invalid_auth)" in text for text in told(await diagnose(), Mark.BAD)
    )
    office = configured(SLACK_APP_TOKEN="xapp-wrong")
    monkeypatch.setenv("SLACK_BOT_TOKEN", office.slack.bot_token)
    assert any("SLACK_APP_TOKEN is refused" in text for text in told(await diagnose(), Mark.BAD))


async def test_a_bot_that_is_still_running_elsewhere_is_noticed(configured):
    office = configured()
    async with office.open():
        warnings = told(await diagnose(), Mark.WARNING)
    assert any("1 other Socket Mode connection" in text for text in warnings)


async def test_a_damaged_bundle_is_named_by_its_file(configured, tmp_path, root):
    bundle = tmp_path / "bundle"
    shutil.copytree(root / "models" / "default", bundle, copy_function=shutil.copy)
    with (bundle / "heads.joblib").open("ab") as file:
        file.write(b"x")
    configured(AUTOTICKET_MODEL_DIR=str(bundle))
    [bad] = told(await diagnose(), Mark.BAD)
    assert "heads.joblib" in bad
    assert "AUTOTICKET_MODEL_DIR" in bad


@pytest.mark.parametrize(
    ("revision", "mark", "remedy"),
    [
        ("0001", Mark.WARNING, "`autoticket run` migrates it"),
        ("9999", Mark.BAD, "a newer version made"),
    ],
)
async def test_a_database_of_another_version_is_told(configured, revision, mark, remedy):
    office = configured()
    database = await Database.open(office.env["AUTOTICKET_DATABASE_URL"])
    async with database.write() as conn:
        await conn.execute(sa.text("UPDATE alembic_version SET version_num = :r"), {"r": revision})
    await database.close()
    assert any(remedy in text for text in told(await diagnose(), mark))


async def test_a_missing_database_is_no_fault(configured):
    configured()
    assert any("`autoticket run` creates it" in t for t in told(await diagnose(), Mark.WARNING))


@pytest.mark.parametrize(
    ("url", "remedy"),
    [
        ("postgresql://u:p@127.0.0.1:1/d", "look at AUTOTICKET_DATABASE_URL"),
        ("mysql://u:p@127.0.0.1:1/d", "use sqlite:///FILE or postgresql://"),
        ("sqlite:///garbage.db", "file is not a database; look at AUTOTICKET_DATABASE_URL"),
        ("sqlite:///locked/data/a.db", "may not write in"),
    ],
)
async def test_a_database_that_no_start_will_create_is_a_fault(
    configured, monkeypatch, tmp_path, url, remedy
):
    configured(AUTOTICKET_DATABASE_URL=url)
    (tmp_path / "garbage.db").write_text("no database " * 99)
    (tmp_path / "locked").mkdir()
    may = os.access
    monkeypatch.setattr(
        os, "access", lambda path, mode: "locked" not in str(path) and may(path, mode)
    )
    assert any(remedy in text for text in told(await diagnose(), Mark.BAD))


async def test_missing_scopes_are_named(configured):
    office = configured()
    manifest = office.slack.app.manifest
    left = tuple(scope for scope in manifest.scopes if scope not in ("chat:write", "im:write"))
    object.__setattr__(manifest, "scopes", left)
    bad = "\n".join(told(await diagnose(), Mark.BAD))
    assert "scopes missing: chat:write, im:write; update the app from manifest.yml" in bad


async def test_a_clock_that_breaks_signatures_is_told(configured, monkeypatch):
    configured()

    class Late(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) - timedelta(minutes=4)

    monkeypatch.setattr(checkup, "datetime", Late)
    bad = "\n".join(told(await diagnose(), Mark.BAD))
    assert re.search(r"clock is 2[34]\d s off, signatures will be refused: run NTP", bad)


@pytest.mark.parametrize(
    ("variable", "value", "remedy"),
    [
        ("SLACK_BOT_TOKEN", "", "SLACK_BOT_TOKEN is missing: copy it from OAuth & Permissions"),
        ("SLACK_BOT_TOKEN", "xoxp-1", "SLACK_BOT_TOKEN must be a bot token"),
        ("SLACK_APP_TOKEN", "xoxb-1", "SLACK_APP_TOKEN must be an app-level token"),
        ("SLACK_APP_TOKEN", "", "SLACK_APP_TOKEN (Socket Mode) or SLACK_SIGNING_SECRET"),
        ("AUTOTICKET_PORT", "x", "AUTOTICKET_PORT: 'x' is no whole number"),
    ],
)
async def test_settings_are_checked_before_slack_is_asked(configured, variable, value, remedy):
    office = configured(**{variable: value})
    assert any(remedy in text for text in told(await diagnose(), Mark.BAD))
    assert office.slack.calls == []


async def test_socket_mode_is_tried_through_the_proxy_that_the_bot_uses(configured, monkeypatch):
    office = configured()
    monkeypatch.setenv("HTTP_PROXY", office.slack.base_url)
    connect, used = aiohttp.ClientSession.ws_connect, []

    def noted(session, url, **options):
        used.append(options.get("proxy"))
        return connect(session, url, **options)

    monkeypatch.setattr(aiohttp.ClientSession, "ws_connect", noted)
    assert told(await diagnose(), Mark.BAD) == []
    assert used == [office.slack.base_url]


async def test_tokens_of_two_apps_are_noticed(configured):
    office = configured()
    object.__setattr__(office.slack.workspace.bot, "app_id", "AOTHER")
    bad = told(await diagnose(), Mark.BAD)
    assert any("SLACK_APP_TOKEN belongs to another app" in text for text in bad)


async def test_who_may_not_review_although_named_is_told(configured):
    office = configured()
    ids = ",".join(office.people[name].id for name in ("rita", "gus", "eve"))
    configured(AUTOTICKET_REVIEWERS=f"{ids},UNOBODY")
    findings = await diagnose()
    warned = [t for t in told(findings, Mark.WARNING) if "may not settle" in t]
    assert len(warned) == 2
    assert any("reviewer UNOBODY cannot be looked up" in text for text in told(findings, Mark.BAD))


async def test_what_is_unset_is_told_with_what_follows_from_it(configured):
    names = ("TRIAGE_CHANNELS", "REVIEW_CHANNEL", "REVIEWERS", "QUEUE_CHANNELS")
    configured(**{f"AUTOTICKET_{name}": "" for name in names})
    warnings = "\n".join(told(await diagnose(), Mark.WARNING))
    for name, so in (
        ("TRIAGE_CHANNELS", "only /ticket"),
        ("REVIEW_CHANNEL", "in the threads"),
        ("REVIEWERS", "nobody may settle"),
    ):
        assert f"AUTOTICKET_{name} unset, so that " in warnings
        assert so in warnings
    assert "/ticket setup" in warnings


async def test_what_was_set_in_slack_is_what_is_checked(configured):
    office = configured()
    async with office.open():
        wanted = TeamSettings(review_channel=office.random.id, reviewers=frozenset({"UNOBODY"}))
        await office.bot.desk.teams.change(office.slack.team_id, wanted, seen=0, by="U1")
    findings = await diagnose()
    assert any("review channel #random" in text for text in told(findings, Mark.GOOD))
    assert any("UNOBODY" in text for text in told(findings, Mark.BAD))


async def test_a_renamed_queue_keeps_its_channel(configured):
    office = configured()
    assert "Hardware=" in office.env["AUTOTICKET_QUEUE_CHANNELS"]
    async with office.open():
        pass
    rename = ["queues", "rename", "Hardware", "Devices", "--yes"]
    done = await asyncio.to_thread(CliRunner().invoke, main, rename)
    assert done.exit_code == 0, done.output
    findings = await diagnose()
    assert told(findings, Mark.BAD) == []
    good = told(findings, Mark.GOOD)
    assert any("with the queues" in text and "Devices" in text for text in good)
    assert any("channel of Devices" in text for text in good)


def test_the_command_ends_with_1_when_something_must_be_mended(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for variable in ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"):
        monkeypatch.delenv(variable, raising=False)
    done = CliRunner().invoke(main, ["doctor"])
    assert done.exit_code == 1
    assert "✗ SLACK_BOT_TOKEN is missing" in done.output
    assert "✓ settings can be read" in done.output
