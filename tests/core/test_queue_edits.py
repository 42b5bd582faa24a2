import contextlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.because import because
from core.bundle import save
from core.classifier import Classifier
from core.decision import Decision, Reason
from core.errors import DataError
from core.policy import UNPROVEN, Rules
from core.queue_edits import ClassNames, QueueEdit, add, carry, edited, merge, rename, split

NAMES = ["A", "B", "C", "D", "E", "F"]
QUEUES = ("A", "B", "C")
RULES = Rules(
    promised_precision=0.95,
    thresholds={"C": 0.7, "A": 0.8, "B": 0.9},
    languages=("en",),
    ignore_below=0.0,
    doubt_below=0.0,
    novelty_above=1.0,
    outage_above=1.0,
)


def _edit(draw, queues):
    """One edit that somebody asks for; often in vain."""
    some, names = st.sampled_from(queues), st.sampled_from(NAMES)
    match draw(st.integers(0, 3)):
        case 0:
            return rename(queues, draw(some), draw(names))
        case 1:
            return merge(queues, draw(st.lists(some, min_size=1)), draw(names))
        case 2:
            return split(queues, draw(some), draw(st.lists(names, max_size=3)))
    return add(queues, draw(names))


@st.composite
def histories(draw):
    """A random sequence of edits that people could have made, and the lists between them."""
    lists, edits = [QUEUES], []
    for _ in range(draw(st.integers(0, 12))):
        with contextlib.suppress(DataError):
            edits.append(_edit(draw, lists[-1]))
            lists.append(edited(lists[-1], edits[-1:]))
    return lists, edits


@given(histories(), st.data())
def test_whatever_happens_every_name_leads_to_a_queue_of_today(history, data):
    lists, edits = history
    at = data.draw(st.integers(0, len(edits)))
    assert edited(lists[at], edits[at:]) == lists[-1]
    names = ClassNames.of(lists[at], edits, at)
    assert names.queues == lists[-1]
    assert len(set(names.queues)) == len(names.queues) >= 2
    for name, today in zip(lists[at], names.classes, strict=True):
        assert today
        assert set(today) <= set(lists[-1])
        assert today == carry(name, edits[at:])
    assert names.shares.sum(axis=1) == pytest.approx(np.ones(len(lists[at])))
    assert set(names.rules(_rules(lists[at])).thresholds) == set(lists[-1])


@given(histories())
def test_a_name_that_is_gone_is_meant_as_it_last_was(history):
    lists, edits = history
    ever = {name for queues in lists for name in queues}
    names = ClassNames.of(sorted(ever), edits, len(edits))  # by somebody who knows no edit
    assert {name for some in names.classes for name in some} == set(lists[-1])


@given(histories(), st.data())
def test_a_renaming_can_be_taken_back(history, data):
    lists, edits = history
    old = data.draw(st.sampled_from(lists[-1]))
    there = rename(lists[-1], old, "Z")
    back = rename(edited(lists[-1], [there]), "Z", old)
    for name in QUEUES:
        assert carry(name, [*edits, there, back]) == carry(name, edits)
    before, after = (ClassNames.of(QUEUES, made) for made in (edits, [*edits, there, back]))
    assert before.queues == after.queues
    assert before.rules(RULES) == after.rules(RULES)


def _rules(queues):
    return replace(RULES, thresholds=dict.fromkeys(queues, 0.8))


def test_what_a_merger_or_a_split_does_to_limits():
    merged = ClassNames.of(QUEUES, [merge(QUEUES, ["A", "B"], "B")]).rules(RULES)
    assert merged.thresholds == {"B": 0.9, "C": 0.7}
    parted = ClassNames.of(QUEUES, [split(QUEUES, "A", ["A", "D"])]).rules(RULES)
    assert parted.thresholds == {"A": UNPROVEN, "D": UNPROVEN, "B": 0.9, "C": 0.7}
    edits = [QueueEdit(("A",), ("A", "D")), QueueEdit(("A", "D"), ("A",))]
    assert ClassNames.of(QUEUES, edits).rules(RULES) == RULES  # a split is undone by a merger
    proven = replace(RULES, stripped_thresholds={**RULES.thresholds, "A": UNPROVEN})
    closed = ClassNames.of(QUEUES, [merge(QUEUES, ["A", "B"], "B")]).rules(proven)
    assert closed.stripped_thresholds == {"B": UNPROVEN, "C": 0.7}


def test_names_may_change_places():
    edits = [QueueEdit((a,), (b,)) for a, b in (("A", "X"), ("B", "A"), ("X", "B"))]
    names = ClassNames.of(QUEUES, edits)
    assert names.classes == (("B",), ("A",), ("C",))
    assert ClassNames.of(QUEUES, edits, 3).classes == (("A",), ("B",), ("C",))


