"""The whole way, over real Bolt dispatch, real HTTP and real Socket Mode, on the shipped bundle."""

import asyncio
import json
from functools import partial

import pytest

from core.decision import Impact, Urgency


def ids(message):
    """The action ids on a card."""
    return {
        element["action_id"]
        for block in message.blocks
        for element in block.get("elements", [])
        if "action_id" in element
    }


REVIEW_IDS = {"review_confirm", "review_pick_2", "review_pick_3", "review_dismiss"}


async def test_a_command_is_answered_and_routed_in_both_modes(new_office, mode):
    async with new_office(mode).open() as office:
        await office.ana.command("/ticket", office.sure(), channel=office.random)
        await office.slack.until(lambda: office.slack.ephemerals(office.ana), 2)
        [answer] = office.slack.ephemerals(office.ana)
        assert "T-1" in answer.text
        assert "%" in str(answer.blocks)
        assert not ids(answer)
        own = await office.card("thread")
        assert own in office.slack.dm(office.ana)
        queue = await office.card("queue")
        assert {"review_reassign", "review_priority", "ticket_claim"} <= ids(queue)
        assert not ids(queue) & REVIEW_IDS


async def test_an_unsure_message_is_settled_by_one_reviewer(new_office, mode):
    async with new_office(mode).open() as office:
        message = await office.ana.say(office.help_, office.unsure())
        review = await office.card("review")
        assert review.channel == office.review.id
        assert ids(review) >= REVIEW_IDS | {"review_reassign", "review_priority"}
        own = await office.card("thread")
        assert own.thread_ts == message.ts
        assert ids(own) == {"ticket_withdraw"}
        await office.rita.choose(review, "review_reassign", "Hardware")
        queue = await office.card("queue")
        assert queue.channel == office.hardware.id
        await office.settled()
        assert not ids(review) & REVIEW_IDS
        assert office.rita.id in str(review.blocks)
        assert "Hardware" in str(own.blocks)
        # The reporter hears of it in the thread.
        assert [reply for reply in office.slack.thread(message) if reply is not own]


async def test_small_talk_is_left_alone_and_its_text_is_kept_nowhere(new_office, tmp_path):
    async with new_office().open() as office:
        message = await office.ana.say(office.help_, office.chat())
        await office.ana.say(office.help_, office.sure())
        await office.card("thread")
        await office.settled()
        assert not office.slack.thread(message)
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("autoticket.db*"))
    assert office.sure().encode() in stored
    assert office.chat().encode() not in stored


async def test_small_talk_that_somebody_reacts_to_becomes_a_ticket(new_office):
    async with new_office().open() as office:
        message = await office.ana.say(office.help_, office.chat())
        await office.settled()
        await office.ben.react(message, "ticket")
        own = await office.card("thread")
        assert own.thread_ts == message.ts
        assert office.ana.id in str(own.blocks)


async def test_every_way_to_file_one_message_makes_one_ticket(new_office, mode):
    async with new_office(mode).open() as office:
        message = await office.ana.say(office.random, office.sure())
        await office.ben.react(message, "ticket")
        await office.rob.shortcut("file_ticket", message)
        await office.rita.react(message, "ticket")
        own = await office.card("thread")
        await office.settled()
        assert own.thread_ts == message.ts
        assert len(office.cards("thread")) == 1
        assert "T-1" in office.slack.ephemerals(office.rob)[-1].text


async def test_a_mention_in_a_triage_channel_is_one_ticket(new_office):
    async with new_office().open() as office:
        text = f"<@{office.slack.bot_user_id}> {office.chat()}"
        message = await office.ana.say(office.help_, text)
        await office.card("thread")
        await office.settled()
        assert [m.thread_ts for m in office.cards("thread")] == [message.ts]


async def test_a_mention_alone_in_a_thread_files_what_the_thread_is_about(new_office):
    async with new_office().open() as office:
        message = await office.ana.say(office.random, office.sure())
        await office.ben.say(office.random, f"<@{office.slack.bot_user_id}>", thread=message)
        own = await office.card("thread")
        assert own.thread_ts == message.ts
        assert office.ana.id in str(own.blocks)


async def test_who_mentions_the_bot_in_the_thread_of_a_ticket_hears_of_it_every_time(new_office):
    async with new_office().open() as office:
        message = await office.ana.say(office.help_, office.sure())
        await office.card("thread")
        for times in (1, 2):
            await office.ben.say(office.help_, f"<@{office.slack.bot_user_id}>", thread=message)
            heard = partial(office.slack.ephemerals, office.ben)
            await office.slack.until(lambda n=times, heard=heard: len(heard()) == n)
        await office.settled()
        told = {(m.thread_ts, m.text) for m in office.slack.ephemerals(office.ben)}
        assert told == {(message.ts, "T-1 is about this already: its card is in this thread.")}
        assert len(office.cards("thread")) == 1


