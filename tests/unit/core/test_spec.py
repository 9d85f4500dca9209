"""What a run executes, and the checks that it can."""

import os
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailrace.core.errors import InvalidInput
from tailrace.core.spec import (
    LADDER,
    Anchor,
    Rung,
    Spec,
    Stdio,
    WhenBusy,
    check_argv,
    check_env,
    check_labels,
    check_ladder,
    positive,
    text_of,
)

NOW = datetime(2026, 11, 22, 10, 42, 7, tzinfo=UTC)
SPEC = Spec(id="0" * 27, argv=("make", "-j4"), cwd="/srv", created=NOW, anchor=Anchor(1, 2, "boot"))


class NotText:
    """Something that cannot be an argument."""


def test_a_spec_on_disk_has_only_what_was_asked() -> None:
    """Defaults are left out, so an old file gets them when it is read."""
    raw = msgspec.json.encode(SPEC)
    assert msgspec.json.decode(raw) == {
        "id": "0" * 27,
        "argv": ["make", "-j4"],
        "cwd": "/srv",
        "created": "2026-11-22T10:42:07Z",
        "anchor": {"wall_us": 1, "monotonic_us": 2, "boot": "boot"},
    }
    assert msgspec.json.decode(raw, type=Spec) == SPEC


def test_a_full_spec_comes_back() -> None:
    """Every kind of field survives the file."""
    full = msgspec.structs.replace(
        SPEC,
        stdio=Stdio.PTY,
        timeout_s=1.5,
        output_limit=10,
        output_policy="truncate",
        ladder=(Rung("HUP", 1.0), Rung("KILL", 0.0)),
        rlimits={"NOFILE": 64},
        when_busy=WhenBusy.REJECT,
        labels={"branch": "main"},
    )
    assert msgspec.json.decode(msgspec.json.encode(full), type=Spec) == full


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["ls"], (b"ls",)),
        (("ls", "-l"), (b"ls", b"-l")),
        (["echo", ""], (b"echo", b"")),
        ([b"\xff", "é", Path("/tmp/x")], (b"\xff", "é".encode(), b"/tmp/x")),
        (["sh", "-c", "ls | wc"], (b"sh", b"-c", b"ls | wc")),
        (["x", "\udcff"], (b"x", b"\xff")),
        (["echo", "$(reboot)", "a b", "*", "\n"], (b"echo", b"$(reboot)", b"a b", b"*", b"\n")),
    ],
)
def test_argv_reaches_the_kernel_as_it_is(argv: object, expected: tuple[bytes, ...]) -> None:
    """No argument is split, expanded or joined."""
    assert check_argv(argv) == expected


@pytest.mark.parametrize(
    ("argv", "why"),
    [
        ("ls -l", "one string"),
        (b"ls", "one string"),
        (Path("/bin/ls"), "one string"),
        ("", "one string"),
        ([], "empty"),
        ((), "empty"),
        ([""], "empty"),
        ([b"", "x"], "empty"),
        (None, "list"),
        (5, "list"),
        ({"ls"}, "list"),
        ({"ls": 1}, "list"),
        (iter(["ls"]), "list"),
        (["ls", 5], r"argv\[1\] must be text, not int"),
        (["ls", None], r"argv\[1\] must be text, not NoneType"),
        (["ls", ["-l"]], r"argv\[1\] must be text, not list"),
        ([NotText()], r"argv\[0\] must be text, not NotText"),
        (["ls", "a\0b"], r"argv\[1\] contains a NUL"),
        ([b"\0"], r"argv\[0\] contains a NUL"),
    ],
)
def test_what_is_no_argv_is_refused(argv: object, why: str) -> None:
    """The message says which argument, the hint what to write."""
    with pytest.raises(InvalidInput, match=why) as caught:
        check_argv(argv)
    assert caught.value.op == "start"
    assert caught.value.subject.startswith("argv")
    assert caught.value.hint


@given(st.lists(st.binary(min_size=1).filter(lambda raw: b"\0" not in raw), min_size=1))
def test_any_bytes_without_nul_are_arguments(argv: list[bytes]) -> None:
    """As bytes, and as the text that Python makes of them."""
    assert check_argv(argv) == tuple(argv)
    assert check_argv([os.fsdecode(argument) for argument in argv]) == tuple(argv)


