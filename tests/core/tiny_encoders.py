"""Tiny randomly initialised Sentence-Transformers models, one of each kind that export knows."""

from pathlib import Path

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    BertConfig,
    BertModel,
    DistilBertConfig,
    DistilBertModel,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    XLMRobertaConfig,
    XLMRobertaModel,
)

SENTENCES = [
    "my laptop does not start since this morning",
    "please reset the password of my account",
    "the shared folder of the project is full",
    "purchase order for two monitors has arrived",
    "Der Drucker im dritten Stock druckt nicht mehr, bitte helfen",
    "no puedo entrar en mi cuenta después de las vacaciones",
]
_SIZE = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": 80,
}


def _wordpiece() -> Tokenizer:
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=300, special_tokens=special)
    tokenizer.train_from_iterator(SENTENCES, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return tokenizer


def _unigram() -> Tokenizer:
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=300, special_tokens=special, unk_token="<unk>")
    tokenizer.train_from_iterator(SENTENCES, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return tokenizer


def _save(
    folder: Path, model: PreTrainedModel, tokenizer: Tokenizer, *, pooling: str, **special: str
) -> Path:
    model.save_pretrained(folder / "body")
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=64,
        model_input_names=["input_ids", "attention_mask"],
        **special,
    ).save_pretrained(folder / "body")
    body = Transformer(str(folder / "body"))
    SentenceTransformer(
        modules=[body, Pooling(_SIZE["hidden_size"], pooling_mode=pooling), Normalize()],
        device="cpu",
    ).save(str(folder / "encoder"))
    return folder / "encoder"


def save_bert(folder: Path, *, pooling: str = "mean") -> Path:
    """A BERT-type encoder with a WordPiece tokenizer, as all-MiniLM-L6-v2 is."""
    torch.manual_seed(1)
    tokenizer = _wordpiece()
    config = BertConfig(vocab_size=tokenizer.get_vocab_size(), initializer_range=0.3, **_SIZE)
    return _save(
        folder,
        BertModel(config),
        tokenizer,
        pooling=pooling,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
    )


def save_xlm_roberta(folder: Path) -> Path:
    """An XLM-R-type encoder with a Unigram tokenizer, as the multilingual models are."""
    torch.manual_seed(2)
    tokenizer = _unigram()
    config = XLMRobertaConfig(
        vocab_size=tokenizer.get_vocab_size(),
        type_vocab_size=1,
        pad_token_id=1,
        initializer_range=0.3,
        **_SIZE,
    )
    return _save(
        folder,
        XLMRobertaModel(config),
        tokenizer,
        pooling="mean",
        pad_token="<pad>",
        unk_token="<unk>",
        cls_token="<s>",
        sep_token="</s>",
    )


def save_distilbert(folder: Path) -> Path:
    """An encoder that has no lean graph and goes through torch's own exporter."""
    torch.manual_seed(3)
    tokenizer = _wordpiece()
    config = DistilBertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        dim=32,
        hidden_dim=64,
        n_layers=2,
        n_heads=4,
        max_position_embeddings=80,
        initializer_range=0.3,
    )
    return _save(
        folder,
        DistilBertModel(config),
        tokenizer,
        pooling="mean",
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
    )
