"""A model bundle on disk: one folder, checked before anything in it is opened, saved at once."""

from __future__ import annotations

import glob
import hashlib
import io
import json
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

import joblib  # type: ignore[import-untyped]

from core.encoder import Encoder, ExportedEncoder
from core.errors import BundleError
from core.heads import Heads
from core.manifest import FORMAT, MANIFEST, Manifest

ENCODER, TOKENIZER, HEADS = "encoder.onnx", "tokenizer.json", "heads.joblib"
_REQUIRED = frozenset({ENCODER, TOKENIZER, HEADS})
_DOCUMENTS = frozenset({".md", ".json", ".png", ".svg"})  # shown to people, never executed
_LIBRARIES = ("scikit-learn", "numpy", "joblib", "onnxruntime", "tokenizers")
_MAX_MANIFEST_BYTES = 1_000_000
_ABANDONED_S = 3600  # writing a bundle takes a second


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle whose every listed file had the listed hash when it was read.

    The checked bytes themselves are kept, so that nobody can change a file between the check
    and its use.

    Attributes:
        manifest: What it is.
        contents: The listed files' bytes by name.
    """

    manifest: Manifest
    contents: Mapping[str, bytes] = field(repr=False)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Bundle:
        """Read and check a bundle; nothing is unpickled or parsed before every hash was right.

        Args:
            path: The bundle's folder.

        Raises:
            BundleError: No bundle there, of another format, damaged, changed since it was made,
                or with files that do not belong.
        """
        folder = Path(path)
        if not folder.exists() and _aside(folder.absolute()).exists():
            folder = _aside(folder.absolute())  # a save died between its two renames
        manifest = _read_manifest(folder)
        _refuse_strangers(folder, manifest)
        contents = {name: _read_checked(folder / name, manifest) for name in manifest.files}
        return cls(manifest, contents)

    @property
    def exported(self) -> ExportedEncoder:
        """The sentence encoder's files."""
        return ExportedEncoder(
            self.contents[ENCODER],
            self.contents[TOKENIZER],
            dim=self.manifest.dim,
            max_tokens=self.manifest.max_tokens,
        )

    def encoder(self, *, threads: int = 2) -> Encoder:
        """Open the sentence encoder on that many threads.

        Raises:
            EncoderError: The files are no encoder and tokenizer.
        """
        return self.exported.open(threads=threads)

    def heads(self) -> Heads:
        """Unpickle the classifier heads.

        Raises:
            BundleError: They need a class that is not there, or are something else.
        """
        try:
            heads = joblib.load(io.BytesIO(self.contents[HEADS]))
        except Exception as error:  # a pickle raises whatever its data make it raise
            raise BundleError(
                f"{HEADS} cannot be read by this version ({error}); train the bundle again"
            ) from error
        if not isinstance(heads, Heads):
            raise BundleError(f"{HEADS} holds {type(heads).__name__}, not classifier heads")
        return heads


def encoder_key(manifest: Manifest) -> str:
    """The same for bundles that turn every text into the same embedding."""
    graph, tokenizer = manifest.files[ENCODER], manifest.files[TOKENIZER]
    return f"{graph[:16]}-{tokenizer[:8]}-{manifest.max_tokens}"


def _read_manifest(folder: Path) -> Manifest:
    try:
        with (folder / MANIFEST).open("rb") as file:
            raw = json.loads(file.read(_MAX_MANIFEST_BYTES))
    except FileNotFoundError as error:
        raise BundleError(f"no model bundle in {folder}: train one or name another") from error
    except (OSError, ValueError, RecursionError) as error:
        raise BundleError(f"{folder / MANIFEST} cannot be read: {error}") from error
    _check_format(folder, raw.get("format") if isinstance(raw, dict) else None)
    manifest = Manifest.from_json(raw)
    if missing := _REQUIRED - set(manifest.files):
        raise BundleError(f"{folder / MANIFEST} does not list {', '.join(sorted(missing))}")
    if manifest.version != _version(manifest.created_at, raw):
        raise BundleError(
            f"{folder / MANIFEST} was changed since the bundle was made: copy it again"
        )
    return manifest


def _check_format(folder: Path, found: object) -> None:
    if isinstance(found, int) and found > FORMAT:
        raise BundleError(
            f"{folder} was made by a newer version of AutoTicket (format {found}, this one reads "
            f"{FORMAT}): update AutoTicket, or train the bundle again"
        )
    if found != FORMAT:
        raise BundleError(f"{folder} is of another format than {FORMAT}: train the bundle again")