def test_env_values_may_contain_anything_but_nul() -> None:
    """A value may have an equals sign, a newline, or nothing at all."""
    assert check_env({"A": "b=c\nd", "EMPTY": "", "É": "\udcff"}) == (
        (b"A", b"b=c\nd"),
        (b"EMPTY", b""),
        ("É".encode(), b"\xff"),
    )


@pytest.mark.parametrize("env", [{"": "x"}, {"A=B": "x"}, {"=": ""}, {"A\0": "x"}, {"A": "x\0"}])
def test_env_names_that_would_become_others_are_refused(env: dict[str, str]) -> None:
    """None sets a variable that was not named, and the value is not repeated in the message."""
    with pytest.raises(InvalidInput) as caught:
        check_env(env)
    assert caught.value.subject.startswith("env")
    assert caught.value.hint


def test_labels_at_their_limits_pass() -> None:
    """32 of them, names of 64 and values of 256 characters; values may be empty."""
    labels = {f"{number:064}": "é" * 256 for number in range(31)} | {"empty": ""}
    assert check_labels(labels) == labels


@pytest.mark.parametrize(
    "labels",
    [
        {str(number): "" for number in range(33)},
        {"": "x"},
        {"a=b": "x"},
        {"x" * 65: ""},
        {"a": "x" * 257},
        {"a\n": ""},
        {"a": "\x1b[31m"},
        {"a": "\u202e"},
        {"a": "\udcff"},
        {"a\0": ""},
    ],
)
def test_labels_that_a_table_could_not_show_are_refused(labels: dict[str, str]) -> None:
    """Too many, too long, or not printable."""
    with pytest.raises(InvalidInput) as caught:
        check_labels(labels)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (LADDER, (Rung("INT", 5.0), Rung("TERM", 5.0), Rung("KILL", 0.0))),
        ([("sigint", 1), ["15", 0]], (Rung("INT", 1.0), Rung("TERM", 0.0))),
        ([Rung("HUP", 2.0)], (Rung("HUP", 2.0),)),
        ([("TERM", "1.5")], (Rung("TERM", 1.5),)),
    ],
)
def test_a_ladder_is_rows(rows: object, expected: tuple[Rung, ...]) -> None:
    """Signals in any spelling come out in one."""
    assert check_ladder(rows) == expected


@pytest.mark.parametrize(
    "rows",
    [
        [],
        None,
        5,
        "TERM",
        [5],
        [("TERM",)],
        [("TERM", 1, 2)],
        [("NOPE", 1)],
        [("TERM", -1)],
        [("TERM", "soon")],
        [("TERM", None)],
        [("TERM", float("nan"))],
        [("TERM", float("inf"))],
        [Rung("NOPE", 1.0)],
    ],
)
def test_what_is_no_ladder_is_refused(rows: object) -> None:
    """A stop must not find out in the middle that a rung does not exist."""
    with pytest.raises(InvalidInput) as caught:
        check_ladder(rows)
    assert caught.value.hint


@pytest.mark.parametrize("number", [1, 0.001, 1e9])
def test_positive_numbers_pass(number: float) -> None:
    """As they are."""
    assert positive(number, "timeout") == number


@pytest.mark.parametrize("number", [0, -1, -0.001, float("nan"), float("inf"), float("-inf")])
def test_other_numbers_are_refused(number: float) -> None:
    """A limit that is not a number, or never comes, is no limit; 0 only where it means something."""
    with pytest.raises(InvalidInput, match="timeout must be more than 0"):
        positive(number, "timeout")


def test_zero_where_it_is_allowed() -> None:
    """No waiting at all."""
    assert positive(0, "grace", zero=True) == 0


def test_bytes_for_people_are_always_text() -> None:
    """Whatever is not UTF-8 is shown as its number, and can be encoded again."""
    assert text_of("é".encode()) == "é"
    assert text_of(b"a\xff\xed\xa0\x80") == r"a\xff\xed\xa0\x80"
