"""A running demo, a browser, and ways to open the page in it."""

import os
import shutil

import pytest
import pytest_asyncio
from playwright.async_api import async_playwright, expect

from slackbot.config import parse_settings
from slackbot.demo import open_demo

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
WIDE = {"width": 1280, "height": 800}
WAIT_MS = 30_000


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser():
    if CHROMIUM is None:
        pytest.skip("needs Chromium (apt install chromium)")
    expect.set_options(timeout=WAIT_MS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest.fixture(scope="session")
def texts(texts, classifier):
    """What reads well in a picture first: written by hand, in English, with runners-up."""

    def rank(text):
        by_hand = text.lower() != text or not text.replace(" ", "").isalpha()
        return not by_hand, not text.isascii(), classifier.classify([text])[0].confidence

    return {decision: sorted(of_kind, key=rank) for decision, of_kind in texts.items()}


@pytest_asyncio.fixture(loop_scope="module")
async def demo(root, classifier, tmp_path):
    model = str(root / "models" / "default")
    settings = parse_settings({"AUTOTICKET_MODEL_DIR": model, "AUTOTICKET_AUDIT_RATE": "0"})
    async with open_demo(settings, classifier.queues, tmp_path) as demo:
        yield demo


@pytest_asyncio.fixture(loop_scope="module")
async def visit(browser, demo):
    """Opens the page; nothing may go wrong on it, and nothing may come from elsewhere."""
    contexts, trouble = [], []

    async def open_page(viewport=WIDE, scheme="light", **traits):
        context = await browser.new_context(viewport=viewport, color_scheme=scheme, **traits)
        context.set_default_timeout(WAIT_MS)
        contexts.append(context)
        page = await context.new_page()
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("console", lambda said: said.type == "error" and trouble.append(said.text))
        page.on("request", lambda asked: asked.url.startswith(base) or trouble.append(asked.url))
        page.on("dialog", lambda dialog: trouble.append(dialog.message))
        await page.goto(base, timeout=3 * WAIT_MS)  # the first one finds the browser still starting
        await expect(page.get_by_role("heading", name="# it-help", level=1)).to_be_visible()
        return page

    base = demo.slack.base_url
    yield open_page
    for context in contexts:
        await context.close()
    assert trouble == []


@pytest.fixture
def shoot(root):
    """Takes pictures for the documents, when asked to."""

    async def take(page, name):
        if os.environ.get("AUTOTICKET_SCREENSHOTS") == "1":
            await page.mouse.move(0, 0)
            await page.screenshot(path=root / "docs" / "screenshots" / f"{name}.png")

    return take
