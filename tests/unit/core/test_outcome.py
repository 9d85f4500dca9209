"""How runs end."""

import signal

import msgspec
import pytest

from tailrace.core.outcome import (
    KINDS,
    Cancelled,
    Exited,
    FailedToStart,
    Lost,
    Outcome,
    OutputLimit,
    Signaled,
    Stopped,
    TimedOut,
    describe,
    exit_code,
    signal_name,
    signal_number,
)

ROWS: list[tuple[Outcome, bytes, int, str]] = [
    (Exited(0), b'{"kind":"exited","code":0}', 0, "exited with code 0"),
    (Exited(255), b'{"kind":"exited","code":255}', 255, "exited with code 255"),
    (Signaled(9), b'{"kind":"signaled","signal":9}', 137, "ended by signal 9 (SIGKILL)"),
    (Signaled(15), b'{"kind":"signaled","signal":15}', 143, "ended by signal 15 (SIGTERM)"),
    (TimedOut("wall"), b'{"kind":"timed_out","limit":"wall"}', 124, "stopped at its time limit"),
    (TimedOut("idle"), b'{"kind":"timed_out","limit":"idle"}', 124, "stopped after being silent for too long"),
    (Stopped(), b'{"kind":"stopped","by":null}', 143, "stopped"),
    (Stopped("ann"), b'{"kind":"stopped","by":"ann"}', 143, "stopped by ann"),
    (OutputLimit(), b'{"kind":"output_limit"}', 122, "stopped at its output limit"),
    (
        FailedToStart("no such file", 127),
        b'{"kind":"failed_to_start","error":"no such file","exit_code":127}',
        127,
        "failed to start: no such file",
    ),
    (
        FailedToStart("no memory"),
        b'{"kind":"failed_to_start","error":"no memory","exit_code":125}',
        125,
        "failed to start: no memory",
    ),
    (Cancelled(), b'{"kind":"cancelled","by":null}', 125, "cancelled before it started"),
    (Cancelled("bob"), b'{"kind":"cancelled","by":"bob"}', 125, "cancelled by bob before it started"),
    (Lost("the host restarted"), b'{"kind":"lost","why":"the host restarted"}', 125, "lost: the host restarted"),
]


@pytest.mark.parametrize(("outcome", "raw", "code", "words"), ROWS)
def test_table(outcome: Outcome, raw: bytes, code: int, words: str) -> None:
    """Its bytes, there and back; what our commands exit with; what people read."""
    assert msgspec.json.encode(outcome) == raw
    assert msgspec.json.decode(raw, type=Outcome) == outcome
    assert exit_code(outcome) == code
    assert describe(outcome) == words


def test_the_table_has_every_kind() -> None:
    """None is left untested."""
    kinds = {msgspec.to_builtins(outcome)["kind"] for outcome, *_ in ROWS}
    assert kinds == set(KINDS)


def test_a_stop_by_ctrl_c_here_exits_as_a_program_would() -> None:
    """130 is for the terminal at which ^C was pressed; it changes no other outcome."""
    assert exit_code(Stopped("ann"), interrupted_here=True) == 130
    assert all(
        exit_code(outcome, interrupted_here=True) == code
        for outcome, _, code, _ in ROWS
        if not isinstance(outcome, Stopped)
    )


@pytest.mark.parametrize(
    "raw",
    [
        b"{}",
        b"null",
        b'{"kind":"won"}',
        b'{"kind":"exited"}',
        b'{"kind":"exited","code":"0"}',
        b'{"kind":"timed_out","limit":"lunch"}',
        b'{"code":0}',
    ],
)
def test_anything_else_is_no_outcome(raw: bytes) -> None:
    """A file with another content is damaged; no outcome is made up from it."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(raw, type=Outcome)


@pytest.mark.parametrize("text", ["TERM", "term", "SIGTERM", "SigTerm", "15"])
def test_a_signal_has_many_spellings(text: str) -> None:
    """With or without SIG, in any case, or as its number."""
    assert signal_number(text) == signal.SIGTERM


@pytest.mark.parametrize("text", ["", "SIG", "NOPE", "0", "-9", "9.0", "1000", "\u0661", "TERM ", "SIGSIGTERM"])
def test_what_is_no_signal_is_refused(text: str) -> None:
    """Never another signal instead."""
    with pytest.raises(ValueError, match="no signal"):
        signal_number(text)


def test_every_signal_has_a_name() -> None:
    """Ones without a name of their own, real-time signals, are named by their number."""
    assert signal_name(15) == "SIGTERM"
    assert signal_name(40) == "SIG40"
    assert all(signal_number(signal_name(known)) == known for known in signal.Signals)
