"""The shipped bundle beside what one would write in an afternoon, on one machine in one run.

The peer is sentence-transformers with the same base encoder and scikit-learn's logistic
regression, on torch. Each is a process of its own, so that start and memory are its own.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import joblib
import numpy as np

ROOT = Path(__file__).parents[1]
SINGLE = 200
MANY = 1000


def read_texts() -> list[str]:
    """Hand-written messages, as people write them."""
    lines = (ROOT / "models" / "training" / "messages.jsonl").read_text(encoding="utf-8")
    return [json.loads(line)["text"] for line in lines.splitlines()]


def timed(start: float, judge: Callable[[Sequence[str]], object]) -> dict[str, float]:
    """Figures of one contender, whose process began at `start` (seconds since the epoch)."""
    texts = read_texts()
    judge(texts[:1])
    first_answer = time.time() - start
    singles = []
    for text in texts[:SINGLE]:
        before = time.perf_counter()
        judge([text])
        singles.append(time.perf_counter() - before)
    before = time.perf_counter()
    judge(texts[:MANY])
    taken = time.perf_counter() - before
    return {
        "first_answer_s": first_answer,
        "single_p50_ms": statistics.median(singles) * 1000,
        "texts_a_second": min(MANY, len(texts)) / taken,
        "memory_mb": peak_memory_mb(),
    }


def peak_memory_mb() -> float:
    """Most memory that this program has held; `getrusage` would count its parent's in (Linux)."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def shipped(start: float, _: str) -> dict[str, float]:
    """AutoTicket: everything that a message goes through, priority and language included."""
    from core.classifier import Classifier  # noqa: PLC0415

    return timed(start, Classifier.load(ROOT / "models" / "default").classify)


def afternoon(start: float, folder: str) -> dict[str, float]:
    """The peer: queue probabilities only."""
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415

    encoder = SentenceTransformer(str(Path(folder) / "encoder"), device="cpu")
    head = joblib.load(Path(folder) / "head.joblib")
    return timed(
        start, lambda texts: head.predict_proba(encoder.encode(list(texts), batch_size=32))
    )


def prepare_peer(folder: Path) -> None:
    """Save the base encoder and a fitted logistic regression, as a deployed script has them."""
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    from core.base_encoder import load_base_encoder  # noqa: PLC0415

    encoder = load_base_encoder()
    encoder.save(str(folder / "encoder"))
    texts = read_texts()[:100]
    labels = np.arange(len(texts)) % 8
    head = LogisticRegression(max_iter=200).fit(encoder.encode(texts), labels)
    joblib.dump(head, folder / "head.joblib")


def run_contender(name: str, folder: str) -> dict[str, float]:
    """Measure a contender in a process of its own."""
    program = [sys.executable, "-m", "benchmarks.inference"]
    command = [*program, "--contender", name, folder, str(time.time())]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def stages() -> dict[str, float]:
    """Share of the time of a batch in tokenizer, encoder and heads, in percent."""
    from tokenizers import Tokenizer  # noqa: PLC0415

    from core.bundle import TOKENIZER  # noqa: PLC0415
    from core.classifier import Classifier  # noqa: PLC0415
    from core.text import normalize  # noqa: PLC0415

    classifier = Classifier.load(ROOT / "models" / "default")
    tokenizer = Tokenizer.from_file(str(ROOT / "models" / "default" / TOKENIZER))
    tokenizer.enable_truncation(classifier.manifest.max_tokens)
    normal = [normalize(text) for text in read_texts()[:MANY]]
    classifier.warm_up()
    marks = [time.perf_counter()]
    tokenizer.encode_batch(normal)
    marks.append(time.perf_counter())
    embeddings = classifier.encoder.encode(normal)
    marks.append(time.perf_counter())
    classifier.heads.predict(normal, embeddings)
    marks.append(time.perf_counter())
    tokenizing, encoding, heads = np.diff(marks)
    encoding -= tokenizing  # encode() tokenizes too
    total = tokenizing + encoding + heads
    parts = {"tokenizer": tokenizing, "encoder": encoding, "heads": heads}
    return {name: 100 * part / total for name, part in parts.items()}


def matmul_peaks() -> dict[str, float]:
    """Giga-operations a second of large matrix products, the machine's practical limit.

    Floats in torch; int8 in ONNX Runtime, whose kernels serve (torch's are for other processors).
    """
    import torch  # noqa: PLC0415

    size = 1024
    peaks = {}
    for dtype in (torch.float32, torch.bfloat16):
        left, right = torch.randn(size, size, dtype=dtype), torch.randn(size, size, dtype=dtype)
        left @ right
        best = min(_seconds(lambda a=left, b=right: a @ b) for _ in range(5))
        peaks[str(dtype).removeprefix("torch.")] = 2 * size**3 / best / 1e9
    peaks["int8"] = 2 * size**3 / _int8_seconds(size) / 1e9
    return peaks


def _int8_seconds(size: int) -> float:
    """The best of five products of two int8 matrices of that size."""
    import onnxruntime  # noqa: PLC0415
    from onnx import TensorProto, helper, numpy_helper  # noqa: PLC0415

    random = np.random.default_rng(0)
    right = random.integers(-9, 9, (size, size), dtype=np.int8)
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["left", "right"], ["product"])],
        "product",
        [helper.make_tensor_value_info("left", TensorProto.UINT8, [size, size])],
        [helper.make_tensor_value_info("product", TensorProto.INT32, [size, size])],
        [numpy_helper.from_array(right, "right")],
    )
    opsets = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    feed = {"left": random.integers(0, 9, (size, size), dtype=np.uint8)}
    return min(_seconds(lambda: session.run(None, feed)) for _ in range(5))


def _seconds(action: Callable[[], object]) -> float:
    before = time.perf_counter()
    action()
    return time.perf_counter() - before


def arguments() -> argparse.ArgumentParser:
    """What the command line takes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--contender",
        nargs=3,
        metavar=("NAME", "FOLDER", "START"),
        help="measure one, `shipped` or `afternoon`: what the comparison starts",
    )
    return parser


def main() -> None:
    """Print the comparison, or the figures of one contender."""
    options = arguments().parse_args()
    if options.contender:
        name, folder, start = options.contender
        contender = {"shipped": shipped, "afternoon": afternoon}[name]
        print(json.dumps(contender(float(start), folder)))
    else:
        compare()


def compare() -> None:
    """Print the comparison."""
    with tempfile.TemporaryDirectory() as folder:
        prepare_peer(Path(folder))
        ours, theirs = run_contender("shipped", folder), run_contender("afternoon", folder)
    print(f"{'':<28}{'AutoTicket':>12}{'peer':>12}{'ratio':>9}{'bar':>9}")
    for name, bar, inverse in (
        ("single_p50_ms", ">= 5", True),
        ("texts_a_second", ">= 5", False),
        ("first_answer_s", ">= 8", True),
        ("memory_mb", ">= 3", True),
    ):
        ratio = theirs[name] / ours[name] if inverse else ours[name] / theirs[name]
        print(f"{name:<28}{ours[name]:>12.2f}{theirs[name]:>12.2f}{ratio:>8.1f}x{bar:>9}")
    print("\nshare of a batch: " + ", ".join(f"{k} {v:.0f} %" for k, v in stages().items()))
    print("matrix products, GOP/s: " + ", ".join(f"{k} {v:.0f}" for k, v in matmul_peaks().items()))


if __name__ == "__main__":
    main()
