import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.decision import Impact, Priority, Urgency
from core.errors import SettingError
from core.priority import DEFAULT_MATRIX, PriorityMatrix, explain, judge


def test_default_matrix_is_itils():
    rows = [[DEFAULT_MATRIX.priority(u, i).value for i in Impact] for u in Urgency]
    assert rows == [["P1", "P2", "P3"], ["P2", "P3", "P4"], ["P3", "P4", "P5"]]


def test_configuration_changes_only_what_it_names():
    matrix = PriorityMatrix.parse(" High/user = p2, low/company=P4,")
    changed = {pair for pair, value in matrix.cells.items() if value != DEFAULT_MATRIX.cells[pair]}
    assert changed == {(Urgency.HIGH, Impact.USER), (Urgency.LOW, Impact.COMPANY)}
    assert matrix.priority(Urgency.HIGH, Impact.USER) is Priority.P2


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("high/user", "'high/user'"),
        ("high/user=P6", "'high/user=P6'"),
        ("huge/user=P1", "'huge/user=P1'"),
        ("high=P1", "'high=P1'"),
        ("high/user=P1,high/user=P2", "high/user is named twice"),
    ],
)
def test_unreadable_configuration_says_what_is_wrong(text, named):
    with pytest.raises(SettingError, match="priority matrix") as caught:
        PriorityMatrix.parse(text)
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_most_probable_pair_is_judged_with_its_probability():
    judged = judge([0.2, 0.7, 0.1], [0.1, 0.3, 0.6], outage_above=1.0)
    assert judged == (Urgency.MEDIUM, Impact.USER, pytest.approx(0.42))


def test_an_outage_is_seen_before_it_is_the_most_probable():
    assert judge([0.6, 0.4, 0.0], [0.4, 0.6, 0.0], outage_above=0.2) == (
        Urgency.HIGH,
        Impact.COMPANY,
        pytest.approx(0.24),
    )
    assert judge([0.6, 0.4, 0.0], [0.4, 0.6, 0.0], outage_above=0.3)[1] is Impact.TEAM


@pytest.mark.parametrize(
    ("urgency", "impact", "text", "line"),
    [
        ("high", "company", "The whole office cannot work", "whole office, cannot work"),
        ("high", "company", "Nobody can log in since 9", "nobody can log, cannot wait"),
        ("high", "team", "3 people in finance can't print", "3 people, can't print"),
        ("medium", "user", "vpn drops every 5 minutes", "one person, every 5 minutes"),
        ("low", "user", "need visio, no rush", "one person, no rush"),
        ("medium", "user", "my laptop, by Friday", "my laptop, by friday"),
        ("low", "user", "the whole office is down", "one person, can wait"),
        ("high", "company", "URGENT!!!", "whole company, cannot wait"),
        ("high", "company", "the entire\ncompany is down", "whole company, is down"),
    ],
)
def test_explanation_uses_the_texts_words_for_the_labels(urgency, impact, text, line):
    assert explain(Urgency(urgency), Impact(impact), text) == line


@given(st.text(max_size=300))
def test_explanation_is_one_short_line(text):
    for urgency, impact in itertools.product(Urgency, Impact):
        line = explain(urgency, impact, text)
        assert len(line) <= 100
        assert "\n" not in line


@pytest.mark.parametrize(
    "unit", ["whole ", "several other ", "3 ", "can't ", "keeps aing ", "every "]
)
def test_hostile_text_takes_linear_time(unit, assert_linear):
    assert_linear(lambda text: explain(Urgency.HIGH, Impact.COMPANY, text), unit)
