"""Files that are whole or not there: written under a temporary name, then renamed."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO


@contextlib.contextmanager
def replacing(path: Path, *, private: bool = False) -> Iterator[IO[str]]:
    """Open a text file that takes `path`'s place when the block ends without an error.

    Args:
        path: The file.
        private: Only its owner may read it.

    Raises:
        OSError: The folder is missing or not writable, or `path` is no file.
    """
    with (
        _replacing(path, private=private) as handle,
        os.fdopen(handle, "w", encoding="utf-8", newline="") as stream,
    ):
        yield stream
        stream.flush()
        os.fsync(handle)


def replace_bytes(path: Path, content: bytes) -> None:
    """Give a file new content, all of it or nothing.

    Raises:
        OSError: The folder is missing or not writable, or `path` is no file.
    """
    with _replacing(path) as handle, os.fdopen(handle, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(handle)


def json_bytes(value: object) -> bytes:
    """The content of a JSON file for people and programs."""
    return (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode("utf-8", "replace")


@contextlib.contextmanager
def _replacing(path: Path, *, private: bool = False) -> Iterator[int]:
    """A new file's descriptor, to be closed in the block; renamed to `path` after it."""
    folder = path.absolute().parent
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if path.exists() and not path.is_file():  # a device's name must not become a file's
        raise OSError(errno.EINVAL, "is no ordinary file", str(path))
    try:
        handle, temporary = tempfile.mkstemp(dir=folder, prefix=f".{path.name}.")
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
    try:
        yield handle
        if not private:
            os.chmod(temporary, 0o644 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
