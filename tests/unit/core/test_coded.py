"""Commands that are functions: what their hints mean, and which argvs they may return."""

import datetime as dt
from typing import Annotated, Literal

import pytest
from msgspec import Meta

from tailrace.core.coded import Coded, coded
from tailrace.core.command import Command, Commands
from tailrace.core.errors import InvalidValues
from tailrace.core.parameters import Boolean, Choice, Choices, Date, Integer, Number, PathBelow, Secret, Text


def deploy(target: Literal["a", "b"], n: Annotated[int, Meta(ge=1, title="Times")] = 5) -> list[str]:
    """Deploys it.

    And more.
    """
    return ["deploy", target, str(n)]


def everything(
    text: str,
    number: float,
    day: dt.date,
    root_path: Annotated[str, PathBelow(root="/srv")],
    some_names: list[Literal["x", "y"]],
    *,
    loud: bool = False,
) -> list[str]:
    """Return what came, and of which type."""
    return ["x", text, f"{number!r}", f"{day!r}", root_path, *some_names, *(["--loud"] if loud else [])]


def test_hints_are_parameters() -> None:
    """Each hint means a type, `Meta` its bounds, and a default is one."""
    made = coded(deploy, {"title": "Deploy"})
    assert (made.name, made.title, made.description) == ("deploy", "Deploy", "Deploys it.")
    assert made.parameters == {
        "target": Choice(choices=("a", "b")),
        "n": Integer(minimum=1, title="Times", default=5),
    }
    assert made.argv_for({"target": "b"}) == ("deploy", "b", "5")
    kinds = [type(each) for each in coded(everything, {}).parameters.values()]
    assert kinds == [Text, Number, Date, PathBelow, Choices, Boolean]


def test_values_come_as_what_they_are() -> None:
    """A day is a date, a number a float, a path where it is; names have no dashes in Python."""
    made = coded(everything, {"name": "all"})
    values: dict[str, object] = {
        "text": "t", "number": 5, "day": "2026-11-27", "root-path": "a", "some-names": ["y"], "loud": True,
    }  # fmt: skip
    day = "datetime.date(2026, 11, 27)"
    assert made.argv_for(values) == ("x", "t", "5.0", day, "/srv/a", "y", "--loud")


def test_values_that_do_not_fit_never_reach_the_function() -> None:
    """They are refused as a template's are."""
    with pytest.raises(InvalidValues) as caught:
        coded(deploy, {}).argv_for({"target": "c", "n": 0, "m": 1})
    assert [fault.subject for fault in caught.value.faults] == ["'m'", "target", "n"]


def plain(text: str, token: Annotated[str, Secret()] = "") -> list[str]:
    """Return the text as an argument; the secret, wrongly, if there is one."""
    return ["x", text, *([f"--token={token}"] if token else [])]


def behind(text: str) -> list[str]:
    """Return it where nothing is an option."""
    return ["x", "--", text]


def free(text: Annotated[str, Text(allow_dash=True, allow_at=True)]) -> list[str]:
    """Return it as it is."""
    return ["x", text]


def test_the_rules_hold_for_what_a_function_returns() -> None:
    """No value begins an argument with a dash or an at sign, unless it may; no secret is one."""
    for values in ({"text": "-rf"}, {"text": "@x"}, {"text": "a", "token": "hunter2"}):
        with pytest.raises(InvalidValues) as caught:
            coded(plain, {}).argv_for(values)
        assert "hunter2" not in str(caught.value)
    assert coded(behind, {}).argv_for({"text": "-rf"}) == ("x", "--", "-rf")
    with pytest.raises(InvalidValues):
        coded(behind, {}).argv_for({"text": "@x"})
    assert coded(free, {}).argv_for({"text": "-@"}) == ("x", "-@")


def test_what_is_no_argv() -> None:
    """It is the function's own mistake, and is told to whoever wrote it."""

    def wrong(n: int) -> list[str]:
        return ["x", n]  # type: ignore[list-item]  # what a careless function does

    with pytest.raises(TypeError, match="must return a list of texts"):
        coded(wrong, {}).argv_for({"n": 1})


def test_a_mistake_tells_no_secret() -> None:
    """What was returned instead of an argv is not repeated: errors get into logs."""

    def joined(key: Annotated[str, Secret(variable="KEY")]) -> list[str]:
        return f"deploy {key}"  # type: ignore[return-value]  # what a careless function does

    with pytest.raises(TypeError) as caught:
        coded(joined, {}).argv_for({"key": "hunter22"})
    assert "hunter22" not in str(caught.value)


def test_hints_that_mean_nothing() -> None:
    """All are named, with what would mean something."""

    def odd(a: bytes, *more: str) -> list[str]:
        return [repr(a), *more]

    with pytest.raises(InvalidValues) as caught:
        coded(odd, {})
    assert [fault.subject for fault in caught.value.faults] == [
        "commands.odd.parameters.a",
        "commands.odd.parameters.more",
    ]


def test_they_stand_beside_those_of_a_file() -> None:
    """Under names of their own."""
    declared = Coded(Commands([Command(name="count", argv=("seq", "5"))]))
    declared.add(coded(deploy, {}))
    assert list(declared()) == ["count", "deploy"]
    with pytest.raises(InvalidValues, match="have a name twice"):
        declared.add(coded(deploy, {"name": "count"}))


@pytest.mark.parametrize(
    ("hint", "key"), [(Annotated[float, Meta(gt=0)], "gt"), (Annotated[int, Meta(multiple_of=5)], "multiple_of")]
)
def test_a_bound_that_cannot_be_held_is_a_mistake(hint: object, key: str) -> None:
    """It is not dropped: whoever wrote it relies on it."""

    def f(x: float) -> list[str]:
        return ["echo", f"{x}"]

    f.__annotations__["x"] = hint
    with pytest.raises(InvalidValues) as caught:
        coded(f, {})
    assert f"means nothing here: {key}" in str(caught.value.faults)


def test_how_many_choices_may_be_bounded() -> None:
    """As lengths of a list."""

    def f(x: Annotated[list[Literal["a", "b"]], Meta(min_length=1, max_length=2)]) -> list[str]:
        return ["echo", *x]

    assert coded(f, {}).parameters == {"x": Choices(choices=("a", "b"), minimum_count=1, maximum_count=2)}
