"""Logging: constant event names, fields beside them, and no secret in any line."""

from __future__ import annotations

import logging
import sys

from core.masking import mask

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class RedactingFormatter(logging.Formatter):
    """One line a record, its extra fields as `name=value`, with every secret masked.

    The finished text is masked, so that a token in an argument, a field or a traceback is caught.
    """

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """Put the line together and mask it."""
        fields = {k: v for k, v in vars(record).items() if k not in _STANDARD}
        line = super().format(record)
        first, newline, rest = line.partition("\n")
        shown = "".join(f" {name}={value}" for name, value in fields.items())
        return mask(f"{first}{shown}{newline}{rest}")


def configure_logging(level: str) -> None:
    """Log to standard error from `level` on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(RedactingFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # Bolt's warnings and the SDK's details quote payloads, and with them what people wrote.
    logging.getLogger("slack_bolt").setLevel(logging.ERROR)
    for name in ("slack_sdk", "aiohttp", "uvicorn", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
