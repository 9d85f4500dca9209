"""What one run executes, and the checks that it can.

`Spec` is what was asked: public, on disk before anything starts, free of environment values. `Launch` is the private
rest that the keeper needs once (exact bytes of argv and environment, umask, limits of the caller) and then removes
from disk.
"""

import os
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Literal, NamedTuple

import msgspec

from tailrace.core import outcome
from tailrace.core.errors import InvalidInput
from tailrace.core.limits import Quota, Resources

LONGEST_S = 1e9
"""of any limit of time: some 30 years"""
LADDER: tuple[tuple[str, float], ...] = (("INT", 5.0), ("TERM", 5.0), ("KILL", 0.0))
"""the stop ladder: (signal, seconds until the next row)"""


class Stdio(StrEnum):
    """How the command's output reaches the keeper."""

    PIPES = "pipes"
    """stdout and stderr on a pipe each"""
    MERGED = "merged"
    """both on one pipe, labelled stdout"""
    PTY = "pty"
    """a terminal; its bytes are those after the line discipline"""


class WhenBusy(StrEnum):
    """What to do when a run of the same key is going."""

    JOIN = "join"
    """answer with the run that is going"""
    QUEUE = "queue"
    """wait until it has ended"""
    REJECT = "reject"
    """raise `KeyBusy`"""


class Anchor(msgspec.Struct, frozen=True):
    """One instant on both clocks: times of a run are monotonic, and shown through this."""

    wall_us: int
    monotonic_us: int
    boot: str


class Rung(msgspec.Struct, frozen=True, array_like=True):
    """One row of the stop ladder: the signal's name without SIG, and the seconds it is given."""

    signal: str
    seconds: float


