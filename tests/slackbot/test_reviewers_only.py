"""What only reviewers may do is refused in the same words, whichever button was clicked."""

import pytest

from slackbot.views import answers, blocks

BUTTONS = {
    "review_confirm": "T-1:Access",
    "ticket_because": "T-1:because",
    "queue_restore": "Access",
    "model_promote": "20260101-000000",
}


async def click(office, person, action_id, value):
    """Click a button of the bot's, and give the words that come back."""
    shown = blocks.actions("reviewers", [blocks.button(action_id, "Do it", value)])
    posted = await office.bot.client.chat_postMessage(
        channel=office.review.id, text="Do it", blocks=[shown]
    )
    await person.click(office.review.messages[posted["ts"]], action_id)
    await office.slack.until(lambda: office.slack.ephemerals(person), 5)
    return office.slack.ephemerals(person)[-1].text


@pytest.mark.parametrize(("action_id", "value"), BUTTONS.items())
async def test_with_no_reviewer_configured_nobody_may(new_office, action_id, value):
    async with new_office(AUTOTICKET_REVIEWERS="").open() as office:
        await office.ana.command("/ticket", office.unsure(), channel=office.random)
        await office.settled()
        said = await click(office, office.rita, action_id, value)
        assert said == answers.not_a_reviewer(any_set=False).text


@pytest.mark.parametrize(("action_id", "value"), BUTTONS.items())
async def test_who_cannot_be_looked_up_may_try_again(new_office, action_id, value):
    async with new_office().open() as office:
        await office.ana.command("/ticket", office.unsure(), channel=office.random)
        await office.settled()
        office.slack.faults.fail("usergroups.users.list", status=200, error="missing_scope")
        said = await click(office, office.rita, action_id, value)
        assert said == answers.reviewer_unknown().text
