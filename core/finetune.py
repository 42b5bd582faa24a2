"""Fine-tunes a sentence encoder end to end on several labellings at once, resumably."""

from __future__ import annotations

import hashlib
import json
import math
import os
import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer
from torch import Tensor, nn

from core.errors import EncoderError
from core.progress import Progress

_CHECKPOINT_EVERY = 200
_SORT_WINDOW = 50
"""Batches whose texts are sorted by length together: little padding, still well mixed."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to fine-tune.

    Attributes:
        epochs: Passes over the texts.
        batch: Texts a step.
        max_tokens: Tokens of a text that the encoder sees; serving may show it more.
        encoder_rate: AdamW's peak learning rate for the encoder.
        head_rate: The same for the linear heads.
        warmup: Share of the steps in [0, 1] in which the rates rise to their peak.
        dropout: Share of the embedding hidden from the heads in [0, 1).
        attention_dropout: Share of the attention hidden inside the encoder in [0, 1). Without it a
            step takes a tenth less time: the attention is computed in one piece.
        token_drop: Share of each text's tokens left out at random in [0, 1).
        weight_decay: AdamW's.
        seed: Fixes order, dropout and the heads' first weights.
    """

    epochs: int = 2
    batch: int = 32
    max_tokens: int = 96
    encoder_rate: float = 1e-4
    head_rate: float = 1e-3
    warmup: float = 0.06
    dropout: float = 0.1
    attention_dropout: float = 0.0
    token_drop: float = 0.0
    weight_decay: float = 0.01
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Corpus:
    """What to fine-tune on.

    Attributes:
        texts: As the encoder will see them, normalized.
        targets: For each labelling a float32 array [n, classes]: what each class weighs for the
            text. A row's sum is the text's weight; a row of zeros says nothing.
    """

    texts: Sequence[str]
    targets: Mapping[str, NDArray[np.float32]]

    def digest(self) -> str:
        """A hash that is another one when a text, a label or a weight is."""
        digest = hashlib.sha256("\0".join(self.texts).encode("utf-8", "surrogatepass"))
        for name in sorted(self.targets):
            digest.update(name.encode() + np.ascontiguousarray(self.targets[name]).tobytes())
        return digest.hexdigest()


class _Network(nn.Module):
    """An encoder, its embedding scaled to unit variance, and a linear head per labelling."""

    def __init__(
        self, encoder: SentenceTransformer, classes: Mapping[str, int], dropout: float
    ) -> None:
        super().__init__()
        width = encoder.get_embedding_dimension()
        if width is None:
            raise EncoderError("The encoder does not say how wide its embeddings are: take another")
        self.encoder = encoder
        self.dropout = nn.Dropout(dropout)
        self.heads = nn.ModuleDict({name: nn.Linear(width, n) for name, n in classes.items()})
        self.scale = math.sqrt(width)

    def forward(self, features: dict[str, Tensor]) -> dict[str, Tensor]:
        """Logits [n, classes] of each labelling."""
        embedding = self.encoder(features)["sentence_embedding"]
        hidden = self.dropout(nn.functional.normalize(embedding, dim=1) * self.scale)
        return {name: head(hidden) for name, head in self.heads.items()}


def fine_tune(
    encoder: SentenceTransformer,
    corpus: Corpus,
    recipe: Recipe,
    folder: Path,
    *,
    stage: str,
    progress: Progress,
) -> None:
    """Fine-tune `encoder` in place, with a linear classifier for each labelling on top of it.

    The work is kept in `folder` under a name made from the encoder's weights, the corpus and the
    recipe: the same call continues where it was stopped, and returns at once when it was done.

    Args:
        encoder: What to fine-tune.
        corpus: Texts and what is known about them.
        recipe: How.
        folder: Where checkpoints go.
        stage: Name for the checkpoint and for `progress`.
        progress: Told after every step.
    """
    finished = folder / f"{stage}-{_digest(encoder, corpus, recipe)[:16]}.pt"
    torch.manual_seed(recipe.seed)
    classes = {name: target.shape[1] for name, target in corpus.targets.items()}
    network = _Network(encoder, classes, recipe.dropout)
    _set_attention_dropout(encoder, recipe.attention_dropout)
    if (kept := _kept(finished)) is not None:
        network.load_state_dict(kept)
    else:
        network.to("cuda" if torch.cuda.is_available() else "cpu").train()
        _run(network, corpus, recipe, finished.with_suffix(".part"), stage, progress)
        _save(network.state_dict(), finished)
        finished.with_suffix(".part").unlink(missing_ok=True)
    network.cpu().eval()


def _set_attention_dropout(encoder: SentenceTransformer, share: float) -> None:
    for module in encoder.modules():
        if type(module).__name__.endswith("SelfAttention"):
            for child in module.children():
                if isinstance(child, nn.Dropout):
                    child.p = share


