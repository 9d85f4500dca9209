"""`tailrace show`: everything about one run, told plainly."""

import sys
from collections.abc import Iterator

import click

from tailrace.cli import talk, viewing, words
from tailrace.cli.list import print_json
from tailrace.cli.naming import locate
from tailrace.cli.place import anywhere_option
from tailrace.core.outcome import FailedToStart
from tailrace.core.result import Usage
from tailrace.core.run import RunInfo
from tailrace.core.spec import Spec
from tailrace.core.states import State
from tailrace.core.terminal import escape_text

STDOUT = 1


@click.command("show", short_help="Tell everything about a run.")
@click.argument("run", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Print the run as the API gives it.")
@anywhere_option
def show_command(run: str, *, as_json: bool) -> int:
    """Tell everything about a run: how it is or ended, what it used, what was done to it.

    ID is a run's id, the beginning of one, `last`, or the run's address on a server.

    \b
    tailrace show last
    tailrace show 1k0w1tktqkh --json
    """
    found = locate(run)
    info = found.engine.get(found.id, usage=True)
    if as_json:
        print_json(info)
        return 0
    rows = [(name, text) for name, text in _rows(info, viewing.spec_of(found)) if text]
    for name, text in rows:
        sys.stdout.write(f"{talk.painted(f'{name:<10}', talk.DIM, STDOUT)} {escape_text(text)}\n")
    return 0


def _rows(info: RunInfo, spec: Spec | None) -> Iterator[tuple[str, str]]:
    """Yield (name, text); what has no text is not shown."""
    yield "run", info.id + (" (pinned)" if info.pinned else "")
    yield "command", (f"{info.command}: " if info.command else "") + words.command_line(info)
    yield "state", _state(info, spec)
    yield "held up", info.held or ""
    yield "in", info.cwd
    yield "by", info.by or ""
    yield "key", info.key or ""
    yield "labels", ", ".join(f"{name}={value}" for name, value in sorted(info.labels.items()))
    yield "limits", _limits(spec) if spec else ""
    yield from _times(info)
    yield "output", _output(info)
    if info.usage is not None:
        yield "used", _used(info.usage)
    for index, step in enumerate(info.ladder):
        yield "" if index else "ladder", f"{words.rung(step)} at {step.time.astimezone():%H:%M:%S}"
    for index, process in enumerate(info.lingering):
        yield "" if index else "left over", words.child(process)
    yield "hint", info.hint or ""
    yield "damage", info.damage or ""


def _state(info: RunInfo, spec: Spec | None) -> str:
    if info.outcome is not None:
        ending = words.ending(info.outcome, spec)
        return f"failed to start: {ending}" if isinstance(info.outcome, FailedToStart) else ending
    if info.stopped_by:
        return f"{info.state}, as {info.stopped_by} asked"
    return f"queued, at place {info.queue_place}" if info.state is State.QUEUED else str(info.state)


def _limits(spec: Spec) -> str:
    parts = []
    if spec.timeout_s is not None:
        parts.append(words.duration(spec.timeout_s))
    if spec.idle_timeout_s is not None:
        parts.append(f"{words.duration(spec.idle_timeout_s)} without output")
    if spec.unwatched_timeout_s is not None:
        parts.append(f"{words.duration(spec.unwatched_timeout_s)} without a viewer")
    if spec.output_limit is not None:
        parts.append(f"{words.size(spec.output_limit)} of output, then {spec.output_policy}")
    return "; ".join([*parts, *(f"{name} {value}" for name, value in sorted(spec.rlimits.items()))])


def _times(info: RunInfo) -> Iterator[tuple[str, str]]:
    now = words.now()
    if info.created is not None:
        yield "created", f"{words.moment(info.created)}, {words.ago(info.created, now)}"
    if info.started is not None and info.created is not None:
        waited = (info.started - info.created).total_seconds()
        yield "started", words.moment(info.started) + (f", {words.duration(waited)} later" if waited >= 1 else "")
    if info.ended is not None:
        yield "ended", words.moment(info.ended)
    if (took := words.took(info)) is not None:
        yield "took", words.duration(took) + ("" if info.is_finished else " so far")


def _output(info: RunInfo) -> str:
    dropped = f", and {words.size(info.dropped)} that were not kept" if info.dropped else ""
    silent = f", the last {words.ago(info.last_output, words.now())}" if info.last_output else ""
    return words.size(info.size) + dropped + ("" if info.is_finished else silent)


def _used(usage: Usage) -> str:
    cpu = f"{words.duration(usage.cpu_user_s + usage.cpu_system_s)} of CPU"
    if usage.rss_bytes is None or usage.processes is None:
        return f"{cpu}, {words.size(usage.max_rss_bytes)} of memory at most"
    return f"{cpu} so far; {words.size(usage.rss_bytes)} of memory in {words.processes(usage.processes)} now"
