"""slackbot.mrkdwn: what Slack sends is read, what people wrote is shown and never acted on."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slackbot import mrkdwn

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)
PIECES = (
    *("<!channel>", "<@U1>", "@here", "@Channel", "@EVERYONE", "https://x.org", "&amp;", "```"),
    *"<>&|`*@ \n\u200b\ud83dxé😀",
)
HOSTILE = st.lists(
    st.sampled_from(PIECES) | ANY_TEXT,
    max_size=8,
).map("".join)


@given(HOSTILE)
def test_escaped_text_is_inert(text):
    escaped = mrkdwn.escape(text)

    assert "<" not in escaped
    assert ">" not in escaped
    assert not re.search(r"&(?!amp;|lt;|gt;)", escaped)
    assert not re.search(r"(?i)(?<!\w)@(here|channel|everyone)\b", escaped)


@given(HOSTILE)
def test_escaped_text_reads_as_it_was_written(text):
    shown = mrkdwn.plain(mrkdwn.escape(text))

    assert shown.replace("\u200b", "") == text.replace("\u200b", "")


def test_only_the_broadcast_words_are_touched():
    assert mrkdwn.escape("ana@here.com, @hereford, @ana: see @here.") == (
        "ana@here.com, @hereford, @ana: see @\u200bhere."
    )


@pytest.mark.parametrize(
    ("wire", "shown"),
    [
        ("hi <@U1|ana> and <@U02ABC>", "hi @ana and @U02ABC"),
        ("see <#C1|general>, <#C2|>, <#C3>", "see #general, #C2, #C3"),
        ("<https://x.org/a?b=1&amp;c=2|the page>", "the page (https://x.org/a?b=1&c=2)"),
        ("<https://x.org>", "https://x.org"),
        ("<http://x.org|x.org>, <https://y.org/|y.org>", "x.org, y.org"),
        ("<mailto:a@x.org|a@x.org> <mailto:b@x.org|write>", "a@x.org write (b@x.org)"),
        ("<tel:+4912>", "+4912"),
        ("<!here> <!channel|channel> <!everyone|@everyone>", "@here @channel @everyone"),
        ("<!subteam^S1|@it> <!subteam^S2>", "@it @S2"),
        ("<!date^1392734382^{date} at {time}|18 Feb 2014>", "18 Feb 2014"),
        ("a &lt; b &amp;&amp; c &gt; d, &amp;lt;", "a < b && c > d, &lt;"),
        ("```if x &lt; 3:\n    `run` <https://x.org>```", "```if x < 3:\n    `run` https://x.org```"),
        ("not markup: 1 <2 and 3> 2, <b>", "not markup: 1 <2 and 3> 2, <b>"),
    ],
)  # fmt: skip
def test_wire_text_becomes_what_a_person_reads(wire, shown):
    assert mrkdwn.plain(wire) == shown


@given(HOSTILE | st.text("<>@#!^|:&;ampltgU1 ", max_size=60))
def test_reading_never_fails_and_never_invents(wire):
    assert len(mrkdwn.plain(wire)) <= len(wire) + wire.count("|")


@given(ANY_TEXT | st.text("ab \n&<>\ud83d\ude00", max_size=40), st.integers(-1, 60))
def test_shortened_text_fits_and_is_a_beginning(text, limit):
    short = mrkdwn.shorten(text, limit)

    assert len(short) <= max(limit, 0)
    if short != text and limit > 0:
        assert short[-1] == "…"
        assert text.startswith(short[:-1])


@given(st.text("a &<>", max_size=60), st.integers(1, 60))
def test_shortening_never_splits_an_entity(text, limit):
    short = mrkdwn.shorten(mrkdwn.escape(text), limit)

    assert not re.search(r"&(?!amp;|lt;|gt;)", short)


def test_shortening_never_splits_two_surrogates():
    assert mrkdwn.shorten("ab\ud83d\ude00cd", 4) == "ab…"


def test_shortening_ends_at_a_word_that_is_near():
    assert mrkdwn.shorten("the printer on floor 3 is jammed", 24) == "the printer on floor 3…"
    assert mrkdwn.shorten("a" * 50, 10) == "a" * 9 + "…"


@given(HOSTILE, st.integers(1, 80))
def test_a_snippet_is_one_inert_line(text, limit):
    snippet = mrkdwn.snippet(text, limit)

    assert len(snippet) <= limit
    assert not set(snippet) & set("<>\n\r\t")
    assert "```" not in snippet


@given(HOSTILE, st.integers(1, 80), st.integers(1, 4))
def test_a_quote_is_inert_and_as_short_as_asked(text, limit, lines):
    quoted = mrkdwn.quote(text, limit=limit, lines=lines).split("\n")

    assert all(line.startswith("> ") for line in quoted if line)
    assert not set("".join(line[2:] for line in quoted)) & set("<>")
    assert len("\n".join(line[2:] for line in quoted)) <= limit
    assert len(quoted) <= lines + 1
    assert bool(quoted[0]) == bool(text.replace("```", "").strip())


@pytest.mark.parametrize("user", ["<!channel>", "@here", "", "u1", "U1\n"])
def test_only_user_ids_are_mentioned(user):
    assert mrkdwn.mention("U02ABC") == "<@U02ABC>"
    assert "<" not in mrkdwn.mention(user)


@pytest.mark.parametrize("piece", ["<", "<a:", "<@U1", "&", "@here", "<!date^", "a "])
def test_time_stays_linear_in_the_length(piece):
    text = piece * (40_000 // len(piece))
    started = time.perf_counter()
    mrkdwn.snippet(mrkdwn.plain(text), 100)
    mrkdwn.escape(mrkdwn.plain(text))

    assert time.perf_counter() - started < 1
