"""`/ticket setup`: who may, what is refused, and what holds afterwards; over real HTTP dispatch."""

import dataclasses

import pytest

from slackbot.playground.limits import Surface, check_view
from slackbot.team_settings import TeamSettings, TriageMode
from slackbot.views import setup
from storage import team_settings
from tests.views.judges import accept_view


async def opened(office, person):
    """The form in front of `person`, filled."""
    await person.command("/ticket", "setup", channel=office.random)
    form = office.slack.open_view
    await office.slack.until(lambda: form(person) and "submit" in form(person).body)
    return form(person)


async def in_force(office):
    return (await office.bot.desk.teams.now(office.slack.team_id)).settings


async def recorded(office):
    async with office.bot.desk.database.read() as conn:
        return await team_settings.history(conn, office.slack.team_id)


async def test_what_an_admin_sets_holds_at_once_and_is_recorded(new_office):
    async with new_office("http").open() as office:
        await office.ana.say(office.help_, office.unsure())
        await office.card("review")
        form = await opened(office, office.ada)
        entries = {
            "triage:suggest": [office.random.id],
            "triage:auto": [],
            "review_channel": office.hardware.id,
            "queue:Access": office.help_.id,
            "reviewer_users": [office.ben.id],
            "reviewer_groups": [],
        }
        assert await office.ada.submit(form, entries) is None
        settings = await in_force(office)
        assert settings.triage == {office.random.id: TriageMode.SUGGEST}
        assert settings.queue_channels == {
            "Hardware": office.hardware.id,
            "Access": office.help_.id,
        }
        [change] = await recorded(office)
        assert (change.changed_by, change.version) == (office.ada.id, 1)
        assert change.values.keys() == {"triage", "review_channel", "queue_channels", "reviewers"}
        await office.settled()
        moved = [c for c in office.cards("review") if c.channel == office.hardware.id]
        await office.rita.click(moved[0], "review_confirm")
        assert "Only IT reviewers" in office.slack.ephemerals(office.rita)[-1].text
        await office.ben.click(moved[0], "review_confirm")
        await office.ana.say(office.help_, office.sure())
        await office.ana.say(office.random, office.sure())
        await office.settled()
        assert len(office.cards("thread")) == 2


async def test_what_was_set_is_shown_and_outlives_a_restart(new_office):
    office = new_office("http")
    async with office.open():
        form = await opened(office, office.ada)
        await office.ada.submit(form, {"triage:silent": [office.random.id]})
    office.env["AUTOTICKET_TRIAGE_CHANNELS"] = ""
    office.env["AUTOTICKET_REVIEWERS"] = office.rob.id
    async with office.open():
        settings = await in_force(office)
        assert settings.triage == {
            office.help_.id: TriageMode.AUTO,
            office.random.id: TriageMode.SILENT,
        }
        assert settings.reviewers == {office.rob.id}  # nobody set these from Slack
        form = await opened(office, office.ada)
        assert form.find("triage:silent")["initial_conversations"] == [office.random.id]


@pytest.mark.parametrize("person", ["ana", "rita", "gus", "eve"])
async def test_who_is_no_admin_gets_one_clear_line(new_office, person):
    async with new_office("http").open() as office:
        nosy = office.people[person]
        office.random.members.add(nosy.id)
        await nosy.command("/ticket", "setup", channel=office.random)
        await office.slack.until(lambda: office.slack.ephemerals(nosy))
        [told] = office.slack.ephemerals(nosy)
        assert "Only admins and owners" in told.text
        assert office.slack.open_view(nosy) is None


async def test_when_slack_does_not_say_who_somebody_is_nothing_is_shown_or_saved(new_office):
    async with new_office("http").open() as office:
        form = await opened(office, office.ada)
        office.slack.faults.fail("users.info", times=2)
        after = await office.ada.submit(form, {"review_channel": office.random.id})
        assert "Only admins" in str(after.errors)
        await office.ada.close(after)
        await office.ada.command("/ticket", "setup", channel=office.random)
        await office.slack.until(lambda: office.slack.ephemerals(office.ada))
        assert office.slack.open_view(office.ada) is None
        assert await recorded(office) == []


async def test_an_admin_who_is_none_any_more_cannot_save(new_office):
    async with new_office("http").open() as office:
        form = await opened(office, office.ada)
        plain = dataclasses.replace(office.ada.account, admin=False)
        office.slack.workspace.users[office.ada.id] = plain
        after = await office.ada.submit(form, {"review_channel": office.random.id})
        assert "Only admins" in str(after.errors)
        assert await recorded(office) == []


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("not in", "not in #"),
        ("archived", "is archived"),
        ("secret", "private channel"),
        ("triage", "whose messages are read"),
        ("twice", "one mode"),
    ],
)
async def test_a_channel_that_will_not_do_is_named_at_its_field(new_office, fault, said):
    async with new_office("http").open() as office:
        odd = office.slack.add_channel("odd", bot=fault not in ("not in", "secret"))
        form = await opened(office, office.ada)
        entries = {"review_channel": odd.id}
        match fault:
            case "archived":
                odd.archived = True
            case "secret":
                odd = office.slack.add_channel("hush", bot=False, private=True)
                entries = {"queue:Access": odd.id}
            case "triage":
                entries = {"review_channel": office.help_.id}
            case "twice":
                entries = {"triage:silent": [office.help_.id]}
        after = await office.ada.submit(form, entries)
        [block] = after.errors
        assert block == next(iter(entries))
        assert said in after.errors[block]
        assert await recorded(office) == []
        assert await in_force(office) == office.bot.settings.team


