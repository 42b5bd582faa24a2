"""Hostile, huge and empty text over the whole way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slackbot.config import parse_settings
from slackbot.intake import parse
from slackbot.subcommands import is_subcommand


@pytest.mark.parametrize(
    "hostile",
    [
        "<!channel> <!here|here> <!everyone> <!subteam^S123|@it> laptop broken",
        "@channel @here laptop broken",
        "laptop \u202egnp.exe\u2066 broken \x00\x07\x1b[31m",
        "laptop &amp;lt;!channel&gt; &lt;!channel&gt; broken",
        "laptop ``` broken *bold* _it_ ~no~ >quote\n> <https://evil.example|bank.example>",
    ],
)
async def test_nothing_hostile_is_echoed_live(new_office, hostile):
    async with new_office().open() as office:
        await office.ana.command("/ticket", hostile, channel=office.random)
        await office.card("thread")
        await office.settled()
        assert office.slack.broadcasts == []
        text = (await office.bot.desk.history(office.slack.team_id, "T-1")).ticket.text
        assert not set(text) & set("\x00\x07\x1b\u202e\u2066")


async def test_forty_thousand_characters_are_kept_and_shown_short(new_office):
    async with new_office().open() as office:
        text = ("my laptop does not start " * 1600)[:40_000]
        await office.ana.say(office.help_, text)
        own = await office.card("thread")
        assert len(own.shown) < 3000
        stored = (await office.bot.desk.history(office.slack.team_id, "T-1")).ticket.text
        assert len(stored) > 39_000


async def test_secrets_are_masked_before_they_are_stored_or_shown(new_office, tmp_path, caplog):
    secrets = ["hunter2horse", "4111 1111 1111 1111", "xoxb-123456789012-abcdefghijkl"]
    async with new_office().open() as office:
        text = f"laptop locked, password: {secrets[0]} card {secrets[1]} token {secrets[2]}"
        await office.ana.say(office.help_, text)
        await office.card("thread")
        await office.settled()
        shown = "".join(str(card.blocks) + card.text for card in office.cards())
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("autoticket.db*"))
    for secret in secrets:
        assert secret not in shown
        assert secret.encode() not in stored
        assert secret not in caplog.text


@pytest.mark.parametrize("place", ["mention", "direct", "file"])
async def test_a_blank_message_makes_no_ticket(new_office, place):
    async with new_office().open() as office:
        if place == "mention":
            await office.ana.say(office.random, f"<@{office.slack.bot_user_id}> \u200b")
            await office.slack.until(lambda: office.slack.ephemerals(office.ana))
        elif place == "direct":
            await office.ana.say(office.slack.bot_user_id, "\u200b\u2060")
            await office.slack.until(lambda: len(office.slack.dm(office.ana)) == 2)
        else:
            await office.ana.say(office.help_, "", files=["screen.png"])
        await office.settled()
        assert office.cards() == []


async def test_own_and_other_bots_messages_are_left_alone(new_office):
    async with new_office().open() as office:
        alert = office.slack.add_user("zabbix", bot=True)
        office.slack.workspace.channels[office.help_.id].members.add(alert.id)
        await alert.say(office.help_, office.sure())
        await office.settled()
        assert office.cards() == []


async def test_an_allowed_bots_alert_is_triaged(new_office):
    office = new_office()
    alert = office.slack.add_user("zabbix", bot=True)
    office.slack.workspace.channels[office.help_.id].members.add(alert.id)
    office.env["AUTOTICKET_ALLOWED_BOTS"] = alert.account.bot_id
    async with office.open():
        message = await alert.say(office.help_, office.sure())
        own = await office.card("thread")
        queue = await office.card("queue")
        ticket = (await office.bot.desk.history(office.slack.team_id, "T-1")).ticket
    assert own.thread_ts == message.ts
    assert queue.find("ticket_claim")
    assert ticket.text == office.sure()


@pytest.mark.parametrize(
    ("text", "subcommand"),
    [
        ("", True),
        (" \u200b", True),
        ("help", True),
        ("HELP ", True),
        ("list", True),
        ("status T-12", True),
        ("status #12", True),
        ("status T-x1", True),
        ("status page is down", False),
        ("status page", False),
        ("help my laptop is on fire", False),
        ("list of users is empty", False),
    ],
)
def test_only_exact_words_are_subcommands(text, subcommand):
    assert is_subcommand(text) is subcommand


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=10,
)


@given(
    event=st.fixed_dictionaries(
        {"type": st.sampled_from(["message", "app_mention"]), "channel": st.just("C1")},
        optional={
            "ts": st.just("1.0"),
            "subtype": st.sampled_from(["message_changed", "message_deleted", "channel_join"]),
            "text": st.text() | st.none(),
            "user": st.just("U1") | st.none(),
            "thread_ts": st.just("1.0") | st.just("0.5"),
            "message": st.dictionaries(
                st.sampled_from(["ts", "text", "user", "subtype"]), st.text()
            ),
            "previous_message": st.dictionaries(st.sampled_from(["ts", "text"]), st.text()),
            "blocks": _JSON,
        },
    )
)
def test_no_event_of_any_shape_breaks_the_intake(event):
    settings = parse_settings({"AUTOTICKET_TRIAGE_CHANNELS": "*"})
    body = {"type": "event_callback", "team_id": "T", "event": event}
    found = parse(body, team="T", bot_user="UB", settings=settings)
    assert found is None or found.channel == "C1"
