"""To Slack at Slack's pace: lanes of the outbox, each in order, retried until settled."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from slackbot.desk import Desk
from slackbot.desk.render import History
from slackbot.outcomes import Delivered, Outcome, write_down
from slackbot.pace import Pace
from slackbot.posting import Posted, Poster
from slackbot.slack_calls import CallOutcome, OutcomeUnknown, RateLimited, Refused
from slackbot.tasks import Tasks, repeating
from slackbot.webhooks import Webhooks
from slackbot.workspaces import Workspaces
from storage import lanes
from storage.errors import DatabaseUnavailable
from storage.group_commit import GroupCommit
from storage.records import Delivery, DeliveryKind, DeliveryState, Lane

log = logging.getLogger(__name__)

LEASE_S = 15
LANES_AT_ONCE = 64
PER_LANE = 8
POLL_S = 0.5
MAX_ATTEMPTS = 16
"""With the back-off below, about half an hour of a Slack that does not work."""


def backoff_s(attempts: int, rng: random.Random) -> float:
    """Seconds until the next attempt: doubling from 1 s up to 5 minutes, with jitter.

    Args:
        attempts: Attempts made, at least 1.
        rng: Source of the jitter.
    """
    return rng.uniform(0.5, 1.0) * min(300.0, 2.0 ** (attempts - 1))


@dataclass(slots=True)
class Deliverer:
    """Delivers what waits in the outbox.

    Attributes:
        desk: The record.
        workspaces: Where the calls go.
        webhooks: Tells programs elsewhere.
        owner: This replica.
        pace: How fast one channel may be posted to.
        rng: Jitter.
    """

    desk: Desk
    workspaces: Workspaces
    webhooks: Webhooks
    owner: str
    pace: Pace
    rng: random.Random = field(default_factory=random.Random)
    _ending: GroupCommit[Delivered, None] = field(init=False)

    def __post_init__(self) -> None:
        """Let lanes that end together be written down together."""
        self._ending = GroupCommit(self.desk.database, self._write_down)

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until `stop` is set; what is in hand is finished.

        Every lane has a task of its own, so that a channel in which Slack is slow holds up nobody
        but itself.
        """
        async with Tasks() as in_hand:
            while not stop.is_set():
                self.desk.outbox_filled.clear()
                leased, histories = await self._lease(LANES_AT_ONCE - len(in_hand))
                for lane in leased:
                    in_hand.start(self._deliver_lane(lane, histories))
                if not leased:
                    await in_hand.wait_for_one_or(self.desk.outbox_filled, POLL_S)

    async def _lease(self, limit: int) -> tuple[list[Lane], dict[int, History]]:
        """Take lanes, and then read the tickets that they are about, all in one go."""
        if limit <= 0:
            return [], {}
        try:
            async with self.desk.database.write() as conn:
                leased = await lanes.lease(
                    conn,
                    owner=self.owner,
                    limit=limit,
                    per_lane=PER_LANE,
                    now=_now(),
                    seconds=LEASE_S,
                )
            return leased, await self._read(leased)
        except DatabaseUnavailable as error:
            log.warning("outbox_unavailable", extra={"error": str(error)})
            return [], {}

    async def _read(self, leased: Sequence[Lane]) -> dict[int, History]:
        about: defaultdict[str, set[int]] = defaultdict(set)
        for lane in leased:
            about[lane.team] |= {each.ticket_id for each in lane.deliveries if each.ticket_id}
        found: dict[int, History] = {}
        for team, tickets in about.items():
            found |= await self._histories(team, tickets)
        return found

    async def _deliver_lane(self, lane: Lane, histories: Mapping[int, History]) -> None:
        """Deliver what is due in a lane, and hold it for as long as that takes."""
        try:
            async with repeating(lambda: self._renew(lane), LEASE_S / 3):
                delivered = await self._deliver_in_order(lane, histories)
            await self._ending(delivered)
        except DatabaseUnavailable as error:
            log.warning("outbox_unavailable", extra={"lane": lane.lane, "error": str(error)})

    async def _renew(self, lane: Lane) -> None:
        async with self.desk.database.write() as conn:
            await lanes.renew(
                conn,
                owner=self.owner,
                team=lane.team,
                lane=lane.lane,
                now=_now(),
                seconds=LEASE_S,
            )

    async def _deliver_in_order(self, lane: Lane, histories: Mapping[int, History]) -> Delivered:
        """Make a lane's calls until it is empty, must rest, or one fails."""
        key = f"{lane.team}:{lane.lane}"
        deadline = time.monotonic() + LEASE_S / 2
        outcomes: list[Outcome] = []
        pause_s = 0.0
        for delivery in lane.deliveries:
            to_slack = delivery.kind is not DeliveryKind.WEBHOOK
            pause_s = self.pace.wait_s(key) if to_slack else 0.0
            if pause_s > 0 or time.monotonic() > deadline:
                break
            if to_slack:
                self.pace.used(key)
            history = histories.get(delivery.ticket_id or 0)
            outcomes.append(await self._deliver(delivery, history))
            pause_s = outcomes[-1].pause_s
            if outcomes[-1].state is DeliveryState.WAITING:
                break
        return Delivered(lane, outcomes, pause_s)

    async def _histories(self, team: str, tickets: Collection[int]) -> dict[int, History]:
        """Read tickets; if one cannot be read, one by one, so that only its deliveries fail."""
        try:
            return await self.desk.histories(team, tickets)
        except DatabaseUnavailable:
            raise
        except Exception:
            if len(tickets) > 1:
                alone = [await self._histories(team, [ticket]) for ticket in tickets]
                return {ticket: each for found in alone for ticket, each in found.items()}
            log.exception("ticket_unreadable", extra={"tickets": ",".join(map(str, tickets))})
            return {}

    async def _deliver(self, delivery: Delivery, history: History | None) -> Outcome:
        """Make one call and say how it ended."""
        extra = {
            "correlation": delivery.correlation,
            "delivery": delivery.id,
            "lane": delivery.lane,
            "ticket": f"T-{delivery.ticket_id}" if delivery.ticket_id else None,
        }
        try:
            posted = await self._make(delivery, history)
        except RateLimited as limited:
            log.info("delivery_rate_limited", extra={**extra, "retry_after": limited.retry_after})
            return Outcome(
                delivery,
                DeliveryState.WAITING,
                error=str(limited),
                uncertain=delivery.uncertain,
                tried=False,
                pause_s=limited.retry_after,
            )
        except OutcomeUnknown as unknown:
            log.warning("delivery_uncertain", extra={**extra, "error": str(unknown)})
            return self._uncertain(delivery, str(unknown), unknown.settles_in_s)
        except Refused as refused:
            log.error("delivery_refused", extra={**extra, "error": str(refused)})
            return Outcome(delivery, DeliveryState.DEAD, error=str(refused))
        except Exception as error:
            # Whatever is wrong with one row must not stop all the others.
            log.exception("delivery_failed", extra=extra)
            return self._uncertain(delivery, type(error).__name__, 0.0)
        log.info("delivered", extra=extra)
        self._measure(delivery, posted)
        return Outcome(delivery, DeliveryState.DONE, posted=posted)

    async def _make(self, delivery: Delivery, history: History | None) -> Posted | None:
        if delivery.kind is not DeliveryKind.WEBHOOK:
            workspace = await self.workspaces.of(delivery.team)
            return await Poster(self.desk, workspace).deliver(delivery, history)
        if history is None:
            raise LookupError(f"T-{delivery.ticket_id} cannot be read")
        outcome = CallOutcome.UNKNOWN
        try:
            await self.webhooks.send(delivery, history.ticket.text)
            outcome = CallOutcome.OK
        except Refused:
            outcome = CallOutcome.REFUSED
            raise
        finally:
            self.desk.metrics.webhook(outcome)
        return None

    def _uncertain(self, delivery: Delivery, error: str, at_least_s: float) -> Outcome:
        """Try again later, after looking; or give up when it was tried long enough."""
        if delivery.attempts >= MAX_ATTEMPTS:
            return Outcome(delivery, DeliveryState.DEAD, error=f"gave up: {error}")
        return Outcome(
            delivery,
            DeliveryState.WAITING,
            error=error,
            uncertain=True,
            pause_s=max(at_least_s, backoff_s(delivery.attempts, self.rng)),
        )

    def _measure(self, delivery: Delivery, posted: Posted | None) -> None:
        """Note how long a new card has taken, all the way from Slack to Slack."""
        received_at = delivery.payload.get("received_at")  # gone when the text was forgotten
        if posted is not None and received_at is not None:
            taken = _now() - datetime.fromisoformat(received_at)
            self.desk.metrics.card_posted(taken.total_seconds())

    async def _write_down(self, conn: AsyncConnection, ended: Sequence[Delivered]) -> list[None]:
        await write_down(conn, self.owner, ended)
        return [None] * len(ended)


def _now() -> datetime:
    return datetime.now(UTC)