async def test_of_two_admins_the_second_does_not_overwrite_the_first(new_office):
    async with new_office("http").open() as office:
        boss = office.slack.add_user("boss", admin=True)
        office.random.members.add(boss.id)
        first, second = [await opened(office, person) for person in (office.ada, boss)]
        assert await office.ada.submit(first, {"queue:Access": office.random.id}) is None
        after = await boss.submit(second, {"queue:Storage": office.random.id})
        assert "Somebody else" in str(after.errors)
        assert len(await recorded(office)) == 1


async def test_slack_being_slow_changes_nothing_and_says_so(new_office):
    async with new_office("http").open() as office:
        form = await opened(office, office.ada)
        office.slack.faults.slow("conversations.info", 5, times=1)
        after = await office.ada.submit(form, {"review_channel": office.random.id})
        assert "did not answer in time" in str(after.errors)
        assert await recorded(office) == []


async def test_a_queue_that_is_gone_is_named_and_nothing_changes(new_office):
    async with new_office("http").open() as office:
        form = await opened(office, office.ada)
        for block in form.body["blocks"]:
            if block.get("block_id") == "queue:Storage":
                block["block_id"] = "queue:Renamed"
        after = await office.ada.submit(form, {"queue:Renamed": office.random.id})
        assert "does not exist any more" in after.errors["queue:Renamed"]
        assert await recorded(office) == []


async def test_the_bot_says_how_the_settings_are_opened(new_office):
    async with new_office("http").open() as office:
        await office.ada.say(office.slack.bot_user_id, "setup")
        await office.slack.until(lambda: len(office.slack.dm(office.ada)) == 2)
        assert "/ticket setup" in office.slack.dm(office.ada)[-1].text
        assert office.cards() == []


@pytest.mark.parametrize(("queues", "groups"), [(1, 0), (8, 3), (60, 99), (61, 1), (300, 100)])
def test_slack_takes_the_form_however_much_there_is_to_set(queues, groups):
    names = tuple(f"{number:03} {'x' * 70}" for number in range(queues))
    handles = tuple((f"@group-{number}", f"S{number}") for number in range(groups))
    settings = TeamSettings(
        triage={"*": TriageMode.SUGGEST, "C1": TriageMode.AUTO},
        queue_channels=dict.fromkeys(names, "C0123456789"),
        reviewers=frozenset({"U1", "S0", "S98"}),
    )
    pages = (queues + setup.QUEUES_ON_A_PAGE - 1) // setup.QUEUES_ON_A_PAGE
    shown = []
    for page in range(pages):
        form = setup.SetupForm(
            settings=settings, version=2**40, queues=names, groups=handles, page=page
        )
        view = setup.setup_modal(form)
        accept_view(view, "modal")
        shown += [b["block_id"] for b in view["blocks"] if b.get("block_id", "").startswith("q")]
    assert shown == [f"queue:{name}" for name in names]
    for plain in (setup.loading(), setup.not_readable()):
        check_view(plain, Surface.MODAL)


def test_more_user_groups_than_one_menu_holds_are_grouped():
    groups = tuple((f"@group-{number}", f"S{number}") for number in range(150))
    chosen = TeamSettings(reviewers=frozenset({"S140"}))
    form = setup.SetupForm(settings=chosen, version=0, queues=("A",), groups=groups)
    view = setup.setup_modal(form)
    check_view(view, Surface.MODAL)
    [menu] = [block["element"] for block in view["blocks"] if block.get("block_id") == setup.GROUPS]
    offered = [option["value"] for part in menu["option_groups"] for option in part["options"]]
    assert offered == [value for _, value in groups]
    assert [option["value"] for option in menu["initial_options"]] == ["S140"]


def test_what_a_page_does_not_show_stays_as_it_was():
    before = TeamSettings(queue_channels={"A": "C1", "B": "C2"}, reviewers=frozenset({"S1", "U1"}))
    fields = {"queue:A": {"queue:A": {"selected_conversation": None}}}
    view = {"state": {"values": fields}, "private_metadata": '{"version": 3, "page": 1}'}
    wanted = setup.read(view, before, ["A", "B"])
    assert wanted.settings.queue_channels == {"B": "C2"}
    assert wanted.settings.reviewers == {"S1"}
    assert wanted.seen == 3
