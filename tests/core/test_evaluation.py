"""Figures of texts whose answers are known beforehand, and the card and pictures made of them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import bundle
from core.classifier import Classifier
from core.dataset import Example
from core.decision import Impact, Urgency
from core.evaluation import Evaluation, evaluate, share
from core.model_card import model_card, picture_prefix
from core.pictures import draw

EXAMPLES = [
    *[Example("laptop printer", queue="Hardware", is_ticket=True)] * 6,
    *[Example("laptop laptop", queue="Access", is_ticket=True)] * 2,
    Example("printer printer", queue="Storage", alt_queue="Hardware", is_ticket=True),
    Example("disk disk", queue="Storage", is_ticket=True),
    Example("thanks lunch", is_ticket=False),
    Example("thanks thanks laptop", is_ticket=False),
]


@pytest.fixture(scope="module")
def classifier(tmp_path_factory, tiny_files, tiny_manifest) -> Classifier:
    folder: Path = tmp_path_factory.mktemp("evaluated") / "bundle"
    bundle.save(folder, tiny_manifest, tiny_files)
    return Classifier.load(folder, threads=1)


@pytest.fixture(scope="module")
def evaluation(classifier: Classifier) -> Evaluation:
    return evaluate(
        classifier, EXAMPLES, name="known texts", filed=False, trained_on=["disk  DISK"]
    )


def test_right_answers_are_counted_the_second_label_among_them(evaluation: Evaluation) -> None:
    queues = evaluation.queues
    assert queues is not None
    assert (queues.accuracy.value, queues.accuracy.n) == (0.8, 10)
    assert queues.top3.value == 1.0
    assert queues.confusion == ((7, 0, 0), (2, 0, 0), (0, 0, 1))
    hardware, access, _ = queues.queues
    assert (hardware.precision, hardware.recall) == pytest.approx((7 / 9, 1.0))
    assert (access.texts, access.f1, access.routed_precision) == (2, 0.0, None)
    assert queues.macro_f1.value == pytest.approx((hardware.f1 + 0 + 1) / 3)
    assert queues.weighted_f1.value == pytest.approx((7 * hardware.f1 + 1) / 10)


def test_only_what_was_routed_counts_for_coverage(evaluation: Evaluation) -> None:
    queues = evaluation.queues
    assert queues is not None
    storage = queues.queues[2]
    assert storage.routed == 0  # not proven in this bundle
    assert queues.coverage.value == 0.9
    assert queues.routed_precision is not None
    assert queues.routed_precision.value == pytest.approx(7 / 9)


def test_near_duplicates_of_the_training_are_left_out_of_the_second_figure(
    evaluation: Evaluation,
) -> None:
    assert evaluation.unseen is not None
    assert evaluation.unseen.accuracy.n == 9


def test_small_talk_and_lost_tickets_are_counted_apart(evaluation: Evaluation) -> None:
    assert evaluation.chatter_ignored is not None
    assert (evaluation.chatter_ignored.value, evaluation.chatter_ignored.n) == (1.0, 2)
    assert evaluation.tickets_ignored is not None
    assert evaluation.tickets_ignored.value == 0.0
    assert sum(evaluation.reasons.values()) == len(EXAMPLES)


def test_small_talk_that_is_routed_is_counted(classifier: Classifier) -> None:
    talk = [Example(text, is_ticket=False) for text in ("laptop printer", "thanks lunch")]
    routed = evaluate(classifier, talk, name="talk", filed=False).chatter_routed
    assert routed is not None
    assert (routed.value, routed.n) == (0.5, 2)


def test_what_was_filed_is_never_ignored(classifier: Classifier) -> None:
    filed = evaluate(classifier, EXAMPLES, name="filed", filed=True)
    assert filed.tickets_ignored is None
    assert filed.unseen is None
    assert filed.chatter_ignored is not None
    assert filed.chatter_ignored.value == 0.0


def test_priorities_are_compared_where_they_are_labelled(classifier: Classifier) -> None:
    outage = Example("outage", queue="Hardware", urgency=Urgency.HIGH, impact=Impact.COMPANY)
    quiet = replace(outage, text="laptop", urgency=Urgency.MEDIUM, impact=Impact.USER)
    missed = replace(outage, text="laptop laptop")
    found = evaluate(classifier, [outage, quiet, quiet, missed], name="p", filed=True).priorities
    assert found is not None
    assert found.urgency.value == 0.75  # half of the high ones, all of the medium ones
    assert found.priority.value == 0.75
    assert found.outages_found is not None
    assert found.outages_found.value == 0.5
    assert found.false_outages.value == 0.0


def test_without_tickets_there_are_no_queue_figures(classifier: Classifier) -> None:
    found = evaluate(classifier, [Example("lunch", is_ticket=False)], name="chat", filed=False)
    assert (found.queues, found.priorities, found.tickets_ignored) == (None, None, None)


@given(hits=st.lists(st.booleans(), max_size=60))
def test_an_interval_holds_its_value(hits: list[bool]) -> None:
    figure = share(np.array(hits, dtype=bool))
    assert 0 <= figure.low <= figure.value + 1e-12
    assert figure.value <= figure.high + 1e-12
    assert figure.high <= 1


def test_wilsons_interval_of_a_known_case() -> None:
    figure = share(np.arange(100) < 90)
    assert (figure.low, figure.high) == pytest.approx((0.8256, 0.9448), abs=1e-4)


def test_the_card_and_the_pictures_show_the_figures(
    classifier: Classifier, evaluation: Evaluation
) -> None:
    assert evaluation.queues is not None
    pictures = draw(evaluation.queues)
    files = [f"{picture_prefix('known texts')}-{name}" for name in pictures]
    card = model_card(classifier.manifest.to_json(), [evaluation.to_json()], files)
    assert f"# Model {classifier.version}" in card
    assert "| accuracy | 0.800 (0.490 to 0.943) |" in card
    assert "Always reviewed, for lack of evidence: Storage." in card
    assert "| no ticket and ignored | 1.000" in card
    assert "| no ticket but routed automatically | 0.000" in card
    assert "- encoder: Apache-2.0" in card
    for file, content in zip(files, pictures.values(), strict=True):
        assert content.startswith(b"\x89PNG")
        assert f"({file})" in card
    assert "## Pictures" not in model_card(classifier.manifest.to_json(), [evaluation.to_json()])


def test_a_queue_may_be_called_anything(classifier: Classifier, evaluation: Evaluation) -> None:
    assert evaluation.queues is not None
    first, *others = evaluation.queues.queues
    odd = replace(evaluation.queues, queues=(replace(first, name="$5_{ | \u786c\u4ef6"), *others))
    assert draw(odd)["confusion.png"].startswith(b"\x89PNG")
    figures = replace(evaluation, queues=odd)
    card = model_card(classifier.manifest.to_json(), [figures.to_json()])
    assert "| $5_{ \\| \u786c\u4ef6 | 7 |" in card


def test_the_card_tells_what_each_kind_of_text_needs(classifier: Classifier) -> None:
    limits = {"Hardware": 0.7, "Access": 1.0, "Storage": 1.0}
    rules = replace(classifier.manifest.rules, stripped_thresholds=limits)
    card = model_card(replace(classifier.manifest, rules=rules).to_json(), [])
    assert "| queue | from this confidence on | stripped texts from |" in card
    assert "| Hardware | 0.90 | 0.70 |" in card
    assert "| Access | 0.90 | - |" in card
    assert "Always reviewed, for lack of evidence: Storage." in card


def test_the_card_of_a_bundle_that_never_decides_says_so(classifier: Classifier) -> None:
    unproven = dict.fromkeys(classifier.queues, 1.0)
    rules = replace(classifier.manifest.rules, thresholds=unproven, languages=())
    card = model_card(replace(classifier.manifest, rules=rules).to_json(), [])
    assert "every text is reviewed.\nAlways reviewed" in card
    assert "from this confidence on" not in card