class Spec(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one run executes. Times in seconds, sizes in bytes.

    `argv` and `cwd` are for people here: bytes that are not UTF-8 stand as `\\xNN`; the exact ones are in the launch.
    """

    id: str
    argv: tuple[str, ...]
    cwd: str
    created: datetime
    anchor: Anchor
    command: str | None = None
    stdio: Stdio = Stdio.PIPES
    rows: int = 24
    columns: int = 80
    stdin: bool = False
    unbuffer: bool = False
    env: tuple[str, ...] = ()
    timeout_s: float | None = None
    idle_timeout_s: float | None = None
    unwatched_timeout_s: float | None = None
    output_limit: int | None = None
    output_policy: Literal["stop", "truncate"] = "stop"
    grace_s: float = 2.0
    ladder: tuple[Rung, ...] = tuple(Rung(*row) for row in LADDER)
    leave_children: bool = False
    no_new_privileges: bool = False
    rlimits: dict[str, int] = {}
    key: str | None = None
    when_busy: WhenBusy = WhenBusy.JOIN
    labels: dict[str, str] = {}
    by: str | None = None
    origin: str | None = None
    """what started it, for the web adapters: a resumed stream must come from the same route and user"""
    user: str | None = None
    """the name of the user that it runs as, if that is not the caller"""
    masked: bool = False
    """whether it has secrets, which are masked in its output"""
    parameters: dict[str, object] | None = None
    """what the declared command was given, without secrets and files; None: nobody said"""
    resources: Resources = Resources()
    quotas: tuple[Quota, ...] = ()


class Account(NamedTuple):
    """A user of this machine, as the system counts them."""

    uid: int
    gid: int
    groups: tuple[int, ...]


class Launch(NamedTuple):
    """What the keeper's child needs once, exact to the byte. Lies in a 0600 file until the command has it.

    Plain values only: it is read in a fresh fork, where every page of memory that is touched costs time.
    """

    argv: tuple[bytes, ...]
    cwd: bytes
    env: tuple[tuple[bytes, bytes], ...]
    umask: int = 0o022
    caller_limits: tuple[tuple[str, int, int], ...] = ()
    """(name without RLIMIT_, soft, hard) of the caller"""
    nice: int = 0
    rlimits: tuple[tuple[str, int], ...] = ()
    """limits that were asked for: (name, soft and hard)"""
    no_new_privileges: bool = False
    mover: str = "splice"
    """or `copy`"""
    fault: str | None = None
    """a fault point at which the keeper is to die; for tests of our own promises"""
    account: tuple[int, int, tuple[int, ...]] | None = None
    """an `Account` to become, in plain values; None: stay the caller"""
    secrets: tuple[bytes, ...] = ()
    """what is masked in the output"""
    secret_files: tuple[tuple[str, bytes], ...] = ()
    """(name, content) of the files that hold secrets while the run goes"""
    secret_input: bytes = b""
    """what the standard input begins with"""


def check_argv(argv: object) -> tuple[bytes, ...]:
    """Return the arguments as the kernel takes them.

    Args:
        argv: a list or tuple of str, bytes or paths; the first names the program. Never one string: there is no shell.

    Raises:
        InvalidInput: empty, one string, an argument of another type, or one with a NUL.
    """
    if isinstance(argv, str | bytes | os.PathLike):
        raise InvalidInput(
            "argv is one string, and Tailrace never uses a shell",
            op="start",
            subject="argv",
            hint='give a list, ["ls", "-l"]; for shell syntax say so: ["sh", "-c", "ls | wc -l"]',
        )
    if not isinstance(argv, list | tuple):
        raise InvalidInput(
            "argv must be a list of arguments", op="start", subject="argv", hint='for example ["ls", "-l"]'
        )
    if not argv or argv[0] in ("", b""):
        raise InvalidInput(
            "argv is empty", op="start", subject="argv", hint="its first element names the program to run"
        )
    return tuple(_bytes_of(argument, f"argv[{index}]") for index, argument in enumerate(argv))


def check_env(env: Mapping[str, object]) -> tuple[tuple[bytes, bytes], ...]:
    """Return the environment as the kernel takes it.

    Raises:
        InvalidInput: a name that is empty or contains `=`, or a NUL anywhere. A value may contain `=`.
    """
    for name in env:
        if not name or "=" in name:
            raise InvalidInput(
                f"{name!r} cannot be the name of an environment variable",
                op="start",
                subject="env",
                hint="a name is not empty and has no '=' in it; values may have one",
            )
    return tuple((_bytes_of(name, "env"), _bytes_of(value, f"env[{name}]")) for name, value in env.items())


def check_labels(labels: Mapping[str, object]) -> dict[str, str]:
    """Return the labels, if they are short printable names with short printable values.

    Raises:
        InvalidInput: more than 32, or a name or value that is too long or not printable.
    """
    if len(labels) > 32:
        raise InvalidInput("too many labels", op="start", subject="labels", hint="a run takes at most 32")
    checked: dict[str, str] = {}
    for name, value in labels.items():
        if not (_is_printable(name, 1, 64) and isinstance(value, str) and _is_printable(value, 0, 256)) or "=" in name:
            raise InvalidInput(
                f"label {name!r} is not usable",
                op="start",
                subject="labels",
                hint="names: text of 1 to 64 printable characters without '='; values: text of up to 256",
            )
        checked[name] = value
    return checked


def _is_printable(text: object, least: int, most: int) -> bool:
    return isinstance(text, str) and least <= len(text) <= most and text.isprintable()


def check_ladder(rows: object) -> tuple[Rung, ...]:
    """Return the stop ladder's rows.

    Raises:
        InvalidInput: no rows, an unknown signal, or a number of seconds below 0.
    """
    hint = 'rows of (signal, seconds), for example [("INT", 5), ("TERM", 5), ("KILL", 0)]'
    rungs = []
    try:
        for row in rows:  # type: ignore[attr-defined]
            name, seconds = (row.signal, row.seconds) if isinstance(row, Rung) else row
            rungs.append(Rung(_signal_label(str(name)), positive(float(seconds), "ladder", zero=True)))
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"the stop ladder is not usable: {error}", op="start", subject="ladder", hint=hint) from None
    if not rungs:
        raise InvalidInput("the stop ladder has no rows", op="start", subject="ladder", hint=hint)
    return tuple(rungs)


def positive(number: float, subject: str, *, zero: bool = False) -> float:
    """Return the number, if it is finite and above 0 (or 0, where `zero`).

    Raises:
        InvalidInput: it is not.
    """
    if not 0 <= number <= LONGEST_S or (number == 0 and not zero):
        raise InvalidInput(
            f"{subject} must be {'0' if zero else 'more than 0'} to {LONGEST_S:.0f} s, got {number:g}",
            op="start",
            subject=subject,
            hint="leave it out for no limit",
        )
    return number


def text_of(raw: bytes) -> str:
    """Return bytes for people: UTF-8, with whatever is not as `\\xNN`."""
    return raw.decode("utf-8", "backslashreplace")


def _signal_label(name: str) -> str:
    return outcome.signal_name(outcome.signal_number(name)).removeprefix("SIG")


def _bytes_of(value: object, subject: str) -> bytes:
    if not isinstance(value, str | bytes | os.PathLike):
        raise InvalidInput(
            f"{subject} must be text, not {type(value).__name__}",
            op="start",
            subject=subject,
            hint="convert it first, for example with str()",
        )
    raw = os.fsencode(value)
    if b"\0" in raw:
        raise InvalidInput(
            f"{subject} contains a NUL byte",
            op="start",
            subject=subject,
            hint="the system cannot pass one to a program",
        )
    return raw
