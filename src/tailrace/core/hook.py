"""A hook: what is told of runs, or done, when they start and end."""

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Final, Literal, TypeAlias
from urllib.parse import urlsplit

import msgspec

from tailrace.core.errors import Fault
from tailrace.core.outcome import Cancelled, Exited, Stopped
from tailrace.core.run import RunInfo

Event: TypeAlias = Literal["started", "finished", "failed"]
EVENTS: Final[tuple[Event, ...]] = ("started", "finished", "failed")
LABEL: Final = "hook"
"""of the runs that hooks start, which are told to no hook"""
EVENT: Final = "hook-event"
RUN: Final = "hook-run"
LABELS: Final = (LABEL, EVENT, RUN)
"""names that nobody else's labels have"""
LONGEST_TIMEOUT_S: Final = 3600.0

_NAME = re.compile("[a-z0-9][a-z0-9_-]{0,63}")
_URL = re.compile(r"[!-~]+")


class Hook(msgspec.Struct, frozen=True, kw_only=True):
    """One hook: a request that is sent to `url`, or a command that is run on this machine."""

    name: str
    """1 to 64 of `a-z`, `0-9`, `_` and `-`; each hook has another"""
    on: tuple[Event, ...] = ("finished",)
    """what it is told: `started`; `finished`; `failed`, an end that nobody wanted. With both of the last two, an end is
    told once, as the one that it is"""
    commands: tuple[str, ...] = ("*",)
    """names of declared commands, in which `*` stands for anything; `*` alone is every run"""
    url: str | None = None
    """where a POST is sent, `https://…`"""
    secret_file: str | None = None
    """a file with the secret that requests are signed with, from the file's directory"""
    secret_env: str | None = None
    """or the environment variable that has it"""
    argv: tuple[str, ...] = ()
    """the command to run instead, which has the run on its standard input, as JSON"""
    timeout: float = 10.0
    """for the receiver to answer, or the command to end"""
    give_up: float = 86400.0
    """how long it is tried again"""
    allow_private: bool = False
    """send also to addresses of this machine and of private networks"""

    def faults(self) -> Iterator[Fault]:
        """Yield what is wrong with it."""
        if _NAME.fullmatch(self.name) is None:
            yield Fault(
                "name", f"cannot be {self.name[:40]!r}", "1 to 64 of a-z, 0-9, _ and -; a letter or digit first"
            )
        if not self.on:
            yield Fault("on", "is empty", f"one or more of: {', '.join(EVENTS)}")
        if (self.url is None) == (not self.argv):
            yield Fault("url", "and argv exclude each other, and one is needed", "send a request, or run a command")
        for name in ("timeout", "give_up"):
            if not 0 < getattr(self, name) <= (LONGEST_TIMEOUT_S if name == "timeout" else 30 * 86400.0):
                yield Fault(name, f"cannot be {getattr(self, name):g}", 'for example "10s", or "1h"')
        yield from _argv_faults(self) if self.url is None else _url_faults(self, self.url)

    def event_of(self, info: RunInfo) -> Event | None:
        """Return how the end of the run is told here; None: it is not."""
        if has_failed(info) and "failed" in self.on:
            return "failed"
        return "finished" if "finished" in self.on else None

    def is_about(self, info: RunInfo) -> bool:
        """Tell whether it is to be told about the run."""
        name = info.command or ""
        return LABEL not in info.labels and any(fnmatchcase(name, pattern) for pattern in self.commands)


def has_failed(info: RunInfo) -> bool:
    """Tell whether the run ended as nobody wanted: not with code 0, and not since somebody asked for it."""
    match info.outcome:
        case None | Exited(0) | Cancelled():
            return False
        case Stopped(limit=limit):
            return bool(limit)
        case _:
            return True


def _argv_faults(hook: Hook) -> Iterator[Fault]:
    for name in ("secret_file", "secret_env"):
        if getattr(hook, name) is not None:
            yield Fault(name, "means nothing for a command", "leave it out")
    if any("\0" in element for element in hook.argv) or (hook.argv and not hook.argv[0]):
        yield Fault("argv", "cannot be run", 'a list of arguments without NUL, such as ["notify-send", "done"]')


def _url_faults(hook: Hook, url: str) -> Iterator[Fault]:
    try:
        parts = urlsplit(url)
        is_usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_usable = False
    if not is_usable or _URL.fullmatch(url) is None:
        yield Fault("url", f"cannot be {url[:60]!r}", "https://NAME/PATH, in ASCII")
    elif parts.username is not None or parts.fragment:
        yield Fault("url", "has a user or a fragment in it", "only https://NAME/PATH; requests are signed instead")
    elif parts.scheme == "http" and not hook.allow_private:
        yield Fault("url", "is not encrypted", "https://…; http is for your own networks, with allow_private = true")
    if (hook.secret_file is None) == (hook.secret_env is None):
        hint = "say in one of them where the secret is that requests are signed with"
        yield Fault("secret_file", "or secret_env is needed, and not both", hint)
