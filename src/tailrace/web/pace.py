"""What a viewer gets while the command is silent."""

from dataclasses import dataclass

from tailrace.core import spec as checks
from tailrace.core.errors import InvalidInput

HEARTBEAT_S = 15.0
INTERVAL_TEXT = "*** Interval"


@dataclass(frozen=True, kw_only=True)
class Pace:
    """Durations in seconds of silence.

    A heartbeat is for proxies, which cut what says nothing: clients ignore it, and text has none. An interval message
    is for people: a line of text, or an event of its own.
    """

    heartbeat_s: float = HEARTBEAT_S
    interval_s: float | None = None
    """None: no such messages"""
    interval_text: str = INTERVAL_TEXT

    def __post_init__(self) -> None:
        """Check them.

        Raises:
            InvalidInput: a duration that is none, or a text that is not one line.
        """
        checks.positive(self.heartbeat_s, "heartbeat")
        if self.interval_s is not None:
            checks.positive(self.interval_s, "interval")
        if not self.interval_text.isprintable():
            raise InvalidInput(
                "interval_text is not printable",
                op="follow",
                subject="interval_text",
                hint="one line, no newline in it",
            )
