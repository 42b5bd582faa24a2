"""What the bot is run with: image, compose file, unit, workflow, alerts, dashboard, and backups."""

import configparser
import contextlib
import json
import re
import shlex
import sqlite3
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from core.audit_estimates import drift
from core.bundle import Bundle
from slackbot.cli import main
from slackbot.config import parse_settings
from slackbot.learning import versions
from slackbot.metrics import Metrics, Snapshot
from slackbot.variables import VARIABLES
from storage.records import QueueDepth
from tests.storage.examples import NOW


@pytest.fixture
def compose(root):
    return yaml.safe_load((root / "compose.yaml").read_text(encoding="utf-8"))["services"]


@pytest.fixture
def image(root):
    """The Dockerfile as (instruction, arguments), with continued lines joined."""
    text = (root / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [tuple(line.split(maxsplit=1)) for line in lines]


@pytest.fixture
def manual(root):
    return (root / "docs" / "operations.md").read_text(encoding="utf-8")


def stages(image):
    starts = [i for i, (instruction, _) in enumerate(image) if instruction == "FROM"]
    return [image[a:b] for a, b in zip(starts, [*starts[1:], None], strict=True)]


def environment_of(stage):
    return dict(
        word.split("=", 1) for name, rest in stage if name == "ENV" for word in shlex.split(rest)
    )


def test_the_image_runs_the_bot_as_nobody_special_and_asks_for_its_health(image):
    final = stages(image)[-1]
    kinds = [instruction for instruction, _ in final]
    assert dict(final)["USER"] == "10001:10001"
    assert kinds.index("USER") < kinds.index("CMD")
    assert json.loads(dict(final)["CMD"]) == ["autoticket", "run"]
    health = json.loads(dict(final)["HEALTHCHECK"].split("CMD", 1)[1])
    compile(health[2], "healthcheck", "exec")
    settings = parse_settings(environment_of(final))
    assert (settings.host, settings.port) == ("0.0.0.0", 3000)
    assert dict(final)["EXPOSE"] == "3000"


def test_the_image_asks_for_its_health_past_any_proxy(image):
    health = json.loads(dict(stages(image)[-1])["HEALTHCHECK"].split("CMD", 1)[1])
    asked = []

    class Healthy(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Healthy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        environment = {
            "http_proxy": "http://127.0.0.1:1",
            "AUTOTICKET_PORT": str(server.server_port),
        }
        command = [sys.executable, *health[1:]]
        asking = subprocess.run(command, env=environment, check=False)
        server.shutdown()
    assert (asking.returncode, asked) == (0, ["/healthz"])


def test_the_image_is_pinned_small_and_has_no_torch(image, root):
    assert all(re.fullmatch(r"python:3\.11-slim( AS build)?", b) for a, b in image if a == "FROM")
    installs = [rest for name, rest in image if name == "RUN" and "pip install" in rest]
    assert len(installs) == 1
    assert re.search(r"-c constraints\.txt \.$", installs[0])  # no extra: torch is in `train`
    assert not any(name == "ADD" for name, _ in image)
    assert "COPY" in dict(stages(image)[-1])
    assert not any(re.search(r"\bTOKEN|SECRET|PASSWORD", rest) for _, rest in image)


def test_what_is_copied_into_the_image_is_there_and_let_through(image, root):
    ignored = (root / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in ignored
    sent = {line[1:] for line in ignored if line.startswith("!")}
    copied = {
        word
        for name, rest in image
        if name == "COPY" and "--from" not in rest
        for word in rest.split()[:-1]
    }
    assert copied == sent
    assert all((root / path).exists() for path in copied)


def test_compose_runs_the_bot_on_postgresql(compose):
    bot, db = compose["bot"], compose["db"]
    settings = parse_settings(bot["environment"])
    assert settings.database_url.startswith("postgresql+asyncpg://autoticket:${POSTGRES_PASSWORD:?")
    assert settings.database_url.endswith("@db/autoticket")
    assert bot["env_file"] == ".env"
    assert bot["ports"] == [f"127.0.0.1:{settings.port}:{settings.port}"]
    assert bot["depends_on"] == {"db": {"condition": "service_healthy"}}
    assert bot["cap_drop"] == ["ALL"]
    assert bot["read_only"] is True
    assert "ports" not in db
    assert db["volumes"] == ["record:/var/lib/postgresql/data"]
    assert "pg_isready" in db["healthcheck"]["test"][1]
    known = {variable.name for variable in VARIABLES}
    assert set(bot["environment"]) <= known


def test_the_unit_starts_what_the_manual_installs(root, manual):
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str
    unit.read(root / "deploy" / "autoticket.service")
    service = unit["Service"]
    assert service["ExecStart"] == "/opt/autoticket/.venv/bin/autoticket run"
    assert service["User"] != "root"
    assert f"useradd --system --home-dir {service['WorkingDirectory']}" in manual
    assert f"/var/lib/{service['StateDirectory']}/autoticket.db" in manual
    assert int(service["TimeoutStopSec"]) > 10  # longer than the bot's own grace
    assert service["Restart"] == "always"
    for switch in ("NoNewPrivileges", "PrivateTmp", "PrivateDevices", "ProtectHome"):
        assert service[switch] == "yes"
    assert (service["ProtectSystem"], service["CapabilityBoundingSet"]) == ("strict", "")


def test_what_the_model_learns_has_a_place_that_may_be_written_and_stays(
    image, compose, manual, root, tmp_path
):
    final = stages(image)[-1]
    [made] = [rest for name, rest in final if name == "RUN"]
    link = Path(environment_of(final)["AUTOTICKET_MODEL_DIR"])
    assert f"ln -s /app/models/default {link}" in made
    assert re.search(rf"install -d -o autoticket .* {link.parent} ", made)
    assert str(link.parent) in dict(final)["VOLUME"].split()
    assert compose["bot"]["environment"]["AUTOTICKET_MODEL_DIR"] == str(link)
    assert compose["bot"]["volumes"] == [f"versions:{link.parent}"]
    assert re.search(r"install -d -o autoticket .* /var/lib/autoticket/models$", manual, re.M)
    [source, target] = re.search(r"ln -s (\S+) (\S+)", manual).groups()
    assert f"AUTOTICKET_MODEL_DIR={target}" in manual
    assert (root / Path(source).relative_to("/opt/autoticket")).is_dir()

    # New versions lie beside such a link, and what it leads to is a bundle.
    (tmp_path / "default").symlink_to(root / "models" / "default")
    with versions.writing(tmp_path / "default") as home:
        assert home == tmp_path
    [found] = versions.all_versions(tmp_path / "default")
    assert Bundle.load(found.folder).manifest.version == found.name


def test_the_hosted_checks_are_the_ones_that_run_here(root):
    text = (root / ".github" / "workflows" / "test.yml").read_text(encoding="utf-8")
    workflow = yaml.safe_load(text)
    [job] = workflow["jobs"].values()
    assert ".ci/run" in [step.get("run", "").split(" #")[0].strip() for step in job["steps"]]
    assert (root / ".ci" / "run").read_text(encoding="utf-8").rstrip().endswith("make test")
    assert workflow["permissions"] == {"contents": "read"}


@pytest.fixture
def exported():
    """Names of all metrics, and of the labels and values that a replica shows from its start."""
    depth = QueueDepth(waiting=0, leased=0, dead=0, oldest_waiting=None)
    up = dict.fromkeys(("model", "database", "slack"), True)
    depths = {"inbox": depth, "outbox": depth}
    apart = drift({"a": 9}, {"b": 9}, 1, 2)
    snapshot = Snapshot(at=NOW, up=up, depths=depths, model_version="v", drift=apart)
    return Metrics().exposition(snapshot).decode()


def queries(root):
    board = json.loads((root / "deploy" / "grafana-dashboard.json").read_text(encoding="utf-8"))
    for panel in board["panels"]:
        yield from (target["expr"] for target in panel["targets"])
    for rule in rules(root):
        yield rule["expr"]


def rules(root):
    [group] = yaml.safe_load((root / "deploy" / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    return group["rules"]


def test_dashboard_and_alerts_ask_only_for_what_is_exported(root, exported):
    names = set(re.findall(r"^# HELP (\w+)", exported, re.MULTILINE))
    asked = [
        name
        for query in queries(root)
        for name in re.findall(r"\b(?:autoticket|process)_\w+", query)
    ]
    assert {re.sub(r"_bucket$", "", name) for name in asked} <= names
    ours = {name for name in names if re.match("autoticket_.*(?<!_created)$", name)}
    assert ours <= {re.sub(r"_bucket$", "", name) for name in asked}  # none is for nobody
    for query in queries(root):
        for left, right in ("()", "{}", "[]"):
            assert query.count(left) == query.count(right), query
        for label, value in re.findall(r'\b(part|state|outcome|period)=~?"([\w|]+)"', query):
            for one in value.split("|"):
                assert f'{label}="{one}"' in exported, query


def test_every_alert_says_what_to_do(root, manual):
    for rule in rules(root):
        assert f"| `{rule['alert']}` |" in manual
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert rule["annotations"]["summary"]
    assert len(re.findall(r"^\| `AutoTicket\w+` \|", manual, re.MULTILINE)) == len(rules(root))


def test_panels_lie_side_by_side(root):
    board = json.loads((root / "deploy" / "grafana-dashboard.json").read_text(encoding="utf-8"))
    taken = set()
    for panel in board["panels"]:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


def test_every_command_and_setting_in_the_manual_exists(manual):
    commands = re.findall(r"(?:^|`|/|bot )autoticket ((?:[a-z]+ ?)+)", manual, re.MULTILINE)
    assert {words.split()[0] for words in commands} >= {"doctor", "backup", "restore", "outbox"}
    for words in commands:
        known = main
        for word in words.split():
            known = known.commands[word] if hasattr(known, "commands") else known
        assert known is not main, words
    names = {variable.name for variable in VARIABLES} | {"POSTGRES_PASSWORD"}
    assert set(re.findall(r"\b(?:AUTOTICKET|SLACK|POSTGRES)_[A-Z_]+", manual)) <= names


@pytest.fixture
def run(monkeypatch, tmp_path):
    monkeypatch.setenv("AUTOTICKET_DATABASE_URL", f"sqlite:///{tmp_path}/data/autoticket.db")
    return lambda *arguments: CliRunner().invoke(main, [str(word) for word in arguments])


def ticket_ids(path):
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return [number for (number,) in connection.execute("SELECT id FROM tickets ORDER BY id")]


async def test_backup_and_restore_are_two_commands(new_office, tmp_path, run):
    office = new_office(AUTOTICKET_DATABASE_URL=f"sqlite:///{tmp_path}/data/autoticket.db")
    async with office.open():
        await office.ana.say(office.help_, office.sure())
        await office.settled()
        assert run("backup", tmp_path / "copy.db").exit_code == 0
        refused = run("restore", tmp_path / "copy.db", "--force")
        assert (refused.exit_code, refused.stderr.count("\n")) == (2, 1)
        assert "stop the bot first" in refused.stderr
        await office.ana.say(office.help_, office.unsure())
        await office.settled()
    refused = run("restore", tmp_path / "copy.db")
    assert (refused.exit_code, "--force" in refused.stderr) == (2, True)
    assert run("restore", tmp_path / "copy.db", "--force").exit_code == 0
    assert ticket_ids(tmp_path / "data" / "autoticket.db") == [1]
    async with office.open():
        await office.ana.say(office.help_, office.sure(1))
        await office.settled()
    assert ticket_ids(tmp_path / "data" / "autoticket.db") == [1, 10_002]
    # The lost ticket's card still stands, and is nobody else's.
    assert len({card.metadata["event_payload"]["ticket"] for card in office.cards("thread")}) == 3


def test_postgresql_is_told_its_own_way(run, monkeypatch, tmp_path):
    monkeypatch.setenv("AUTOTICKET_DATABASE_URL", "postgresql://u:secret@h/d")
    for command in ("backup", "restore"):
        result = run(command, tmp_path / "copy.db")
        assert (result.exit_code, "pg_dump" in result.stderr) == (2, True)
        assert "secret" not in result.stderr
