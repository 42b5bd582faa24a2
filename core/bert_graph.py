"""Builds a lean ONNX graph for encoders of BERT's kind, in float32 or int8."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from core.encoder import OUTPUT

_FUSED = "com.microsoft"
"""ONNX Runtime's own operators: a whole attention or feed-forward step in one node each."""

_OPSETS = (helper.make_opsetid("", 17), helper.make_opsetid(_FUSED, 1))
_IR_VERSION = 9
_MIDDLE = 128


@dataclass(frozen=True, slots=True)
class BertShape:
    """What the weights alone do not tell.

    Attributes:
        layers: Transformer layers.
        heads: Attention heads of each.
        epsilon: Of the layer norms.
        first_position: Row of the position table that belongs to the first token.
        pool_mean: Embedding from the mean of all tokens; else from the first token.
    """

    layers: int
    heads: int
    epsilon: float
    first_position: int
    pool_mean: bool


@dataclass(frozen=True, slots=True)
class Range:
    """The values that a multiplication's input was seen to take, 0 included."""

    low: float
    high: float

    @property
    def scale(self) -> float:
        """Step between two of the 256 values that stand for the range."""
        return max(self.high - self.low, 1e-6) / 255

    @property
    def zero(self) -> int:
        """Which of the 256 values stands for 0."""
        return round(-self.low / self.scale)


@dataclass(slots=True)
class _Graph:
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: dict[str, onnx.TensorProto] = field(default_factory=dict)

    def constant(self, name: str, value: NDArray[Any]) -> str:
        self.constants[name] = numpy_helper.from_array(np.array(value, order="C"), name)
        return name

    def add(
        self, operator: str, *inputs: str, output: str = "", domain: str = "", **attributes: Any
    ) -> str:
        output = output or f"{operator.lower()}_{len(self.nodes)}"
        node = helper.make_node(operator, inputs, [output], domain=domain, **attributes)
        self.nodes.append(node)
        return output