def _digest(encoder: SentenceTransformer, corpus: Corpus, recipe: Recipe) -> str:
    digest = hashlib.sha256(json.dumps(asdict(recipe), sort_keys=True).encode())
    digest.update(corpus.digest().encode())
    for name, weight in sorted(encoder.state_dict().items()):
        digest.update(name.encode() + weight.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _run(
    network: _Network,
    corpus: Corpus,
    recipe: Recipe,
    checkpoint: Path,
    stage: str,
    progress: Progress,
) -> None:
    tokens = _tokenize(network.encoder, corpus.texts, recipe.max_tokens)
    plan = [
        rows
        for epoch in range(recipe.epochs)
        for rows in _batches([len(ids) for ids in tokens], recipe, epoch)
    ]
    optimizer = _optimizer(network, recipe)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, _warm_then_linear(recipe, len(plan)))
    targets = {name: torch.from_numpy(target) for name, target in corpus.targets.items()}
    device = next(network.parameters()).device

    start = _resume(checkpoint, network, optimizer, schedule)
    for step in range(start, len(plan)):
        rows = plan[step]
        features = _features(network.encoder, [tokens[row] for row in rows], recipe, step)
        loss = _loss(
            network({name: tensor.to(device) for name, tensor in features.items()}),
            {name: target[rows].to(device) for name, target in targets.items()},
        )
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        done = step + 1
        if done % _CHECKPOINT_EVERY == 0 and done < len(plan):
            _save(_state(network, optimizer, schedule, done), checkpoint)
        progress(stage, done, len(plan))


def _tokenize(
    encoder: SentenceTransformer, texts: Sequence[str], max_tokens: int
) -> list[list[int]]:
    encoded = encoder.tokenizer(list(texts), truncation=True, max_length=max_tokens)
    return list(encoded["input_ids"])


def _batches(lengths: Sequence[int], recipe: Recipe, epoch: int) -> Iterator[NDArray[np.int64]]:
    """Row numbers of each step of an epoch: texts of like length together, in random order."""
    random = np.random.default_rng((recipe.seed, epoch))
    order = random.permutation(len(lengths))
    length = np.asarray(lengths)
    window = recipe.batch * _SORT_WINDOW
    batches: list[NDArray[np.int64]] = []
    for begin in range(0, len(order), window):
        rows = order[begin : begin + window]
        rows = rows[np.argsort(length[rows], kind="stable")]
        batches += [rows[at : at + recipe.batch] for at in range(0, len(rows), recipe.batch)]
    for place in random.permutation(len(batches)):
        yield batches[place]


def _features(
    encoder: SentenceTransformer, tokens: Sequence[list[int]], recipe: Recipe, step: int
) -> dict[str, Tensor]:
    if recipe.token_drop:
        random = np.random.default_rng((recipe.seed, step, 1))
        tokens = [_thin(ids, recipe.token_drop, random) for ids in tokens]
    return dict(encoder.tokenizer.pad({"input_ids": list(tokens)}, return_tensors="pt"))


def _thin(ids: list[int], share: float, random: np.random.Generator) -> list[int]:
    """Leave out a share of the tokens, never the first and last, which frame the text."""
    inner = [token for token in ids[1:-1] if random.random() >= share]
    return [ids[0], *inner, ids[-1]] if inner else ids


def _loss(logits: Mapping[str, Tensor], targets: Mapping[str, Tensor]) -> Tensor:
    losses = [
        -(target * torch.log_softmax(logits[name], dim=1)).sum() / len(target)
        for name, target in targets.items()
    ]
    return torch.stack(losses).sum()


def _optimizer(network: _Network, recipe: Recipe) -> torch.optim.Optimizer:
    groups = [
        {"params": network.encoder.parameters(), "lr": recipe.encoder_rate},
        {"params": network.heads.parameters(), "lr": recipe.head_rate},
    ]
    return torch.optim.AdamW(groups, weight_decay=recipe.weight_decay, fused=True)


def _warm_then_linear(recipe: Recipe, steps: int) -> Callable[[int], float]:
    rise = max(round(steps * recipe.warmup), 1)
    fall = max(steps - rise, 1)
    return lambda step: min((step + 1) / rise, max(steps - step, 0) / fall)


def _state(
    network: _Network,
    optimizer: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LambdaLR,
    done: int,
) -> dict[str, Any]:
    return {
        "network": network.state_dict(),
        "optimizer": optimizer.state_dict(),
        "schedule": schedule.state_dict(),
        "random": torch.get_rng_state(),
        "done": done,
    }


def _resume(
    checkpoint: Path,
    network: _Network,
    optimizer: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LambdaLR,
) -> int:
    """Load what was saved, and return the steps already done."""
    state = _kept(checkpoint)
    if state is None:
        return 0
    network.load_state_dict(state["network"])
    optimizer.load_state_dict(state["optimizer"])
    schedule.load_state_dict(state["schedule"])
    torch.set_rng_state(state["random"])
    return int(state["done"])


def _kept(path: Path) -> dict[str, Any] | None:
    """What an earlier run left there; None when that is nothing, or no longer readable."""
    try:
        kept: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, EOFError, RuntimeError, pickle.UnpicklingError):
        return None
    return kept


def _save(state: Mapping[str, Any], path: Path) -> None:
    """Write all or nothing: a crash leaves the file of before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(path.suffix + ".tmp")
    torch.save(dict(state), partial)
    os.replace(partial, path)
