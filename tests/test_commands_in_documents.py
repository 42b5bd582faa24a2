"""Every command in a document is run here, or, where this machine cannot, held against the files.

A command of a new kind fails until somebody says below how it is checked.
"""

import asyncio
import importlib
import inspect
import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from slackbot.cli import main
from slackbot.config import parse_settings
from slackbot.variables import VARIABLES
from storage.database import Database
from storage.records import Action
from tests.storage.examples import file_ticket, predict, review

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
PROGRAMS = "autoticket|make|python|pip|docker|git|openssl|sudo|cp|cd|echo"
TESTED_ELSEWHERE = {
    "run": "tests/slackbot/test_killed.py",
    "demo": "tests/slackbot/test_demo.py",
    "init": "tests/slackbot/test_init.py",
    "train": "tests/core/test_training.py",
    "retrain": "tests/slackbot/test_retrain.py",
    "evaluate": "tests/slackbot/test_training.py",
}
"""Commands that run for long, with the tests that run them."""
SYSTEM = (
    r"sudo (useradd|git clone|chown|install|ln|systemctl) .+",
    r"sudo python3\.11 -m venv \.venv",
    r"cd /opt/autoticket",
    r"git pull",
)
"""What changes a whole system is only read."""


def blocks():
    """The shell scripts in the documents, each with where it stands."""
    for path in DOCUMENTS:
        found = re.findall(r"^( *)```sh\n(.*?)^\1```", path.read_text(), re.S | re.M)
        yield from ((path.name, text) for _, text in found)


def commands():
    """Every command, from scripts and from running text, without what a comment says."""
    found = {}
    for name, text in blocks():
        for line in text.splitlines():
            found.setdefault(re.sub(r"\s+#.*", "", line).strip(), name)
    for path in DOCUMENTS:
        start = rf"(?:\.venv/bin/)?(?:{PROGRAMS}) "
        for code in re.findall(
            r"`([^`]+)`", re.sub(r"```.*?```", "", path.read_text(), flags=re.S)
        ):
            if re.match(start, code):
                found.setdefault(" ".join(code.split()), path.name)
    return {
        part.strip(): name
        for command, name in found.items()
        for part in command.split(" && ")
        if part.strip()
    }


COMMANDS = commands()


def autoticket(command):
    """The arguments of an `autoticket` command, however it is started; None for another."""
    found = re.fullmatch(
        r"((?:[A-Z_]+=\S+ )*)(?:sudo -u autoticket |docker compose exec bot )?(?:\.venv/bin/)?"
        r"autoticket (.+)",
        command,
    )
    return found and found[2].replace("…", "1")


ALL = {words for command in COMMANDS if (words := autoticket(command))}
LISTS = {words for words in ALL if re.fullmatch(r"\w+( \| \w+)+", words)}
OURS = sorted(ALL - LISTS)


def expanded(words):
    """As a shell would hand them on, alternatives apart: `a --b | --c` is two."""
    first, *others = words.split(" | ")
    head = [word for word in shlex.split(first) if not word.startswith("-")]
    for line in (first, *(f"{head[0]} {other}" for other in others)):
        done = subprocess.run(
            ["bash", "-c", f"printf '%s\\n' {line}"], capture_output=True, text=True, check=True
        )
        yield done.stdout.splitlines()


def test_there_are_commands():
    assert len(COMMANDS) > 25
    assert len(OURS) > 12


def test_the_readme_lists_all_commands():
    [listed] = LISTS
    assert sorted(listed.split(" | ")) == sorted(main.commands)


