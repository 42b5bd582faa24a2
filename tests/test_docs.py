"""Documents are held against the code."""

import json
import re
import shlex

import pytest
from click.testing import CliRunner

from core.decision import Decision, Reason
from slackbot.cli import main
from slackbot.variables import VARIABLES


def between(text, mark):
    return re.search(rf"<!-- {mark}.*?-->\n(.*?)<!-- /{mark} -->", text, re.DOTALL)[1].strip()


def test_the_settings_table_says_what_the_code_reads(root):
    rows = [
        f"| `{v.name}` | {f'`{v.default}`' if v.default else ''} | {v.help} |" for v in VARIABLES
    ]
    table = "\n".join(["| variable | default | what it is |", "| --- | --- | --- |", *rows])
    assert between((root / "README.md").read_text(), "settings") == table


def test_every_decision_and_reason_is_documented(root):
    text = (root / "docs" / "decisions.md").read_text()
    for name in (*Decision, *Reason):
        assert f"| `{name.value}` |" in text


def commands(root):
    for path in (root / "README.md", *sorted((root / "docs").glob("*.md"))):
        yield from re.findall(r"`[^`]*?autoticket ([a-z][^`\n]*)`", path.read_text())


def test_every_command_in_a_document_exists(root):
    found = list(commands(root))
    assert len(found) >= 5
    for command in found:
        words = [w for w in shlex.split(command.split("|")[0].replace("…", "")) if w != "--help"]
        known = main
        for word in words:
            if word.startswith("-"):
                assert any(word.split("=")[0] in p.opts for p in known.params), command
            elif word in getattr(known, "commands", {}):
                known = known.commands[word]
        assert known is not main or command.startswith("run"), command
        assert CliRunner().invoke(known, ["--help"]).exit_code == 0


def figures(root):
    """The README's figures, as the training has measured them."""
    measured = json.loads((root / "models" / "default" / "evaluation.json").read_text())
    lines = [
        "| texts not trained on | n | right queue | in the top 3 | routed alone | of these right "
        "| small talk ignored | small talk routed | tickets ignored |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for part in measured:
        queues = part["queues"]
        shares = [queues[name] for name in ("accuracy", "top3", "coverage", "routed_precision")]
        shares += [part[what] for what in ("chatter_ignored", "chatter_routed", "tickets_ignored")]
        shown = [
            f"{f['value']:.1%} ({f['low']:.1%} to {f['high']:.1%})" if f else "-" for f in shares
        ]
        n = queues["accuracy"]["n"]
        lines.append(f"| {part['name']} | {n} | " + " | ".join(shown) + " |")
    return "\n".join(lines)


def test_the_figures_are_those_that_the_training_measured(root):
    assert between((root / "README.md").read_text(), "figures") == figures(root)


@pytest.mark.parametrize("name", ["README.md", "CHANGELOG.md", "CONTRIBUTING.md"])
def test_links_inside_the_repository_lead_somewhere(root, name):
    text = (root / name).read_text()
    for path in re.findall(r"`((?:docs|models|slackbot|core|storage|tests)/[\w./-]+)`", text):
        assert (root / path).exists(), path