async def test_who_files_a_message_without_words_hears_why_nothing_comes_of_it(new_office):
    async with new_office().open() as office:
        picture = await office.ana.say(office.random, "", files=["screen.png"])
        await office.ben.shortcut("file_ticket", picture)
        await office.slack.until(lambda: office.slack.ephemerals(office.ben))
        assert "no words of a person" in office.slack.ephemerals(office.ben)[0].text
        assert office.cards() == []


async def test_a_direct_message_is_a_ticket(new_office):
    async with new_office().open() as office:
        await office.ana.say(office.slack.bot_user_id, office.unsure())
        own = await office.card("thread")
        assert own.channel.startswith("D")
        await office.card("review")


async def test_the_modal_files_a_ticket_with_the_given_urgency(new_office, mode):
    async with new_office(mode).open() as office:
        await office.ana.command("/ticket", "  \u200b ", channel=office.random)
        view = await office.slack.until(lambda: office.slack.open_view(office.ana))
        await office.ana.submit(view, {"summary": "\u200b "})
        assert office.slack.open_view(office.ana).errors
        await office.ana.submit(
            view, {"summary": office.sure()[:140], "urgency": "Work has stopped"}
        )
        assert office.slack.open_view(office.ana) is None
        own = await office.card("thread")
        assert own in office.slack.dm(office.ana)
        ticket = (await office.bot.desk.history(office.slack.team_id, "T-1")).ticket
        assert ticket.urgency == "high"
        matrix = office.bot.desk.matrix
        assert ticket.priority == matrix.priority(Urgency.HIGH, Impact(ticket.impact))
        await office.slack.until(lambda: office.slack.ephemerals(office.ana))
        assert "T-1" in office.slack.ephemerals(office.ana)[-1].text


async def test_help_status_and_list(new_office):
    async with new_office().open() as office:
        helped = await office.ana.command("/ticket", "help", channel=office.random)
        assert "/ticket status" in str(helped.blocks)
        none = await office.ana.command("/ticket", "list", channel=office.random)
        assert "no tickets" in none.text
        await office.ana.command("/ticket", office.sure(), channel=office.random)
        await office.card("thread")
        listed = await office.ana.command("/ticket", "list", channel=office.random)
        assert "T-1" in str(listed.blocks)
        status = await office.ana.command("/ticket", "status t-1", channel=office.random)
        assert office.bot.desk.classifier.version in str(status.blocks)
        for number in ("T-99", "T-" + "9" * 40, "#7"):
            await office.ana.command("/ticket", f"status {number}", channel=office.random)
            assert "I know no ticket" in office.slack.ephemerals(office.ana)[-1].text


async def test_help_and_status_are_answered_where_people_write_to_the_bot(new_office):
    async with new_office().open() as office:
        await office.ana.say(office.random, f"<@{office.slack.bot_user_id}> help")
        await office.slack.until(lambda: office.slack.ephemerals(office.ana))
        assert "/ticket status" in str(office.slack.ephemerals(office.ana)[0].blocks)
        await office.ana.say(office.slack.bot_user_id, "status T-7")
        await office.slack.until(lambda: len(office.slack.dm(office.ana)) == 2)
        assert "I know no ticket" in office.slack.dm(office.ana)[-1].text
        await office.settled()
        assert office.cards() == []


async def test_exactly_one_of_many_racing_reviewers_wins(new_office):
    async with new_office().open() as office:
        await office.ana.say(office.help_, office.unsure())
        review = await office.card("review")
        await asyncio.gather(
            office.rita.click(review, "review_confirm"),
            office.rob.click(review, "review_pick_2"),
            office.rob.click(review, "review_dismiss"),
            office.rita.choose(review, "review_reassign", "Storage"),
        )
        await office.settled()
        history = await office.bot.desk.history(office.slack.team_id, "T-1")
        assert len(history.steps) == 1
        losers = office.slack.ephemerals(office.rita) + office.slack.ephemerals(office.rob)
        assert len([m for m in losers if "already settled" in m.text]) == 3


@pytest.mark.parametrize("who", ["ana", "gus", "eve"])
async def test_who_is_no_reviewer_changes_nothing(new_office, who):
    async with new_office(
        AUTOTICKET_REVIEWERS="",
    ).open() as office:
        await office.ana.say(office.help_, office.unsure())
        review = await office.card("review")
        await getattr(office, who).click(review, "review_confirm")
        assert await office.slack.until(lambda: office.slack.ephemerals(getattr(office, who)))
        history = await office.bot.desk.history(office.slack.team_id, "T-1")
        assert history.ticket.state == "pending"


async def test_a_guest_is_refused_inside_a_reviewer_group(new_office):
    async with new_office().open() as office:
        await office.ana.say(office.help_, office.unsure())
        review = await office.card("review")
        await office.gus.click(review, "review_confirm")
        await office.slack.until(lambda: office.slack.ephemerals(office.gus))
        assert "Only IT reviewers" in office.slack.ephemerals(office.gus)[0].text
        assert (await office.bot.desk.history(office.slack.team_id, "T-1")).steps == ()