@pytest.mark.parametrize(("name", "text"), list(blocks()))
def test_every_script_is_one_that_a_shell_understands(name, text):
    checked = subprocess.run(
        ["bash", "-n"], input=text, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with a record of one settled ticket, and settings that name it."""

    async def fill():
        database = await Database.open(f"sqlite:///{tmp_path / 'record.db'}")
        async with database.write() as conn:
            ticket = await file_ticket(conn, text="my laptop does not start")
            await predict(conn, ticket.id)
            await review(conn, ticket.id, action=Action.CONFIRM)
        await database.close()

    asyncio.run(fill())
    monkeypatch.chdir(tmp_path)
    for variable in VARIABLES:
        monkeypatch.delenv(variable.name, raising=False)
    monkeypatch.setenv("AUTOTICKET_DATABASE_URL", f"sqlite:///{tmp_path / 'record.db'}")
    monkeypatch.setenv("AUTOTICKET_MODEL_DIR", str(ROOT / "models" / "default"))
    return tmp_path


@pytest.mark.parametrize("words", OURS)
def test_our_own_commands_do_what_is_written(words, place):
    for written in expanded(words):
        arguments = [argument.replace("/backup", str(place)) for argument in written]
        command = arguments[0]
        if command in TESTED_ELSEWHERE:
            is_understood(arguments)
            tested = (ROOT / TESTED_ELSEWHERE[command]).read_text()
            assert re.search(rf"\b{command}", tested)
            continue
        if command == "restore":
            shutil.copy(place / "record.db", arguments[1])
        if command in ("forget", "models", "classify", "queues") and len(arguments) == 1:
            continue  # named in a sentence, not as something to type
        done = CliRunner().invoke(main, arguments)
        expected = 1 if command == "doctor" else 0  # it has no token here, and says so
        if arguments[:2] in (["models", "promote"], ["models", "rollback"]):
            expected = 2  # there is no such version, and it says so: tests/slackbot/test_retrain.py
        assert done.exit_code == expected, done.output
        assert done.exception is None or isinstance(done.exception, SystemExit)


def is_understood(arguments):
    """Read a command as click does, without doing it."""
    command = main.commands[arguments[0]]
    if "--help" in arguments or len(arguments) == 1:
        assert CliRunner().invoke(command, ["--help"]).exit_code == 0
    else:
        command.make_context(arguments[0], arguments[1:])


def others():
    return sorted(command for command in COMMANDS if not autoticket(command))


@pytest.mark.parametrize("command", others())
def test_every_other_command_is_run_or_fits_the_files(command, tmp_path, monkeypatch):
    kinds = [check for pattern, check in CHECKS if re.fullmatch(pattern, command)]
    assert len(kinds) == 1, f"say above how {command!r} is checked"
    kinds[0](command, tmp_path)


def dry_run(command, _):
    assert "BIN" not in command
    planned = subprocess.run(
        [*shlex.split(command), "-n"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert planned.returncode == 0, planned.stderr
    for benchmark in re.findall(r"python (-m benchmarks\..+)", planned.stdout):
        takes_its_arguments(f"python {benchmark}", _)


def copies_what_is_there(command, _):
    source = shlex.split(command.removeprefix("sudo "))[1]
    assert (ROOT / source).exists()


def installs_what_is_declared(command, _):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    words = shlex.split(command)
    assert (ROOT / words[words.index("-c") + 1]).exists()
    extra = re.search(r"\[(\w+)\]", words[-1])
    assert extra is None or extra[1] in project["optional-dependencies"]


def writes_a_setting(command, folder):
    subprocess.run(["bash", "-c", command], cwd=folder, check=True, capture_output=True)
    name, _, value = (folder / ".env").read_text().strip().partition("=")
    assert len(value) >= 32
    if name in {variable.name for variable in VARIABLES}:
        assert parse_settings({name: value})
    else:
        assert f"${{{name}" in (ROOT / "compose.yaml").read_text()


def makes_a_secret(command, folder):
    made = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert len(made.stdout.strip()) >= 32


def names_a_service(command, _):
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    words = shlex.split(command)[2:]
    if words[0] in ("exec", "stop", "start"):
        assert next(word for word in words[1:] if not word.startswith("-")) in services
    else:
        assert words[0] == "up"


def builds_from_the_dockerfile(command, _):
    assert (ROOT / "Dockerfile").exists()
    assert "VOLUME" in (ROOT / "Dockerfile").read_text() or ":/data" not in command


def reads_the_training_messages(command, _):
    words = [sys.executable, *shlex.split(command)[1:]]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = (ROOT / words[-1]).read_text().splitlines()
    assert all(json.loads(line)["text"] for line in lines)


def takes_its_arguments(command, _):
    """A benchmark runs for minutes: it is imported, and reads what is written behind its name."""
    name, *arguments = shlex.split(re.sub(r"python (-m )?", "", command))
    module = name.removesuffix(".py").replace("/", ".")
    imported = importlib.import_module(module)
    imported.arguments().parse_args(arguments)
    assert '__name__ == "__main__"' in inspect.getsource(imported)


def is_only_read(command, _):
    assert not any(path in command for path in ("/etc/shadow", "rm -rf"))


CHECKS = (
    (r"make \w+", dry_run),
    (r"(sudo )?cp \S+ \S+", copies_what_is_there),
    (r"(sudo )?\.venv/bin/(python -m )?pip install .+", installs_what_is_declared),
    (r'echo "\w+=\$\(openssl .+\)" >> \.env', writes_a_setting),
    (r"openssl .+", makes_a_secret),
    (r"docker compose .+", names_a_service),
    (r"docker (build|run) .+", builds_from_the_dockerfile),
    (r"python -m core\.corpus .+", reads_the_training_messages),
    (r"python (-m benchmarks\.\w+|benchmarks/\w+\.py).*", takes_its_arguments),
    (r"sudo chmod 640 \.env", is_only_read),
    *((pattern, is_only_read) for pattern in SYSTEM),
)
"""How commands of other programs are checked, by what they look like."""
