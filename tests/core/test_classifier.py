import json
import subprocess
import sys
from pathlib import Path

import pytest

from core.bundle import save
from core.classifier import Classifier
from core.decision import Priority
from core.priority import PriorityMatrix

SHIPPED = Path(__file__).parents[2] / "models" / "default"


@pytest.fixture(scope="module")
def folder(tmp_path_factory, tiny_manifest, tiny_files):
    path = tmp_path_factory.mktemp("bundle") / "tiny"
    save(path, tiny_manifest, tiny_files)
    return path


@pytest.fixture(scope="module")
def classifier(folder):
    return Classifier.load(folder)


@pytest.mark.parametrize(
    ("text", "decision", "reason"),
    [
        ("<@U1> my laptop and printer are broken", "auto", "confident"),
        ("I forgot the password of my account", "auto", "confident"),
        ("laptop password", "review", "low_confidence"),
        ("the disk is full", "review", "queue_not_proven"),
        ("zebra", "review", "unlike_training"),
        ("thanks, lunch?", "ignore", "not_a_ticket"),
        ("thanks laptop", "review", "maybe_not_a_ticket"),
        ("Mein laptop ist kaputt und geht nicht mehr an", "review", "unknown_language"),
        ("", "ignore", "too_little_text"),
        ("<https://x.y>", "ignore", "too_little_text"),
    ],
)
def test_every_decision_comes_out_of_a_real_bundle(classifier, text, decision, reason):
    result = classifier.classify([text])[0]
    assert (result.decision.value, result.reason.value) == (decision, reason)


def test_what_is_filed_is_reviewed_instead_of_ignored(classifier):
    texts = ["thanks, lunch?", "", "thanks, lunch?"]
    results = classifier.classify(texts, filed=[True, True, False])
    assert [result.queue for result in results] == ["REVIEW_QUEUE", "REVIEW_QUEUE", None]
    assert {result.queue for result in classifier.classify(texts, filed=True)} == {"REVIEW_QUEUE"}


def test_a_result_is_complete_and_json(classifier):
    result = classifier.classify(["my laptop is broken"])[0]
    assert result.queue == result.queue_label == "Hardware"
    assert list(result.probabilities) == [name for name, _ in result.top3]
    assert sum(result.probabilities.values()) == pytest.approx(1)
    assert result.confidence == max(result.probabilities.values())
    assert (result.threshold, result.language) == (0.9, "en")
    assert result.model_version == classifier.version
    assert json.loads(json.dumps(result.to_json()))["queue"] == "Hardware"
    assert classifier.queues == ("Hardware", "Access", "Storage")


def test_an_outage_gets_the_first_priority_and_says_why(classifier):
    calm, outage = classifier.classify(["my laptop is slow", "outage for everybody"])
    assert (calm.priority, outage.priority) == (Priority.P4, Priority.P1)
    assert outage.priority_why == "everybody, outage"
    assert 0 < outage.priority_confidence <= 1


def test_the_matrix_in_force_sets_the_priority(folder):
    strict = Classifier.load(folder, matrix=PriorityMatrix.parse("high/company=P2"))
    assert strict.classify(["outage for everybody"])[0].priority is Priority.P2


def test_no_texts_no_results(classifier):
    assert classifier.classify([]) == []


def test_one_flag_for_each_text_is_demanded(classifier):
    with pytest.raises(ValueError, match="zip"):
        classifier.classify(["a", "b"], filed=[True])


def test_any_text_gets_an_answer(classifier):
    texts = ["\x00\ud800\u202e", "x" * 40_000, "<!channel>", "🙏" * 50, "a\n" * 20_000]
    assert len(classifier.classify(texts)) == len(texts)


STARTUP = """
import sys
from core.classifier import Classifier
classifier = Classifier.load(sys.argv[1])
classifier.warm_up()
heavy = {"torch", "sentence_transformers", "transformers", "sklearn", "scipy", "pandas", "requests"}
print(sorted(heavy & set(sys.modules)))
"""


def test_serving_imports_nothing_heavy(folder):
    command = [sys.executable, "-c", STARTUP, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


MESSAGES = [
    "vpn down",
    "printer jam 3rd floor",
    "hey team, could someone please reset my password? locked out since this morning",
    "need a new laptop for Priya starting Monday, standard developer setup",
    "thanks so much!",
    "CRITICAL: disk usage 97% on db-prod-02",
    "a" * 3_000,
    "I cannot open the shared drive and neither can anyone else in finance " * 30,
]


@pytest.mark.skipif(not (SHIPPED / "manifest.json").exists(), reason="no bundle was trained yet")
def test_shipped_bundle_says_the_same_alone_and_in_a_batch():
    classifier = Classifier.load(SHIPPED)
    together = classifier.classify(MESSAGES)
    for text, batched in zip(MESSAGES, together, strict=True):
        alone = classifier.classify([text])[0]
        assert alone.decision is batched.decision
        for queue in classifier.queues:
            assert abs(alone.probabilities[queue] - batched.probabilities[queue]) <= 0.02