class BertGraph:
    """Assembles the graph of one encoder.

    With ranges the multiplications run in int8: weights have a scale for each output column,
    inputs one fixed scale. Fixed, because a scale taken from the batch at hand would let a text's
    embedding depend on what happens to be embedded beside it.
    """

    def __init__(
        self,
        weights: Mapping[str, NDArray[np.float32]],
        shape: BertShape,
        ranges: Mapping[str, Range] | None = None,
    ) -> None:
        """Take what the graph is made of.

        Args:
            weights: The encoder's parameters by their names in Hugging Face's BERT.
            shape: The rest of its architecture.
            ranges: Of every multiplication's input, by its name; None for float32.
        """
        self.inputs: dict[str, str] = {}
        self._weights, self._shape, self._ranges = weights, shape, ranges
        self._graph = _Graph()

    def build(self, *, observe: bool = False) -> bytes:
        """Make the graph: `input_ids` and `attention_mask`, int64 [n, tokens], to unit vectors.

        Args:
            observe: Also output every multiplication's input; `inputs` then maps the names of
                the multiplications to the names of these outputs.

        Returns:
            The serialized model.
        """
        hidden = self._embeddings()
        mask = self._graph.add("Cast", "attention_mask", to=TensorProto.INT32)
        for layer in range(self._shape.layers):
            hidden = self._feed_forward(self._attention(hidden, mask, layer), layer)
        self._pool(hidden)
        return self._serialize([OUTPUT, *dict.fromkeys(self.inputs.values() if observe else ())])

    def _embeddings(self) -> str:
        graph, table = self._graph, self._weights["embeddings.word_embeddings.weight"]
        if self._ranges is None:
            words = graph.add("Gather", graph.constant("words", table), "input_ids")
        else:
            values, scale = _to_int8(table, axis=1)
            words = graph.add("Gather", graph.constant("words", values), "input_ids")
            words = graph.add("Cast", words, to=TensorProto.FLOAT)
            scales = graph.add("Gather", graph.constant("words.scale", scale), "input_ids")
            words = graph.add("Mul", words, scales)
        positions = self._weights["embeddings.position_embeddings.weight"]
        positions = positions[self._shape.first_position :]
        positions = positions + self._weights["embeddings.token_type_embeddings.weight"][0]
        tokens = graph.add("Shape", "input_ids", start=1)
        start = graph.constant("zero", np.array([0]))
        used = graph.add("Slice", graph.constant("positions", positions), start, tokens, start)
        return graph.add(
            "LayerNormalization",
            graph.add("Add", words, used),
            *self._parameters("embeddings.LayerNorm", "weight", "bias"),
            epsilon=self._shape.epsilon,
        )

    def _attention(self, hidden: str, mask: str, layer: int) -> str:
        names = [
            f"encoder.layer.{layer}.attention.self.{part}" for part in ("query", "key", "value")
        ]
        weight = np.concatenate([self._weights[f"{name}.weight"].T for name in names], axis=1)
        bias = np.concatenate([self._weights[f"{name}.bias"] for name in names])
        name = f"encoder.layer.{layer}.attention"
        bias_name = self._graph.constant(f"{name}.self.bias", bias)
        self.inputs[f"{name}.self"] = hidden
        heads = self._shape.heads
        if self._ranges is None:
            weight_name = self._graph.constant(f"{name}.self.weight", weight)
            context = self._graph.add(
                *("Attention", hidden, weight_name, bias_name, mask),
                domain=_FUSED,
                num_heads=heads,
            )
        else:
            values, scale, zero = self._int8_input(f"{name}.self", hidden)
            weight_name, weight_scale, weight_zero = self._int8_weight(f"{name}.self", weight)
            context = self._graph.add(
                "QAttention",
                *(values, weight_name, bias_name, scale, weight_scale, mask, zero, weight_zero),
                domain=_FUSED,
                num_heads=heads,
            )
        return self._add_and_norm(hidden, context, f"{name}.output")

    def _feed_forward(self, hidden: str, layer: int) -> str:
        name = f"encoder.layer.{layer}"
        wide = self._multiply(hidden, f"{name}.intermediate.dense")
        (bias,) = self._parameters(f"{name}.intermediate.dense", "bias")
        wide = self._graph.add("BiasGelu", wide, bias, domain=_FUSED)
        return self._add_and_norm(hidden, wide, f"{name}.output")

    def _add_and_norm(self, hidden: str, change: str, name: str) -> str:
        return self._graph.add(
            "SkipLayerNormalization",
            hidden,
            self._multiply(change, f"{name}.dense"),
            *self._parameters(f"{name}.LayerNorm", "weight", "bias"),
            *self._parameters(f"{name}.dense", "bias"),
            domain=_FUSED,
            epsilon=self._shape.epsilon,
        )

    def _multiply(self, hidden: str, name: str) -> str:
        weight = self._weights[f"{name}.weight"].T
        self.inputs[name] = hidden
        if self._ranges is None:
            return self._graph.add("MatMul", hidden, self._graph.constant(f"{name}.weight", weight))
        values, scale, zero = self._int8_input(name, hidden)
        weight_name, weight_scale, weight_zero = self._int8_weight(name, weight)
        return self._graph.add(
            "MatMulIntegerToFloat",
            *(values, weight_name, scale, weight_scale, zero, weight_zero),
            domain=_FUSED,
        )

    def _int8_input(self, name: str, hidden: str) -> tuple[str, str, str]:
        """Name of the quantized values, of their scale and of their zero point."""
        seen = (self._ranges or {})[name]
        scale = self._graph.constant(f"{name}.input.scale", np.array(seen.scale, np.float32))
        zero = self._graph.constant(f"{name}.input.zero", np.array(seen.zero, np.uint8))
        return self._graph.add("QuantizeLinear", hidden, scale, zero), scale, zero

    def _int8_weight(self, name: str, weight: NDArray[np.float32]) -> tuple[str, str, str]:
        """Name of the weights, of their scales and of their zero points.

        Unsigned around 128: for signed ones onnxruntime adds up pairs in 16 bits on processors
        without VNNI, where large sums are cut off and a text gets another embedding than elsewhere.
        """
        values, scale = _to_int8(weight, axis=0)
        unsigned = (values.astype(np.int16) + _MIDDLE).astype(np.uint8)
        zeros = np.full(scale.size, _MIDDLE, dtype=np.uint8)
        return (
            self._graph.constant(f"{name}.weight", unsigned),
            self._graph.constant(f"{name}.weight.scale", scale.ravel()),
            self._graph.constant(f"{name}.weight.zero", zeros),
        )

    def _parameters(self, name: str, *kinds: str) -> list[str]:
        return [
            self._graph.constant(f"{name}.{kind}", self._weights[f"{name}.{kind}"])
            for kind in kinds
        ]

    def _pool(self, hidden: str) -> None:
        graph = self._graph
        if self._shape.pool_mean:  # the sum will do: its length is divided out
            mask = graph.add("Cast", "attention_mask", to=TensorProto.FLOAT)
            mask = graph.add("Unsqueeze", mask, graph.constant("last", np.array([-1])))
            pooled = graph.add("Mul", hidden, mask)
            pooled = graph.add(
                "ReduceSum", pooled, graph.constant("tokens", np.array([1])), keepdims=0
            )
        else:
            pooled = graph.add("Gather", hidden, graph.constant("first", np.array(0)), axis=1)
        graph.add("LpNormalization", pooled, axis=-1, p=2, output=OUTPUT)

    def _serialize(self, outputs: list[str]) -> bytes:
        shapes = {"input_ids": TensorProto.INT64, "attention_mask": TensorProto.INT64}
        graph = helper.make_graph(
            self._graph.nodes,
            "sentence_encoder",
            [helper.make_tensor_value_info(n, t, ["n", "tokens"]) for n, t in shapes.items()],
            [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in outputs],
            list(self._graph.constants.values()),
        )
        model = helper.make_model(graph, opset_imports=_OPSETS, ir_version=_IR_VERSION)
        return bytes(model.SerializeToString())


def _to_int8(
    weight: NDArray[np.float32], *, axis: int
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Values in -127..127 and the scale that multiplies them, its `axis` of length 1."""
    scale = np.maximum(np.abs(weight).max(axis=axis, keepdims=True), 1e-12) / 127
    return np.round(weight / scale).astype(np.int8), scale.astype(np.float32)
