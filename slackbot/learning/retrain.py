"""`autoticket retrain`: fits the heads again with what people settled, beside the old version."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from core import bundle
from core.bundle import Bundle
from core.classifier import Classifier
from core.errors import DataError
from core.priority import PriorityMatrix
from core.refit import Refit, base_data_of, refit
from core.replay import REPLAY, Replay
from core.replay_refit import replay
from core.settled import Settled, check_learnable
from slackbot.config import Settings
from slackbot.files import json_bytes
from slackbot.learning import promotion, versions
from slackbot.queue_names import QueueNames, read_names
from storage import settled as settled_texts
from storage.database import Database
from storage.model_records import SettledText
from storage.queue_edits import Written

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Retrained:
    """A new version beside the one in force.

    Attributes:
        folder: Where it is.
        version: Its name.
        replay: How it compares.
        left_out: How many settled tickets name a queue that the model does not have.
    """

    folder: Path
    version: str
    replay: Replay
    left_out: int


@dataclass(frozen=True, slots=True)
class Record:
    """What the record gives to learn from.

    Attributes:
        settled: What people settled.
        in_force: The version that people promoted; None when the configured one serves.
        names: What became of queues.
        read_at: When it was read (UTC): the new version's names are those of then.
    """

    settled: Sequence[SettledText]
    in_force: str | None
    names: QueueNames
    read_at: datetime


async def read_record(database_url: str) -> Record:
    """Read what people settled, and which version is in force.

    Raises:
        StorageError: There is no database, or it cannot be read.
    """
    database = await Database.open(database_url, migrate=False)
    try:
        in_force, now = await promotion.in_force(database), datetime.now(UTC)
        async with database.read() as conn:
            names = await read_names(conn)
            return Record(await settled_texts.everything(conn), in_force, names, now)
    finally:
        await database.close()


def retrain(settings: Settings, record: Record, progress: Progress) -> Retrained:
    """Fit, compare, and write a new version; the one in force is never touched.

    Args:
        settings: Where the models are.
        record: What people settled.
        progress: Told how far it is.

    Raises:
        DataError: There is nothing to learn from.
        BundleError: The bundle in force cannot be used, or was made without its texts.
        AutoTicketError: Another retrain is running, or the folder cannot be written.
    """
    with versions.writing(settings.model_dir) as home:
        current = Bundle.load(_folder_in_force(settings, record.in_force))
        names = record.names.of_bundle(current.manifest.queues, current.manifest.created_at)
        known = [as_settled(each, record.names) for each in record.settled]
        usable = [each for each in known if {each.queue, *each.one_of} <= {None, *names.queues}]
        base_data_of(current)  # says at once when it was made without its texts
        check_learnable([each for each in usable if not each.one_of])
        made = refit(
            current,
            usable,
            cache=home / versions.CACHE,
            now=record.read_at,
            progress=progress,
            names=names,
        )
        compared = _compare(current, made, record.names, settings.priority_matrix, progress)
        folder = home / compared.candidate
        if folder.exists():
            raise DataError(f"{folder} holds this very version already: nothing new was settled")
        documents = {REPLAY: json_bytes(compared.to_json())}
        bundle.save(folder, made.manifest, made.files, documents=documents)
    return Retrained(folder, compared.candidate, compared, len(known) - len(usable))


def as_settled(each: SettledText, names: QueueNames) -> Settled:
    """A settled ticket as the model learns from it, with the queue's name of today."""
    found = names.of_row(Written.REVIEWS, each.review_id, each.queue) if each.queue else ()
    return Settled(
        ticket=each.number,
        text=each.text,
        queue=found[0] if len(found) == 1 else None,
        one_of=found if len(found) > 1 else (),
        probability=each.probability,
        filed=not each.from_channel,
        order=each.review_id,
    )


def _folder_in_force(settings: Settings, in_force: str | None) -> Path:
    if in_force is None:
        return settings.model_dir
    return versions.find(settings.model_dir, in_force).folder


def _compare(
    current: Bundle, made: Refit, names: QueueNames, matrix: PriorityMatrix, progress: Progress
) -> Replay:
    sealed = bundle.seal(made.manifest, made.files)
    encoder = current.encoder()
    before = Classifier(current.manifest, encoder, current.heads(), matrix)
    after = Classifier(sealed, encoder, Bundle(sealed, made.files).heads(), matrix)
    return replay(names.told(before), names.told(after), made, progress=progress)
