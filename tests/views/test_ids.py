"""slackbot.views.ids: what a click brings back is read, and nothing else is."""

from hypothesis import given
from hypothesis import strategies as st

from slackbot.views.ids import MAX_QUEUE_NAME, parse_choice, queue_named


@given(st.text(max_size=40))
def test_only_our_own_values_are_read(value):
    choice = parse_choice(value)

    assert choice is None or str(choice) == value
    assert parse_choice(f"T-0:{value}") is None
    assert parse_choice(f"T-{'9' * 20}:x") is None


def test_a_queue_is_known_by_its_name_also_when_slack_escaped_it():
    queues = ("R&D <beta>", "A&amp;B")

    assert queue_named("R&D <beta>", queues) == "R&D <beta>"
    assert queue_named("R&amp;D &lt;beta&gt;", queues) == "R&D <beta>"
    assert queue_named("A&amp;B", queues) == "A&amp;B"
    assert queue_named("Renamed", queues) is None


def test_the_longest_queue_name_fits_with_the_longest_number():
    value = f"T-{2**63 - 1}:{'q' * MAX_QUEUE_NAME}"

    assert len(value) <= 150
    assert parse_choice(value).choice == "q" * MAX_QUEUE_NAME
