"""slackbot.views.words: sureness that people can read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.decision import Priority, Reason
from slackbot.views import words
from storage.records import State

chances = st.floats(0, 1)


@given(chances, chances)
def test_a_longer_bar_never_means_less(one, other):
    low, high = sorted((one, other))

    assert words.bar("q", low).count("█") <= words.bar("q", high).count("█")
    assert len(words.bar("q", low)) == len(words.bar("q", high))


@given(chances)
def test_no_model_is_ever_certain(chance):
    assert 0 <= int(words.percent(chance).removesuffix(" %")) <= 99


def test_one_thing_is_not_several():
    assert [words.counted(n, "ticket") for n in (0, 1, 2)] == ["0 tickets", "1 ticket", "2 tickets"]


@pytest.mark.parametrize(
    ("chance", "said"),
    [
        (0.97, "almost certain, 97 %"),
        (0.86, "very likely, 86 %"),
        (0.6, "likely, 60 %"),
        (0.41, "unsure, 41 %"),
        (0.2, "very unsure, 20 %"),
    ],
)
def test_sureness_comes_in_words_and_percent(chance, said):
    assert words.sureness(chance) == said


def test_every_state_and_reason_has_its_own_words():
    assert len({words.SIGNS[state] for state in State}) == len(State)
    assert len({words.STATES[state] for state in State}) == len(State)
    assert len({words.REASONS[reason] for reason in Reason}) == len(Reason)


def test_only_a_critical_ticket_is_marked():
    marked = [p for p in Priority if not words.priority_line(p, "why").startswith("*")]

    assert marked == [Priority.P1]
    assert words.priority_line(Priority.P5, "") == "*P5 Planning*"
