"""What serving runs must be the encoder that was trained."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer
from tokenizers import Tokenizer

from core.encoder import Encoder
from core.errors import EncoderError
from core.onnx_export import export_encoder
from tests.core.tiny_encoders import SENTENCES, save_bert, save_distilbert, save_xlm_roberta

TEXTS = [
    *SENTENCES,
    "",
    "a",
    "Ünïcödé ελληνικά 日本語 🖨️ ﬁ",
    "long " * 300,
    "MiXeD CaSe, with: punctuation!",
]


def _served(encoder: SentenceTransformer, *, int8: bool, max_tokens: int = 48) -> Encoder:
    exported = export_encoder(encoder, SENTENCES, max_tokens=max_tokens, int8=int8)
    return Encoder(
        exported.graph, exported.tokenizer, dim=exported.dim, max_tokens=max_tokens, threads=1
    )


def _cosines(encoder: SentenceTransformer, served: Encoder) -> np.ndarray:
    encoder.max_seq_length = 48
    expected = encoder.encode(TEXTS, normalize_embeddings=True, show_progress_bar=False)
    return (served.encode(TEXTS) * expected).sum(axis=1)


@pytest.mark.parametrize(
    "save",
    [save_bert, lambda folder: save_bert(folder, pooling="cls"), save_xlm_roberta],
    ids=["bert", "bert with cls pooling", "xlm-roberta"],
)
def test_the_lean_graph_embeds_as_torch_does(save: Callable[[Path], Path], tmp_path: Path) -> None:
    encoder = SentenceTransformer(str(save(tmp_path)), device="cpu")
    assert _cosines(encoder, _served(encoder, int8=False)).min() > 0.9999
    assert _cosines(encoder, _served(encoder, int8=True)).min() > 0.99


def test_other_encoders_go_through_torch_export(tmp_path: Path) -> None:
    encoder = SentenceTransformer(str(save_distilbert(tmp_path)), device="cpu")
    assert _cosines(encoder, _served(encoder, int8=False)).min() > 0.999


def test_int8_embeds_a_text_the_same_alone_and_in_company(tmp_path: Path) -> None:
    encoder = SentenceTransformer(str(save_bert(tmp_path)), device="cpu")
    served = _served(encoder, int8=True)
    together = served.encode(TEXTS)
    alone = np.concatenate([served.encode([text]) for text in TEXTS])
    np.testing.assert_allclose(alone, together, atol=1e-5)


@pytest.mark.parametrize("save", [save_bert, save_xlm_roberta])
def test_the_tokenizers_agree(save: Callable[[Path], Path], tmp_path: Path) -> None:
    encoder = SentenceTransformer(str(save(tmp_path)), device="cpu")
    exported = export_encoder(encoder, SENTENCES, max_tokens=48, int8=False)
    tokenizer = Tokenizer.from_buffer(exported.tokenizer)
    expected = encoder.tokenizer(TEXTS)["input_ids"]
    assert [tokenizer.encode(text).ids for text in TEXTS] == expected


def test_more_tokens_than_the_encoder_reads_are_refused(tmp_path: Path) -> None:
    encoder = SentenceTransformer(str(save_bert(tmp_path)), device="cpu")
    with pytest.raises(EncoderError, match="reads 64 tokens, fewer than 128"):
        export_encoder(encoder, SENTENCES, max_tokens=128, int8=False)
