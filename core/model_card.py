"""Writes a model card from manifest and evaluation: `python -m core.model_card BUNDLE`."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core.language import UNDETERMINED
from core.manifest import MANIFEST
from core.policy import UNPROVEN

EVALUATION = "evaluation.json"
CARD = "README.md"


def write_card(folder: Path) -> Path:
    """Write `README.md` of a bundle from its `manifest.json` and `evaluation.json`.

    Args:
        folder: The bundle.

    Returns:
        The card's path.
    """
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    evaluations = json.loads((folder / EVALUATION).read_text(encoding="utf-8"))
    card = folder / CARD
    pictures = sorted(path.name for path in folder.glob("*.png"))
    card.write_text(model_card(manifest, evaluations, pictures), encoding="utf-8")
    return card


def model_card(
    manifest: Mapping[str, Any],
    evaluations: Sequence[Mapping[str, Any]],
    pictures: Sequence[str] = (),
) -> str:
    """The card as Markdown.

    Args:
        manifest: The bundle's `manifest.json`.
        evaluations: The bundle's `evaluation.json`: one entry for each set of texts.
        pictures: Files in the bundle to show.

    Returns:
        The text, with a line end.
    """
    parts = [_head(manifest), _results(evaluations), _rules(manifest)]
    parts += [_queues(entry) for entry in evaluations if entry["queues"]]
    parts += [_pictures(evaluations, pictures), _origin(manifest)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _head(manifest: Mapping[str, Any]) -> str:
    promised = manifest["rules"]["promised_precision"]
    return (
        f"# Model {manifest['version']}\n\n"
        f"Sorts IT tickets into {len(manifest['queues'])} queues with urgency and impact, and "
        f"tells what is no ticket. It routes by itself where it promises to be right "
        f"{promised:.0%} of the time, and asks a person everywhere else. Written by "
        "`python -m core.model_card` from the files beside it; do not edit."
    )


def _results(evaluations: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        ("texts", [str(entry["texts"]) for entry in evaluations]),
        *_figure_rows(evaluations, "queues", _QUEUE_FIGURES),
        *_figure_rows(evaluations, "unseen", _UNSEEN_FIGURES),
        *_figure_rows(evaluations, "priorities", _PRIORITY_FIGURES),
        *_figure_rows(evaluations, None, _TICKET_FIGURES),
    ]
    names = [str(entry["name"]) for entry in evaluations]
    return (
        "## How good it is\n\nMeasured on texts that were used neither for training nor for "
        "calibration; in brackets the 95 % interval. Where a text was labelled with a second "
        "queue that an honest person could choose, that one counts as right too. Chance makes the "
        "calibration error that is measured larger than the true one; its interval is of the true "
        "one.\n\n" + table(["", *names], [[label, *cells] for label, cells in rows])
    )


_TOO_SHORT = "texts too short to tell"

_QUEUE_FIGURES = {
    "accuracy": "accuracy",
    "top3": "right queue among the first three",
    "macro_f1": "macro-F1",
    "weighted_f1": "weighted F1",
    "log_loss": "log-loss (nats)",
    "calibration_error": "expected calibration error",
    "coverage": "routed automatically",
    "routed_precision": "right among these",
}
_UNSEEN_FIGURES = {
    "accuracy": "accuracy without near duplicates in training",
    "macro_f1": "macro-F1 without near duplicates in training",
}
_PRIORITY_FIGURES = {
    "urgency": "urgency, balanced accuracy",
    "impact": "impact, balanced accuracy",
    "priority": "exact priority",
    "outages_found": "company-wide outages found",
    "false_outages": "other tickets taken for outages",
}
_TICKET_FIGURES = {
    "chatter_ignored": "no ticket and ignored",
    "chatter_routed": "no ticket but routed automatically",
    "tickets_ignored": "ticket but ignored",
}


def _figure_rows(
    evaluations: Sequence[Mapping[str, Any]], section: str | None, figures: Mapping[str, str]
) -> list[tuple[str, list[str]]]:
    rows = []
    for name, label in figures.items():
        found = [
            ((entry if section is None else entry[section]) or {}).get(name)
            for entry in evaluations
        ]
        if any(found):
            rows.append((label, [_figure(value) for value in found]))
    return rows


def _figure(figure: Mapping[str, Any] | None) -> str:
    if not figure:
        return "-"
    return f"{figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f})"


def _rules(manifest: Mapping[str, Any]) -> str:
    rules = manifest["rules"]
    written = rules["thresholds"]
    stripped = rules["stripped_thresholds"]
    by_kind = [written, stripped] if stripped else [written]
    unproven = [name for name in written if all(each[name] >= UNPROVEN for each in by_kind)]
    languages = ", ".join(rules["languages"])
    parts = ["## When it decides by itself"]
    parts.append(
        f"Texts in: {languages}; every other language is reviewed."
        if languages
        else "Never: in no language enough texts were seen, and every text is reviewed."
    )
    if (ignored := rules.get("ignore_below_in")) is not None:
        names = ", ".join(_TOO_SHORT if name == UNDETERMINED else name for name in ignored)
        parts[-1] += f"\nSmall talk is ignored in: {names or 'no language'}."
    if unproven:
        parts[-1] += f"\nAlways reviewed, for lack of evidence: {', '.join(unproven)}."
    rows = [
        [name, *(_limit(each[name]) for each in by_kind)]
        for name in written
        if name not in unproven
    ]
    if rows:
        head = ["queue", "from this confidence on"]
        parts.append(table([*head, *(["stripped texts from"] if stripped else [])], rows))
    return "\n\n".join(parts)


def _limit(threshold: float) -> str:
    return "-" if threshold >= UNPROVEN else f"{threshold:.2f}"


def _queues(entry: Mapping[str, Any]) -> str:
    rows = [
        [
            queue["name"],
            str(queue["texts"]),
            f"{queue['precision']:.3f}",
            f"{queue['recall']:.3f}",
            f"{queue['f1']:.3f}",
            str(queue["routed"]),
            _figure(queue["routed_precision"]),
        ]
        for queue in entry["queues"]["queues"]
    ]
    head = ["queue", "texts", "precision", "recall", "F1", "routed", "right among routed"]
    return f"## By queue: {entry['name']}\n\n" + table(head, rows)


def _pictures(evaluations: Sequence[Mapping[str, Any]], files: Sequence[str]) -> str:
    """Links to the pictures that there are of each set of texts."""
    lines = []
    for entry in evaluations:
        prefix = picture_prefix(str(entry["name"]))
        named = {f"{prefix}-{picture}.png": label for picture, label in _PICTURES.items()}
        found = [f"![{label}]({file})" for file, label in named.items() if file in files]
        if found:
            lines += [f"\n{entry['name']}:\n", *found]
    return "\n".join(["## Pictures", *lines]) if lines else ""


_PICTURES = {
    "confusion": "Confusion matrix",
    "reliability": "Reliability diagram",
    "risk_coverage": "Share wrong against share routed",
}


def picture_prefix(name: str) -> str:
    """What the file names of an evaluation's pictures begin with."""
    return "-".join("".join(c if c.isalnum() else " " for c in name.lower()).split())


def _origin(manifest: Mapping[str, Any]) -> str:
    lines = ["## Where it comes from", ""]
    lines += [f"- {what}: {licence}" for what, licence in manifest["licences"].items()]
    lines += [f"- {name}: {value}" for name, value in manifest["notes"].items()]
    lines += [
        f"- made {manifest['created_at']} with "
        + ", ".join(f"{name} {version}" for name, version in manifest["libraries"].items())
    ]
    return "\n".join(lines)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; cells may hold anything, a queue's name too."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(_in_cell, line))} |" for line in lines)


def _in_cell(text: str) -> str:
    """A bar would end the cell."""
    return text.replace("|", "\\|")


if __name__ == "__main__":
    write_card(Path(sys.argv[1] if len(sys.argv) > 1 else "models/default"))
