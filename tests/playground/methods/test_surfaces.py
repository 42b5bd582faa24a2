"""App Home and modals from the app's side."""

from tests.playground.kit import modal, refusal, section


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


async def test_a_trigger_must_be_known_and_a_view_must_be_there(client):
    opening = client.views_open(trigger_id="1.2.x", view=modal(section("x")))
    assert await refusal(opening) == "invalid_trigger_id"
    update = client.views_update(view_id="V404", view=modal(section("x")))
    assert await refusal(update) == "not_found"
