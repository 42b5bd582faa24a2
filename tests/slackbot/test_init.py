"""`autoticket init`: a team's own queues from a few examples of each, at work at once."""

from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from core import bundle
from core.base_data import BASE_DATA, unpack
from core.bundle import Bundle
from core.classifier import Classifier
from core.decision import Decision, Priority, Reason
from core.policy import UNPROVEN
from core.refit import refit
from core.settled import Settled
from slackbot.cli import main
from tests import tiny_bundle

WORDS = {"Print shop": "printer", "No": "password", "365": "disk"}


def queue(name, word="zebra", count=5, description="what it is for"):
    lines = [f"- name: {name}", f"  description: {description}", "  examples:"]
    return "\n".join([*lines, *(f"    - the {word} {tiny_bundle.filler(n)}" for n in range(count))])


GOOD = "\n".join(queue(name, word, description=word) for name, word in WORDS.items())


@pytest.fixture
def init(tmp_path, monkeypatch):
    tiny_bundle.save(tmp_path / "default")
    monkeypatch.setenv("AUTOTICKET_MODEL_DIR", str(tmp_path / "default"))

    def run(text, out="mine"):
        file = tmp_path / "queues.yml"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return CliRunner().invoke(main, ["init", str(file), "--out", str(tmp_path / out)])

    return run


def test_a_bundle_knows_the_queues_at_once_and_asks_a_person_about_every_ticket(init, tmp_path):
    result = init(GOOD)
    assert result.exit_code == 0, result.output
    assert "3 queues, all under review" in result.output
    assert "15 of 15 examples" in result.output
    classifier = Classifier.load(tmp_path / "mine")
    assert classifier.queues == ("365", "No", "Print shop")
    assert set(classifier.manifest.rules.thresholds.values()) == {UNPROVEN}
    for name, word in WORDS.items():
        [found] = classifier.classify([f"our {word} is broken"])
        assert (found.queue_label, found.decision) == (name, Decision.REVIEW)
        assert found.reason is Reason.QUEUE_NOT_PROVEN
        assert found.confidence < 0.9  # five examples cannot make anybody sure


def test_its_model_card_says_what_is_known_and_what_is_not(init, tmp_path):
    odd = queue("A|B *c*", "screen", count=6, description="screens")
    assert "README.md" in init(f"{GOOD}\n{odd}").output
    card = (tmp_path / "mine" / "README.md").read_text(encoding="utf-8")
    manifest = Bundle.load(tmp_path / "mine").manifest
    assert card.startswith(f"# Model {manifest.version}\n")
    assert "a person settles every ticket" in card
    assert "| Print shop | 5 | 5 |" in card
    assert "| A\\|B *c* | 6 | " in card
    assert "| all | 21 | " in card
    assert all(f"- {what}: {licence}" in card for what, licence in manifest.licences.items())
    assert "- urgency, impact and what is no ticket: as in " in card


def test_priorities_and_small_talk_are_those_of_the_bundle_it_starts_from(init, tmp_path):
    init(GOOD)
    classifier = Classifier.load(tmp_path / "mine")
    [outage, talk] = classifier.classify(["outage everybody printer", "thanks lunch thanks"])
    assert outage.priority is Priority.P1
    assert talk.decision is Decision.IGNORE


def test_what_a_team_calls_a_ticket_is_never_ignored(init, tmp_path):
    init(GOOD + "\n" + queue("Canteen", "lunch"))
    classifier = Classifier.load(tmp_path / "mine")
    [found] = classifier.classify([f"the lunch {tiny_bundle.filler(3)}"])
    assert found.decision is Decision.REVIEW


def test_queues_open_as_people_settle_tickets(init, tmp_path):
    init(GOOD)
    settled = [
        Settled(f"T-{n}{word}", f"our {word} and {tiny_bundle.filler(500 + n)}", name)
        for name, word in WORDS.items()
        for n in range(100)
    ]
    made = refit(
        Bundle.load(tmp_path / "mine"),
        settled,
        cache=tmp_path / "cache",
        now=datetime(2026, 12, 1, tzinfo=UTC),
        progress=lambda *_: None,
    )
    assert max(made.manifest.rules.thresholds.values()) < UNPROVEN
    few = refit(
        Bundle.load(tmp_path / "mine"),
        settled[:2],
        cache=tmp_path / "cache",
        now=datetime(2026, 12, 1, tzinfo=UTC),
        progress=lambda *_: None,
    )
    assert set(few.manifest.rules.thresholds.values()) == {UNPROVEN}
    bundle.save(tmp_path / "next", few.manifest, few.files)
    [found] = Classifier.load(tmp_path / "next").classify(["our disk is broken"])
    assert found.queue_label == "365"


