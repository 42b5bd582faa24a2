"""What people settled governs nearly the same text; near texts may only ask for a second look."""

import numpy as np
import pytest

from core.decision import Classification, Decision, Impact, Priority, Reason, Urgency
from core.neighbours import NEAR_WITHIN, SAME_WITHIN, Memory, Near, Precedent, weigh

QUEUES = ("Hardware", "Access")


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


def near(queue, distance, ticket=9, order=1):
    return Near(Precedent(ticket, queue, order), distance)


@pytest.mark.parametrize("decision", list(Decision))
def test_nearly_the_same_text_gets_the_queue_that_a_person_chose(decision):
    found = weigh(said(decision), [near("Access", SAME_WITHIN)], QUEUES)
    assert (found.decision, found.reason) == (Decision.AUTO, Reason.SETTLED_LIKE)
    assert (found.queue, found.precedent) == ("Access", 9)


def test_the_latest_word_counts():
    words = [near("Access", 0.001, ticket=1, order=5), near("Hardware", 0.04, ticket=2, order=6)]
    assert weigh(said(), words, QUEUES).precedent == 2
    assert weigh(said(), words, QUEUES).queue == "Hardware"


def test_no_ticket_before_is_looked_at_and_never_silently_ignored():
    found = weigh(said(), [near(None, 0.0)], QUEUES)
    assert (found.decision, found.reason) == (Decision.REVIEW, Reason.SETTLED_OTHERWISE)
    for decision in (Decision.REVIEW, Decision.IGNORE):
        assert weigh(said(decision), [near(None, 0.0)], QUEUES) == said(decision)


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
    found = weigh(said(), [near(queue, 0.1) for queue in words], QUEUES)
    assert (found.reason is Reason.SETTLED_OTHERWISE) is vetoed
    assert (found.decision is Decision.REVIEW) is vetoed


def test_a_veto_changes_no_unsure_prediction():
    unsure = said(Decision.REVIEW)
    assert weigh(unsure, [near("Access", 0.1)], QUEUES) == unsure


def test_a_queue_that_is_no_more_says_nothing():
    assert weigh(said(), [near("Old name", 0.0)], QUEUES) == said()


def unit_rows(count, dim, seed):
    rows = np.random.default_rng(seed).normal(size=(count, dim)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.mark.parametrize("seed", range(10))
def test_the_short_cut_misses_nothing_that_matters(seed):
    rows = unit_rows(300, 384, seed)
    near_one = rows[:20] + 0.3 * unit_rows(20, 384, seed + 1)
    near_one /= np.linalg.norm(near_one, axis=1, keepdims=True)
    memory = Memory([Precedent(n, "Access", n) for n in range(300)], rows, 384)
    for embedding in near_one:
        exact = 1 - rows @ embedding
        found = {each.precedent.ticket for each in memory.near(embedding)}
        assert found == set(np.flatnonzero(exact <= NEAR_WITHIN).tolist())


def test_memory_forgets_replaces_and_keeps_the_newest():
    rows = unit_rows(5, 8, 0)
    memory = Memory((), np.empty((0, 8), np.float32), 8)
    assert memory.near(rows[0]) == []
    memory = memory.changed((), {Precedent(n, "Access", n): rows[n] for n in range(4)}, 3)
    assert [each.ticket for each in memory.precedents] == [1, 2, 3]
    memory = memory.changed([2], {Precedent(3, None, 9): rows[3]}, 3)
    assert memory.precedents == (Precedent(1, "Access", 1), Precedent(3, None, 9))
    assert memory.near(rows[3])[0].precedent.queue is None
    assert memory.near(rows[2]) == []
