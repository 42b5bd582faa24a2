"""What a bundle says about itself: the values in `manifest.json` and what they may be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from core.errors import BundleError
from core.policy import Rules

FORMAT = 2
"""The layout that this version writes and reads."""

MANIFEST = "manifest.json"
"""The file's name inside a bundle."""

_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a bundle is; `manifest.json`.

    Training fills in what it knows; `core.bundle.save` adds version, files and libraries.

    Attributes:
        created_at: Aware time in UTC.
        queues: Names in class order: column i of the heads' queue probabilities is queue i.
        dim: Length of the encoder's embeddings.
        max_tokens: What the encoder reads of a text, special tokens included.
        rules: The promise and the limits that keep it.
        licences: Of data and base weights, by what they are of.
        notes: Further facts for the model card, by name.
        version: Day and content, such as `2026.11.22-ab12cd34`.
        files: SHA-256 in hex of every file but this one, by name.
        libraries: Versions that wrote the bundle, by distribution.
    """

    created_at: datetime
    queues: tuple[str, ...]
    dim: int
    max_tokens: int
    rules: Rules
    licences: Mapping[str, str]
    notes: Mapping[str, str] = field(default_factory=dict)
    version: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    libraries: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The manifest as plain JSON values, the format first."""
        return {
            "format": FORMAT,
            **asdict(self),
            "created_at": self.created_at.isoformat(),
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Manifest:
        """Read what `to_json` wrote.

        Raises:
            BundleError: A field is missing or out of range, or a queue has no threshold.
        """
        try:
            manifest = cls(
                created_at=datetime.fromisoformat(raw["created_at"]),
                queues=tuple(map(str, raw["queues"])),
                dim=int(raw["dim"]),
                max_tokens=int(raw["max_tokens"]),
                rules=_rules(raw["rules"]),
                licences=dict(raw["licences"]),
                notes=dict(raw["notes"]),
                version=str(raw["version"]),
                files=dict(raw["files"]),
                libraries=dict(raw["libraries"]),
            )
            manifest.check()
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BundleError(f"{MANIFEST} is damaged: {error!r}") from error
        return manifest

    def check(self) -> None:
        """Refuse values that no bundle can have.

        Raises:
            BundleError: A limit is out of range, a queue without threshold, an odd file name.
        """
        rules = self.rules
        limits = [
            rules.promised_precision,
            rules.ignore_below,
            rules.doubt_below,
            rules.novelty_above,
            rules.outage_above,
            *rules.thresholds.values(),
            *(rules.stripped_thresholds or {}).values(),
            *(rules.ignore_below_in or {}).values(),
        ]
        by_kind = [rules.thresholds, rules.stripped_thresholds or rules.thresholds]
        if any(set(each) != set(self.queues) for each in by_kind) or len(self.queues) < 2:
            raise BundleError(f"{MANIFEST} needs two queues or more and a threshold for each")
        if not all(isinstance(limit, float | int) and 0 <= limit <= 1 for limit in limits):
            raise BundleError(f"{MANIFEST} has a threshold outside 0 to 1")
        for name, digest in self.files.items():
            if not _PLAIN_NAME.fullmatch(name) or not _SHA256.fullmatch(str(digest)):
                raise BundleError(
                    f"{MANIFEST} lists {name!r}, which is no plain file name and hash"
                )


def _rules(raw: Mapping[str, Any]) -> Rules:
    rules = {**raw, "languages": tuple(raw["languages"])}
    ignored = rules.pop("ignored_languages", None)  # in earlier bundles, with one limit for all
    if ignored is not None:
        rules["ignore_below_in"] = dict.fromkeys(ignored, rules["ignore_below"])
    return Rules(**rules)
