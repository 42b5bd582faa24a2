"""Whether "settled like T-9" fires on nearly the same texts only, and what a look-up costs.

    python -m benchmarks.neighbours [--model models/default] [--cache build/neighbours]

Prints (1) for the hand-written messages of the test part, each of which was written by itself, and
for 10,000 tickets of the table, which quote each other: how many have another within a cosine
distance, and how often the nearest one belongs to the same queue; the last two columns count those
that share their words as well, which is what the product asks for; (2) how many messages are found
again after somebody has retyped them; (3) the time of one look-up among 10,000 settled tickets.
The first run embeds for some minutes on two cores, later ones take seconds.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core import bundle
from core.bundle import Bundle
from core.dataset import Example
from core.embeddings import embed
from core.neighbours import ALIKE, SAME_WITHIN, Memory, Precedent, overlap
from core.refit import base_data_of
from core.text import normalize

SETTLED, ASKING = 10_000, 240
WITHIN = (0.01, 0.02, SAME_WITHIN, 0.1, 0.15)
RETYPED = 200

Embed = Callable[[Sequence[str]], NDArray[np.float32]]


def arguments() -> argparse.ArgumentParser:
    """What the command line takes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="models/default")
    parser.add_argument("--cache", type=Path, default=Path("build/neighbours"))
    return parser


def main() -> None:
    """Print the tables."""
    given = arguments().parse_args()
    loaded = Bundle.load(given.model)
    graph = loaded.manifest.files[bundle.ENCODER]
    encoder = loaded.encoder(threads=2)

    def embedded(texts: Sequence[str]) -> NDArray[np.float32]:
        return embed(encoder, graph, texts, given.cache, lambda done, total: None)

    data = base_data_of(loaded)
    messages, tickets = data.test.messages, data.train.tickets[: SETTLED + ASKING]
    of_messages = embedded([each.text for each in messages])
    of_tickets = embedded([each.text for each in tickets])
    print(f"texts                within   near  same queue   and share {ALIKE:.0%}  same queue")
    false_hits("messages", messages, of_messages)
    false_hits("tickets", tickets[:SETTLED], of_tickets[:SETTLED])
    found_again([each.text for each in messages[:RETYPED]], of_messages[:RETYPED], embedded)
    look_up(of_tickets[:SETTLED], {"messages": of_messages, "tickets": of_tickets[SETTLED:]})


def false_hits(name: str, examples: Sequence[Example], embeddings: NDArray[np.float32]) -> None:
    """One line for each distance: nearest texts, and nearest texts that share their words."""
    nearest, distance = nearest_others(embeddings)
    pairs = [
        (float(distance[row]), (row, other))
        for row, other in enumerate(nearest.tolist())
        if distance[row] <= max(WITHIN)
    ]
    shared = {pair: overlap(*(examples[row].text for row in pair)) for _, pair in pairs}
    for within in WITHIN:
        near = [pair for at, pair in pairs if at <= within]
        alike = [pair for pair in near if shared[pair] >= ALIKE]
        agreeing = [sum(agree(examples, pair) for pair in some) for some in (near, alike)]
        print(
            f"{name:9} {len(examples):7}   {within:8.2f} {len(near):6} {agreeing[0]:11} "
            f"{len(alike):15} {agreeing[1]:11}",
            flush=True,
        )


def nearest_others(
    embeddings: NDArray[np.float32],
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Of each text the row of the nearest other one, and its cosine distance."""
    rows, distances = [], []
    for start in range(0, len(embeddings), 1_000):
        some = 1 - embeddings[start : start + 1_000] @ embeddings.T
        some[np.arange(len(some)), start + np.arange(len(some))] = np.inf
        rows.append(some.argmin(axis=1))
        distances.append(some.min(axis=1))
    return np.concatenate(rows), np.concatenate(distances)


def agree(examples: Sequence[Example], pair: tuple[int, int]) -> bool:
    """Whether the second one's queue is right for the first."""
    one, other = (examples[row] for row in pair)
    return other.queue in (one.queue, one.alt_queue)


def found_again(texts: Sequence[str], known: NDArray[np.float32], embedded: Embed) -> None:
    """How many retyped texts count as nearly the same as what they were made from."""
    print(f"\nretyped, {len(texts)} messages   near  and share {ALIKE:.0%}")
    ways: dict[str, Callable[[str], str]] = {
        "as they are": str,
        "lower case, no marks": lambda text: "".join(
            letter for letter in text.lower() if letter.isalnum() or letter.isspace()
        ),
        "a greeting before": lambda text: f"Hi all, {text}",
        "two letters swapped": partial(swapped, at=0.5),
        "last fifth left out": lambda text: text[: len(text) * 4 // 5],
    }
    for name, way in ways.items():
        retyped = [normalize(way(text)) for text in texts]
        near = 1 - np.einsum("ij,ij->i", embedded(retyped), known) <= SAME_WITHIN
        alike = [overlap(*pair) >= ALIKE for pair in zip(retyped, texts, strict=True)]
        print(f"{name:24} {near.sum():6} {np.sum(near & alike):10}")


def swapped(text: str, at: float) -> str:
    """The text with two letters in the wrong order there."""
    place = int(len(text) * at)
    return text[:place] + text[place : place + 2][::-1] + text[place + 2 :]


def look_up(rows: NDArray[np.float32], asked: dict[str, NDArray[np.float32]]) -> None:
    """The mean time of a look-up; the middle one of five rounds."""
    kept = rows.astype(np.float16).astype(np.float32)
    precedents = [Precedent(row, "Access", row, "") for row in range(len(kept))]
    started = time.perf_counter()
    memory = Memory(precedents, kept, kept.shape[1])
    print(f"\nmade ready in {(time.perf_counter() - started) * 1e3:.0f} ms: {len(memory)} settled")
    for name, embeddings in asked.items():
        rounds = [timed(memory, embeddings) for _ in range(5)]
        print(f"one look-up, {name:9} {sorted(rounds)[2] * 1e3:6.2f} ms")


def timed(memory: Memory, embeddings: NDArray[np.float32]) -> float:
    """Seconds of one look-up."""
    started = time.perf_counter()
    for embedding in embeddings:
        memory.near(embedding)
    return (time.perf_counter() - started) / len(embeddings)


if __name__ == "__main__":
    main()
