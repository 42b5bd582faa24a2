"""Embeds many texts in pieces, so that a stopped run goes on and a changed one embeds only news."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.encoder import Encoder

_PIECE = 512


def embed(
    encoder: Encoder,
    encoder_sha256: str,
    texts: Sequence[str],
    folder: Path,
    progress: Callable[[int, int], None],
) -> NDArray[np.float32]:
    """Embed texts, or find them embedded by an earlier call.

    What the folder holds of other encoders is removed, so that it does not grow with each.

    Args:
        encoder: Turns texts into embeddings.
        encoder_sha256: Hash of its graph: another encoder's embeddings are never taken.
        texts: n normalized texts.
        folder: Where embeddings are kept; made when missing.
        progress: Told how many of how many texts are done.

    Returns:
        float32 [n, dim], row i for text i, each of length 1.
    """
    folder.mkdir(parents=True, exist_ok=True)
    own = f"embeddings-{encoder_sha256[:12]}-"
    for stale in set(folder.glob("embeddings-*.npy")) - set(folder.glob(f"{own}*")):
        stale.unlink(missing_ok=True)
    pieces = [np.empty((0, encoder.dim), dtype=np.float32)]
    for start in range(0, len(texts), _PIECE):
        piece = texts[start : start + _PIECE]
        content = "\0".join([encoder_sha256, *piece]).encode("utf-8", "surrogatepass")
        path = folder / f"{own}{hashlib.sha256(content).hexdigest()[:16]}.npy"
        pieces.append(_embed_piece(encoder, piece, path))
        progress(start + len(piece), len(texts))
    return np.concatenate(pieces)


def _embed_piece(encoder: Encoder, texts: Sequence[str], path: Path) -> NDArray[np.float32]:
    found = _kept(path)
    if found is not None and found.shape == (len(texts), encoder.dim):
        return found
    embeddings = encoder.encode(texts)
    content = BytesIO()
    np.save(content, embeddings)
    partial = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    partial.write_bytes(content.getvalue())
    os.replace(partial, path)
    return embeddings


def _kept(path: Path) -> NDArray[np.float32] | None:
    """What an earlier call left there; None when that is nothing, or no longer readable."""
    try:
        kept: NDArray[np.float32] = np.load(path)
    except (OSError, ValueError, EOFError):
        return None
    return kept
