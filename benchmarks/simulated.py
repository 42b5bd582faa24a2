"""Tickets for simulations of the learning loop: labelled texts with embeddings, shuffled."""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core import bundle
from core.bundle import Bundle
from core.dataset import read_tickets
from core.embeddings import embed
from core.encoder import Encoder
from core.refit import base_data_of
from core.text import normalize

TICKETS = 12_000
TEST_SHARE = 1 / 6

Rows = NDArray[np.int64]
"""Numbers of rows, or labels by row."""


@dataclass(frozen=True)
class Data:
    """Labelled texts; the last ones are only ever measured on."""

    texts: Sequence[str]
    labels: NDArray[np.int64]
    embeddings: NDArray[np.float32]
    queues: tuple[str, ...]

    @property
    def stream(self) -> NDArray[np.int64]:
        """Rows that arrive one after the other."""
        return np.arange(self._first_of_test)

    @property
    def test(self) -> NDArray[np.int64]:
        """Rows that are only measured on."""
        return np.arange(self._first_of_test, len(self.texts))

    @property
    def _first_of_test(self) -> int:
        return len(self.texts) - round(len(self.texts) * TEST_SHARE)


def arguments(about: str | None = None) -> argparse.ArgumentParser:
    """What every simulation can be told."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--data", type=Path, help="The table, for the published encoder.")
    parser.add_argument("--model", type=Path, help="A bundle: its encoder, its held-out tickets.")
    parser.add_argument("--out", type=Path, default=Path("build/learning"))
    parser.add_argument("--seeds", type=int, default=2)
    return parser


def load(options: argparse.Namespace) -> Data:
    """The tickets that the options name."""
    if options.model is not None:
        return held_out(Bundle.load(options.model), options.out)
    return published(options.data, options.out)


def held_out(loaded: Bundle, work: Path) -> Data:
    """Tickets that a bundle's encoder was not fine-tuned on, as its encoder sees them."""
    known, encoder = base_data_of(loaded), loaded.encoder()
    graph, folder = loaded.manifest.files[bundle.ENCODER], work / "bundle"
    examples = [*known.calibrate.tickets, *known.test.tickets]
    embeddings = np.concatenate(
        [
            embed(encoder, graph, [each.text for each in part.tickets], folder, _report)
            for part in (known.calibrate, known.test)
        ]
    )
    order = np.random.default_rng(0).permutation(len(examples))
    labels = [known.queues.index(examples[row].queue or "") for row in order]
    texts = [examples[row].text for row in order]
    return Data(texts, np.array(labels), embeddings[order], known.queues)


def published(table: Path, work: Path) -> Data:
    """Tickets of the table, as the published encoder sees them, which knows none of them."""
    tickets = read_tickets(table, text_column="Document", label_column="Topic_group")
    rows = np.random.default_rng(0).permutation(len(tickets.examples))[:TICKETS]
    texts = [normalize(tickets.examples[row].text) for row in rows]
    labels = [tickets.queues.index(tickets.examples[row].queue or "") for row in rows]
    encoder, digest = _base_encoder(texts, work)
    embeddings = embed(encoder, digest, texts, work, _report)
    return Data(texts, np.array(labels), embeddings, tickets.queues)


def _base_encoder(texts: Sequence[str], work: Path) -> tuple[Encoder, str]:
    """The published encoder as an ONNX graph, kept in `work`."""
    graph, tokenizer = work / "base_encoder.onnx", work / "base_tokenizer.json"
    if not (graph.exists() and tokenizer.exists()):
        from core.base_encoder import load_base_encoder  # noqa: PLC0415  needs torch
        from core.onnx_export import export_encoder  # noqa: PLC0415

        exported = export_encoder(load_base_encoder(), texts[:512], max_tokens=128, int8=True)
        work.mkdir(parents=True, exist_ok=True)
        tokenizer.write_bytes(exported.tokenizer)
        graph.write_bytes(exported.graph)
    content = graph.read_bytes()
    encoder = Encoder(content, tokenizer.read_bytes(), dim=384, max_tokens=128)
    return encoder, hashlib.sha256(content).hexdigest()


def _report(done: int, total: int) -> None:
    if done % 2_048 == 0 or done == total:
        print(f"embedded {done} of {total}", flush=True)
