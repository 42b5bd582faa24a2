"""The sentence encoder at serving time: tokenizer and ONNX graph, without torch."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import onnxruntime  # type: ignore[import-untyped]
from numpy.typing import NDArray
from tokenizers import Tokenizer

from core.errors import EncoderError

if TYPE_CHECKING:
    from tokenizers import Encoding

FloatArray: TypeAlias = NDArray[np.float32]

OUTPUT = "sentence_embedding"
"""The graph's output [n, dim]: pooled and L2-normalised inside the graph."""

_MAX_BATCH_TOKENS = 1024  # larger batches leave the processor's cache: slower, and more memory
_RUN_TOKENS = 4  # what one run of the graph costs on top, as tokens: padding must not cost more
_CHARACTERS_PER_TOKEN = 12  # more than any language needs; the rest would be cut anyway
_STANDS_BACK = 5  # nice: answers to Slack go first; beside a busy program a quarter is left
_PADDING = ("[PAD]", "<pad>")


@dataclass(frozen=True, slots=True)
class ExportedEncoder:
    """What serving needs of an encoder.

    Attributes:
        graph: ONNX: int64 `input_ids` and `attention_mask` [n, tokens] to float32
            `sentence_embedding` [n, dim], pooled and of length 1.
        tokenizer: The contents of `tokenizer.json`.
        dim: Length of an embedding.
        max_tokens: What serving lets it read of a text.
    """

    graph: bytes = field(repr=False)
    tokenizer: bytes = field(repr=False)
    dim: int
    max_tokens: int

    def open(self, *, threads: int = 2) -> Encoder:
        """Open it on that many threads.

        Raises:
            EncoderError: The contents are no encoder and tokenizer.
        """
        return Encoder(
            self.graph,
            self.tokenizer,
            dim=self.dim,
            max_tokens=self.max_tokens,
            threads=threads,
        )


class Encoder:
    """Turns texts into L2-normalised sentence embeddings; may be shared between threads.

    Attributes:
        dim: Length of an embedding.
    """

    def __init__(
        self, graph: bytes, tokenizer: bytes, *, dim: int, max_tokens: int, threads: int = 2
    ) -> None:
        """Open the graph and the tokenizer.

        Args:
            graph: The ONNX model: int64 `input_ids` and `attention_mask` [n, tokens], perhaps
                `token_type_ids`, to float32 `sentence_embedding` [n, dim].
            tokenizer: The contents of `tokenizer.json`.
            dim: Length of an embedding.
            max_tokens: What the encoder reads of a text, special tokens included.
            threads: Threads inside one multiplication.

        Raises:
            EncoderError: One of them is not what it should be.
        """
        self.dim = dim
        self._max_characters = max_tokens * _CHARACTERS_PER_TOKEN
        try:
            self._tokenizer = Tokenizer.from_buffer(tokenizer)
        except Exception as error:  # the tokenizers library raises nothing narrower
            raise EncoderError(f"tokenizer.json is no tokenizer: {error}") from error
        self._tokenizer.enable_truncation(max_tokens)
        self._tokenizer.no_padding()
        self._padding = _padding_id(self._tokenizer)
        self._lane = ThreadPoolExecutor(1, "encoder", initializer=_stand_back)
        # The session's own threads take after the one that opens it.
        self._session = self._lane.submit(_open_session, graph, threads).result()
        self._inputs = frozenset(node.name for node in self._session.get_inputs())

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """Embed texts, of like length together so that little is spent on padding.

        Args:
            texts: Normalised texts; empty ones are allowed.

        Returns:
            float32 [n, dim], row i for text i, each of length 1.
        """
        result = np.zeros((len(texts), self.dim), dtype=np.float32)
        encodings = self._tokenizer.encode_batch([text[: self._max_characters] for text in texts])
        for rows in _batches([len(encoding.ids) for encoding in encodings]):
            result[rows] = self._embed([encodings[row] for row in rows])
        return result

    def _embed(self, encodings: Sequence[Encoding]) -> FloatArray:
        shape = (len(encodings), max(len(encoding.ids) for encoding in encodings))
        ids = np.full(shape, self._padding, dtype=np.int64)
        mask = np.zeros(shape, dtype=np.int64)
        for row, encoding in enumerate(encodings):
            ids[row, : len(encoding.ids)] = encoding.ids
            mask[row, : len(encoding.ids)] = 1
        feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        known = {name: value for name, value in feed.items() if name in self._inputs}
        outputs = self._lane.submit(self._session.run, [OUTPUT], known).result()
        return np.asarray(outputs[0], dtype=np.float32)


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Indices of texts to encode together: of nearly one length, few tokens in all."""
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch:
            padding = len(batch) * (lengths[index] - lengths[batch[-1]])
            if padding > _RUN_TOKENS or (len(batch) + 1) * lengths[index] > _MAX_BATCH_TOKENS:
                yield batch
                batch = []
        batch.append(index)
    if batch:
        yield batch


def _padding_id(tokenizer: Tokenizer) -> int:
    """The padding token; XLM-R type encoders count positions by it."""
    ids = [tokenizer.token_to_id(token) for token in _PADDING]
    return next((token_id for token_id in ids if token_id is not None), 0)


def _stand_back() -> None:
    """Let other threads go first, where that can be said of a single one."""
    if sys.platform == "linux":
        with suppress(OSError):  # a sandbox may forbid it
            os.nice(_STANDS_BACK)


def _open_session(graph: bytes, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 3
    # Waiting threads must leave the processor to the event loop.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own exceptions share no public base class
        raise EncoderError(f"encoder.onnx is no usable graph: {error}") from error
