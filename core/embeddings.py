"""Embeds many texts with progress, and keeps the result on disk under the encoder's hash."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.encoder import Encoder

_CHUNK = 256
_KEPT = 8
"""Files kept in the folder, the newest: each version of the encoder or of the texts has its own."""


def embed(
    encoder: Encoder,
    encoder_sha256: str,
    texts: Sequence[str],
    folder: Path,
    progress: Callable[[int, int], None],
) -> NDArray[np.float32]:
    """Embed texts, or find them embedded by an earlier call.

    Args:
        encoder: Turns texts into embeddings.
        encoder_sha256: Hash of its graph: another encoder's embeddings are never taken.
        texts: n normalized texts.
        folder: Where embeddings are kept; made when missing.
        progress: Told how many of how many texts are done.

    Returns:
        float32 [n, dim], row i for text i, each of length 1.
    """
    digest = hashlib.sha256("\0".join([encoder_sha256, *texts]).encode("utf-8", "surrogatepass"))
    path = folder / f"{encoder_sha256[:12]}-{digest.hexdigest()[:16]}.npy"
    found = _kept(path, (len(texts), encoder.dim))
    if found is not None:
        progress(len(texts), len(texts))
        return found
    parts = [np.empty((0, encoder.dim), dtype=np.float32)]
    for start in range(0, len(texts), _CHUNK):
        parts.append(encoder.encode(texts[start : start + _CHUNK]))
        progress(min(start + _CHUNK, len(texts)), len(texts))
    embeddings = np.concatenate(parts)
    _keep(path, embeddings)
    return embeddings


def _kept(path: Path, shape: tuple[int, int]) -> NDArray[np.float32] | None:
    """What an earlier call kept; None when nothing of use is there."""
    try:
        found: NDArray[np.float32] = np.load(path)
    except (OSError, ValueError, EOFError):
        return None
    return found if found.shape == shape else None


def _keep(path: Path, embeddings: NDArray[np.float32]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = BytesIO()
    np.save(content, embeddings)
    partial = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    partial.write_bytes(content.getvalue())
    os.replace(partial, path)
    files = sorted(path.parent.glob("*.npy"), key=lambda file: file.stat().st_mtime, reverse=True)
    for old in files[_KEPT:]:
        old.unlink(missing_ok=True)
