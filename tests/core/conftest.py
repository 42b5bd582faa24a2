"""A tiny real bundle whose answers can be told from a text's words, and a check of linear time."""

import io
import time
from datetime import UTC, datetime

import joblib
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from core.encoder import OUTPUT
from core.features import RunFeatures, WordFeatures
from core.heads import Heads, LabelHead, Linear, Novelty, Pool
from core.manifest import Manifest
from core.policy import Rules

# Each word points along one axis: Hardware, Access, Storage, small talk, never seen, outage.
AXES = {
    "laptop": 0,
    "printer": 0,
    "password": 1,
    "account": 1,
    "disk": 2,
    "thanks": 3,
    "lunch": 3,
    "zebra": 4,
    "outage": 5,
    "everybody": 5,
}
DIM = 6
QUEUES = ("Hardware", "Access", "Storage")
_SPECIAL = {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3}


def _tokenizer() -> bytes:
    vocabulary = _SPECIAL | {word: 4 + index for index, word in enumerate(AXES)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return tokenizer.to_str().encode()


def _graph(pad_vector: float) -> bytes:
    """Mean of word vectors, normalised; `pad_vector` shows when padding leaks in."""
    table = np.full((4 + len(AXES), DIM), 0.001, dtype=np.float32)
    table[0] = pad_vector
    for index, axis in enumerate(AXES.values()):
        table[4 + index] = np.eye(DIM, dtype=np.float32)[axis]
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["vectors"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["mask3"]),
        helper.make_node("Mul", ["vectors", "mask3"], ["masked"]),
        helper.make_node("ReduceSum", ["masked", "tokens"], ["sum"], keepdims=0),
        helper.make_node("LpNormalization", ["sum"], [OUTPUT], axis=1, p=2),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [
            helper.make_tensor_value_info(name, TensorProto.INT64, ["n", "tokens"])
            for name in ("input_ids", "attention_mask")
        ],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["n", DIM])],
        [
            numpy_helper.from_array(table, "table"),
            numpy_helper.from_array(np.array([2], dtype=np.int64), "last"),
            numpy_helper.from_array(np.array([1], dtype=np.int64), "tokens"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def _head(weights: list[list[float]], bias: list[float]) -> LabelHead:
    """A head that looks at the embedding alone; weights [classes, dim]."""
    matrix = np.array(weights, dtype=np.float32).T
    nothing = np.zeros(matrix.shape[1], dtype=np.float32)
    wording = Linear(np.zeros((8, matrix.shape[1]), dtype=np.float32), nothing)
    return LabelHead(
        embedding=Linear(matrix, nothing),
        words=wording,
        runs=wording,
        written=Pool(weights=(1.0, 0.0, 0.0), bias=np.array(bias)),
    )


def _heads() -> bytes:
    axis = (8 * np.eye(DIM)).tolist()
    nothing = [0.0] * DIM
    heads = Heads(
        words=WordFeatures(rarity=np.ones(8, dtype=np.float32)),
        runs=RunFeatures(rarity=np.ones(8, dtype=np.float32)),
        queue=_head(axis[:3], [0.0, 0.0, 0.0]),
        ticket=_head([axis[3], nothing], [0.0, 4.0]),
        urgency=_head([axis[5], nothing, nothing], [0.0, 3.0, 0.0]),
        impact=_head([axis[5], nothing, nothing], [0.0, 0.0, 3.0]),
        novelty=Novelty(
            centres=np.eye(DIM, dtype=np.float32)[[0, 1, 2, 3, 5]],
            distances=np.linspace(0, 1, 101),
        ),
    )
    buffer = io.BytesIO()
    joblib.dump(heads, buffer)
    return buffer.getvalue()


@pytest.fixture(scope="session")
def tiny_files() -> dict[str, bytes]:
    """The files of a bundle of three queues and ten words."""
    return {
        "encoder.onnx": _graph(pad_vector=1000.0),
        "tokenizer.json": _tokenizer(),
        "heads.joblib": _heads(),
    }


@pytest.fixture(scope="session")
def tiny_manifest() -> Manifest:
    """Its draft; Storage is not proven."""
    return Manifest(
        created_at=datetime(2026, 11, 22, 8, 30, tzinfo=UTC),
        queues=QUEUES,
        dim=DIM,
        max_tokens=16,
        rules=Rules(
            promised_precision=0.95,
            thresholds={"Hardware": 0.9, "Access": 0.9, "Storage": 1.0},
            languages=("en", "und"),
            ignore_below=0.1,
            doubt_below=0.5,
            novelty_above=0.95,
            outage_above=0.3,
        ),
        licences={"data": "CC0-1.0", "encoder": "Apache-2.0"},
    )


@pytest.fixture
def assert_linear():
    """Fail when four times the input takes much more than four times as long."""

    def seconds(function, text) -> float:
        times = []
        for _ in range(3):
            start = time.process_time()
            function(text)
            times.append(time.process_time() - start)
        return min(times)

    def check(function, unit: str) -> None:
        short, long = ((unit * size)[:size] for size in (10_000, 40_000))
        # Quadratic time would be 16 times; 5 ms absorb the clock's grain.
        assert seconds(function, long) < 8 * seconds(function, short) + 0.005

    return check
