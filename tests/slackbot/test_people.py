from dataclasses import replace
from unittest.mock import create_autospec

import pytest

from slackbot.desk.settings import SettingsOfTeams
from slackbot.people import GROUP_LIFE_S, USER_LIFE_S, Reviewers
from slackbot.slack_calls import SlackFailure, web_client
from slackbot.team_settings import TeamSettings


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def reviewers(slack):
    def of(*ids):
        client = web_client(slack.bot_token, slack.api_url)
        teams = create_autospec(SettingsOfTeams, instance=True)
        teams.of.return_value = TeamSettings(reviewers=frozenset(ids))
        return Reviewers(client, teams, slack.team_id, Clock())

    return of


async def test_users_and_members_of_groups_are_reviewers_but_never_guests(slack, reviewers):
    ana, rita, rob = (slack.add_user(name) for name in ("ana", "rita", "rob"))
    gus = slack.add_user("gus", restricted=True)
    ultra = slack.add_user("una", ultra_restricted=True)
    eve = slack.add_user("eve", stranger=True)
    gone = slack.add_user("gone", deleted=True)
    bot = slack.add_user("robot", bot=True)
    others = [gus, ultra, eve, gone, bot]
    group = slack.add_usergroup("it", [rita, *others])
    known = reviewers(rob.id, eve.id, bot.id, group.id)
    answers = {p.name: await known.includes(p.id) for p in (ana, rita, rob, *others)}
    assert [name for name, allowed in answers.items() if allowed] == ["rita", "rob"]


async def test_slack_is_asked_once_a_minute_and_hears_of_changes(slack, reviewers):
    rita = slack.add_user("rita")
    group = slack.add_usergroup("it", [rita])
    known = reviewers(group.id)
    for _ in range(3):
        assert await known.includes(rita.id)
    assert len(slack.calls) == 2
    slack.workspace.usergroups[group.id] = replace(group, users=())
    known.clock.now = GROUP_LIFE_S
    assert not await known.includes(rita.id)


@pytest.mark.parametrize("method", ["usergroups.users.list", "users.info"])
async def test_what_was_known_lets_nobody_in_once_it_is_too_old(slack, reviewers, method):
    rita = slack.add_user("rita")
    known = reviewers(slack.add_usergroup("it", [rita]).id)
    assert await known.includes(rita.id)
    known.clock.now = max(GROUP_LIFE_S, USER_LIFE_S)
    slack.faults.fail(method)
    with pytest.raises(SlackFailure):
        await known.includes(rita.id)


async def test_when_slack_cannot_tell_nobody_is_let_in(slack, reviewers, new_office):
    rita = slack.add_user("rita")
    slack.faults.fail("users.info")
    with pytest.raises(SlackFailure):
        await reviewers(rita.id).includes(rita.id)
    async with new_office().open() as office:
        await office.ana.say(office.help_, office.unsure())
        review = await office.card("review")
        office.slack.faults.fail("usergroups.users.list", status=200, error="missing_scope")
        await office.rita.click(review, "review_confirm")
        await office.slack.until(lambda: office.slack.ephemerals(office.rita))
        assert "could not find out" in office.slack.ephemerals(office.rita)[0].text
        assert (await office.bot.desk.history(office.slack.team_id, "T-1")).steps == ()