def test_a_second_start_from_the_first_one_forgets_its_examples(init, tmp_path, monkeypatch):
    init(GOOD)
    monkeypatch.setenv("AUTOTICKET_MODEL_DIR", str(tmp_path / "mine"))
    other = queue("Zoo") + "\n" + queue("Farm", "laptop")
    assert init(other, "other").exit_code == 0
    again = Bundle.load(tmp_path / "other")
    data = unpack(again.contents[BASE_DATA], again.manifest.queues)
    texts = [each.text for each in data.train.examples + data.calibrate.examples]
    assert any("zebra" in text for text in texts)
    assert not any(text.startswith("the password") for text in texts)
    assert any(each.urgency for each in data.train.examples)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "a list of queues"),
        ("queues: 3", "a list of queues"),
        ("- a\n- b", "must have the fields name"),
        (queue("Zoo"), "at least two queues"),
        (GOOD + "\n" + queue("Print shop"), "'Print shop' is there twice"),
        (GOOD + "\n" + queue("PRINT shop"), "differ only in case"),
        (GOOD + "\n- name: Zoo\n  examples: []", "'Zoo' has 0 different examples"),
        (GOOD + "\n- name: Zoo", "'Zoo' has 0 different examples"),
        (GOOD + "\n" + queue("Zoo", count=4), "'Zoo' has 4 different examples"),
        (GOOD + "\n- name: Zoo\n  examples: [a b, A b!, a b, a  b, a b.]", "has 1 different"),
        (GOOD + "\n" + queue("Zoo", "disk"), "is in '365' and in 'Zoo'"),
        (GOOD + "\n" + queue("x" * 76), "over 75"),
        (GOOD + "\n" + queue('"a\\tb"'), "control characters"),
        (GOOD + "\n" + queue('"a\\ud800b"'), "control characters"),
        (GOOD + "\n" + queue('"\\u200b"'), "means nothing"),
        (GOOD + "\n" + queue("review_queue"), "a person decides"),
        (GOOD + "\n" + queue("''"), "has no name"),
        (GOOD + "\n" + queue("[Zoo]"), "name must be one text"),
        (GOOD + "\n" + queue("Zoo", description="{a: b}"), "description must be one text"),
        (GOOD + "\n- name: Zoo\n  examples: words", "must be a list of texts"),
        (GOOD + "\n- name: Zoo\n  examples: [{a: b}]", "an example must be one text"),
        (GOOD + "\n- name: Zoo\n  example: [a]", "the field 'example'"),
        (GOOD + "\n- name: Zoo\n  name: Farm", "'name' is there twice"),
        (GOOD + "\n- name: 'Zoo", "is not YAML"),
        (GOOD + "\n- name: {{ team }}", "need quotes"),
        ("- name: &a Zoo\n  examples: [" + "*a , " * 10 + "]", "an alias (*) is not read"),
        ("[" * 10_000, "is not YAML"),
        ("- name: \x07", "is not YAML"),
        (b"- name: \xff", "not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_clear_line_and_nothing_is_written(
    init, tmp_path, text, complaint
):
    result = init(text)
    assert result.exit_code == 2
    assert complaint in result.stderr
    assert result.stderr.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["default", "queues.yml"]


def test_nothing_but_a_bundle_is_ever_replaced(init, tmp_path):
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "thesis.txt").write_text("years of work")
    version = Bundle.load(tmp_path / "default").manifest.version
    for out, complaint in (
        ("papers", "no bundle"),
        ("queues.yml", "queues.yml"),
        ("default", "bundle to start from"),
    ):
        result = init(GOOD, out)
        assert result.exit_code == 2
        assert complaint in result.stderr
        assert result.stderr.count("\n") == 1
    assert [path.name for path in (tmp_path / "papers").iterdir()] == ["thesis.txt"]
    assert Bundle.load(tmp_path / "default").manifest.version == version
    assert init(GOOD).exit_code == init(GOOD).exit_code == 0  # an own bundle may be made again


def test_a_bundle_without_its_texts_is_refused(init, tmp_path):
    tiny_bundle.save(tmp_path / "default", keep_data=False)
    result = init(GOOD)
    assert result.exit_code == 2
    assert BASE_DATA in result.stderr
