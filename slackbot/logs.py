"""Logging: constant event names, fields beside them, and no secret in any line."""

from __future__ import annotations

import json
import logging
import math
import sys
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from core.masking import mask

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class LogFormat(StrEnum):
    """How a line of the log is written."""

    TEXT = "text"
    JSON = "json"


class RedactingFormatter(logging.Formatter):
    """One line a record, its extra fields as `name=value`, with every secret masked.

    The finished text is masked, so that a token in an argument, a field or a traceback is caught.
    """

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """Put the line together and mask it."""
        line = super().format(record)
        first, newline, rest = line.partition("\n")
        shown = "".join(f" {name}={value}" for name, value in _fields(record).items())
        return mask(f"{first}{shown}{newline}{rest}")


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time (UTC), level, logger, event, fields, and where one is, error.

    Values are masked before they are written, because a mask inside finished JSON could break it.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Put the object together from masked values."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "event": mask(record.getMessage()),
            "fields": {name: _masked(name, value) for name, value in _fields(record).items()},
        }
        if record.exc_info:
            line["error"] = mask(self.formatException(record.exc_info))
        return json.dumps(line)


def configure_logging(level: str, form: LogFormat = LogFormat.TEXT) -> None:
    """Log to standard error from `level` on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if form is LogFormat.JSON else RedactingFormatter())
    # Only our own loggers go into detail: those of libraries quote payloads and statements, and
    # with them what people wrote. Bolt does so in warnings already, and takes the root's level.
    logging.basicConfig(level=logging.ERROR, handlers=[handler], force=True)
    for name in ("slackbot", "core", "storage"):
        logging.getLogger(name).setLevel(level)


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}


def _masked(name: str, value: Any) -> Any:
    """A number as it is; anything else masked in sight of its name, as it is in a line of text."""
    if value is None or (isinstance(value, int | float) and math.isfinite(value)):
        return value
    return mask(f"{name}={value}").removeprefix(f"{name}=")
