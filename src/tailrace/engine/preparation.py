"""From what a caller says to a spec and a launch: everything checked before anything is made.

The launch carries what a child process would have inherited: environment, umask, limits, niceness, directory. So a run
that the runner starts behaves as if the caller had.
"""

import os
import pwd
import resource
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal, NamedTuple, TypeVar

import msgspec

from tailrace.core import ids
from tailrace.core import secrets as hidden
from tailrace.core import spec as checks
from tailrace.core.errors import InvalidInput, InvalidValues
from tailrace.core.limits import Quota, Resources, resource_faults
from tailrace.core.secrets import Secrets
from tailrace.core.spec import Anchor, Launch, Spec, Stdio, WhenBusy, text_of
from tailrace.engine.base import StartOptions
from tailrace.host import accounts, fault, linux
from tailrace.host.clock import anchor
from tailrace.host.enforcement import check_enforceable

Value = TypeVar("Value")
LIMIT_NAMES = tuple(name.removeprefix("RLIMIT_") for name in dir(resource) if name.startswith("RLIMIT_"))
SWITCHES = {
    "pty", "merge", "stdin", "unbuffer", "inherit_env", "leave_children", "no_new_privileges", "pin",
}  # fmt: skip
_KNOWN = frozenset(StartOptions.__annotations__)
_PARAMETERS = msgspec.json.Decoder(dict[str, object])
_last_us = 0
_guard = threading.Lock()


class _Making(NamedTuple):
    """What is known of a run before its spec is."""

    at: Anchor
    run_id: str
    secrets: Secrets
    place: str
    """where those are that are files"""


def prepare(argv: object, options: StartOptions, runs: str = "") -> tuple[Spec, Launch]:
    """Return the spec and the launch of a new run.

    Args:
        argv: the command.
        options: about the run.
        runs: the directory in which the run will have its own.

    Raises:
        InvalidInput: something about the argv or an option is not usable.
    """
    if unknown := sorted(set(options) - _KNOWN):
        raise _bad(unknown[0], "is not an option", f"options: {', '.join(sorted(_KNOWN))}")
    for name in SWITCHES & set(options):
        if not isinstance(value := options.get(name), bool):
            hint = "run.send(data) writes to it" if name == "stdin" else "it is a switch"
            raise _bad(name, f"is True or False, not {value!r}", hint)
    at = anchor()
    run_id = new_id(at.wall_us)
    making = _Making(at, run_id, _secrets(options), os.path.join(runs, run_id, hidden.FILES))
    if isinstance(argv, list | tuple):
        argv = [hidden.placed(argument, making.secrets, making.place) for argument in argv]
    exact_argv = checks.check_argv(argv)
    entry = _other_user(options.get("user"))
    cwd = _directory(options.get("cwd"))
    if entry is not None and making.secrets.files:
        raise _bad("secret_files", "and user exclude each other", "the other user could not read them: use secrets")
    env = _environment(options, making, {} if entry is None else accounts.environment(entry))
    spec = _spec(making, exact_argv, cwd, env, options)
    labels = (*spec.labels, *spec.labels.values())
    hidden.check_hidden(making.secrets, (*spec.argv, spec.cwd, spec.key or "", *labels))
    if entry is not None:
        spec = msgspec.structs.replace(spec, user=entry.pw_name)
    return spec, Launch(
        argv=(b"stdbuf", b"-oL", b"-eL", *exact_argv) if spec.unbuffer else exact_argv,
        cwd=cwd,
        env=env,
        umask=linux.umask_of_this_process(),
        caller_limits=tuple((name, *resource.getrlimit(getattr(resource, f"RLIMIT_{name}"))) for name in LIMIT_NAMES),
        rlimits=_exact_rlimits(spec),
        no_new_privileges=spec.no_new_privileges,
        nice=os.getpriority(os.PRIO_PROCESS, 0),
        mover="copy" if os.environ.get("TAILRACE_MOVER") == "copy" else "splice",
        fault=fault.wanted(),
        account=None if entry is None else tuple(accounts.account(entry)),  # type: ignore[arg-type]  # as it is kept
        secrets=making.secrets.values,
        secret_files=making.secrets.files,
        secret_input=making.secrets.input,
    )


def with_files(spec: Spec, launch: Launch, paths: Mapping[str, str]) -> tuple[Spec, Launch]:
    """Return them with paths where the argv has the texts that stand for them.

    Args:
        spec: of the run.
        launch: of the run.
        paths: by the texts.
    """
    for text, path in paths.items():
        spec = msgspec.structs.replace(spec, argv=tuple(argument.replace(text, path) for argument in spec.argv))
        raw = os.fsencode(text), os.fsencode(path)
        launch = launch._replace(argv=tuple(argument.replace(*raw) for argument in launch.argv))
    return spec, launch


