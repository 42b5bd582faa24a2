"""App Home and modals from the app's side."""

from tests.playground.kit import listening, modal, refusal, section


async def test_home_is_published_with_a_hash_against_races(slack, client):
    ana = slack.add_user("ana")
    home = {"type": "home", "blocks": [section("one")]}
    first = await client.views_publish(user_id=ana.id, view=home)
    old = first["view"]["hash"]
    await client.views_publish(user_id=ana.id, view=home, hash=old)
    again = client.views_publish(user_id=ana.id, view=home, hash=old)
    assert await refusal(again) == "hash_conflict"
    stranger = client.views_publish(user_id="U404", view=home)
    assert await refusal(stranger) == "invalid_arguments"


async def test_a_view_must_be_open_to_be_updated(client):
    update = client.views_update(view_id="V404", view=modal(section("x")))
    assert await refusal(update) == "not_found"


async def test_a_trigger_opens_one_view_within_three_seconds(slack, client, clock):
    ana = slack.add_user("ana")

    async def trigger():
        async with listening(slack) as payloads:
            await ana.global_shortcut("new_ticket")
        return payloads[0]["trigger_id"]

    def opening(trigger_id):
        return client.views_open(trigger_id=trigger_id, view=modal(section("x")))

    first, late = await trigger(), await trigger()
    assert (await opening(first))["view"]["id"] == slack.open_view(ana).id
    assert await refusal(opening(first)) == "exchanged_trigger_id"
    clock.ahead = 3.1
    assert await refusal(opening(late)) == "expired_trigger_id"
    assert await refusal(opening("1.2.x")) == "invalid_trigger_id"
