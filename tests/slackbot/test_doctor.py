from dataclasses import replace

import pytest

from slackbot.doctor import Mark, diagnose


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
