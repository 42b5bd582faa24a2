"""Keeps a replica at the version that people promoted, and shows reviewers what could be."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from core.classifier import Classifier
from core.errors import BundleError, CoreError
from slackbot.desk import Desk
from slackbot.desk.show import tell_channel
from slackbot.learning import promotion, versions
from slackbot.learning.offers import offer_of
from slackbot.learning.versions import UnknownVersion, Version
from slackbot.views import model as view
from slackbot.views.message import Message
from storage.errors import DatabaseUnavailable

log = logging.getLogger(__name__)

EVERY_S = 1.5
"""How often it is asked which version should serve."""

_AGAIN_S = 30.0
"""After so long a version that could not be loaded is tried again."""

_OFFERED_FOR = timedelta(days=14)
"""An older candidate is no news."""

_DAY_S = 86_400.0


@dataclass(slots=True)
class ModelWatch:
    """The models of one replica.

    Attributes:
        desk: Holds the classifier that decides.
        model_dir: The configured bundle; versions lie beside it.
        team: Whose reviewers are asked about new versions; None: only commands decide.
        retrain_days: So often a new version is fitted in the background; 0: never.
    """

    desk: Desk
    model_dir: Path
    team: str | None
    retrain_days: int = 0
    _configured: str = ""
    _failed: tuple[str, float] = ("", 0.0)
    _offered: set[str] = field(default_factory=set)
    _retraining: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        self._configured = self.desk.classifier.version

    async def run(self, stop: asyncio.Event) -> None:
        """Look again and again until `stop` is set."""
        try:
            while not stop.is_set():
                await self.check()
                self._retrain_when_due()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), EVERY_S)
        finally:
            if self._retraining is not None:
                self._retraining.cancel()
                await asyncio.gather(self._retraining, return_exceptions=True)

    async def check(self) -> None:
        """Take the promoted version if it is another, and offer what is new."""
        try:
            await self.desk.follow_edits()
            wanted = await promotion.in_force(self.desk.database)
            if wanted is not None and wanted != self.desk.classifier.version:
                await self._swap(wanted)
            await self._offer_new()
        except (DatabaseUnavailable, SQLAlchemyError) as error:
            log.warning("model_not_asked_for", extra={"error": str(error).partition("\n")[0]})

    async def _swap(self, wanted: str) -> None:
        """Load a version beside the one that serves, then let it decide from the next batch on."""
        version, tried = self._failed
        if version == wanted and time.monotonic() - tried < _AGAIN_S:
            return
        serving = self.desk.classifier
        try:
            loaded = await asyncio.to_thread(self._load, wanted, serving)
        except (CoreError, UnknownVersion) as error:
            self._failed = (wanted, time.monotonic())
            extra = {"wanted": wanted, "serving": serving.version, "error": str(error)}
            log.error("model_not_swapped", extra=extra)
            return
        self.desk.serve(loaded)
        log.info("model_swapped", extra={"version": wanted, "before": serving.version})

    def _load(self, wanted: str, serving: Classifier) -> Classifier:
        folder = versions.find(self.model_dir, wanted).folder
        loaded = Classifier.load(folder, matrix=self.desk.matrix, like=serving)
        if loaded.version != wanted:
            raise BundleError(f"{folder} has changed since it was promoted")
        loaded.warm_up()
        return loaded

    # What could be --------------------------------------------------------------------------

    async def _offer_new(self) -> None:
        """One card for each candidate, however many replicas see it."""
        if self.team is None:
            return
        channel = (await self.desk.teams.of(self.team)).review_channel
        if channel is None:
            return
        for version in await asyncio.to_thread(self._candidates):
            await self._enqueue(version, self.team, channel)
            self._offered.add(version.name)

    def _candidates(self) -> list[Version]:
        since = datetime.now(UTC) - _OFFERED_FOR
        return [
            version
            for version in versions.all_versions(self.model_dir)
            if version.name not in self._offered
            and version.name != self.desk.classifier.version
            and version.created_at > since
            and (version.replay() or {}).get("current") == self.desk.classifier.version
        ]

    async def _enqueue(self, version: Version, team: str, channel: str) -> None:
        message = _card(version)
        if message is None:
            return
        async with self.desk.database.write() as conn:
            if await tell_channel(conn, team, channel, message, f"model:{version.name}"):
                log.info("model_offered", extra={"version": version.name})
        self.desk.outbox_filled.set()

    # What reviewers decide ------------------------------------------------------------------

    async def answer(self, version: str, *, by: str, keep: bool) -> Message:
        """Decide about an offered version; the first answer counts.

        Returns:
            What its card shows from now on.

        Raises:
            UnknownVersion: Its folder is gone, or lies on another machine.
            AlreadyDecided: Somebody was first.
            AlreadyInForce: It serves already.
            Outdated: It was compared with another version than the one that serves.
            DatabaseUnavailable: Nothing was written.
        """
        found = await asyncio.to_thread(versions.find, self.model_dir, version)
        await promotion.decide(
            self.desk.database,
            by=by,
            version=version,
            configured=self._configured,
            keep=keep,
            offer=version,
            compared_with=(found.replay() or {}).get("current"),
        )
        log.info("model_decided", extra={"version": version, "kept": keep})
        await self.check()
        return view.decided(_offer(found), by=by, promoted=not keep)

    async def take_back(self, version: str, *, by: str) -> Message:
        """Take the promotion of that version back.

        Returns:
            What its card shows from now on.

        Raises:
            NothingToRollBack: Another version serves by now.
            UnknownVersion: Its folder or that of the one before is gone, or on another machine.
            DatabaseUnavailable: Nothing was written.
        """
        found = await asyncio.to_thread(versions.find, self.model_dir, version)
        change = await promotion.roll_back(
            self.desk.database, self.model_dir, by=by, expected=version
        )
        log.info("model_rolled_back", extra={"version": version, "to": change.to_version})
        await self.check()
        return view.rolled_back(_offer(found), by=by, to_version=change.to_version)

    # By itself ------------------------------------------------------------------------------

    def _retrain_when_due(self) -> None:
        if not self.retrain_days or (self._retraining and not self._retraining.done()):
            return
        last = versions.last_written(self.model_dir) or self._made_at()
        if time.time() - last > self.retrain_days * _DAY_S:
            self._retraining = asyncio.create_task(_retrain(), name="retrain")

    def _made_at(self) -> float:
        return self.desk.classifier.manifest.created_at.timestamp()


async def _retrain() -> None:
    """`autoticket retrain` in a process of its own, which leaves the processor to the bot."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "slackbot",
        "retrain",
        "--background",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ},
    )
    try:
        _, complaint = await process.communicate()
    except asyncio.CancelledError:
        process.terminate()
        await process.wait()
        raise
    said = complaint.decode("utf-8", "replace").strip().rpartition("\n")[2][:500]
    log.info("model_retrained", extra={"code": process.returncode, "said": said})


def _card(version: Version) -> Message | None:
    try:
        return view.offer(_offer(version))
    except (KeyError, TypeError, ValueError) as error:
        extra = {"version": version.name, "error": repr(error)}
        log.warning("model_comparison_unreadable", extra=extra)
        return None


def _offer(version: Version) -> view.Offer:
    replay = version.replay()
    if replay is None:
        return view.Offer(version.name, "", 0, 0, (), ())
    return offer_of(replay)
