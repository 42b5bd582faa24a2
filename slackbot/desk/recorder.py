"""What comes in is committed to the inbox; payloads that come together are committed together."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from slackbot.desk.triage import is_known
from slackbot.intake import Intake
from slackbot.metrics import Metrics
from storage import inbox
from storage.database import Database
from storage.errors import DatabaseUnavailable
from storage.group_commit import GroupCommit
from storage.records import NewInboxItem

log = logging.getLogger(__name__)

RECORD_WITHIN_S = 1.5
"""Slack waits 3 s; who is told to try again must not have been recorded after all."""


@dataclass(slots=True)
class Recorder:
    """Commits payloads before they are acknowledged.

    Attributes:
        database: The record.
        metrics: Counts them.
    """

    database: Database
    metrics: Metrics
    _commit: GroupCommit[Intake, bool] = field(init=False)

    def __post_init__(self) -> None:
        """Let payloads that come together be committed together."""
        self._commit = GroupCommit(self.database, _record)

    async def record(self, intake: Intake) -> bool:
        """Commit a payload; False when it was known already.

        Raises:
            DatabaseUnavailable: Nothing was recorded within `RECORD_WITHIN_S`; Slack must send it
                again.
        """
        started = time.perf_counter()
        try:
            async with asyncio.timeout(RECORD_WITHIN_S):
                new = await self._commit(intake)
        except DatabaseUnavailable:
            self.metrics.payload_failed()
            raise
        except TimeoutError as error:
            self.metrics.payload_failed()
            raise DatabaseUnavailable("not committed in time") from error
        self.metrics.payload(new=new, seconds=time.perf_counter() - started)
        log.info(
            "payload_recorded",
            extra={"correlation": intake.correlation, "kind": intake.kind.value, "new": new},
        )
        return new


async def _record(conn: AsyncConnection, intakes: Sequence[Intake]) -> list[bool]:
    """Record payloads; for each, whether it is new."""
    now = datetime.now(UTC)
    always = [intake for intake in intakes if not intake.only_if_known]
    recorded = await inbox.record(conn, [_inbox_item(intake) for intake in always], now)
    new = dict(zip(map(id, always), recorded, strict=True))
    for intake in intakes:  # after the others: one of them may be what this is about
        if intake.only_if_known and await is_known(conn, intake):
            [new[id(intake)]] = await inbox.record(conn, [_inbox_item(intake)], now)
    return [new.get(id(intake), False) for intake in intakes]


def _inbox_item(intake: Intake) -> NewInboxItem:
    return NewInboxItem(
        team=intake.team,
        key=intake.key,
        kind=intake.kind.value,
        payload=intake.to_payload(),
        correlation=intake.correlation,
        changes=intake.about,
    )
