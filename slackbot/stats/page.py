"""The numbers as one self-contained page: nothing from elsewhere, no scripts, light and dark."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape

from slackbot.stats.figures import Numbers
from slackbot.stats.pictures import Picture
from slackbot.stats.words import interval, percent, promise_kept, summary

_STYLE = """
:root { color-scheme: light dark; --ink: #1d1c1d; --paper: #fff; --line: #d0d0d0; --soft: #f6f6f6; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8e8e8; --paper: #1a1d21; --line: #4a4d51; --soft: #222529; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 60rem; color: var(--ink);
  background: var(--paper); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1.2rem; margin: 2.5rem 0 .5rem; }
p { margin: .3rem 0; } .scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding: .3rem 0; }
th, td { text-align: left; padding: .45rem .7rem; border-bottom: 1px solid var(--line);
  vertical-align: top; }
thead th { background: var(--soft); } tbody th { font-weight: 600; }
td.number { text-align: right; white-space: nowrap; }
figure { margin: 1rem 0; } img { max-width: 100%; height: auto; display: block; }
figcaption { font-size: .9rem; }
"""

_HOW = (
    "Precision, accuracy and calibration are estimated from tickets that people reviewed, each "
    "weighted by the inverse of its chance to be put to a person. Intervals are 95 % intervals: "
    "Clopper and Pearson's on the effective sample size. n is the number of reviewed tickets."
)


def page(numbers: Numbers, light: Sequence[Picture], dark: Sequence[Picture], team: str) -> str:
    """The whole page.

    Args:
        numbers: What was counted.
        light: The pictures on white.
        dark: The same pictures on black, in the same order.
        team: The workspace's id; empty when there is none yet.
    """
    period = numbers.period
    when = f"{period.words}, until {period.until:%Y-%m-%d %H:%M} UTC"
    pictures = "".join(_picture(*pair) for pair in zip(light, dark, strict=True))
    body = [
        f"<h1>AutoTicket: how often it is right</h1><p>{escape(when)}"
        f"{f' · workspace {escape(team)}' if team else ''}</p>",
        "" if numbers.tickets else "<p><strong>No tickets in this period yet.</strong></p>",
        _table("Summary", ("what", "how much"), summary(numbers)),
        "<h2>Queues</h2>",
        _table(_queues_caption(numbers), _QUEUE_HEADS, _queue_rows(numbers)),
        f"<h2>Pictures</h2>{pictures}" if pictures else "",
        "<h2>Calibration</h2>",
        _table("Stated confidence against truth", _BIN_HEADS, _bin_rows(numbers)),
        "<h2>Tickets by day</h2>",
        _table("Days without tickets are left out", _day_heads(numbers), _day_rows(numbers)),
        f"<h2>How it is counted</h2><p>{_HOW}</p>",
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>AutoTicket: numbers for {escape(period.words)}</title>\n"
        f"<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n" + "\n".join(filter(None, body)) + "\n"
        "</main>\n</body>\n</html>\n"
    )


_QUEUE_HEADS = (
    *("queue", "tickets", "routed alone", "of these right", "95 % interval", "n"),
    "promise",
)
_BIN_HEADS = ("confidence", "mean stated", "right", "95 % interval", "n")


def _queues_caption(numbers: Numbers) -> str:
    return f"By the model's first choice; promised precision {percent(numbers.promise)}"


def _queue_rows(numbers: Numbers) -> Iterable[Sequence[str]]:
    for queue in numbers.queues:
        found = queue.precision
        yield (
            queue.name,
            str(queue.tickets),
            str(queue.routed),
            percent(found.value) if found else "-",
            interval(found) if found else "-",
            str(found.n if found else 0),
            promise_kept(queue, numbers.promise),
        )


def _bin_rows(numbers: Numbers) -> Iterable[Sequence[str]]:
    for each in numbers.reliability:
        yield (
            f"{percent(each.low)} to {percent(each.high)}",
            percent(each.stated),
            percent(each.right.value),
            interval(each.right),
            str(each.right.n),
        )


def _day_heads(numbers: Numbers) -> Sequence[str]:
    return "day (UTC)", "tickets", *(queue.name for queue in numbers.queues)


def _day_rows(numbers: Numbers) -> Iterable[Sequence[str]]:
    for day, counts in numbers.days:
        if counts:
            by_queue = [str(counts[queue.name]) for queue in numbers.queues]
            yield f"{day:%Y-%m-%d}", str(sum(counts.values())), *by_queue


def _table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    shown = "".join(_row(row) for row in rows)
    if not shown:
        return "<p>Nothing yet.</p>"
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    return (
        f'<div class="scroll" tabindex="0" role="group" aria-label="{escape(caption)}"><table>'
        f"<caption>{escape(caption)}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{shown}</tbody></table></div>"
    )


def _row(cells: Sequence[str]) -> str:
    first, *others = (escape(cell) for cell in cells)
    return f'<tr><th scope="row">{first}</th>' + "".join(f"<td>{c}</td>" for c in others) + "</tr>"


def _picture(light: Picture, dark: Picture) -> str:
    alt = escape(light.alt, quote=True)
    return (
        f'<figure><picture><source srcset="{_inline(dark)}" '
        'media="(prefers-color-scheme: dark)">'
        f'<img src="{_inline(light)}" alt="{alt}"></picture>'
        f"<figcaption>{escape(light.title)}</figcaption></figure>"
    )


def _inline(picture: Picture) -> str:
    return f"data:image/png;base64,{base64.b64encode(picture.png).decode()}"
