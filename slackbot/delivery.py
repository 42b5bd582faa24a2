"""To Slack at Slack's pace: lanes of the outbox, each in order, retried until settled."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from slackbot.desk import Desk
from slackbot.pace import Pace
from slackbot.posting import Posted, Poster
from slackbot.slack_calls import OutcomeUnknown, RateLimited, Refused
from storage import cards, deliveries
from storage.errors import DatabaseUnavailable
from storage.records import Delivery, DeliveryState, Lane

log = logging.getLogger(__name__)

LEASE_S = 15
LANES_AT_ONCE = 16
PER_LANE = 8
POLL_S = 0.5
MAX_ATTEMPTS = 12
"""With the back-off below, about half an hour of a Slack that does not work."""


def backoff_s(attempts: int, rng: random.Random) -> float:
    """Seconds until the next attempt: doubling from 1 s up to 5 minutes, with jitter.

    Args:
        attempts: Attempts made, at least 1.
        rng: Source of the jitter.
    """
    return rng.uniform(0.5, 1.0) * min(300.0, 2.0 ** (attempts - 1))


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one delivery ended.

    Attributes:
        delivery: Which.
        state: DONE; WAITING, to be tried again; DEAD, for the operator to see.
        posted: Where a card was posted.
        error: Why it was not done.
        uncertain: The call may have had its effect all the same.
        pause_s: How long its lane must rest.
    """

    delivery: Delivery
    state: DeliveryState
    posted: Posted | None = None
    error: str = ""
    uncertain: bool = False
    pause_s: float = 0.0


@dataclass(slots=True)
class Deliverer:
    """Delivers what waits in the outbox.

    Attributes:
        desk: The record.
        poster: Makes single calls.
        owner: This replica.
        pace: How fast one channel may be posted to.
        rng: Jitter.
    """

    desk: Desk
    poster: Poster
    owner: str
    pace: Pace
    rng: random.Random = field(default_factory=random.Random)

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until `stop` is set; what is in hand is finished."""
        while not stop.is_set():
            self.desk.outbox_filled.clear()
            try:
                busy = await self.deliver_due()
            except DatabaseUnavailable as error:
                log.warning("outbox_unavailable", extra={"error": str(error)})
                busy = False
            if not busy:
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self.desk.outbox_filled.wait(), POLL_S)

    async def deliver_due(self) -> bool:
        """Lease what is due and deliver it; False when nothing was."""
        async with self.desk.database.write() as conn:
            lanes = await deliveries.lease_lanes(
                conn,
                owner=self.owner,
                limit=LANES_AT_ONCE,
                per_lane=PER_LANE,
                now=_now(),
                seconds=LEASE_S,
            )
        results = await asyncio.gather(*map(self._deliver_lane, lanes), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return bool(lanes)

    async def _deliver_lane(self, lane: Lane) -> None:
        """Deliver a lane in order until it is empty, must rest, or a call fails."""
        key = f"{lane.team}:{lane.lane}"
        deadline = time.monotonic() + LEASE_S / 2
        outcomes: list[Outcome] = []
        pause_s = 0.0
        for delivery in lane.deliveries:
            pause_s = self.pace.wait_s(key)
            if pause_s > 0 or time.monotonic() > deadline:
                break
            self.pace.used(key)
            outcomes.append(await self._deliver(delivery))
            pause_s = outcomes[-1].pause_s
            if outcomes[-1].state is DeliveryState.WAITING:
                break
        await self._commit(lane, outcomes, pause_s)

    async def _deliver(self, delivery: Delivery) -> Outcome:
        """Make one call and say how it ended."""
        extra = {
            "correlation": delivery.correlation,
            "delivery": delivery.id,
            "lane": delivery.lane,
            "ticket": f"T-{delivery.ticket_id}" if delivery.ticket_id else None,
        }
        try:
            posted = await self.poster.deliver(delivery)
        except RateLimited as limited:
            log.info("delivery_rate_limited", extra={**extra, "retry_after": limited.retry_after})
            return Outcome(
                delivery,
                DeliveryState.WAITING,
                error=str(limited),
                uncertain=delivery.uncertain,
                pause_s=limited.retry_after,
            )
        except OutcomeUnknown as unknown:
            log.warning("delivery_uncertain", extra={**extra, "error": str(unknown)})
            if delivery.attempts >= MAX_ATTEMPTS:
                return Outcome(delivery, DeliveryState.DEAD, error=f"gave up: {unknown}")
            return Outcome(
                delivery,
                DeliveryState.WAITING,
                error=str(unknown),
                uncertain=True,
                pause_s=backoff_s(delivery.attempts, self.rng),
            )
        except Refused as refused:
            log.error("delivery_refused", extra={**extra, "error": str(refused)})
            return Outcome(delivery, DeliveryState.DEAD, error=str(refused))
        log.info("delivered", extra=extra)
        self._measure(delivery, posted)
        return Outcome(delivery, DeliveryState.DONE, posted=posted)

    def _measure(self, delivery: Delivery, posted: Posted | None) -> None:
        """Note how long a new card has taken, all the way from Slack to Slack."""
        received_at = delivery.payload.get("received_at")  # gone when the text was forgotten
        if posted is not None and received_at is not None:
            taken = _now() - datetime.fromisoformat(received_at)
            self.desk.metrics.card_posted(taken.total_seconds())

    async def _commit(self, lane: Lane, outcomes: list[Outcome], pause_s: float) -> None:
        """Write down how a lane's calls ended, all at once, and free the lane.

        A crash before this leaves them leased and so uncertain: whoever takes the lane over looks
        for each message before posting it again.
        """
        async with self.desk.database.write() as conn:
            for outcome in outcomes:
                delivery = outcome.delivery
                if outcome.posted is not None and delivery.card_id is not None:
                    await cards.posted(
                        conn, delivery.card_id, outcome.posted.channel, outcome.posted.ts
                    )
                if outcome.state is DeliveryState.DONE:
                    await deliveries.done(
                        conn, owner=self.owner, delivery_id=delivery.id, now=_now()
                    )
                elif outcome.state is DeliveryState.DEAD:
                    await deliveries.bury(
                        conn, owner=self.owner, delivery_id=delivery.id, error=outcome.error
                    )
                else:
                    await deliveries.retry(
                        conn,
                        owner=self.owner,
                        delivery_id=delivery.id,
                        due_at=_now() + timedelta(seconds=outcome.pause_s),
                        error=outcome.error,
                        uncertain=outcome.uncertain,
                    )
            await deliveries.release_lane(
                conn,
                owner=self.owner,
                team=lane.team,
                lane=lane.lane,
                not_before=_now() + timedelta(seconds=pause_s),
            )


def _now() -> datetime:
    return datetime.now(UTC)
