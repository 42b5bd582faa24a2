"""Draws an evaluation: confusion matrix, reliability diagram, risk against coverage."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from core.evaluation import QueueEvaluation

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BINS = 10
_SIDE, _ROW, _LARGEST = 7.5, 0.25, 30.0
"""Inches: of the confusion matrix, of each queue in it at least, and how large it may become."""

_INK, _WARM = "#1264a3", "#e01e5a"


def draw(evaluation: QueueEvaluation) -> dict[str, bytes]:
    """Draw three pictures; matplotlib is loaded here and nowhere else.

    Args:
        evaluation: What to draw.

    Returns:
        PNG files by name: `confusion.png`, `reliability.png`, `risk_coverage.png`.
    """
    side = min(max(_SIDE, _ROW * len(evaluation.queues)), _LARGEST)
    return {
        "confusion.png": _png(lambda axes: _confusion(axes, evaluation), size=(side, side - 1)),
        "reliability.png": _png(lambda axes: _reliability(axes, evaluation), size=(5, 5)),
        "risk_coverage.png": _png(lambda axes: _risk_coverage(axes, evaluation), size=(6, 4.5)),
    }


def _png(fill: Callable[[Axes], None], *, size: tuple[float, float]) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415  # slow to load
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=size, dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    fill(figure.add_subplot())
    file = BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph", UserWarning)  # a box stands for such a letter
        figure.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()


def _confusion(axes: Axes, evaluation: QueueEvaluation) -> None:
    counts = np.array(evaluation.confusion, dtype=float)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    names = [queue.name for queue in evaluation.queues]
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    # A queue may be called "$5 and $6": no formula.
    axes.set_xticks(range(len(names)), names, rotation=40, ha="right", parse_math=False)
    axes.set_yticks(range(len(names)), names, parse_math=False)
    axes.set_xlabel("most probable queue")
    axes.set_ylabel("right queue")
    for (row, column), part in np.ndenumerate(shares):
        if part >= 0.005:
            colour = "white" if part > 0.5 else "black"
            axes.text(column, row, f"{part:.0%}", ha="center", va="center", color=colour)


def _reliability(axes: Axes, evaluation: QueueEvaluation) -> None:
    confidence, correct = np.array(evaluation.confidences), np.array(evaluation.correct)
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    filled = sorted(set(bins.tolist()))
    stated = [float(confidence[bins == place].mean()) for place in filled]
    true = [float(correct[bins == place].mean()) for place in filled]
    sizes = [20 + 400 * float((bins == place).mean()) for place in filled]
    axes.plot([0, 1], [0, 1], color="grey", linewidth=1, linestyle="--")
    axes.scatter(stated, true, s=sizes, color=_INK, alpha=0.8)
    axes.set_xlabel("stated confidence")
    axes.set_ylabel("share that was right")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)


def _risk_coverage(axes: Axes, evaluation: QueueEvaluation) -> None:
    coverage, risk = _curve(evaluation.confidences, evaluation.correct)
    axes.plot(coverage, risk, color=_INK, label="by confidence alone")
    routed = evaluation.routed_precision
    if routed is not None:
        axes.plot(
            [evaluation.coverage.value],
            [1 - routed.value],
            marker="o",
            linestyle="",
            color=_WARM,
            label="automatic routing",
        )
    axes.set_xlabel("share of texts, most confident first")
    axes.set_ylabel("share of these that is wrong")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, None)
    axes.legend()


def _curve(
    confidences: Sequence[float], correct: Sequence[bool]
) -> tuple[list[float], list[float]]:
    order = np.argsort(-np.array(confidences), kind="stable")
    wrong = np.cumsum(~np.array(correct)[order])
    count = np.arange(1, len(order) + 1)
    return (count / len(order)).tolist(), (wrong / count).tolist()
