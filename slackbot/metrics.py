"""What Prometheus may ask: counted as it happens, or measured at the moment of asking.

Every label has a small, closed set of values, and none holds what people wrote.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from core.audit_estimates import Drift
from core.decision import Classification, Decision
from slackbot.slack_calls import CallOutcome
from storage.records import Action, QueueDepth, Source

CONTENT_TYPE = CONTENT_TYPE_LATEST

_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 3)
"""Seconds; Slack waits 3 for an answer."""
_SLOW = (0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 30, 60, 300, 1800)
_SHARES = tuple(step / 20 for step in range(1, 20))


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What is true of a replica at one moment.

    Attributes:
        at: That moment (UTC).
        up: Whether each part works: `model`, `database`, `slack`.
        depths: Work in the `inbox` and the `outbox`; empty when the database does not say.
        model_version: The bundle that decides; None before there is one.
        drift: As last measured; None before that.
    """

    at: datetime
    up: Mapping[str, bool]
    depths: Mapping[str, QueueDepth] = field(default_factory=dict)
    model_version: str | None = None
    drift: Drift | None = None


class Metrics:
    """The counts of one replica since its start."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._tickets = self._counter(
            "tickets",
            "Texts judged, by the model's first choice; decision ignore: no ticket came of it.",
            "source",
            "queue",
            "decision",
        )
        self._reviews = self._counter("reviews", "Steps that people took on tickets.", "action")
        self._payloads = self._counter(
            "payloads",
            "Payloads that file or change tickets; failed: not recorded, Slack sends it again.",
            "outcome",
        )
        self._slack_calls = self._counter("slack_calls", "Calls to Slack by outcome.", "outcome")
        self._webhooks = self._counter(
            "webhooks", "Requests to webhooks; unknown: to be tried again.", "outcome"
        )
        self._intake = self._histogram("intake_seconds", "To commit a payload.", _FAST)
        self._classify = self._histogram("classify_seconds", "To judge a batch of texts.", _FAST)
        self._end_to_end = self._histogram(
            "end_to_end_seconds", "From receiving a payload to its card standing in Slack.", _SLOW
        )
        self._confidence = self._histogram(
            "confidence", "Probability of the queue in texts that became tickets.", _SHARES
        )
        self._begin_at_zero()

    def payload(self, *, new: bool, seconds: float) -> None:
        """A payload was committed, or was known already."""
        self._payloads.labels("new" if new else "repeated").inc()
        self._intake.observe(seconds)

    def payload_failed(self) -> None:
        """A payload could not be recorded."""
        self._payloads.labels("failed").inc()

    def judged(self, seconds: float) -> None:
        """The model answered to a batch."""
        self._classify.observe(seconds)

    def ticket(self, source: Source, said: Classification) -> None:
        """A text became a ticket, or was judged to be none."""
        ignored = said.decision is Decision.IGNORE
        queue = "none" if ignored else said.queue_label
        self._tickets.labels(source.value, queue, said.decision.value).inc()
        if not ignored:
            self._confidence.observe(said.confidence)

    def review(self, action: Action) -> None:
        """A person took a step."""
        self._reviews.labels(action.value).inc()

    def slack_call(self, outcome: CallOutcome) -> None:
        """A call to Slack ended."""
        self._slack_calls.labels(outcome.value).inc()

    def webhook(self, outcome: CallOutcome) -> None:
        """A request to a webhook ended."""
        self._webhooks.labels(outcome.value).inc()

    def card_posted(self, seconds: float) -> None:
        """A card stands in Slack, so long after its payload was received."""
        self._end_to_end.observe(seconds)

    def exposition(self, snapshot: Snapshot) -> bytes:
        """Everything in Prometheus's text format, as `CONTENT_TYPE` says."""
        return generate_latest(_Scrape(self._registry, snapshot))

    def _counter(self, name: str, help_text: str, *labels: str) -> Counter:
        return Counter(f"autoticket_{name}", help_text, labels, registry=self._registry)

    def _histogram(self, name: str, help_text: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(f"autoticket_{name}", help_text, buckets=buckets, registry=self._registry)

    def _begin_at_zero(self) -> None:
        """Show what can be counted before it happens: the first one is then an increase too."""
        for outcome in ("new", "repeated", "failed"):
            self._payloads.labels(outcome)
        for call in CallOutcome:
            self._slack_calls.labels(call.value)
        for call in (CallOutcome.OK, CallOutcome.UNKNOWN, CallOutcome.REFUSED):
            self._webhooks.labels(call.value)
        for action in Action:
            self._reviews.labels(action.value)


@dataclass(frozen=True, slots=True)
class _Scrape(Collector):
    """The counts, and with them what was measured for this scrape."""

    registry: CollectorRegistry
    snapshot: Snapshot

    def collect(self) -> Iterator[Metric]:
        yield from self.registry.collect()
        yield self._up()
        yield self._model()
        yield from self._backlog()
        yield from self._drift()

    def _up(self) -> Metric:
        family = GaugeMetricFamily("autoticket_up", "Whether a part works.", labels=["part"])
        for part, works in self.snapshot.up.items():
            family.add_metric([part], float(works))
        return family

    def _model(self) -> Metric:
        family = GaugeMetricFamily(
            "autoticket_model_info", "The bundle that decides.", labels=["version"]
        )
        if self.snapshot.model_version is not None:
            family.add_metric([self.snapshot.model_version], 1)
        return family

    def _backlog(self) -> Iterator[Metric]:
        rows = GaugeMetricFamily(
            "autoticket_backlog", "Rows not done, by state.", labels=["part", "state"]
        )
        oldest = GaugeMetricFamily(
            "autoticket_backlog_oldest_seconds",
            "Age of the oldest row that nobody has taken; 0 when none waits.",
            labels=["part"],
        )
        for part, depth in self.snapshot.depths.items():
            rows.add_metric([part, "waiting"], depth.waiting)
            rows.add_metric([part, "leased"], depth.leased)
            rows.add_metric([part, "dead"], depth.dead)
            since = depth.oldest_waiting or self.snapshot.at
            oldest.add_metric([part], max(0.0, (self.snapshot.at - since).total_seconds()))
        yield from (rows, oldest)

    def _drift(self) -> Iterator[Metric]:
        """Nothing while either period is without texts: there is nothing to compare."""
        psi = GaugeMetricFamily(
            "autoticket_drift_psi",
            "Population stability index of predicted queues: the last 7 days against 28 before.",
        )
        by_chance = GaugeMetricFamily(
            "autoticket_drift_by_chance",
            "What the index exceeds in one of twenty comparisons when nothing has changed.",
        )
        unsure = GaugeMetricFamily(
            "autoticket_low_confidence_share",
            "Share of texts that the model was not sure enough of.",
            labels=["period"],
        )
        drift = self.snapshot.drift
        if drift and drift.low_confidence.n and drift.low_confidence_before.n:
            psi.add_metric([], drift.psi)
            by_chance.add_metric([], drift.by_chance)
            unsure.add_metric(["recent"], drift.low_confidence.value)
            unsure.add_metric(["before"], drift.low_confidence_before.value)
        yield from (psi, by_chance, unsure)
