"""The page as people use it, in headless Chromium, with the real bot and the shipped bundle."""

import asyncio
import re

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

from core.decision import Decision
from tests.playground.page.conftest import WAIT_MS

NARROW = {"width": 390, "height": 844}
CUT_OFF = """[...document.querySelectorAll('.scroll, dialog')]
    .filter((place) => place.scrollWidth > place.clientWidth).map((place) => place.id)"""
WITH_ROOM = (
    """names => names.filter((name) => name.offsetWidth > 1).map((name) => name.textContent)"""
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def write(page, text):
    box = page.get_by_role("textbox", name="Message #")
    await box.fill(text)
    await box.press("Enter")


async def become(page, name):
    await page.get_by_role("radio", name=re.compile(name)).check(force=True)
    await expect(page.get_by_role("radio", name=re.compile(name))).to_be_checked()


async def go(page, name):
    await page.get_by_role("link", name=re.compile(name)).first.click()


async def do(page, message, action):
    await message.hover()
    await message.get_by_role("button", name="More actions").click()
    await page.locator("#menu-popover").get_by_role("button", name=action).click()


async def test_a_ticket_goes_from_command_to_reviewer_to_notice(visit, demo, texts):
    page = await visit()
    await write(page, f"/ticket {texts[Decision.REVIEW][0]}")
    whisper = page.locator(".ephemeral")
    await expect(whisper).to_contain_text("Only visible to you")
    await expect(whisper).to_contain_text("Waiting for a person · T-1")

    await become(page, "Rita")
    await expect(page.locator(".ephemeral")).to_have_count(0)
    await expect(page.get_by_role("link", name=re.compile("it-review 1 unread"))).to_be_visible()
    await go(page, "it-review")
    card = page.locator(".message").last
    await expect(card.get_by_role("combobox", name="Another queue")).to_be_visible()
    await card.get_by_role("button", name=re.compile("^Confirm")).click()
    await expect(card).to_contain_text("@rita confirmed")
    await expect(card.get_by_role("button", name=re.compile("^Confirm"))).to_have_count(0)

    await become(page, "Ana")
    await page.get_by_role("link", name=re.compile("AutoTicket . unread")).click()
    await expect(page.locator(".message").last).to_contain_text("T-1 is with")


async def test_a_reviewer_moves_a_ticket_and_sets_its_priority(visit, texts):
    page = await visit()
    await write(page, texts[Decision.REVIEW][0])
    await page.get_by_role("link", name=re.compile("1 reply")).click()
    await expect(page.locator("#thread")).to_contain_text("T-1")
    await become(page, "Rita")
    await go(page, "it-review")
    card = page.locator("#scroll .message").last
    await card.get_by_role("combobox", name="Another queue").select_option(label="Storage")
    await expect(card).to_contain_text("@rita moved it to Storage")
    await expect(page.get_by_role("link", name=re.compile("it-storage 1 unread"))).to_be_visible()
    await card.get_by_role("combobox", name="Priority").select_option(label="P1 Critical")
    await expect(card).to_contain_text("P1 Critical · set by @rita")


async def test_the_form_says_what_is_missing_and_files(visit, texts):
    page = await visit()
    await write(page, "/ticket")
    form = page.get_by_role("dialog", name="New IT ticket")
    await expect(form.get_by_label("What is wrong?")).to_be_focused()
    await form.get_by_label("What is wrong?").fill("   ")
    await form.get_by_role("button", name="File it").click()
    await expect(form).to_contain_text("Please say what is wrong.")
    await expect(form.get_by_label("What is wrong?")).to_be_focused()
    await form.get_by_label("What is wrong?").fill(texts[Decision.REVIEW][1][:150])
    await form.get_by_label("How urgent is it?").select_option(label="Work has stopped")
    await form.get_by_role("button", name="File it").click()
    await expect(form).to_have_count(0)
    await expect(page.locator(".ephemeral")).to_contain_text("T-1")

    await write(page, "/ticket")
    await expect(form).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(form).to_have_count(0)


async def test_home_shows_what_waits_and_settles_it(visit, texts):
    page = await visit()
    for text in texts[Decision.REVIEW][:2]:
        await write(page, text)
    await expect(page.locator(".replies")).to_have_count(2)
    await become(page, "Rita")
    await go(page, "AutoTicket Home")
    home = page.locator("#scroll")
    await expect(home.get_by_role("heading", name="Waiting for a decision: 2")).to_be_visible()
    await home.get_by_role("button", name="Not a ticket").first.click()
    await expect(home.get_by_role("heading", name="Waiting for a decision: 1")).to_be_visible()
    await page.get_by_role("button", name="Show JSON").click()
    json = page.get_by_role("dialog", name="JSON")
    await expect(json).to_contain_text('"action_id": "review_dismiss"')
    await json.get_by_role("button", name="Close").click()


async def test_a_message_is_edited_filed_answered_and_deleted(visit, texts):
    page = await visit()
    await go(page, "random")
    await write(page, "a slip of the pen")
    message = page.locator("#scroll .message").first
    await do(page, message, "Edit message")
    box = page.get_by_role("dialog").get_by_label("Message")
    await expect(box).to_have_value("a slip of the pen")
    await box.fill(f"{texts[Decision.REVIEW][0]} @rita <b>")
    await page.get_by_role("button", name="Save").click()
    await expect(message).to_contain_text("@rita <b>")
    await expect(message).to_contain_text("(edited)")

    await do(page, message, "File as ticket")
    await expect(message).to_contain_text("1 reply")
    await message.hover()
    await message.get_by_role("button", name="React with :ticket:").click()
    await expect(message.get_by_role("button", name="ticket: Ana")).to_have_text("🎫 1")

    await message.get_by_role("link", name=re.compile("1 reply")).click()
    reply = page.get_by_role("textbox", name="Reply")
    await reply.fill("it is the left one")
    await reply.press("Enter")
    await expect(page.locator("#thread .message")).to_have_count(3)
    await expect(page.locator("#thread .card")).to_contain_text("T-1")

    await do(page, message, "Delete message")
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(message).to_contain_text("This message was deleted.")
    await expect(page.locator("#thread .card")).to_contain_text("Withdrawn")


async def test_a_busy_morning_is_counted(visit):
    page = await visit()
    await page.get_by_role("button", name="Busy morning", exact=True).click()
    await page.get_by_role("slider", name="Pace").fill("240")
    await page.get_by_role("button", name="Play a busy morning").click()
    sent = page.locator("[data-count=sent]")
    await expect(sent).to_have_text(re.compile("^([89]|[1-4].) of"))
    await page.get_by_role("button", name="Stop").click()
    await expect(page.get_by_role("button", name="Play a busy morning")).to_be_visible()
    said = int((await sent.inner_text()).split()[0])
    await expect(page.locator("#scroll .message")).to_have_count(said)

    async def decided():
        cells = [page.locator(f"[data-count={kind}]") for kind in Decision]
        return sum([int(await cell.inner_text()) for cell in cells])

    for _ in range(100):
        if await decided() == said:
            break
        await page.wait_for_timeout(100)
    assert await decided() == said


async def test_hostile_text_is_only_text(visit, demo):
    page = await visit()
    hostile = [
        "<img src=x onerror=alert(1)>",
        "</span><script>alert(1)</script>",
        "[x](javascript:alert(1))",
        "' onmouseover='alert(1)' x='",
        "{{constructor.constructor('alert(1)')()}}",
        "&lt;b&gt; &amp;amp; <",
    ]
    for text in hostile:
        await write(page, text)
    shown = page.locator("#scroll .message .lines")
    await expect(shown).to_have_text(hostile)
    # On the wire may stand what no client of Slack would send.
    ana, channel = demo.office.people["ana"], demo.office.random
    await ana.say(
        channel, "<javascript:alert(1)|click me> <https://a.example|*b*> <!date^x^{time}|d>"
    )
    await go(page, "random")
    await expect(page.locator("#scroll .message .lines")).to_have_text("click me *b* d")
    links = page.locator("#scroll .message a")
    assert await links.evaluate_all("links => links.map(link => link.href)") == [
        "https://a.example/"
    ]
    assert await page.locator("#scroll .message :is(img, script, b)").count() == 0


async def test_emoji_are_shown_where_the_machine_has_none(visit):
    page = await visit()
    await write(page, "it is :ticket: now")
    await expect(page.locator("#scroll .message .lines")).to_have_text("it is 🎫 now")
    loaded = "document.fonts.ready.then(() => document.fonts.check('15px \"Some Emoji\"', '🎫'))"
    assert await page.evaluate(loaded)


async def test_a_page_that_was_opened_too_early_goes_on_by_itself(browser, demo):
    context = await browser.new_context()
    page = await context.new_page()
    await page.route("**/page/changes*", lambda route: route.fulfill(status=503), times=1)
    await page.goto(demo.slack.base_url)
    await expect(page.get_by_role("heading", name="# it-help", level=1)).to_be_visible()
    await context.close()


async def test_who_has_become_somebody_else_does_nothing_as_before(visit):
    page = await visit()
    asked = asyncio.Event()

    async def answer_late(route):
        asked.set()
        await asyncio.sleep(0.5)
        await route.continue_()

    await page.route("**/page/changes?as=*", answer_late)
    await become(page, "Ben")
    await asked.wait()
    await write(page, "who am I now?")
    await expect(page.locator("#scroll .message").first).to_contain_text("Ben")
    await become(page, "Rita")
    await go(page, "random")
    await expect(page.get_by_role("heading", name="# random", level=1)).to_be_visible()
    await expect(page.get_by_role("radio", name="Rita")).to_be_checked()


async def test_everything_works_by_keyboard(visit, texts):
    page = await visit()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")  # the skip link
    await page.keyboard.press("Tab")
    box = page.get_by_role("textbox", name="Message #it-help")
    await expect(box).to_be_focused()
    await page.keyboard.type("/tic")
    await expect(page.get_by_role("option")).to_have_count(7)
    await page.keyboard.press("Tab")
    await page.keyboard.type(texts[Decision.REVIEW][0])
    await page.keyboard.press("Enter")
    await expect(page.locator(".ephemeral")).to_contain_text("T-1")
    await page.keyboard.type("hello @ri")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Enter")
    await expect(page.locator(".message .mention").last).to_have_text("@rita")
    await page.locator(".message").last.get_by_role("button", name="Reply in thread").press("Enter")
    await expect(page.get_by_role("heading", name="Thread")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.locator("#thread")).to_be_hidden()


async def test_a_new_message_is_announced_and_keeps_what_is_being_typed(visit, demo):
    page = await visit()
    box = page.get_by_role("textbox", name="Message #it-help")
    await box.fill("half a sen")
    await demo.office.people["ben"].say(demo.office.help, "lunch, *anyone*?")
    await expect(page.locator("#announcer")).to_have_text("Ben: lunch, anyone?")
    await expect(box).to_have_value("half a sen")
    await expect(box).to_be_focused()


@pytest.mark.parametrize(
    "viewport", [{"width": 1280, "height": 800}, NARROW], ids=["wide", "narrow"]
)
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_it_is_accessible_and_fits_in_every_size_and_colour(
    visit, texts, shoot, viewport, scheme
):
    narrow = viewport is NARROW
    page = await visit(viewport, scheme, has_touch=narrow, is_mobile=narrow)

    async def check(what):
        found = await Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        wide = await page.evaluate("document.documentElement.scrollWidth")
        assert wide <= viewport["width"], f"{what} is too wide"
        assert await page.evaluate(CUT_OFF) == [], f"{what} is cut off"

    await expect(page.locator("#cast")).to_contain_text("Ana")
    shown = await page.locator("#cast .who").evaluate_all(WITH_ROOM)
    assert len(shown) == (1 if narrow else 4)
    await write(page, texts[Decision.AUTO][0])
    await write(page, texts[Decision.IGNORE][0])
    await write(page, f"/ticket {texts[Decision.REVIEW][0]}")
    await expect(page.locator(".ephemeral")).to_contain_text("Waiting for a person · T-")
    await page.get_by_role("link", name=re.compile("1 reply")).click()
    await expect(page.locator("#thread .card")).to_be_visible()
    await check("thread")
    await page.get_by_role("button", name="Close thread").click()
    await page.get_by_role("button", name="Busy morning", exact=True).click()
    await check("channel")
    await page.get_by_role("button", name="Busy morning", exact=True).click()
    await write(page, "/ticket")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await check("form")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await become(page, "Rita")
    if narrow:
        await page.get_by_role("button", name="Channels").click()
        await check("menu")
    await go(page, "it-review")
    await expect(page.locator("#scroll .card")).to_be_visible()
    await check("review")
    if not narrow and scheme == "light":
        await shoot(page, "review-1280-light")
    await write(page, f"/ticket {'Bildschirmarbeitsplatz' * 5}")
    await expect(page.locator(".ephemeral")).to_contain_text("T-")
    if narrow:
        await page.get_by_role("button", name="Channels").click()
    await go(page, "AutoTicket Home")
    await expect(page.locator("#scroll")).to_contain_text("Waiting for a decision: 2")
    await check("home")


async def test_the_newest_message_stays_in_view_and_home_begins_at_its_top(visit, demo, texts):
    for number in range(20):
        await demo.office.people["ana"].say(demo.office.random, f"message {number}")
    long = texts[Decision.REVIEW][0] + " please" * 100
    await demo.office.people["ana"].say(demo.office.help, long)
    page = await visit(NARROW)
    await page.get_by_role("button", name="Channels").click()
    await go(page, "random")
    newest = page.locator("#scroll .message").last
    await expect(newest).to_be_in_viewport(ratio=1)
    await page.get_by_role("button", name="Busy morning", exact=True).click()
    await expect(newest).to_be_in_viewport(ratio=1)
    await demo.office.people["ben"].say(demo.office.random, "one more")
    await expect(newest).to_contain_text("one more")
    await expect(newest).to_be_in_viewport(ratio=1)
    await page.locator("#scroll").evaluate("place => place.scrollTop = 0")
    await demo.office.people["ben"].say(demo.office.random, "not seen")
    await expect(newest).to_contain_text("not seen")
    await expect(newest).not_to_be_in_viewport()
    await page.locator("#scroll").evaluate("place => place.scrollTop = place.scrollHeight")

    await page.get_by_role("button", name="Channels").click()
    await go(page, "it-help")
    await page.get_by_role("link", name=re.compile("1 reply")).click()
    await expect(page.locator("#thread").get_by_role("button", name="Withdraw")).to_be_in_viewport(
        ratio=1
    )
    reply = page.get_by_role("textbox", name="Reply")
    for number in range(30):  # the box grows and shrinks while messages come
        await reply.fill(f"reply {number} " + "please " * number)
        await reply.press("Enter")
    newest = page.locator("#thread-scroll .message").last
    await expect(newest).to_contain_text("reply 29")
    await expect(newest).to_be_in_viewport()
    await page.get_by_role("button", name="Close thread").click()
    await page.get_by_role("button", name="Channels").click()
    await go(page, "AutoTicket Home")
    await expect(page.get_by_role("heading", name="My tickets")).to_be_in_viewport(ratio=1)


async def test_an_admin_changes_the_settings_and_home_filters_what_waits(visit, demo, texts):
    page = await visit()
    for text in texts[Decision.REVIEW][:3]:
        await write(page, text)
    await become(page, "Rita")
    await write(page, "/ticket setup")
    form = page.get_by_role("dialog", name="AutoTicket settings")
    asked = form.get_by_role("group", name="Read and always ask")
    read = form.get_by_role("group", name="Read and route").get_by_label("#it-help")
    await expect(read).to_be_checked()
    await expect(read).to_be_focused()
    await form.get_by_label("Review channel").select_option(label="#it-help")
    await form.get_by_role("button", name="Save").click()
    await expect(form).to_contain_text("whose messages are read")
    await form.get_by_label("Review channel").select_option(label="#it-review")
    await asked.get_by_label("#random").check()
    await form.get_by_role("button", name="Save").click()
    await expect(form).to_have_count(0)
    settings = await demo.bot.desk.teams.of(demo.slack.team_id)
    assert settings.triage == {demo.office.help.id: "auto", demo.office.random.id: "suggest"}

    await go(page, "Home")
    waiting = page.locator("#scroll")
    await expect(waiting).to_contain_text("Waiting for a decision: 3")
    await waiting.get_by_role("combobox", name="Priority").first.select_option(label="P1 Critical")
    await expect(waiting).to_contain_text(re.compile("as filtered|None like that"))
    await waiting.get_by_role("combobox", name="Priority").first.select_option(
        label="All priorities"
    )
    await expect(waiting.get_by_role("button", name=re.compile("^Confirm"))).to_have_count(3)
    await waiting.get_by_role("button", name=re.compile("^Confirm")).first.click()
    await expect(waiting).to_contain_text("Waiting for a decision: 2")


async def test_the_pictures_of_stats_are_shown_and_described(visit, demo, texts):
    page = await visit()
    for text in texts[Decision.REVIEW][:2]:
        await write(page, text)
    await become(page, "Rita")
    await go(page, "it-review")
    for done in (1, 2):
        await page.get_by_role("button", name=re.compile("^Confirm")).first.click()
        await expect(page.get_by_text("@rita confirmed")).to_have_count(done)
    await write(page, "/ticket stats")
    # The first picture of a machine makes a list of its fonts, which may take longer than a click.
    unread = page.get_by_role("link", name=re.compile(r"AutoTicket \d+ unread"))
    await unread.click(timeout=2 * WAIT_MS)
    pictures = page.locator("#scroll .files img")
    await expect(pictures.first).to_be_visible()
    loaded = "images => images.every(image => image.complete && image.naturalWidth && image.alt)"
    for _ in range(WAIT_MS // 50):
        if await pictures.evaluate_all(loaded):
            break
        await page.wait_for_timeout(50)
    assert await pictures.evaluate_all(loaded)
    found = await Axe().run(page)
    assert found.violations_count == 0, found.generate_report()

    # Who is not in that conversation does not get the picture either.
    address = await pictures.first.get_attribute("src")
    ana, rita = demo.office.people["ana"].id, demo.office.people["rita"].id
    assert (await page.request.get(demo.slack.base_url + address)).status == 200
    others = demo.slack.base_url + address.replace(rita, ana)
    assert (await page.request.get(others)).status == 404


async def test_the_reporter_is_asked_before_a_ticket_is_withdrawn(visit, texts):
    page = await visit()
    await write(page, texts[Decision.REVIEW][0])
    await page.get_by_role("link", name=re.compile("1 reply")).click()
    card = page.locator("#thread .message").last
    for answer in ("Keep it", "Withdraw it"):
        await expect(card).to_contain_text("Waiting for a person")
        await card.get_by_role("button", name="Withdraw").click()
        asked = page.get_by_role("dialog", name="Withdraw T-1?")
        await asked.get_by_role("button", name=answer).click()
        await expect(asked).to_have_count(0)
    await expect(page.locator("#thread")).to_contain_text("Withdrawn · T-1")
