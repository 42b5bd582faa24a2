"""Numbers in words, the same in Slack, in alt texts and in the report."""

from __future__ import annotations

from core.audit_estimates import Agreement, Drift, calibration_gap
from core.evaluation import Figure
from slackbot.stats.figures import DRIFT_DAYS, REFERENCE_DAYS, Numbers, QueueNumbers
from storage.records import Action

NOTHING_YET = "not known yet"


def percent(value: float) -> str:
    """A share in [0, 1] with one decimal: "96.2 %"."""
    return f"{100 * value:.1f}\u00a0%"


def figure(found: Figure | None) -> str:
    """A share with its 95 % interval and n: "96.2 % (91.0 to 98.8 %, n = 143)"."""
    if found is None or found.n == 0:
        return NOTHING_YET
    return f"{percent(found.value)} ({interval(found)}, n = {found.n})"


def interval(found: Figure) -> str:
    """The 95 % interval: "91.0 to 98.8 %"."""
    return f"{100 * found.low:.1f} to {100 * found.high:.1f}\u00a0%"


def duration(seconds: float | None) -> str:
    """A time as people say it: "12 min", "3.5 h", "2.1 days"."""
    if seconds is None:
        return NOTHING_YET
    for size, unit in ((86_400, "days"), (3_600, "h")):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds / 60:.0f} min" if seconds >= 60 else f"{seconds:.0f} s"


def promise_kept(queue: QueueNumbers, promise: float) -> str:
    """What the audits say about a queue's promise."""
    if queue.demoted:
        return "under review: it lost automatic routing"
    if queue.precision is None:
        return "no audit answered yet"
    if queue.precision.low >= promise:
        return "kept"
    return "broken" if queue.precision.high < promise else "cannot be told yet"


def answers(numbers: Numbers) -> str:
    """How people answered."""
    said = numbers.answers
    return (
        f"{said[Action.CONFIRM]} confirmed, {said[Action.REASSIGN]} reassigned, "
        f"{said[Action.DISMISS]} dismissed"
    )


def decision_time(numbers: Numbers) -> str:
    """How long tickets waited for a person."""
    if not numbers.decision_s:
        return NOTHING_YET
    median, most = (duration(numbers.decision_quantile(q)) for q in (0.5, 0.9))
    return f"half within {median}, nine of ten within {most} (n = {len(numbers.decision_s)})"


def habit(found: Agreement) -> str:
    """Blind against open audits."""
    said = f"pick shown: {figure(found.open)}; hidden: {figure(found.blind)}"
    if found.habit is None:
        return said
    low, high = 100 * found.habit.low, 100 * found.habit.high
    return f"{said}; seeing it adds {100 * found.habit.value:+.1f} ({low:+.1f} to {high:+.1f})"


def drifted(found: Drift) -> str:
    """Whether what comes in has changed."""
    if not found.low_confidence.n or not found.low_confidence_before.n:
        return f"needs tickets of the last {DRIFT_DAYS} days and of the {REFERENCE_DAYS} before"
    if found.psi <= found.by_chance:
        verdict = "no more than chance"
    else:
        verdict = "a clear shift" if found.psi > 0.25 else "a shift" if found.psi > 0.1 else "small"
    return (
        f"stability index {found.psi:.2f} ({verdict}; chance alone reaches {found.by_chance:.2f}); "
        f"unsure {percent(found.low_confidence.value)} of {found.low_confidence.n}, before "
        f"{percent(found.low_confidence_before.value)} of {found.low_confidence_before.n}"
    )


def calibration(numbers: Numbers) -> str:
    """How far stated confidence is from the truth."""
    bins = numbers.reliability
    if not bins:
        return NOTHING_YET
    n = sum(each.right.n for each in bins)
    return f"stated confidence is {percent(calibration_gap(bins))} off on average (n = {n})"


def summary(numbers: Numbers) -> list[tuple[str, str]]:
    """The numbers that are not tables: what, and how much."""
    return [
        ("Tickets", str(numbers.tickets)),
        ("Routed by the bot alone", figure(numbers.automatic)),
        (
            "Of these right (audited)",
            f"{figure(numbers.precision)}; promised: {percent(numbers.promise)}",
        ),
        ("First choice right, all tickets", figure(numbers.accuracy)),
        ("Calibration", calibration(numbers)),
        ("Audits", f"{numbers.audits_answered} of {numbers.audits} answered"),
        ("People's answers", answers(numbers)),
        ("Time to decision", decision_time(numbers)),
        ("Agreement in audits", habit(numbers.agreement)),
        (f"Drift, last {DRIFT_DAYS} days", drifted(numbers.drift)),
    ]