def _other_user(user: object) -> pwd.struct_passwd | None:
    """Return who the run is to be, if that is somebody else."""
    if user is None:
        return None
    if isinstance(user, bool) or not isinstance(user, str | int):
        raise _bad("user", f"cannot be {user!r}", "the name of a user, or its number")
    entry = accounts.find(user)
    return entry if accounts.needs_change(entry) else None


def _secrets(options: StartOptions) -> Secrets:
    """Return the secrets, which can be masked."""
    given = hidden.secrets_of(options.get("secrets"), options.get("secret_files"), options.get("secret_input"))
    if given.lines and options.get("pty"):
        raise _bad("secret_input", "and pty exclude each other", "a terminal echoes its input: give it as a file")
    if given.values:
        from tailrace.core import masking  # what it needs is not for those who have no secrets

        masking.check(given.values)
    return given


def _spec(
    making: _Making, argv: tuple[bytes, ...], cwd: bytes, env: tuple[tuple[bytes, bytes], ...], options: StartOptions
) -> Spec:
    at = making.at
    key, command, by = (_optional_name(name, options.get(name)) for name in ("key", "command", "by"))
    return Spec(
        id=making.run_id,
        argv=tuple(text_of(argument) for argument in argv),
        cwd=text_of(cwd),
        created=_wall(at),
        anchor=at,
        command=command,
        stdio=_stdio(options),
        rows=_size("rows", options.get("rows", 24)),
        columns=_size("columns", options.get("columns", 80)),
        stdin=bool(options.get("stdin", False)),
        unbuffer=bool(options.get("unbuffer", False)),
        env=tuple(sorted(text_of(name) for name, _value in env)),
        timeout_s=_duration("timeout", options.get("timeout")),
        idle_timeout_s=_duration("idle_timeout", options.get("idle_timeout")),
        unwatched_timeout_s=_duration("unwatched_timeout", options.get("unwatched_timeout")),
        output_limit=_whole("max_output", options.get("max_output")),
        output_policy=_policy(options.get("on_max_output", "stop")),
        grace_s=checks.positive(_number("grace", options.get("grace", 2.0)), "grace", zero=True),
        ladder=checks.check_ladder(options.get("ladder", checks.LADDER)),
        leave_children=bool(options.get("leave_children", False)),
        no_new_privileges=bool(options.get("no_new_privileges", False)),
        rlimits=_rlimits(_mapping("rlimits", options.get("rlimits"))),
        key=key,
        when_busy=_when_busy(options.get("when_busy", "join")),
        labels=checks.check_labels(_mapping("labels", options.get("labels"))),
        by=by,
        origin=options.get("origin"),
        masked=bool(making.secrets.values),
        parameters=_parameters(options.get("parameters")),
        resources=_resources(options),
        quotas=_quotas(options.get("quotas", ())),
    )


def _parameters(given: object) -> dict[str, object] | None:
    """Return what the command was given, which must be what JSON can say.

    Raises:
        InvalidInput: it is something else.
    """
    if given is None:
        return None
    try:
        return _PARAMETERS.decode(msgspec.json.encode(given))
    except (msgspec.MsgspecError, TypeError, ValueError, OverflowError):
        raise _bad(
            "parameters", "cannot be written down", "a dictionary of plain values: text, numbers, lists"
        ) from None


def _resources(options: StartOptions) -> Resources:
    """Return what the run may use.

    Raises:
        InvalidValues: a limit makes no sense.
        NotEnforceable: this host cannot enforce one.
    """
    cpu = options.get("max_cpu")
    resources = Resources(
        None if cpu is None else _number("max_cpu", cpu),
        *(_whole(name, options.get(name)) for name in ("max_memory", "max_processes", "max_open_files")),
    )
    if faults := list(resource_faults(resources)):
        raise InvalidValues.of(faults, op="start")
    check_enforceable(resources)
    return resources


def _quotas(rows: object) -> tuple[Quota, ...]:
    if not isinstance(rows, list | tuple) or not all(isinstance(row, Quota) for row in rows):
        raise _bad("quotas", f"cannot be {rows!r}", "a list of tailrace.core.limits.Quota")
    return tuple(rows)


