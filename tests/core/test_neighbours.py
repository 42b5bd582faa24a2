"""What people settled governs nearly the same text; near texts may only ask for a second look."""

import numpy as np
import pytest

from core.decision import Classification, Decision, Impact, Priority, Reason, Urgency
from core.neighbours import NEAR_WITHIN, SAME_WITHIN, Memory, Near, Precedent, weigh

QUEUES = ("Hardware", "Access")
TEXT = "Outlook wants my password again. And again"


def said(decision=Decision.AUTO, queue="Hardware"):
    return Classification(
        queue_label=queue,
        probabilities={"Hardware": 0.9, "Access": 0.1},
        threshold=0.8,
        decision=decision,
        reason=Reason.CONFIDENT if decision is Decision.AUTO else Reason.LOW_CONFIDENCE,
        urgency=Urgency.LOW,
        impact=Impact.USER,
        priority=Priority.P4,
        priority_confidence=0.9,
        priority_why="",
        language="en",
        ticket_probability=0.99,
        model_version="v",
    )


def near(queue, distance, ticket=9, order=1, text=TEXT):
    return Near(Precedent(ticket, queue, order, text), distance)


def settled(ticket, queue, order):
    return Precedent(ticket, queue, order, TEXT)


@pytest.mark.parametrize("decision", list(Decision))
def test_nearly_the_same_text_gets_the_queue_that_a_person_chose(decision):
    found = weigh(said(decision), TEXT, [near("Access", SAME_WITHIN)], QUEUES)
    assert (found.decision, found.reason) == (Decision.AUTO, Reason.SETTLED_LIKE)
    assert (found.queue, found.precedent) == ("Access", 9)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("outlook wants my  PASSWORD again. and again", True),
        ("Hi, outlook wants my password again. And again!", True),
        ("outlook asks password again, again, again", False),
        ("Outlook wants to be updated", False),
        ("", False),
    ],
)
def test_a_text_that_is_only_about_the_same_is_not_the_same(text, same):
    found = weigh(said(Decision.REVIEW), text, [near("Access", 0.0)], QUEUES)
    assert (found.reason is Reason.SETTLED_LIKE) is same


def test_the_latest_word_is_that_about_nearly_the_same_text():
    words = [near("Access", 0.0, order=1), near("Hardware", 0.0, order=2, text="Outlook is slow")]
    assert weigh(said(), TEXT, words, QUEUES).queue == "Access"


def test_the_latest_word_counts():
    words = [near("Access", 0.001, ticket=1, order=5), near("Hardware", 0.04, ticket=2, order=6)]
    assert weigh(said(), TEXT, words, QUEUES).precedent == 2
    assert weigh(said(), TEXT, words, QUEUES).queue == "Hardware"


def test_no_ticket_before_is_looked_at_and_never_silently_ignored():
    found = weigh(said(), TEXT, [near(None, 0.0)], QUEUES)
    assert (found.decision, found.reason) == (Decision.REVIEW, Reason.SETTLED_OTHERWISE)
    for decision in (Decision.REVIEW, Decision.IGNORE):
        assert weigh(said(decision), TEXT, [near(None, 0.0)], QUEUES) == said(decision)


@pytest.mark.parametrize(
    ("words", "vetoed"),
    [
        (["Access"], True),
        (["Hardware"], False),
        (["Access", "Hardware"], False),
        (["Hardware", "Access", "Access"], True),
        (["Hardware", "Hardware", "Hardware", "Access", "Access", "Access", "Access"], False),
    ],
)
def test_the_nearest_may_veto_a_sure_prediction(words, vetoed):
    found = weigh(said(), TEXT, [near(queue, 0.1) for queue in words], QUEUES)
    assert (found.reason is Reason.SETTLED_OTHERWISE) is vetoed
    assert (found.decision is Decision.REVIEW) is vetoed


def test_a_veto_changes_no_unsure_prediction():
    unsure = said(Decision.REVIEW)
    assert weigh(unsure, TEXT, [near("Access", 0.1)], QUEUES) == unsure


def test_a_queue_that_is_no_more_says_nothing():
    assert weigh(said(), TEXT, [near("Old name", 0.0)], QUEUES) == said()


def unit_rows(count, dim, seed):
    rows = np.random.default_rng(seed).normal(size=(count, dim)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(("count", "dim"), [(300, 384), (20, 384), (300, 8)])
def test_the_short_cut_misses_nothing(seed, count, dim):
    rows = unit_rows(count, dim, seed)
    asked = rows[:20] + 0.6 * unit_rows(20, dim, seed + 1)
    asked /= np.linalg.norm(asked, axis=1, keepdims=True)
    kept = rows.astype(np.float16).astype(np.float32)
    memory = Memory([settled(n, "Access", n) for n in range(count)], kept, dim)
    for embedding in asked:
        exact = 1 - kept @ embedding
        found = {each.precedent.ticket for each in memory.near(embedding)}
        assert found >= set(np.flatnonzero(exact <= NEAR_WITHIN - 1e-5).tolist())
        assert found <= set(np.flatnonzero(exact <= NEAR_WITHIN + 1e-5).tolist())


def test_memory_forgets_replaces_and_keeps_the_newest():
    rows = unit_rows(5, 8, 0)
    memory = Memory((), np.empty((0, 8), np.float32), 8)
    assert memory.near(rows[0]) == []
    memory = memory.changed((), {settled(n, "Access", n): rows[n] for n in range(4)}, 3)
    assert [each.ticket for each in memory.precedents] == [1, 2, 3]
    memory = memory.changed([2], {settled(3, None, 9): rows[3]}, 3)
    assert memory.precedents == (settled(1, "Access", 1), settled(3, None, 9))
    assert memory.near(rows[3])[0].precedent.queue is None
    assert memory.near(rows[2]) == []
