"""How the page reads and writes Slack's mrkdwn, in the browser that runs it."""

import random

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="module")

IN_THE_PAGE = """async ([texts, run]) => {
  const { mrkdwn, toTyped, toWire } = await import("/static/mrkdwn.js");
  const store = {
    me: "U1", users: { U1: { name: "ana" } }, groups: { S1: "staff" },
    channels: new Map([["C1", { name: "help" }]]),
  };
  const html = (text) => mrkdwn(text, store).map((node) => node.outerHTML).join("");
  const wire = (text) => toWire(text, store);
  return texts.map({ html, wire, back: (text) => toTyped(wire(text), store) }[run]);
}"""

MARKUP = {
    "*b* _i_ ~s~ `*c*` :ticket: :nope:": "<strong>b</strong> <em>i</em> <s>s</s> "
    "<code>*c*</code> 🎫 :nope:",
    "snake_case_name 2*3*4 * a*": "snake_case_name 2*3*4 * a*",
    "*_both_*": "<strong><em>both</em></strong>",
    "<@U1> <#C1> <!subteam^S1> <!here>": '<span class="mention mine">@ana</span> '
    '<span class="mention">#help</span> <span class="mention">@staff</span> '
    '<span class="mention mine">@here</span>',
    "<https://acme.slack.com/archives/C1/p1700000000000100|See>": '<a href="#/U1/C1/'
    '1700000000.000100">See</a>',
    "<!date^0^on {date_num}|never>": '<time datetime="1970-01-01T00:00:00.000Z">on 1/1/70</time>',
    "&lt;b&gt; &amp;amp;": "&lt;b&gt; &amp;amp;",
}


async def test_markup_reads_as_in_slack(visit):
    page = await visit(timezone_id="UTC")
    shown = await page.evaluate(IN_THE_PAGE, [list(MARKUP), "html"])
    assert shown == [f'<span class="lines">{html}</span>' for html in MARKUP.values()]
    blocks = ["> a\n&gt; b\nc", "```x\n*y*```"]
    assert await page.evaluate(IN_THE_PAGE, [blocks, "html"]) == [
        '<blockquote>a\nb</blockquote><span class="lines">c</span>',
        "<pre>x\n*y*</pre>",
    ]


async def test_what_is_typed_goes_over_the_wire_and_back(visit):
    page = await visit()
    typed = ["hi @ana, <see> https://x.org/?a=1&b=2.", "(<https://x.org>) mail@ana @anabel"]
    assert await page.evaluate(IN_THE_PAGE, [typed, "wire"]) == [
        "hi <@U1>, &lt;see&gt; <https://x.org/?a=1&amp;b=2>.",
        "(&lt;<https://x.org>&gt;) mail@ana @anabel",
    ]
    chance = random.Random(0)
    pieces = [
        "<",
        ">",
        "&",
        "&lt;",
        "&amp;",
        "@ana",
        "@U1",
        "|",
        "https://x.y/",
        " ",
        "\n",
        "*",
        "a",
    ]
    texts = ["".join(chance.choices(pieces, k=12)) for _ in range(1000)]
    assert await page.evaluate(IN_THE_PAGE, [texts, "back"]) == texts
    # Whatever it is, it can be shown.
    assert len(await page.evaluate(IN_THE_PAGE, [texts, "html"])) == len(texts)