def test_another_model_keeps_its_own_queues():
    edits = [QueueEdit(("A",), ("X",)), QueueEdit((), ("New",))]
    assert ClassNames.of(("P", "Q"), edits).queues == ("P", "Q", "New")
    assert ClassNames.of(("P", "Q"), edits, 2).queues == ("P", "Q")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda q: rename(q, "Nope", "X"), "there is no queue 'Nope'"),
        (lambda q: rename(q, "A", "A"), "called 'A' already"),
        (lambda q: rename(q, "A", "B"), "'B' is there twice"),
        (lambda q: rename(q, "A", "b"), "differ only in case or white space"),
        (lambda q: rename((*q, "Two words"), "A", "two\u2003words"), "differ only in case"),
        (lambda q: rename(q, "A", " \u00a0 "), "needs a name"),
        (lambda q: rename(q, "A", "X\u200bY"), "nobody sees"),
        (lambda q: rename(q, "A", "x" * 76), "over 75"),
        (lambda q: rename(q, "A", "review_queue"), "a person decides"),
        (lambda q: rename(q, "A", "*"), "every queue"),
        (lambda q: merge(q, ["A"], "A"), "into itself"),
        (lambda q: merge(q, ["A"], "X"), "renaming"),
        (lambda q: merge(q, ["A", "X"], "B"), "no queue 'X'"),
        (lambda q: merge(q, ["A", "B", "C"], "X"), "at least two"),
        (lambda q: split(q, "A", ["X"]), "two queues or more"),
        (lambda q: split(q, "A", ["X", "X"]), "twice"),
        (lambda q: split(q, "A", ["A", "B"]), "twice"),
        (lambda q: add(q, "A"), "twice"),
        (lambda q: add(q, ""), "needs a name"),
    ],
)
def test_what_nobody_can_want(make, said):
    with pytest.raises(DataError, match=said) as found:
        make(QUEUES)
    assert "\n" not in str(found.value)


def test_a_name_is_tidied_and_may_change_its_case():
    assert rename(QUEUES, "A", " IT \t help ").after == ("IT help",)
    assert rename(QUEUES, "A", "a").after == ("a",)


# With a model --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def model(tmp_path_factory, tiny_manifest, tiny_files):
    path = tmp_path_factory.mktemp("bundle") / "tiny"
    save(path, tiny_manifest, tiny_files)
    return Classifier.load(path)


def judged(model, edits, text):
    [said] = model.after(edits, 0).classify([text])
    assert sum(said.probabilities.values()) == pytest.approx(1)
    return said


def test_a_renamed_queue_is_routed_as_before(model):
    text = "my laptop and printer are broken"
    before, after = (
        judged(model, [], text),
        judged(model, [rename(model.queues, "Hardware", "Devices")], text),
    )
    assert (after.queue, after.threshold) == ("Devices", before.threshold)
    assert after.confidence == pytest.approx(before.confidence)


def test_merged_queues_are_as_probable_as_their_parts_together(model):
    text = "laptop password"
    assert judged(model, [], text).reason is Reason.LOW_CONFIDENCE
    said = judged(model, [merge(model.queues, ["Hardware", "Access"], "Desk")], text)
    assert (said.queue, said.decision) == ("Desk", Decision.AUTO)
    parts = judged(model, [], text).probabilities
    assert said.confidence == pytest.approx(parts["Hardware"] + parts["Access"])


def test_what_was_sure_of_a_split_queue_goes_to_review_with_the_parts_first(model):
    edit = split(model.queues, "Hardware", ["Laptops", "Printers"])
    said = judged(model, [edit], "my laptop and printer are broken")
    assert (said.decision, said.reason) == (Decision.REVIEW, Reason.QUEUE_NOT_PROVEN)
    assert [name for name, _ in said.top3[:2]] == ["Laptops", "Printers"]
    assert judged(model, [edit], "the password of my account").queue == "Access"


def test_the_parts_of_a_split_queue_do_not_let_another_one_win(model):
    rules = replace(model.manifest.rules, thresholds=dict.fromkeys(model.queues, 0.1))
    open_to_all = replace(model, manifest=replace(model.manifest, rules=rules))
    for first, second in (
        ("Hardware", "Access"),
        ("Access", "Hardware"),
    ):  # as probable as each other
        edit = split(model.queues, first, ["X", "Y", "Z"])
        said = [judged(open_to_all, [edit], "laptop password")]
        assert said[0].queue_label == second
    names = ClassNames.of(QUEUES, [split(QUEUES, "A", ["X", "Y", "Z"])])
    assert names.is_divided(np.array([0.6, 0.3, 0.1]))
    assert not names.is_divided(np.array([0.3, 0.6, 0.1]))


def test_an_added_queue_is_there_and_never_picked(model):
    said = judged(model, [add(model.queues, "Printers")], "printer printer")
    assert (said.queue, said.probabilities["Printers"]) == ("Hardware", 0)


def test_the_words_that_speak_for_a_merged_queue(model):
    merged = model.after([merge(model.queues, ["Hardware", "Access"], "Desk")], 0)
    assert because(merged, "the laptop and the disk", "Desk")[0].share > 0
