"""Settled tickets in memory, by team: kept up to date with the record, asked for every text."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.ext.asyncio import AsyncConnection

from core.bundle import encoder_key
from core.classifier import Classifier
from core.neighbours import Memory, Precedent
from core.text import normalize
from slackbot.queue_names import QueueNames
from storage import settled
from storage.database import Database
from storage.model_records import SettledText
from storage.queue_edits import Written

LIMIT = 10_000
"""So many settled tickets of a team are remembered, the newest."""

FRESH_S = 1.0
"""What another replica's reviewers settle governs here after so long at the latest."""


@dataclass(frozen=True, slots=True)
class _Known:
    """A team's memory and up to where in the record it reaches.

    Attributes:
        memory: The settled tickets.
        encoder: What made the embeddings.
        edits: How often the list of queues had been edited.
        review: The latest review of all that it knows of.
        kept: How many embeddings the record had then; another number: some were forgotten or added.
        read_at: When, by the monotonic clock in seconds.
    """

    memory: Memory
    encoder: str
    edits: int
    review: int
    kept: int
    read_at: float


@dataclass(slots=True)
class Precedents:
    """The settled tickets of every team that writes.

    Attributes:
        database: The record.
        names: What became of queues.
    """

    database: Database
    names: QueueNames = field(default_factory=QueueNames)
    _known: dict[str, _Known] = field(default_factory=dict)
    _stale: set[str] = field(default_factory=set)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def settled(self, team: str) -> None:
        """Somebody has settled a ticket here: look at the record before the next text."""
        self._stale.add(team)

    async def of(self, team: str, classifier: Classifier) -> Memory:
        """What people of the team have settled, in the embedding of that classifier's encoder.

        Raises:
            DatabaseUnavailable: The record cannot be read.
        """
        async with self._turn:
            encoder = encoder_key(classifier.manifest)
            known = self._known.get(team)
            stand = (encoder, len(self.names.edits))
            if known is not None and (known.encoder, known.edits) != stand:
                known = None
            fresh = known is not None and time.monotonic() - known.read_at < FRESH_S
            if known is not None and fresh and team not in self._stale:
                return known.memory
            self._stale.discard(team)
            self._known[team] = await self._read(team, encoder, classifier, known)
            return self._known[team].memory

    async def _read(
        self, team: str, encoder: str, classifier: Classifier, known: _Known | None
    ) -> _Known:
        now, names = time.monotonic(), self.names
        async with self.database.read() as conn:
            review, kept = await settled.stand(conn, team, encoder)
            if known is not None and (review, kept) == (known.review, known.kept):
                return replace(known, read_at=now)
            if known is not None and await _lacks_some(conn, team, encoder, known.memory):
                known = None  # something was forgotten
            touched: Mapping[int, int] = {}
            if known is None:
                memory = Memory.empty(classifier.encoder.dim)
                texts = await settled.newest(conn, team, LIMIT)
            else:
                memory = known.memory
                touched = await settled.touched(conn, team, known.review)
                texts = await settled.of_tickets(conn, list(touched))
            vectors = await settled.vectors(conn, encoder, [each.ticket_id for each in texts])
        embedded = await self._embedded(team, encoder, classifier, texts, vectors)
        new = {
            precedent: embedded[precedent.ticket]
            for each in texts
            if (precedent := _precedent(each, names)) is not None
        }
        memory = await asyncio.to_thread(memory.changed, list(touched), new, LIMIT)
        added = len(texts) - len(vectors)
        return _Known(memory, encoder, len(names.edits), review, kept + added, now)

    async def _embedded(
        self,
        team: str,
        encoder: str,
        classifier: Classifier,
        texts: Sequence[SettledText],
        vectors: Mapping[int, bytes],
    ) -> dict[int, NDArray[np.float32]]:
        """The embedding of each text, from the record or made now and recorded."""
        missing = [each for each in texts if each.ticket_id not in vectors]
        normal = [normalize(each.text) for each in missing]
        made = await asyncio.to_thread(classifier.encoder.encode, normal) if missing else ()
        halves = {
            each.ticket_id: vector.astype(np.float16)
            for each, vector in zip(missing, made, strict=True)
        }
        if halves:
            async with self.database.write() as conn:
                packed = {ticket: vector.tobytes() for ticket, vector in halves.items()}
                await settled.keep_vectors(conn, team, encoder, packed)
        for ticket, content in vectors.items():
            halves[ticket] = np.frombuffer(content, dtype=np.float16)
        return {ticket: vector.astype(np.float32) for ticket, vector in halves.items()}


async def _lacks_some(conn: AsyncConnection, team: str, encoder: str, memory: Memory) -> bool:
    """Whether the record has lost the embedding of something that is remembered."""
    remembered = {precedent.ticket for precedent in memory.precedents}
    if not remembered:
        return False
    return not remembered <= await settled.embedded(conn, team, encoder, min(remembered))


def _precedent(each: SettledText, names: QueueNames) -> Precedent | None:
    """A settled text for the memory; None where its queue was split since."""
    queue = names.one_of_row(Written.REVIEWS, each.review_id, each.queue)
    if queue is None and each.queue is not None:
        return None
    return Precedent(each.ticket_id, queue, each.review_id, each.text)
