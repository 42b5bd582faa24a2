from pathlib import Path

import pytest

from core.decision import Impact, Priority, Urgency
from slackbot.config import load_settings, parse_settings
from slackbot.errors import ConfigError
from slackbot.team_settings import TriageMode
from slackbot.variables import VARIABLES

ROOT = Path(__file__).parents[2]


def test_everything_set_is_understood():
    settings = parse_settings(
        {
            "SLACK_API_URL": "http://127.0.0.1:9/api",
            "AUTOTICKET_PORT": "8080",
            "AUTOTICKET_TRIAGE_CHANNELS": "C1, C2, C4 = Silent,",
            "AUTOTICKET_REVIEW_CHANNEL": "CREV",
            "AUTOTICKET_QUEUE_CHANNELS": "Hardware=C1, HR Support = C2",
            "AUTOTICKET_REVIEWERS": "U1,S1",
            "AUTOTICKET_REACTION": ":sos:",
            "AUTOTICKET_PRIORITY_MATRIX": "low/user=P4",
            "AUTOTICKET_POSTS_PER_SECOND": "2.5",
        }
    )
    assert settings.api_url == "http://127.0.0.1:9/api/"
    assert settings.port == 8080
    assert settings.team.mode_of("C2") is TriageMode.AUTO
    assert settings.team.mode_of("C3") is None
    assert settings.team.mode_of("C4") is TriageMode.SILENT
    assert settings.team.review_channel == "CREV"
    assert dict(settings.team.queue_channels) == {"Hardware": "C1", "HR Support": "C2"}
    assert settings.team.reviewers == {"U1", "S1"}
    assert settings.reaction == "sos"
    assert settings.priority_matrix.priority(Urgency.LOW, Impact.USER) is Priority.P4
    assert settings.posts_per_second == 2.5


def test_a_star_triages_every_channel():
    team = parse_settings({"AUTOTICKET_TRIAGE_CHANNELS": "*,C1=suggest"}).team
    assert team.mode_of("CANY") is TriageMode.AUTO
    assert team.mode_of("C1") is TriageMode.SUGGEST


@pytest.mark.parametrize("text", ["C1=loud", "C1,C1=silent", "=silent", "it-help"])
def test_a_triage_channel_that_is_none_is_refused(text):
    with pytest.raises(ConfigError, match="AUTOTICKET_TRIAGE_CHANNELS"):
        parse_settings({"AUTOTICKET_TRIAGE_CHANNELS": text})


@pytest.mark.parametrize(
    ("name", "value", "where"),
    [
        ("AUTOTICKET_TRIAGE_CHANNELS", "it-help", "C0123456789, at the end of the channel"),
        ("AUTOTICKET_REVIEW_CHANNEL", "#it-review", "C0123456789, at the end of the channel"),
        ("AUTOTICKET_QUEUE_CHANNELS", "Access=#it", "C0123456789, at the end of the channel"),
        ("AUTOTICKET_REVIEWERS", "@rita", "U0123456789, behind ⋮ in the profile"),
        ("AUTOTICKET_ALLOWED_BOTS", "zabbix", "B0123456789"),
    ],
)
def test_who_writes_a_name_for_an_id_is_told_where_ids_stand(name, value, where):
    with pytest.raises(ConfigError) as caught:
        parse_settings({name: value})
    [problem] = caught.value.problems
    assert problem.startswith(f"{name}: ")
    assert f"is no Slack id (such as {where}" in problem


def test_all_problems_are_reported_together():
    with pytest.raises(ConfigError) as caught:
        parse_settings(
            {
                "SLACK_API_URL": "ftp://x",
                "AUTOTICKET_PORT": "70000",
                "AUTOTICKET_REVIEW_CHANNEL": "#it-review",
                "AUTOTICKET_QUEUE_CHANNELS": "Hardware",
                "AUTOTICKET_REVIEWERS": "ana",
                "AUTOTICKET_PRIORITY_MATRIX": "high=1",
                "AUTOTICKET_POSTS_PER_SECOND": "nan",
                "AUTOTICKET_LOG_LEVEL": "loud",
            }
        )
    named = [problem.split(":")[0] for problem in caught.value.problems]
    assert named == [
        "SLACK_API_URL",
        "AUTOTICKET_PORT",
        "AUTOTICKET_REVIEW_CHANNEL",
        "AUTOTICKET_QUEUE_CHANNELS",
        "AUTOTICKET_REVIEWERS",
        "AUTOTICKET_PRIORITY_MATRIX",
        "AUTOTICKET_POSTS_PER_SECOND",
        "AUTOTICKET_LOG_LEVEL",
    ]


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({}, ["SLACK_BOT_TOKEN is missing", "SLACK_APP_TOKEN (Socket Mode) or"]),
        (
            {"SLACK_BOT_TOKEN": "xapp-1", "SLACK_APP_TOKEN": "xoxb-1"},
            ["SLACK_BOT_TOKEN must be a bot token", "SLACK_APP_TOKEN must be an app-level token"],
        ),
    ],
)
def test_missing_and_swapped_tokens_are_named(env, expected):
    with pytest.raises(ConfigError) as caught:
        parse_settings(env).require_slack()
    assert [p.startswith(e) for p, e in zip(caught.value.problems, expected, strict=True)] == [
        True,
        True,
    ]


def test_tokens_and_passwords_never_show_in_a_repr():
    settings = parse_settings(
        {
            "SLACK_BOT_TOKEN": "xoxb-secret",
            "SLACK_APP_TOKEN": "xapp-secret",
            "SLACK_SIGNING_SECRET": "signing-secret",
            "AUTOTICKET_DATABASE_URL": "postgresql://u:secret@h/db",
        }
    )
    assert "secret" not in repr(settings)


def test_the_environment_goes_before_the_file(tmp_path, monkeypatch):
    file = tmp_path / ".env"
    file.write_text("AUTOTICKET_PORT=1\nAUTOTICKET_REACTION=sos\n")
    monkeypatch.setenv("AUTOTICKET_PORT", "2")
    settings = load_settings(file)
    assert (settings.port, settings.reaction) == (2, "sos")


def test_the_example_file_documents_every_variable_with_its_default():
    lines = (ROOT / ".env.example").read_text().splitlines()
    shown = [
        line.lstrip("#").strip() for line in lines if "=" in line and not line.startswith("# ")
    ]
    assert shown == [f"{variable.name}={variable.default}" for variable in VARIABLES]
