"""The latest word of people stands; what it contradicts goes, and nothing else does."""

from dataclasses import replace

import numpy as np
import pytest

from core.contradictions import (
    BASE,
    UNKNOWN,
    contradicted_answers,
    contradicted_base,
    labelled,
    outdated,
    reaching,
)

DIM = 32
A, B, C = 0, 1, 2


def about(topic, number, *, seed=0):
    """A unit vector; those of one topic are about the same, but not the same."""
    random = np.random.default_rng([seed, topic, number])
    vector = np.zeros(DIM)
    vector[topic] = 1
    vector += random.normal(size=DIM) * 0.1
    return vector / np.linalg.norm(vector)


def texts_of(topic, numbers, label, *, at=None, also=UNKNOWN, seed=0):
    numbers = list(numbers)
    places = [BASE] * len(numbers) if at is None else list(range(at, at + len(numbers)))
    return labelled(
        [f"topic {topic} {'abcdefghijklmnop'[n % 16] * 9} {seed}{n}" for n in numbers],
        np.array([about(topic, n, seed=seed) for n in numbers], dtype=np.float32),
        np.full(len(numbers), label),
        np.full(len(numbers), also),
        np.array(places, dtype=np.int64),
    )


def together(*groups):
    names = ("embeddings", "labels", "also", "at")
    texts = [text for group in groups for text in group.texts]
    return labelled(texts, *(np.concatenate([getattr(g, n) for g in groups]) for n in names))


def left_out_of(base, answers):
    """Labels of the base data that answers contradict."""
    taught = reaching(answers, base)
    return contradicted_base(base, taught.taken(np.flatnonzero(~contradicted_answers(taught))))


def test_a_place_where_people_answer_otherwise_is_theirs_and_others_stay():
    base = together(texts_of(1, range(8), A), texts_of(2, range(8), A))
    old, new = texts_of(1, range(20, 26), A, at=1), texts_of(1, range(30, 40), B, at=50)
    answers = together(old, new, texts_of(2, range(20, 26), A, at=100))
    fallen = contradicted_answers(reaching(answers, base))
    assert fallen[:6].all()
    assert not fallen[6:].any()
    assert left_out_of(base, answers).tolist() == [True] * 8 + [False] * 8


def test_the_latest_word_counts_when_people_change_their_minds_back():
    answers = together(
        texts_of(1, range(5), A, at=1),
        texts_of(1, range(20, 30), B, at=20),
        texts_of(1, range(40, 50), A, at=60),
    )
    assert np.flatnonzero(contradicted_answers(answers)).tolist() == list(range(5, 15))


def test_of_nearly_the_same_text_the_newest_answer_alone_decides():
    asked = texts_of(1, [1, 1, 1], A, at=1)
    answers = replace(asked, labels=np.array([A, B, A]))
    assert contradicted_answers(answers).tolist() == [False, True, False]
    answers = replace(asked, labels=np.array([A, A, B]))
    assert contradicted_answers(answers).tolist() == [True, True, False]
    assert left_out_of(texts_of(1, [1, 2], A), answers.taken(np.array([2]))).tolist() == [
        True,
        False,  # one answer about another text is one person's word
    ]


def test_two_odd_answers_do_not_take_away_a_queue():
    base = texts_of(1, range(400), A)
    odd = texts_of(1, [900, 901], B, at=1)
    assert 0 < left_out_of(base, odd).sum() <= 40


def test_a_second_defensible_queue_is_no_contradiction_and_neither_is_what_nobody_knows():
    answers = texts_of(1, range(20, 30), B, at=1)
    assert not left_out_of(texts_of(1, range(8), A, also=B), answers).any()
    assert not left_out_of(texts_of(1, range(8), UNKNOWN), answers).any()
    assert left_out_of(texts_of(1, range(8), A, also=C), answers).all()


def test_what_is_held_out_is_never_left_out_for_its_own_label():
    base = texts_of(1, range(8), A)
    held_out = together(texts_of(1, [50, 51], A), texts_of(1, [52], B), texts_of(1, [53], C))
    nobody = held_out.taken(np.array([], dtype=np.int64))

    def found(answers):
        taught = reaching(answers, base)
        stands = ~contradicted_answers(taught)
        return outdated(held_out, nobody, base, taught, stands).tolist()

    assert found(texts_of(1, range(20, 30), A, at=1)) == [False] * 4
    assert found(texts_of(1, range(20, 30), B, at=1)) == [True] * 4


def test_the_same_text_answered_anew_is_compared_by_its_new_answer():
    base, answers = texts_of(2, range(3), A), texts_of(2, range(10, 13), A, at=1)
    old, new = texts_of(1, [1], A), texts_of(1, [1], B, at=9)
    stands = np.ones(3, dtype=bool)
    assert outdated(old, new, base, answers, stands).tolist() == [True]
    assert outdated(new, new, base, answers, stands).tolist() == [False]


def test_what_is_forgotten_has_no_say_and_the_order_of_rows_neither():
    base = texts_of(1, range(8), A)
    old, new = texts_of(1, range(20, 26), A, at=1), texts_of(1, range(30, 40), B, at=50)
    answers = together(old, new)
    assert not left_out_of(base, old).any()
    shuffled = np.random.default_rng(0).permutation(len(answers))
    assert (left_out_of(base, answers.taken(shuffled)) == left_out_of(base, answers)).all()
    fallen = contradicted_answers(answers)
    assert (contradicted_answers(answers.taken(shuffled)) == fallen[shuffled]).all()


@pytest.mark.parametrize("rows", [[], [0]])
def test_few_or_no_answers_contradict_nothing(rows):
    answers = texts_of(1, range(1), B, at=1).taken(np.array(rows, dtype=np.int64))
    base = texts_of(1, range(5, 9), A)
    assert not contradicted_answers(reaching(answers, base)).any()
    assert not left_out_of(base, answers).any()
    assert not left_out_of(base.taken(np.array([], dtype=np.int64)), answers).any()
