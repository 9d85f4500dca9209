"""What the server writes to its log, on standard error: as text, or as a JSON object a line."""

import logging
import sys
from datetime import UTC, datetime
from typing import Literal, cast

import msgspec

from tailrace.core.errors import TailraceError

log = logging.getLogger("tailrace")

QUIET = ("uvicorn.access", "python_multipart.multipart")
"""who says what is said here already, or tells the client"""
REFUSED = "ASGI callable returned without completing handshake."
"""what uvicorn calls an error: a websocket's handshake that was answered with a response, as ASGI allows"""


def report(error: Exception) -> None:
    """Write what is not the client's fault, and what to do about it."""
    hint = error.hint if isinstance(error, TailraceError) else ""
    log.error("%s%s", error, hint and f" ({hint})")


def set_up(log_format: Literal["text", "json"], level: int = logging.INFO) -> None:
    """Have everything that this process logs written in the format."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if log_format == "json" else TextLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("tailrace").setLevel(level)
    for name in QUIET:
        logging.getLogger(name).disabled = True
    logging.getLogger("uvicorn.error").addFilter(is_news)


def is_news(record: logging.LogRecord) -> bool:
    """Tell whether the record says more than the access log does."""
    return record.msg != REFUSED


class TextLines(logging.Formatter):
    """`2026-11-26T10:00:00Z warning: what happened`; an ordinary line has no level."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; an error's traceback behind it."""
        level = "" if record.levelno <= logging.INFO else f"{record.levelname.lower()}: "
        line = f"{_time_of(record)} {level}{record.getMessage()}"
        return line if record.exc_info is None else f"{line}\n{self.formatException(record.exc_info)}"


class JsonLines(logging.Formatter):
    """`{"time", "level", "logger", "message", …}`, with the fields that the record brings."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        fields = {
            "time": _time_of(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **cast("dict[str, object]", getattr(record, "fields", {})),
        }
        if record.exc_info is not None:
            fields["traceback"] = self.formatException(record.exc_info)
        return msgspec.json.encode(fields).decode()


def _time_of(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
