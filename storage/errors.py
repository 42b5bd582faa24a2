"""What can go wrong with the record, in the two kinds that a caller treats differently."""

from __future__ import annotations


class StorageError(Exception):
    """The record cannot do what was asked; its text is one clear line without secrets."""


class DatabaseUnavailable(StorageError):
    """The database cannot be reached, is locked, or is full: trying again later may help."""
