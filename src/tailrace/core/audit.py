"""The audit: what is recorded of who did what, and how it is to be kept."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final, Literal

import msgspec

from tailrace.core.command import Command
from tailrace.core.errors import Fault

LEFT_OUT: Final = ("secret", "file", "upload")
"""types of parameters whose values are never recorded"""
VALUE_CHARS: Final = 500
"""of one value that are recorded"""
MOST_VALUES: Final = 100
"""of a list that are recorded"""
LEAST_BYTES: Final = 4096
"""that a file may have before it is rotated"""
MOST_FILES: Final = 1000


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """How the audit is kept."""

    file: str | None = None
    """where it is written, from the file's directory; without it nothing is recorded"""
    views: bool = False
    """record who looks at runs, too"""
    max_bytes: int = 16 << 20
    """when the file would become longer, it is renamed, and a new one is begun"""
    keep: int = 10
    """renamed files that are kept; with one more, the oldest goes"""
    on_failure: Literal["refuse", "go_on"] = "refuse"
    """when nothing can be written: `refuse` whatever changes something, or `go_on` without a record"""

    def faults(self) -> Iterator[Fault]:
        """Yield what is wrong with it."""
        if self.file == "":
            yield Fault("file", "is empty", 'name a file, such as "audit.jsonl"')
        if self.max_bytes < LEAST_BYTES:
            yield Fault("max_bytes", f"is {self.max_bytes}", f"{LEAST_BYTES} or more")
        if not 1 <= self.keep <= MOST_FILES:
            yield Fault("keep", f"is {self.keep}", f"1 to {MOST_FILES}")


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the audit."""

    time: datetime
    """when this was written"""
    request: str
    """the same in all lines about one request, and in the header `X-Request-Id` of its answer"""
    phase: Literal["asked", "answered"] = "answered"
    """`asked`: it was allowed, and is about to be done. `answered`: what became of it"""
    who: str | None = None
    """the user's name, as far as it is known"""
    via: str = ""
    """how he came in"""
    address: str = msgspec.field(default="", name="from")
    """the address that the request came from"""
    action: str = ""
    """what is to be allowed: `start`, `stop`, and so on; empty: it asked for nothing that there is"""
    method: str = ""
    """of the request"""
    path: str = ""
    """that it asked for, without its query"""
    run: str | None = None
    """the run that it is about"""
    command: str | None = None
    """the declared command that it is to start"""
    parameters: Mapping[str, object] = {}
    """what the command was started with, without secrets"""
    allowed: bool
    """whether it may be done"""
    why: str = ""
    """why it was not allowed, or has failed"""
    status: int | None = None
    """that it was answered with; None: not yet, or by the application itself"""
    count: int = 1
    """how many refusals of strangers it is about, of which all but the last are left out"""


def told(command: Command, values: Mapping[str, object]) -> dict[str, object]:
    """Return the values as they are recorded: without secrets, without what is not declared, and none at length."""
    return {
        name: _short(values[name])
        for name, parameter in command.parameters.items()
        if name in values and str(parameter.__struct_config__.tag) not in LEFT_OUT
    }


def _short(value: object) -> object:
    match value:
        case None | bool() | float():
            return value
        case int():
            return value if abs(value) < 1 << 63 else str(value)[:VALUE_CHARS]
        case str():
            return value.encode("utf-8", "replace").decode()[:VALUE_CHARS]
        case list() | tuple():
            return [_short(each) for each in value[:MOST_VALUES] if not isinstance(each, list | tuple | dict)]
        case _:
            return f"({type(value).__name__})"
