"""What can go wrong in `core`: each error's text is one line that says what to do."""

from __future__ import annotations


class CoreError(Exception):
    """Base of every error that `core` raises on purpose; its text may be shown to people."""


class DataError(CoreError):
    """Training or evaluation data cannot be used as it is."""


class EncoderError(CoreError):
    """The sentence encoder cannot be loaded, trained or exported."""


class BundleError(CoreError):
    """A model bundle is missing, damaged, or not of a kind that this version reads."""


class SettingError(CoreError):
    """A configured value of the decision, such as the priority matrix, cannot be read."""
