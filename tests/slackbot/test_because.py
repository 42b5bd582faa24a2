"""Why the model chose a queue is told to who may know it, over real dispatch."""

import pytest

from core.because import because


@pytest.fixture
async def office(new_office):
    async with new_office().open() as office:
        yield office


@pytest.mark.parametrize("person", ["rita", "ana"])
async def test_a_reviewer_and_the_reporter_are_told_the_words(office, person):
    text = office.unsure()
    await office.ana.command("/ticket", text, channel=office.random)
    review = await office.card("review")
    asking = office.people[person]
    before = len(office.slack.ephemerals(asking))
    await asking.click(review, "ticket_because")
    await office.slack.until(lambda: len(office.slack.ephemerals(asking)) > before, 5)
    answer = office.slack.ephemerals(asking)[-1].shown
    history = await office.bot.desk.history(office.slack.team_id, "T-1")
    moved = because(office.bot.desk.classifier, text, history.said.queue)
    assert "T-1" in answer
    assert history.said.queue in answer
    assert all(each.word in answer for each in moved)
    assert review.find("review_confirm")  # nothing was decided
    assert not history.steps


@pytest.mark.parametrize("person", ["ben", "gus"])
async def test_nobody_else_is_told(office, person):
    await office.ana.command("/ticket", office.unsure(), channel=office.random)
    review = await office.card("review")
    other = office.people[person]
    await other.click(review, "ticket_because")
    await office.slack.until(lambda: office.slack.ephemerals(other), 5)
    assert "because of these words" not in office.slack.ephemerals(other)[-1].shown
