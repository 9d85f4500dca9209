"""What a viewer gets while the command is silent."""

from dataclasses import dataclass

from tailrace.core.errors import InvalidInput

HEARTBEAT_S = 15.0
LONGEST_S = 1e9
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
        _check("heartbeat_s", self.heartbeat_s)
        if self.interval_s is not None:
            _check("interval_s", self.interval_s)
        if not _is_line(self.interval_text):
            raise InvalidInput(
                f"interval_text cannot be {self.interval_text!r}",
                op="follow",
                subject="interval_text",
                hint="it is one line of text, no newline in it",
            )


def _is_line(text: object) -> bool:
    return isinstance(text, str) and text.isprintable()


def _check(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= LONGEST_S:
        raise InvalidInput(
            f"{name} cannot be {value!r}", op="follow", subject=name, hint="it is a number of seconds, more than 0"
        )