async def test_without_channels_the_thread_card_carries_the_buttons(new_office):
    async with new_office(
        AUTOTICKET_REVIEW_CHANNEL="", AUTOTICKET_QUEUE_CHANNELS=""
    ).open() as office:
        await office.ana.say(office.help_, office.unsure())
        unsure = await office.card("thread", containing=":")
        assert ids(unsure) >= REVIEW_IDS
        await office.rita.click(unsure, "review_confirm")
        await office.settled()
        assert not ids(unsure) & REVIEW_IDS
        assert "review_reassign" in ids(unsure)
        assert [card.metadata["event_payload"]["place"] for card in office.cards()] == ["thread"]


async def test_staff_move_a_sure_ticket_and_the_new_queue_hears_of_it(new_office):
    async with new_office(AUTOTICKET_QUEUE_CHANNELS="").open() as office:
        pass
    env = {"AUTOTICKET_QUEUE_CHANNELS": f"Hardware={office.hardware.id},Storage={office.random.id}"}
    office.env.update(env)
    async with office.open():
        await office.ana.command("/ticket", office.sure(), channel=office.help_)
        queue = await office.card("queue")
        for target in ("Storage", "Hardware", "Storage"):
            live = office.cards("queue")[-1]
            await office.rita.choose(live, "review_reassign", target)
            await office.settled()
        live = office.cards("queue")
        assert len(live) == 1
        assert live[0].channel == office.random.id
        assert queue.deleted is False
        own = await office.card("thread")
        assert "Storage" in str(own.blocks)


async def test_an_edit_is_judged_again_until_somebody_has_decided(new_office):
    async with new_office().open() as office:
        message = await office.ana.say(office.help_, office.unsure())
        review = await office.card("review")
        await office.ana.edit(message, office.unsure(1))
        await office.settled()
        await office.slack.until(lambda: office.unsure(1)[:20] in str(review.blocks))
        await office.rita.click(review, "review_confirm")
        await office.settled()
        await office.ana.edit(message, office.unsure(2))
        await office.settled()
        assert office.unsure(1)[:20] in str(review.blocks)
        history = await office.bot.desk.history(office.slack.team_id, "T-1")
        assert history.ticket.text == office.unsure(1)


async def test_an_edit_of_small_talk_makes_no_ticket_and_of_a_filed_one_is_followed(new_office):
    async with new_office().open() as office:
        small_talk = await office.ana.say(office.help_, office.chat())
        elsewhere = await office.ana.say(office.random, office.unsure())
        await office.settled()
        await office.ana.edit(small_talk, office.chat(1))
        await office.ana.edit(elsewhere, office.unsure(1))
        await office.settled()
        assert office.cards() == []
        await office.ben.react(elsewhere, "ticket")
        own = await office.card("thread")
        await office.settled()
        await office.ana.edit(elsewhere, office.unsure(2))
        await office.settled()
        assert own.thread_ts == elsewhere.ts
        history = await office.bot.desk.history(office.slack.team_id, "T-1")
        assert history.ticket.text == office.unsure(2)


async def test_deleting_the_message_withdraws_the_ticket(new_office):
    async with new_office().open() as office:
        message = await office.ana.say(office.help_, office.unsure())
        review = await office.card("review")
        await office.settled()
        await office.ana.delete(message)
        await office.slack.until(lambda: "ithdrawn" in str(review.blocks))
        await office.settled()
        assert not ids(review)


async def test_life_after_routing(new_office):
    async with new_office().open() as office:
        await office.ana.command("/ticket", office.sure(), channel=office.random)
        queue = await office.card("queue")
        for action, state in (
            ("ticket_claim", "claimed"),
            ("ticket_resolve", "resolved"),
            ("ticket_reopen", "assigned"),
        ):
            await office.rita.click(queue, action)
            await office.settled()
            history = await office.bot.desk.history(office.slack.team_id, "T-1")
            assert history.ticket.state == state
        assert len([m for m in office.slack.dm(office.ana) if not _is_card(m)]) == 3


def _is_card(message):
    return (message.metadata or {}).get("event_type") == "autoticket_ticket"


async def test_home_shows_employees_their_tickets_and_reviewers_what_waits(new_office):
    async with new_office().open() as office:
        await office.ana.say(office.help_, office.unsure())
        await office.card("review")
        await office.ana.open_home()
        await office.slack.until(lambda: office.slack.home(office.ana))
        assert "T-1" in json.dumps(office.slack.home(office.ana).body)
        assert "review_confirm" not in json.dumps(office.slack.home(office.ana).body)
        await office.rita.open_home()
        home = await office.slack.until(lambda: office.slack.home(office.rita))
        await office.rita.click(home, "review_confirm")
        await office.settled()
        history = await office.bot.desk.history(office.slack.team_id, "T-1")
        assert history.ticket.state == "assigned"
