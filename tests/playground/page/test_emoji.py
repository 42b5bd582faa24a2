"""The emoji that the page brings along, for machines that have none."""

import re
from pathlib import Path

from fontTools.ttLib import TTFont

from slackbot.playground.page.routes import STATIC

ROOT = Path(__file__).parents[3]


def characters(pattern):
    """All emoji in the page's and the cards' source."""
    source = [*STATIC.glob("*.js"), *STATIC.glob("*.html"), *(ROOT / "slackbot").rglob("*.py")]
    return set(re.findall(pattern, "".join(path.read_text(encoding="utf-8") for path in source)))


def test_every_emoji_is_in_the_font_that_is_sent_along():
    css = (STATIC / "style.css").read_text(encoding="utf-8")
    sent = {chr(int(code, 16)) for code in re.findall(r"U\+([0-9A-F]+)", css)}
    assert sent == {chr(code) for code in TTFont(STATIC / "emoji.woff").getBestCmap()}
    assert characters("[\u23e9-\u23ff\u2705\u274c\U0001f300-\U0001faff]") <= sent
