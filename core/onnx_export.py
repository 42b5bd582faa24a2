"""Exports a sentence encoder for serving: an ONNX graph and a tokenizer, no torch needed."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import onnxruntime  # type: ignore[import-untyped]
import torch
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer
from tokenizers import Tokenizer
from torch import Tensor, nn

from core.bert_graph import BertGraph, BertShape, Range
from core.encoder import OUTPUT, ExportedEncoder
from core.errors import EncoderError

_POSITIONS_AFTER_PADDING = {"bert": False, "roberta": True, "xlm-roberta": True, "camembert": True}
"""Encoders that `BertGraph` can build, and whether they count positions from the padding on."""

_BUILT_MODULES = ["Transformer", "Pooling", "Normalize"]
_OBSERVED_TEXTS = 1024
_BATCH = 16


def export_encoder(
    encoder: SentenceTransformer, texts: Sequence[str], *, max_tokens: int, int8: bool
) -> ExportedEncoder:
    """Export an encoder; those of BERT's kind in a lean graph, and in int8 when asked to.

    Args:
        encoder: Any Sentence-Transformers model with a fast tokenizer.
        texts: Normalized texts like those to come: int8 is fitted to the values that they cause.
        max_tokens: What serving will let it read of a text.
        int8: Store and multiply in 8 bits where the encoder is of BERT's kind.

    Returns:
        Graph and tokenizer.

    Raises:
        EncoderError: The encoder reads fewer tokens, or cannot be exported.
    """
    encoder = encoder.cpu().eval()
    dim = encoder.get_embedding_dimension()
    tokenizer = getattr(encoder.tokenizer, "backend_tokenizer", None)
    if dim is None or tokenizer is None:
        raise EncoderError("The encoder has no fast tokenizer or no fixed width: choose another.")
    positions = encoder.max_seq_length or max_tokens
    if positions < max_tokens:
        raise EncoderError(f"The encoder reads {positions} tokens, fewer than {max_tokens}.")
    shape = _bert_shape(encoder)
    if shape is None:
        graph = _trace(encoder)
    else:
        body: Any = encoder[0]
        parameters = body.auto_model.state_dict()
        weights = {name: value.numpy() for name, value in parameters.items()}
        ranges = None
        if int8:
            observed = list(texts[:: max(len(texts) // _OBSERVED_TEXTS, 1)])
            ranges = _observe(BertGraph(weights, shape), encoder, observed, max_tokens)
        graph = BertGraph(weights, shape, ranges).build()
    return ExportedEncoder(graph, _plain(tokenizer), dim, max_tokens)


def _bert_shape(encoder: SentenceTransformer) -> BertShape | None:
    """What `BertGraph` needs to know; None for an encoder that it cannot build."""
    modules: list[Any] = list(encoder)
    config: Any = getattr(getattr(modules[0], "auto_model", None), "config", None)
    kind = getattr(config, "model_type", "")
    names = [type(module).__name__ for module in modules]
    pooling = modules[1].get_config_dict().get("pooling_mode") if len(modules) > 1 else None
    if (
        kind not in _POSITIONS_AFTER_PADDING
        or names != _BUILT_MODULES[: len(names)]
        or pooling not in {"mean", "cls"}
        or config.hidden_act != "gelu"
        or getattr(config, "position_embedding_type", "absolute") != "absolute"
    ):
        return None
    return BertShape(
        layers=config.num_hidden_layers,
        heads=config.num_attention_heads,
        epsilon=config.layer_norm_eps,
        first_position=config.pad_token_id + 1 if _POSITIONS_AFTER_PADDING[kind] else 0,
        pool_mean=pooling == "mean",
    )


def _observe(
    builder: BertGraph, encoder: SentenceTransformer, texts: Sequence[str], max_tokens: int
) -> dict[str, Range]:
    """The range of every multiplication's input over the texts."""
    session = _session(builder.build(observe=True))
    outputs = dict.fromkeys(builder.inputs.values())
    low, high = dict.fromkeys(outputs, 0.0), dict.fromkeys(outputs, 0.0)
    for feed in _feeds(encoder, texts, max_tokens):
        real = feed["attention_mask"].astype(bool)
        for name, values in zip(outputs, session.run(list(outputs), feed), strict=True):
            low[name] = min(low[name], float(values[real].min()))
            high[name] = max(high[name], float(values[real].max()))
    return {step: Range(low[name], high[name]) for step, name in builder.inputs.items()}


def _feeds(
    encoder: SentenceTransformer, texts: Sequence[str], max_tokens: int
) -> Iterator[dict[str, NDArray[np.int64]]]:
    ordered = sorted(texts, key=len)
    for start in range(0, len(ordered), _BATCH):
        encoded = encoder.tokenizer(
            ordered[start : start + _BATCH],
            padding=True,
            truncation=True,
            max_length=max_tokens,
            return_tensors="np",
        )
        yield {name: encoded[name].astype(np.int64) for name in ("input_ids", "attention_mask")}


def _session(graph: bytes) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])


class _Whole(nn.Module):
    """All modules of a Sentence-Transformers model as one function of two tensors."""

    def __init__(self, encoder: SentenceTransformer) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        features = {"input_ids": input_ids, "attention_mask": attention_mask}
        return nn.functional.normalize(self.encoder(features)["sentence_embedding"], dim=1)


def _trace(encoder: SentenceTransformer) -> bytes:
    """The graph of any encoder as torch sees it, in float32."""
    example = encoder.tokenizer(
        ["two texts", "of unlike length"], padding=True, return_tensors="pt"
    )
    axes = {0: torch.export.Dim("n"), 1: torch.export.Dim("tokens")}
    inputs = ("input_ids", "attention_mask")
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # of torch's exporter about its own inner life
        program = torch.onnx.export(
            _Whole(encoder).eval(),
            tuple(example[name] for name in inputs),
            input_names=inputs,
            output_names=[OUTPUT],
            dynamic_shapes=dict.fromkeys(inputs, axes),
            dynamo=True,
            verbose=False,
        )
    if program is None:
        raise EncoderError("torch could not export this encoder to ONNX: choose another.")
    return bytes(program.model_proto.SerializeToString())


def _plain(tokenizer: Tokenizer) -> bytes:
    """`tokenizer.json` without the padding and truncation that training had set."""
    copy = Tokenizer.from_str(tokenizer.to_str())
    copy.no_padding()
    copy.no_truncation()
    return str(copy.to_str()).encode()
