"""manifest.yml: importable as it is, and exactly what the code uses."""

import ast
import inspect
import re
from pathlib import Path
from unittest.mock import create_autospec

import pytest
import yaml
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from slackbot.config import Settings
from slackbot.listeners import register
from slackbot.listeners.services import Services
from slackbot.playground.app import Manifest
from slackbot.scopes import BOT_SCOPES, EVENT_SCOPES, METHOD_SCOPES
from slackbot.views import modal, setup
from slackbot.views.ids import ActionId

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def manifest():
    return yaml.safe_load((ROOT / "manifest.yml").read_text())


@pytest.fixture(scope="module")
def registered():
    """What the listeners register, by the kind of payload."""
    app = create_autospec(AsyncApp, instance=True)
    register(app, Services(desk=None, workspaces=None, settings=Settings(), models=None))
    kinds = ("event", "command", "shortcut", "view", "action")
    return {kind: [call.args[0] for call in getattr(app, kind).call_args_list] for kind in kinds}


def called_methods():
    """The Web API methods that the bot's source calls, by Slack's names."""
    sources = [p for p in (ROOT / "slackbot").rglob("*.py") if "playground" not in p.parts]
    attributes = {
        node.attr
        for source in sources
        for node in ast.walk(ast.parse(source.read_text()))
        if isinstance(node, ast.Attribute)
    }
    found = set()
    for name in attributes & set(vars(AsyncWebClient)):
        called = re.search(
            r'api_call\(\s*"([\w.]+)"', inspect.getsource(vars(AsyncWebClient)[name])
        )
        found |= {called[1]} if called else set()
    return found


def test_every_web_api_call_has_its_scope_and_no_scope_is_spare(manifest):
    assert called_methods() == set(METHOD_SCOPES)
    assert sorted(manifest["oauth_config"]["scopes"]["bot"]) == sorted(BOT_SCOPES)
    assert "user" not in manifest["oauth_config"]["scopes"]


def test_every_listener_has_its_event_and_every_event_its_listener(manifest, registered):
    events = manifest["settings"]["event_subscriptions"]["bot_events"]

    assert sorted(events) == sorted(EVENT_SCOPES)
    assert {event.split(".")[0] for event in events} == set(registered["event"])


def test_every_command_and_shortcut_has_its_listener(manifest, registered):
    features = manifest["features"]

    assert [command["command"] for command in features["slash_commands"]] == registered["command"]
    shortcuts = [
        {"type": f"{s['type']}_action", "callback_id": s["callback_id"]}
        for s in features["shortcuts"]
    ]
    assert shortcuts == registered["shortcut"]


def test_every_element_and_form_has_its_listener(registered):
    for action_id in ActionId:
        matching = [p for p in registered["action"] if re.match(p, action_id)]
        assert len(matching) == 1, action_id
    assert registered["view"] == [modal.CALLBACK, setup.CALLBACK]


def test_slack_would_import_it(manifest):
    parsed = Manifest.parse(manifest)
    shown, features = manifest["display_information"], manifest["features"]

    assert parsed.home_tab
    assert parsed.messages_tab
    assert parsed.interactive
    assert len(shown["name"]) <= 35
    assert len(shown["description"]) <= 140
    assert 175 <= len(shown["long_description"]) <= 4000
    for shortcut in features["shortcuts"]:
        assert len(shortcut["name"]) <= 24
        assert len(shortcut["description"]) <= 150
    for command in features["slash_commands"]:
        assert "url" not in command  # Socket Mode: no public address
        assert command["should_escape"] is False


def test_it_runs_in_socket_mode_in_one_workspace(manifest):
    settings = manifest["settings"]

    assert settings["socket_mode_enabled"] is True
    assert settings["org_deploy_enabled"] is False
    assert settings["token_rotation_enabled"] is False
