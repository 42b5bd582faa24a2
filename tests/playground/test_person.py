"""People can do what Slack's client offers, and nothing else."""

import pytest

from slackbot.playground import NotPossibleError, Playground
from tests.playground.kit import (
    MANIFEST,
    actions,
    button,
    field,
    menu,
    modal,
    refusal,
    section,
    sent_by,
)


@pytest.fixture
def ana(slack):
    return slack.add_user("ana")


@pytest.fixture
def channel(slack, ana):
    return slack.add_channel("it-help")


@pytest.fixture
async def card(slack, client, channel):
    queues = menu("queue", "Hardware", "HR Support", "HR Support 2")
    boxes = {"type": "checkboxes", "action_id": "boxes", "options": queues["options"]}
    blocks = [
        section("T-1", accessory=queues),
        actions(button("confirm", "T-1:Hardware")),
        actions(button("confirm", "T-2:Access"), boxes),
    ]
    await client.chat_postMessage(channel=channel.id, text="card", blocks=blocks)
    return slack.messages(channel)[0]


async def test_what_is_not_on_the_screen_cannot_be_pressed(slack, ana, card):
    for pressing in (
        ana.click(card, "dismiss"),
        ana.click(card, "confirm"),  # two of them
        ana.click(card, "confirm", value="T-3:"),
        ana.click(card, "queue"),  # a menu
        ana.choose(card, "queue", "Access"),
        ana.choose(card, "queue", "H"),  # several options
        ana.choose(card, "confirm", "x", value="T-1:"),  # a button
    ):
        with pytest.raises(NotPossibleError):
            await pressing
    assert {delivery.kind for delivery in slack.deliveries} == {"events_api"}


async def test_a_deleted_or_hidden_message_cannot_be_pressed(slack, client, ana, channel, card):
    outsider = slack.add_user("out")
    private = slack.add_channel("p", members=[ana], private=True)
    await client.chat_postMessage(channel=private.id, text="x", blocks=[actions(button("b"))])
    with pytest.raises(NotPossibleError):
        await outsider.click(slack.messages(private)[0], "b")
    await client.chat_delete(channel=channel.id, ts=card.ts)
    with pytest.raises(NotPossibleError):
        await ana.choose(card, "queue", "Hardware")


async def test_a_choice_says_what_was_chosen_and_where(slack, ana, channel, card):
    payload = await sent_by(slack, ana.choose(card, "queue", "HR Support"))
    action = payload["actions"][0]
    assert action["selected_option"]["value"] == "T-1:HR Support"
    assert payload["container"] == {
        "type": "message",
        "message_ts": card.ts,
        "channel_id": channel.id,
        "is_ephemeral": False,
    }
    state = payload["state"]["values"]
    assert state[action["block_id"]]["queue"]["selected_option"] == action["selected_option"]
    assert payload["message"]["blocks"] == card.blocks
    assert payload["user"]["id"] == ana.id

    payload = await sent_by(slack, ana.choose(card, "boxes", ["Hardware", "HR Support"]))
    assert len(payload["actions"][0]["selected_options"]) == 2
    payload = await sent_by(slack, ana.click(card, "confirm", value="T-2:"))
    assert payload["actions"][0]["value"] == "T-2:Access"


async def test_nobody_writes_where_they_are_not(slack, ana, channel):
    ben = slack.add_user("ben")
    with pytest.raises(NotPossibleError):
        await ben.say(channel, "hi")
    with pytest.raises(NotPossibleError):
        await ana.say(channel, " ")
    hers = await ana.say(channel, "vpn down")
    for doing in (ben.edit(hers, "x"), ben.delete(hers), ana.unreact(hers, "eyes")):
        with pytest.raises(NotPossibleError):
            await doing
    await ana.react(hers, "eyes")
    with pytest.raises(NotPossibleError):
        await ana.react(hers, "eyes")
    await ana.delete(hers)
    with pytest.raises(NotPossibleError):
        await ana.edit(hers, "x")


async def test_what_the_manifest_does_not_declare_is_not_there(slack, ana, channel, card):
    for doing in (
        ana.command("/other", channel=channel),
        ana.shortcut("new_ticket", card),  # a global one
        ana.global_shortcut("file_ticket"),  # a message's
    ):
        with pytest.raises(NotPossibleError):
            await doing
    bare = {"features": {}, "settings": {}}
    async with Playground(manifest={**MANIFEST, **bare}) as other:
        ben = other.add_user("ben")
        for doing in (ben.open_home(), ben.say(other.bot_user_id, "hi")):
            with pytest.raises(NotPossibleError):
                await doing