def _refuse_strangers(folder: Path, manifest: Manifest) -> None:
    """Refuse files that the manifest does not vouch for, unless they are mere documents."""
    for path in sorted(folder.rglob("*")):
        listed = path.parent == folder and path.name in {*manifest.files, MANIFEST}
        if not listed and path.is_file() and path.suffix not in _DOCUMENTS:
            raise BundleError(f"{path} does not belong to the bundle: remove it")


def _read_checked(path: Path, manifest: Manifest) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BundleError(f"{path} cannot be read ({error.strerror}): copy it again") from error
    if hashlib.sha256(data).hexdigest() != manifest.files[path.name]:
        raise BundleError(f"{path} is not the file that the bundle was made with: copy it again")
    return data


def save(
    path: str | os.PathLike[str],
    manifest: Manifest,
    files: Mapping[str, bytes],
    *,
    documents: Mapping[str, bytes] | None = None,
) -> Manifest:
    """Write a bundle so that a crash at any moment leaves the old one or the new one.

    Args:
        path: The bundle's folder; a bundle that is there is replaced as a whole.
        manifest: Without version, files and libraries: those are worked out here.
        files: Contents by name: the encoder, its tokenizer, the heads, and documents.
        documents: More documents, which the version does not depend on and no hash is kept of.

    Returns:
        The manifest as written.

    Raises:
        BundleError: A file is missing or oddly named, or `check_place` refuses the folder.
    """
    if missing := _REQUIRED - set(files):
        raise BundleError(f"a bundle needs {', '.join(sorted(missing))}")
    folder = check_place(path)
    sealed = seal(manifest, files)
    sealed.check()
    folder.parent.mkdir(parents=True, exist_ok=True)
    _clear_away(folder)
    fresh = Path(tempfile.mkdtemp(prefix=_fresh(folder), dir=folder.parent))
    try:
        text = json.dumps(sealed.to_json(), indent=2, ensure_ascii=False) + "\n"
        for name, data in {**files, **(documents or {}), MANIFEST: text.encode()}.items():
            _write_synced(fresh / name, data)
        fresh.chmod(0o755)
        _sync_folder(fresh)
        _swap(fresh, folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return sealed


def check_place(path: str | os.PathLike[str]) -> Path:
    """Refuse a place where no bundle can be saved; worth asking before hours of work.

    Args:
        path: The bundle's folder.

    Returns:
        The same, absolute.

    Raises:
        BundleError: It is no folder, holds something that is no bundle, or cannot be written.
    """
    folder = Path(path).absolute()
    if folder.exists() and not folder.is_dir():
        raise BundleError(f"{folder} is no folder: name another")
    if folder.exists() and any(folder.iterdir()) and not (folder / MANIFEST).is_file():
        raise BundleError(f"{folder} holds something that is no bundle: name an empty folder")
    above = next(parent for parent in folder.parents if parent.exists())
    if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
        raise BundleError(f"nothing can be written to {above}: name another folder than {folder}")
    return folder


def seal(manifest: Manifest, files: Mapping[str, bytes]) -> Manifest:
    """The manifest as `save` would write it, with the version that the content makes."""
    digests = {name: hashlib.sha256(files[name]).hexdigest() for name in sorted(files)}
    draft = replace(
        manifest,
        files=digests,
        libraries={name: installed_version(name) for name in _LIBRARIES},
        version="",
    )
    return replace(draft, version=_version(draft.created_at, draft.to_json()))


def _version(created_at: datetime, raw: Mapping[str, Any]) -> str:
    """The day, and a hash of all else in the manifest: the same content has the same version."""
    content = json.dumps({**raw, "created_at": "", "version": ""}, sort_keys=True)
    return f"{created_at:%Y.%m.%d}-{hashlib.sha256(content.encode()).hexdigest()[:8]}"


def _write_synced(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _fresh(folder: Path) -> str:
    """How the names of folders begin in which the next bundle is written."""
    return f".{folder.name}.new-"


def _clear_away(folder: Path) -> None:
    """Remove what a process that was killed while writing has left, and nobody else writes to."""
    for left in folder.parent.glob(f"{glob.escape(_fresh(folder))}*"):
        with suppress(OSError):  # somebody else may have removed it meanwhile
            if time.time() - left.stat().st_mtime > _ABANDONED_S:
                shutil.rmtree(left, ignore_errors=True)


def _aside(folder: Path) -> Path:
    """Where the old bundle stands for the moment between two renames."""
    return folder.parent / f".{folder.name}.previous"


def _swap(fresh: Path, folder: Path) -> None:
    """Put `fresh` in the place of `folder`; `Bundle.load` covers the moment between."""
    old = _aside(folder)
    if folder.exists():
        shutil.rmtree(old, ignore_errors=True)
        folder.rename(old)
    fresh.rename(folder)
    _sync_folder(folder.parent)
    shutil.rmtree(old, ignore_errors=True)
