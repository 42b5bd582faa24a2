"""The versions of the model on disk: folders beside the one that is configured."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from core.errors import BundleError
from core.manifest import MANIFEST, Manifest
from core.replay import REPLAY
from slackbot.errors import AutoTicketError

_LOCK = ".retrain.lock"
CACHE = ".embeddings"
"""Folder beside the versions with the embeddings of base data."""


class UnknownVersion(AutoTicketError):
    """No folder beside the configured bundle holds that version."""

    def __init__(self, version: str, model_dir: Path) -> None:
        super().__init__(
            f"no version {version!r} in {home_of(model_dir)}: autoticket models list shows what "
            "is there"
        )


class Busy(AutoTicketError):
    """Another process is fitting a model in this folder."""


class NotWritable(AutoTicketError):
    """New versions cannot be written beside the configured bundle."""


@dataclass(frozen=True, slots=True)
class Version:
    """A bundle on disk, as its manifest describes it; not checked any further.

    Attributes:
        folder: Where it is.
        name: Its version.
        created_at: When it was made (aware).
        queues: Names in class order.
    """

    folder: Path
    name: str
    created_at: datetime
    queues: tuple[str, ...]

    def replay(self) -> dict[str, Any] | None:
        """How it compared with the version it was made from; None when it was not compared."""
        try:
            found = json.loads((self.folder / REPLAY).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) and found.get("candidate") == self.name else None


def home_of(model_dir: Path) -> Path:
    """The folder in which the versions lie."""
    return model_dir.absolute().parent


def all_versions(model_dir: Path) -> list[Version]:
    """Every bundle beside the configured one and itself, the oldest first."""
    try:
        folders = sorted(path for path in home_of(model_dir).iterdir() if _may_be_one(path))
    except OSError:
        folders = []
    found = (_version(folder) for folder in folders)
    return sorted((each for each in found if each), key=lambda each: (each.created_at, each.name))


def find(model_dir: Path, name: str) -> Version:
    """The version of that name.

    Raises:
        UnknownVersion: It is not there.
    """
    for version in all_versions(model_dir):
        if version.name == name:
            return version
    raise UnknownVersion(name, model_dir)


def configured(model_dir: Path) -> Version:
    """The version that `AUTOTICKET_MODEL_DIR` names.

    Raises:
        BundleError: There is none.
    """
    version = _version(model_dir)
    if version is None:
        raise BundleError(f"no model bundle in {model_dir}: train one or name another")
    return version


@contextmanager
def writing(model_dir: Path) -> Iterator[Path]:
    """Be the only one who makes versions; gives the folder to make them in.

    Raises:
        NotWritable: The folder cannot be written.
        Busy: Another process is at it.
    """
    home = home_of(model_dir)
    try:
        handle = os.open(home / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise NotWritable(
            f"new versions are written beside {model_dir}, and {home} cannot be written "
            f"({error.strerror}): set AUTOTICKET_MODEL_DIR to a copy of the bundle elsewhere"
        ) from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Busy(f"a model is being fitted in {home} already: wait for it to end") from error
        os.utime(handle)
        yield home
    finally:
        os.close(handle)


def last_written(model_dir: Path) -> float:
    """When somebody last began to make a version, in seconds since 1970; 0 when never."""
    try:
        return (home_of(model_dir) / _LOCK).stat().st_mtime
    except OSError:
        return 0.0


def _may_be_one(path: Path) -> bool:
    return not path.name.startswith(".") and (path / MANIFEST).is_file()


def _version(folder: Path) -> Version | None:
    try:
        raw = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        manifest = Manifest.from_json(raw)
    except (OSError, ValueError, TypeError, BundleError):
        return None
    return Version(folder, manifest.version, manifest.created_at, manifest.queues)
