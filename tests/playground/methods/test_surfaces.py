"""App Home and modals from the app's side."""

from slack_sdk.web.async_client import AsyncWebClient

from slackbot.playground import Playground
from tests.playground.kit import MANIFEST, modal, refusal, section, sent_by


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
        return (await sent_by(slack, ana.global_shortcut("new_ticket")))["trigger_id"]

    def opening(trigger_id):
        return client.views_open(trigger_id=trigger_id, view=modal(section("x")))

    first, late = await trigger(), await trigger()
    assert (await opening(first))["view"]["id"] == slack.open_view(ana).id
    assert await refusal(opening(first)) == "exchanged_trigger_id"
    clock.ahead = 3.1
    assert await refusal(opening(late)) == "expired_trigger_id"
    assert await refusal(opening("1.2.x")) == "invalid_trigger_id"


async def test_an_external_id_names_one_view(slack, client):
    ana, ben = slack.add_user("ana"), slack.add_user("ben")
    home = {"type": "home", "blocks": [section("one")], "external_id": "home of ana"}
    await client.views_publish(user_id=ana.id, view=home)
    taken = client.views_publish(user_id=ben.id, view=home)
    assert await refusal(taken) == "duplicate_external_id"
    changed = {**home, "blocks": [section("two")]}
    await client.views_update(external_id="home of ana", view=changed)
    assert slack.home(ana).shown == "two"
    nameless = client.api_call("views.update", json={"view": home})
    assert await refusal(nameless) == "invalid_arguments"


async def test_home_must_be_switched_on():
    features = {**MANIFEST["features"], "app_home": {}}
    async with Playground(manifest={**MANIFEST, "features": features}) as slack:
        client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
        home = {"type": "home", "blocks": [section("one")]}
        publishing = client.views_publish(user_id=slack.add_user("ana").id, view=home)
        assert await refusal(publishing) == "not_enabled"
