"""The model card of a bundle made from a few examples: what is known of it, and what is not."""

from __future__ import annotations

from core.manifest import Manifest
from core.model_card import table
from core.starting import Started


def starting_card(started: Started, manifest: Manifest) -> str:
    """The card as Markdown.

    Args:
        started: The bundle.
        manifest: Its manifest, with the version that its content makes.

    Returns:
        The text, with a line end.
    """
    parts = (_head(manifest), _results(started), _rules(manifest), _origin(manifest))
    return "\n\n".join(parts) + "\n"


def _head(manifest: Manifest) -> str:
    return (
        f"# Model {manifest.version}\n\n"
        f"Sorts tickets into {len(manifest.queues)} queues of a team's own, made by "
        "`autoticket init` from a few examples of each. **It has proven nothing yet: a person "
        "settles every ticket**, and sees its guess. `autoticket retrain` learns from what people "
        "settle, and opens automatic routing queue by queue where that shows that the promise of "
        f"{manifest.rules.promised_precision:.0%} is kept."
    )


def _results(started: Started) -> str:
    rows = [[each.name, str(each.examples), str(each.right)] for each in started.queues]
    rows.append(["all", str(started.examples), str(started.right)])
    return (
        "## How good it is\n\nNobody knows: no ticket of the team has been measured. Each example "
        "was judged by a head that was fitted without it (five-fold cross-validation). Examples "
        "that somebody thought up are cleaner than what people will write: expect less.\n\n"
        + table(["queue", "examples", "found their queue when left out"], rows)
    )


def _rules(manifest: Manifest) -> str:
    return (
        "## What it decides by itself\n\nNo queue. Small talk in channels is ignored and urgency, "
        "impact and outages are told as by the bundle that it was made from; no example of a queue "
        "is taken for small talk.\n\n"
        f"Languages of that bundle: {', '.join(manifest.rules.languages)}; tickets in any other "
        "language stay under review when queues open."
    )


def _origin(manifest: Manifest) -> str:
    lines = ["## Where it comes from", ""]
    lines += [f"- {name}: {value}" for name, value in manifest.notes.items()]
    lines += [f"- {what}: {licence}" for what, licence in manifest.licences.items()]
    lines += ["- the examples: the team's own, and inside the bundle with the messages of its base"]
    made = ", ".join(f"{name} {version}" for name, version in manifest.libraries.items())
    lines += [f"- made {manifest.created_at.isoformat()} with {made}"]
    return "\n".join(lines)