@pytest.fixture
def open_modal(slack, client, ana):
    """Opens a modal for ana, as an app that was given a trigger."""

    async def show(*blocks, method=client.views_open):
        trigger = (await sent_by(slack, ana.global_shortcut("new_ticket")))["trigger_id"]
        await method(trigger_id=trigger, view=modal(*blocks))
        return slack.open_view(ana)

    return show


async def test_a_form_wants_its_required_fields_and_fitting_values(ana, open_modal):
    short = field("summary")
    short["element"] |= {"min_length": 3, "max_length": 5}
    view = await open_modal(short, field("more", optional=True))
    for entries in ({}, {"summary": "ab"}, {"summary": "abcdef"}, {"summary": "abc", "x": "y"}):
        with pytest.raises(NotPossibleError):
            await ana.submit(view, entries)
    with pytest.raises(NotPossibleError):
        await ana.submit(await open_modal(section("nothing to submit")))


async def test_initial_values_are_submitted_unless_changed(slack, ana, open_modal):
    queue = menu("queue", "Hardware", "Access")
    queue["initial_option"] = queue["options"][0]
    summary = field("summary")
    summary["element"]["initial_value"] = "from the message"
    label = {"type": "plain_text", "text": "Queue"}
    view = await open_modal(summary, {"type": "input", "label": label, "element": queue})
    payload = await sent_by(slack, ana.submit(view, {"queue": "Access"}))
    assert slack.open_view(ana) is None
    values = payload["view"]["state"]["values"]
    assert values["summary_block"]["summary"]["value"] == "from the message"
    chosen = next(v["queue"] for v in values.values() if "queue" in v)
    assert chosen["selected_option"]["text"]["text"] == "Access"


async def test_modals_stack_three_high_and_only_the_front_one_is_usable(
    slack, client, ana, open_modal
):
    first = await open_modal(field("one"))
    second = await open_modal(field("two"), method=client.views_push)
    await open_modal(field("three"), method=client.views_push)
    too_many = open_modal(section("x"), method=client.views_push)
    assert await refusal(too_many) == "push_limit_reached"
    with pytest.raises(NotPossibleError):
        await ana.submit(first, {"one": "x"})
    await ana.close(second)
    assert slack.open_view(ana) is first


async def test_an_updated_modal_keeps_what_was_typed_in_fields_that_stay(
    slack, client, ana, open_modal
):
    view = await open_modal(field("gone"), actions(menu("queue", "Hardware", "Access")))
    await sent_by(slack, ana.choose(view, "queue", "Access"))
    kept = view.body["blocks"][1]
    old = view.hash
    await client.views_update(view_id=view.id, view=modal(field("new"), kept), hash=old)
    assert list(view.values) == [kept["block_id"]]
    update = client.views_update(view_id=view.id, view=modal(section("x")), hash=old)
    assert await refusal(update) == "hash_conflict"


def picker(kind, **more):
    element = {"type": kind, "action_id": "pick", **more}
    label = {"type": "plain_text", "text": "Pick"}
    return {"type": "input", "block_id": "pick", "label": label, "element": element}


async def test_people_and_channels_are_chosen_from_what_there_is_to_see(
    slack, client, ana, channel
):
    secret = slack.add_channel("secret", members=[], private=True)
    several = {"max_selected_items": 1}
    view = modal(picker("multi_conversations_select", **several))
    trigger = (await sent_by(slack, ana.global_shortcut("new_ticket")))["trigger_id"]
    await client.views_open(trigger_id=trigger, view=view)
    form = slack.open_view(ana)
    for wrong in ([secret.id], ["C404"], [channel.id, channel.id]):
        with pytest.raises(NotPossibleError):
            await ana.submit(form, {"pick": wrong})
    payload = await sent_by(slack, ana.submit(form, {"pick": [channel.id]}))
    assert payload["view"]["state"]["values"]["pick"]["pick"] == {
        "type": "multi_conversations_select",
        "selected_conversations": [channel.id],
    }


async def test_a_filter_of_conversations_is_checked(slack, client, ana):
    trigger = (await sent_by(slack, ana.global_shortcut("new_ticket")))["trigger_id"]
    odd = modal(picker("conversations_select", filter={"include": ["everything"]}))
    assert await refusal(client.views_open(trigger_id=trigger, view=odd)) == "invalid_arguments"