def _exact_rlimits(spec: Spec) -> tuple[tuple[str, int], ...]:
    """Return the limits of each process, by their names."""
    wanted = spec.resources.open_files
    return tuple((spec.rlimits | ({} if wanted is None else {"NOFILE": wanted})).items())


def new_id(unix_us: int | None = None) -> str:
    """Return a new run id, made at this instant; those of one process sort in the order of their making."""
    global _last_us  # noqa: PLW0603 (one counter per process is the point)
    with _guard:
        _last_us = max(time.time_ns() // 1000 if unix_us is None else unix_us, _last_us + 1)
        return ids.make(_last_us, os.urandom(ids.RANDOM_BYTES))


def _wall(at: Anchor) -> datetime:
    return datetime.fromtimestamp(at.wall_us // 1_000_000, UTC).replace(microsecond=at.wall_us % 1_000_000)


def _directory(cwd: str | os.PathLike[str] | None) -> bytes:
    try:
        directory = os.path.abspath(os.fsencode(cwd) if cwd is not None else os.getcwdb())
    except OSError as error:
        raise _bad(
            "cwd", f"cannot be found out: {error}", "the current directory was removed; say which to use"
        ) from None
    if b"\0" in directory:
        raise _bad("cwd", "contains a NUL byte", "the system has no such directory")
    return directory


def _environment(options: StartOptions, making: _Making, own: Mapping[str, str]) -> tuple[tuple[bytes, bytes], ...]:
    """Return what the command's environment is to be: the caller's, unbuffered Python, and what was added or taken.

    Args:
        options: of the run.
        making: of the run.
        own: what the user has that it runs as.
    """
    env: dict[str, object] = dict(os.environ) if options.get("inherit_env", True) else {}
    env |= own
    env.setdefault("PYTHONUNBUFFERED", "1")
    for name, value in _mapping("env", options.get("env")).items():
        if value is None:
            env.pop(name, None)
        else:
            env[name] = hidden.placed(value, making.secrets, making.place)
    return checks.check_env(env | dict(making.secrets.env))


def _mapping(subject: str, value: Mapping[str, Value] | None) -> Mapping[str, Value]:
    if value is not None and not isinstance(value, Mapping):
        raise _bad(subject, f"must be a dictionary, got {value!r}", "names and their values")
    return value or {}


def _stdio(options: StartOptions) -> Stdio:
    if options.get("pty") and options.get("merge"):
        raise _bad("merge", "and pty exclude each other", "a terminal is always one stream: leave merge out")
    if options.get("pty"):
        return Stdio.PTY
    return Stdio.MERGED if options.get("merge") else Stdio.PIPES


def _size(subject: str, value: object) -> int:
    number = _whole(subject, value)
    if number is None or not 0 < number < 1 << 16:
        raise _bad(subject, f"cannot be {value!r}", "a terminal has 1 to 65535 rows and columns")
    return number


def _number(subject: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _bad(subject, f"must be a number, got {value!r}", "for example 10 or 0.5")
    return float(value)


def _duration(subject: str, value: object) -> float | None:
    return None if value is None else checks.positive(_number(subject, value), subject)


def _whole(subject: str, value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 63:
        raise _bad(subject, f"must be a whole number, 0 or more, got {value!r}", "leave it out for the default")
    return value


def _policy(value: str) -> Literal["stop", "truncate"]:
    if value == "stop":
        return "stop"
    if value == "truncate":
        return "truncate"
    raise _bad("on_max_output", f"cannot be {value!r}", "one of: stop, truncate")


def _when_busy(value: str) -> WhenBusy:
    try:
        return WhenBusy(value)
    except ValueError:
        raise _bad("when_busy", f"cannot be {value!r}", f"one of: {', '.join(WhenBusy)}") from None


def _optional_name(subject: str, value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not 0 < len(value) <= 256 or not value.isprintable():
        raise _bad(subject, f"cannot be {value!r}", "text of 1 to 256 printable characters")
    return value


def _rlimits(limits: Mapping[str, int]) -> dict[str, int]:
    checked = {}
    for name, value in limits.items():
        label = name.upper().removeprefix("RLIMIT_")
        if label not in LIMIT_NAMES:
            raise _bad("rlimits", f"has no {name!r} on this system", f"one of: {', '.join(LIMIT_NAMES)}")
        checked[label] = _whole(f"rlimits[{name}]", value) or 0
    return checked


def _bad(subject: str, what: str, hint: str) -> InvalidInput:
    return InvalidInput(f"{subject} {what}", op="start", subject=subject, hint=hint)
