"""Guests, strangers, groups."""

from tests.playground.kit import refusal


async def test_guests_strangers_and_groups_are_told_apart(slack, client):
    ana, gus = slack.add_user("ana", admin=True), slack.add_user("gus", restricted=True)
    eve = slack.add_user("eve", stranger=True)

    async def flags(person):
        user = (await client.users_info(user=person.id))["user"]
        return user["is_admin"], user["is_restricted"], user["is_stranger"]

    assert await flags(ana) == (True, False, False)
    assert await flags(gus) == (False, True, False)
    assert await flags(eve) == (False, False, True)
    assert await refusal(client.users_info(user="U404")) == "user_not_found"

    group = slack.add_usergroup("it-staff", [ana, gus])
    listed = await client.usergroups_list(include_users=True)
    assert listed["usergroups"][0]["users"] == [ana.id, gus.id]
    users = await client.usergroups_users_list(usergroup=group.id)
    assert users["users"] == [ana.id, gus.id]
    assert await refusal(client.usergroups_users_list(usergroup="S404")) == "no_such_subteam"
    assert await refusal(client.bots_info(bot="B404")) == "bot_not_found"


async def test_mail_addresses_need_their_scope(slack, client):
    ana = slack.add_user("ana")
    assert "email" not in (await client.users_info(user=ana.id))["user"]["profile"]
