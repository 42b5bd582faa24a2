"""Draws the numbers; matplotlib is loaded at the first picture and nowhere else.

Slow: call it on a worker thread. It keeps no state of matplotlib's own, so that threads may.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from slackbot.stats.figures import Numbers, QueueNumbers
from slackbot.stats.words import figure, percent, promise_kept

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_QUEUES_SHOWN = 8
_DAYS_SHOWN = 60
_NAME = 24


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours of a picture: Okabe and Ito's, told apart by people who see fewer colours."""

    ink: str
    paper: str
    grid: str
    series: tuple[str, ...]


_SERIES = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b3a600", "#888888")
LIGHT = Palette("#1d1c1d", "#ffffff", "#d0d0d0", _SERIES)
DARK = Palette("#e8e8e8", "#1a1d21", "#4a4d51", _SERIES)


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture with what it says.

    Attributes:
        name: File name.
        title: For people.
        alt: What is to be seen, in words and numbers.
        png: The file.
    """

    name: str
    title: str
    alt: str
    png: bytes


def draw(numbers: Numbers, palette: Palette = LIGHT) -> list[Picture]:
    """Draw what there is to draw: volume, precision against the promise, calibration.

    Returns:
        Pictures in order; none where there is nothing to see.
    """
    found = []
    if numbers.days:
        title = "Tickets by day and queue"
        if len(numbers.days) > _DAYS_SHOWN:
            title += f", the last {_DAYS_SHOWN} days"
        png = _png(lambda axes: _volume(axes, numbers, palette), palette, (8, 3.6))
        found.append(Picture("volume.png", title, _volume_alt(numbers), png))
    if any(queue.precision for queue in numbers.queues):
        title = "Audited precision of each queue against its promise"
        png = _png(lambda axes: _precision(axes, numbers, palette), palette, (8, 3.8))
        found.append(Picture("precision.png", title, _precision_alt(numbers), png))
    if numbers.reliability:
        title = "Stated confidence against the share that was right"
        png = _png(lambda axes: _reliability(axes, numbers, palette), palette, (5, 4.6))
        found.append(Picture("calibration.png", title, _reliability_alt(numbers), png))
    return found


def _png(fill: Callable[[Axes], None], palette: Palette, size: tuple[float, float]) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415  # slow to load
    from matplotlib.figure import Figure  # noqa: PLC0415

    drawing = Figure(figsize=size, dpi=120, layout="constrained", facecolor=palette.paper)
    FigureCanvasAgg(drawing)
    axes = drawing.add_subplot(facecolor=palette.paper)
    axes.tick_params(colors=palette.ink)
    axes.grid(visible=True, color=palette.grid, linewidth=0.6)
    axes.set_axisbelow(True)
    for spine in axes.spines.values():
        spine.set_color(palette.grid)
    fill(axes)
    for text in (axes.xaxis.label, axes.yaxis.label):
        text.set_color(palette.ink)
    file = BytesIO()
    drawing.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()


def _volume(axes: Axes, numbers: Numbers, palette: Palette) -> None:
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415  # slow to load

    days = numbers.days[-_DAYS_SHOWN:]
    names = [queue.name for queue in numbers.queues[:_QUEUES_SHOWN]]
    floor = [0] * len(days)
    labels = [f"{day:%d %b}" for day, _ in days]
    for name, colour in zip(names, palette.series, strict=False):
        heights = [counts[name] for _, counts in days]
        axes.bar(labels, heights, bottom=floor, color=colour, label=_literal(name), width=0.85)
        floor = [low + height for low, height in zip(floor, heights, strict=True)]
    rest = [sum(counts.values()) - low for (_, counts), low in zip(days, floor, strict=True)]
    if any(rest):
        axes.bar(labels, rest, bottom=floor, color=palette.grid, label="others", width=0.85)
    step = max(1, len(labels) // 7)
    axes.set_xticks(range(0, len(labels), step), labels[::step])
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))  # there are no half tickets
    axes.set_ylabel("tickets")
    legend = axes.legend(
        loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize="small"
    )
    for text in legend.get_texts():
        text.set_color(palette.ink)


def _precision(axes: Axes, numbers: Numbers, palette: Palette) -> None:
    shown = _audited(numbers)[::-1]
    for place, queue in enumerate(shown):
        assert queue.precision is not None
        low, value, high = queue.precision.low, queue.precision.value, queue.precision.high
        colour = palette.series[5] if high < numbers.promise else palette.series[0]
        axes.plot([low, high], [place, place], color=colour, linewidth=2)
        axes.plot([value], [place], marker="o", color=colour)
    axes.axvline(numbers.promise, color=palette.ink, linestyle="--", linewidth=1)
    labels = [f"{_literal(q.name)} (n = {q.precision.n})" for q in shown if q.precision]
    axes.set_yticks(range(len(shown)), labels)
    axes.set_xlabel("share of automatic routes that was right, 95 % interval; dashed: the promise")
    axes.set_xlim(min(0.5, *(q.precision.low for q in shown if q.precision)) - 0.02, 1.01)
    axes.set_ylim(-0.6, len(shown) - 0.4)


def _audited(numbers: Numbers) -> list[QueueNumbers]:
    """The fullest queues of which the precision is known."""
    return [queue for queue in numbers.queues if queue.precision][:_QUEUES_SHOWN]


def _reliability(axes: Axes, numbers: Numbers, palette: Palette) -> None:
    axes.plot([0, 1], [0, 1], color=palette.ink, linewidth=1, linestyle="--")
    for each in numbers.reliability:
        ends = [each.right.low, each.right.high]
        axes.plot([each.stated] * 2, ends, color=palette.series[0], linewidth=2, alpha=0.7)
        axes.plot([each.stated], [each.right.value], marker="o", color=palette.series[0])
    axes.set_xlabel("stated confidence")
    axes.set_ylabel("share that was right, 95 % interval")
    axes.set_xlim(0, 1.02)
    axes.set_ylim(0, 1.02)


def _literal(name: str) -> str:
    """A queue's name as it is: matplotlib takes `$` for mathematics and hides a leading `_`."""
    short = name if len(name) <= _NAME else f"{name[: _NAME - 1]}…"
    return f"\u200b{short}".replace("$", r"\$")


def _volume_alt(numbers: Numbers) -> str:
    busiest, counts = max(numbers.days[-_DAYS_SHOWN:], key=lambda day: sum(day[1].values()))
    queues = ", ".join(f"{queue.name} {queue.tickets}" for queue in numbers.queues[:_QUEUES_SHOWN])
    return (
        f"Bars of tickets by day, {numbers.period.words}: {numbers.tickets} in all, most on "
        f"{busiest:%d %B} ({sum(counts.values())}). By queue: {queues}."
    )


def _precision_alt(numbers: Numbers) -> str:
    told = [
        f"{queue.name} {figure(queue.precision)}, {promise_kept(queue, numbers.promise)}"
        for queue in _audited(numbers)
    ]
    return (
        f"Share of automatic routes that was right, against the promise of "
        f"{percent(numbers.promise)}: {'; '.join(told)}."
    )


def _reliability_alt(numbers: Numbers) -> str:
    told = [
        f"stated {percent(each.stated)}, right {figure(each.right)}" for each in numbers.reliability
    ]
    return f"Confidence against truth: {'; '.join(told)}."
