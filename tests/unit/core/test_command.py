"""Declared commands: an argv of the template's elements, whatever the values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailrace.core.command import Command, Commands
from tailrace.core.errors import InvalidValues, UnknownCommand
from tailrace.core.parameters import (
    Boolean,
    Choice,
    Choices,
    Date,
    Integer,
    Number,
    Parameter,
    PathBelow,
    Secret,
    Text,
    Upload,
)  # fmt: skip
from tailrace.core.parameters.file import Sent
from tailrace.core.secrets import secret_file

TEXTS = st.text(max_size=8) | st.sampled_from(
    ["-", "--", "-rf", "--help", "", "-1", "\u2010x", "a -b", "a\n-b", "@x", "@", "x", "y", "2026-11-27", "../x", "a/b"]
)
VALUES = (
    TEXTS | st.integers() | st.booleans() | st.none() | st.floats()
    | st.lists(st.integers() | st.sampled_from(["x", "-y", "@z"]), max_size=3)
)  # fmt: skip
CHOICES = ("x", "-y", "@z")
PIECES = st.sampled_from(["{a}", "{b}", "{c}", "x", "=", "-", "--", "{{", ""])

ALLOWED = {"allow_dash": st.booleans(), "allow_at": st.booleans()}
PARAMETERS = st.one_of(
    st.builds(Text, allow_newlines=st.booleans(), default=st.none() | st.just("d"), **ALLOWED),
    st.builds(Integer, default=st.none() | st.just(-1)),
    st.builds(Number, default=st.none() | st.just(-1.5)),
    st.builds(Boolean, flag=st.none() | st.just("--flag")),
    st.builds(Choice, choices=st.just(CHOICES), **ALLOWED),
    st.builds(
        Choices, choices=st.just(CHOICES), option=st.sampled_from([None, "--o", "--o=", "--o={}", "-o{}"]), **ALLOWED
    ),
    st.builds(Date, minimum=st.none() | st.just("2026-01-01")),
    st.builds(PathBelow, root=st.just("/srv")),
    st.builds(Secret, deliver=st.just("file"), allow_newlines=st.booleans()),
    st.builds(Upload),
)


def command(*argv: str, **parameters: Parameter) -> Command:
    """Return a command."""
    return Command(name="test", argv=argv, parameters=parameters)


def faults_of(command: Command, **values: object) -> list[str]:
    """Return what is wrong with the values."""
    with pytest.raises(InvalidValues) as caught:
        command.argv_for(values)
    assert all(fault.hint for fault in caught.value.faults)
    return [str(fault) for fault in caught.value.faults]


@given(
    st.lists(st.lists(PIECES, max_size=4).map("".join), max_size=5),
    st.fixed_dictionaries({"a": PARAMETERS, "b": PARAMETERS, "c": PARAMETERS}),
    st.dictionaries(st.sampled_from(["a", "b", "c"]), VALUES),
)
def test_no_value_becomes_an_option_or_another_argument(
    argv: list[str], parameters: dict[str, Parameter], values: dict[str, object]
) -> None:
    """There are as many arguments as elements; a dash at the front of one is the template's, or is behind `--`."""
    check(argv, parameters, values)


@given(
    st.lists(st.lists(PIECES, max_size=4).map("".join), max_size=5),
    st.fixed_dictionaries({"a": TEXTS, "b": TEXTS, "c": TEXTS}),
)
def test_no_text_becomes_an_option(argv: list[str], values: dict[str, object]) -> None:
    """The same, where values are mostly taken."""
    check(argv, dict.fromkeys("abc", Text(allow_newlines=True)), values)


@given(
    st.lists(st.lists(PIECES, max_size=3).map("".join), max_size=5),
    st.fixed_dictionaries({"a": PARAMETERS, "b": PARAMETERS, "c": PARAMETERS}),
    st.data(),
)
def test_values_that_are_taken(argv: list[str], parameters: dict[str, Parameter], data: st.DataObject) -> None:
    """The same, with values of the right types."""
    check(argv, parameters, {name: data.draw(FITTING[type(each)], name) for name, each in parameters.items()})


FITTING: dict[type[Parameter], st.SearchStrategy[object]] = {
    Text: TEXTS,
    Integer: st.integers(-9, 9),
    Number: st.floats(-9, 9),
    Boolean: st.booleans(),
    Choice: st.sampled_from(CHOICES),
    Choices: st.lists(st.sampled_from(CHOICES), unique=True),
    Date: st.dates().map(str),
    PathBelow: st.sampled_from(["a", "-a", "@a", "../a", "a/../../b", "/etc/passwd"]),
    Secret: st.sampled_from(["hunter2", "-rf", "@hunter2", "--", "hunter2\n-x"]),
    Upload: st.just(Sent(5, secret_file("upload"), "/tmp/sent")),
}


def check(argv: list[str], parameters: dict[str, Parameter], values: dict[str, object]) -> None:
    """See that the values, if they are taken, fill their places and no others."""
    declared = Command(name="test", argv=("program", *argv), parameters=parameters)
    used = {f"{{{name}}}": name for name in parameters}
    if any(parameters[name].is_spread and _is_within(hole, argv) for hole, name in used.items()):
        assert any("within an element" in fault.message for fault in declared.faults())
        return
    try:
        made = declared.argv_for(values)
    except InvalidValues:
        return
    rest, is_behind = list(made), False
    for element in declared.argv:
        name = used.get(element)
        count = 1 if name is None else count_of(parameters[name], values.get(name, parameters[name].standard))
        arguments, rest = rest[:count], rest[count:]
        assert len(arguments) == count
        is_behind = is_behind or element == "--"
        for argument in arguments:
            check_argument(argument, element, parameters, is_behind=is_behind)
    assert rest == []
    secrets = [values[name] for name, each in parameters.items() if each.is_secret and name in values]
    assert not any(secret in argument for secret in secrets if isinstance(secret, str) and secret for argument in made)


def _is_within(hole: str, argv: list[str]) -> bool:
    return any(hole in element and element != hole for element in argv)


def count_of(parameter: Parameter, value: object) -> int:
    """Return how many arguments the one parameter of an element stands for: the documented exceptions, and one."""
    if isinstance(parameter, Boolean) and parameter.flag is not None:
        return int(value is True)
    if isinstance(parameter, Choices):
        assert isinstance(value, list)
        return len(value) * (2 if parameter.option == "--o" else 1)
    return 1


def check_argument(argument: str, element: str, parameters: dict[str, Parameter], *, is_behind: bool) -> None:
    """See that the argument does not begin as only the template may have it begin."""
    inside = [each for name, each in parameters.items() if f"{{{name}}}" in element]
    own: list[str | None] = [each.flag for each in inside if isinstance(each, Boolean)]
    own += [each.option for each in inside if isinstance(each, Choices)]
    is_own = element[:1] in "-@" or any(option and argument.startswith(option.removesuffix("{}")) for option in own)
    for sign, is_free in (("-", is_behind), ("@", False)):
        if argument.startswith(sign) and not is_own and not is_free:
            assert any(each.allow_dash if sign == "-" else each.allow_at for each in inside)


@pytest.mark.parametrize(
    ("argv", "values", "is_taken"),
    [
        (("rm", "{a}"), {"a": "x"}, True),
        (("rm", "{a}"), {"a": "-rf"}, False),
        (("rm", "{a}"), {"a": "--"}, False),
        (("rm", "--", "{a}"), {"a": "-rf"}, True),
        (("rm", "{a}", "--", "{b}"), {"a": "x", "b": "-rf"}, True),
        (("rm", "{a}", "--", "{b}"), {"a": "-rf", "b": "x"}, False),
        (("rm", "{a}", "{b}"), {"a": "--", "b": "-rf"}, False),
        (("rm", "{a}{b}"), {"a": "", "b": "-rf"}, False),
        (("rm", "{a}{b}"), {"a": "x", "b": "-rf"}, True),
        (("rm", "{a}-{b}"), {"a": "", "b": "rf"}, False),
        (("rm", "{a}-{b}"), {"a": "x", "b": "rf"}, True),
        (("rm", "-{a}"), {"a": "x"}, True),
        (("rm", "./{a}"), {"a": "-rf"}, True),
        (("rm", "--name={a}"), {"a": "-rf"}, True),
        (("rm", " {a}"), {"a": "-rf"}, True),
    ],
)
def test_a_dash(argv: tuple[str, ...], values: dict[str, object], *, is_taken: bool) -> None:
    """What decides is the argument as it comes out, with empty values too."""
    declared = command(*argv, a=Text(), b=Text(default="x"))
    if is_taken:
        assert len(declared.argv_for(values)) == len(argv)
    else:
        assert "begin with '-'" in faults_of(declared, **values)[0]


def test_a_dash_that_is_allowed() -> None:
    """The parameter says so; a negative number is under the same rule."""
    assert command("x", "{a}", a=Text(allow_dash=True)).argv_for({"a": "-v"}) == ("x", "-v")
    assert command("x", "{a}", a=Integer(allow_dash=True)).argv_for({"a": -5}) == ("x", "-5")
    assert command("x", "n={a}", a=Integer()).argv_for({"a": -5}) == ("x", "n=-5")
    assert faults_of(command("x", "{a}", a=Integer()), a=-5) == [
        "a lets an argument begin with '-', which the command could take for an option"
    ]


def test_all_that_is_wrong_is_told() -> None:
    """Unknown, missing and unfit ones, each by its name."""
    declared = command("x", "{count}{name}{size}", count=Integer(), name=Text(), size=Integer(default=1))
    assert faults_of(declared, coun=1, size="big") == [
        "'coun' is no parameter of it",
        "count is missing",
        "name is missing",
        "size must be a whole number, not text",
    ]
    assert len(faults_of(command("x"), **{str(number): 1 for number in range(1000)})) == 10


def test_what_is_missing_is_asked_for_as_people_say_it() -> None:
    """A choice by what there is to choose, as far as there is room; a file by what whoever has a form would do."""
    many = tuple(f"c{number}" for number in range(20))
    declared = command(
        "x", "{a}", "{b}", "{c}", "{d}",
        a=Choice(choices=("north", "south")), b=Choices(choices=("x", "y"), minimum_count=1), c=Upload(),
        d=Choice(choices=many),
    )  # fmt: skip
    with pytest.raises(InvalidValues) as info:
        declared.argv_for({})
    assert [fault.hint for fault in info.value.faults] == [
        "choose one of: north, south",
        "choose some of: x, y",
        "choose a file; a program sends it as a part of multipart/form-data: curl -F NAME=@FILE",
        "choose one of: c0, c1, c2, c3, c4, c5, c6, c7, and 12 more",
    ]


def test_a_default_that_must_be_given() -> None:
    """`required` makes it what a form begins with."""
    declared = command("x", "{a}", a=Text(default="d", required=True))
    assert faults_of(declared) == ["a is missing"]
    assert command("x", "{a}", a=Text(default="d")).argv_for({}) == ("x", "d")


def test_a_key_is_of_the_values() -> None:
    """Runs with other values may go beside each other, where the key says so."""
    declared = Command(name="x", argv=("deploy", "{to}"), parameters={"to": Text(default="a")}, key="deploy {{{to}}}")
    assert (declared.key_for({"to": "b"}), declared.key_for({})) == ("deploy {b}", "deploy {a}")
    assert command("x").key_for({}) is None


@pytest.mark.parametrize(
    ("declared", "subjects"),
    [
        (Command(name="ok", argv=("x",)), []),
        (Command(name="Ok", argv=("x",)), ["name"]),
        (Command(name="a/b", argv=("x",)), ["name"]),
        (Command(name="", argv=("x",)), ["name"]),
        (Command(name="x" * 65, argv=("x",)), ["name"]),
        (Command(name="ok", argv=()), ["argv"]),
        (Command(name="ok", argv=("",)), ["argv"]),
        (Command(name="ok", argv=("x", "{", "}")), ["argv[1]", "argv[2]"]),
        (command("{a}", a=Text()), ["argv[0]"]),
        (command("./{a}.sh", a=Text()), ["argv[0]"]),
        (command("sh", "-c", "{a}", a=Text()), ["argv"]),
        (command("x", "{a}"), ["argv"]),
        (command("x", a=Text()), ["parameters.a"]),
        (command("x", "{a}", a=Text(default="-x")), ["parameters.a.default"]),
        (command("x", "{a}", a=Text(default="-x", allow_dash=True)), []),
        (command("x", "--", "{a}", a=Text(default="-x")), []),
        (command("x", "{a}", a=Text(pattern="(")), ["parameters.a.pattern"]),
        (Command(name="ok", argv=("x",), parameters={"A B": Text()}), ["parameters.A B", "parameters.A B"]),
        (Command(name="ok", argv=("x",), key="{"), ["key"]),
        (Command(name="ok", argv=("x",), key=""), ["key"]),
        (Command(name="ok", argv=("x",), parameters={"a": Text()}, key="{a}"), []),
        (Command(name="ok", argv=("x",), pty=True, merge=True), ["merge"]),
        (Command(name="ok", argv=("x",), timeout=0), ["timeout"]),
        (Command(name="ok", argv=("x",), idle_timeout=float("nan")), ["idle_timeout"]),
        (Command(name="ok", argv=("x",), max_output=-1), ["max_output"]),
        (Command(name="ok", argv=("x",), env={"A=B": "c"}), ["env"]),
        (Command(name="ok", argv=("x",), env={"A": "\0"}), ["env"]),
        (Command(name="ok", argv=("x",), labels={"": "x"}), ["labels"]),
    ],
)
def test_a_declaration_that_makes_no_sense(declared: Command, subjects: list[str]) -> None:
    """Whatever no run could be made of, or would be dangerous, is told by its key."""
    assert [fault.subject for fault in declared.faults()] == subjects
    assert all(fault.message and fault.hint for fault in declared.faults())


def test_the_commands() -> None:
    """A mapping in the order of their declaration; an unknown name gets the one that may be meant."""
    commands = Commands([Command(name="b", argv=("x",)), Command(name="count", argv=("x",))])
    assert (list(commands), len(commands), commands["b"].argv) == (["b", "count"], 2, ("x",))
    assert commands.find("count") is commands["count"]
    with pytest.raises(UnknownCommand) as caught:
        commands.find("cuont")
    assert caught.value.hint == "did you mean 'count'?"
    assert len(Commands()) == 0


def test_commands_that_cannot_be() -> None:
    """Everything that is wrong with all of them is told."""
    with pytest.raises(InvalidValues) as caught:
        Commands([Command(name="a", argv=()), Command(name="b", argv=("{x}",)), Command(name="b", argv=("x",))])
    assert [fault.subject for fault in caught.value.faults] == [
        "commands.a.argv",
        "commands.b.argv[0]",
        "commands.b.argv",
        "commands",
    ]


def test_a_switch_and_a_list_stand_for_their_options() -> None:
    """The documented exceptions: nothing for false, an argument or two for each that was chosen."""
    declared = command(
        "x", "{v}", "{names}", "{tags}", "--", "{rest}",
        v=Boolean(flag="--verbose"), names=Choices(choices=("a", "b"), option="--name"),
        tags=Choices(choices=("t", "u"), option="--tag={}"), rest=Choices(choices=("-r",), allow_dash=True),
    )  # fmt: skip
    assert declared.argv_for({}) == ("x", "--")
    values: dict[str, object] = {"v": True, "names": ["b", "a"], "tags": ["u"], "rest": ["-r"]}
    assert declared.argv_for(values) == ("x", "--verbose", "--name", "b", "--name", "a", "--tag=u", "--", "-r")
    assert [str(fault) for fault in command("x", "a{v}", v=Boolean(flag="-v")).faults()] == [
        "argv has {v} within an element"
    ]


def test_an_at_sign() -> None:
    """Nobody has a program put in a file: not by an argument, not behind `--` or `=`."""
    for argv in (("{a}",), ("--", "{a}"), ("--data={a}",), ("{a}x",)):
        assert "begins with '@'" in faults_of(command("x", *argv, a=Text()), a="@/etc/passwd")[0]
    assert command("x", "{a}", a=Text(allow_at=True)).argv_for({"a": "@x"}) == ("x", "@x")
    assert command("x", "{a}", a=Text()).argv_for({"a": "ann@example"}) == ("x", "ann@example")
    assert "begins with '@'" in faults_of(command("x", "{a}@{b}", a=Text(), b=Text()), a="", b="h")[0]


def test_a_secret_is_no_argument() -> None:
    """It stands in no template and no key, and no message repeats it."""
    declared = command("x", s=Secret(maximum_length=6), a=Text(default="x"))
    shown = command("x", "{s}", s=Secret(variable="S"))
    assert [str(fault) for fault in shown.faults()] == ["argv has {s}, which is secret"]
    assert declared.secrets_for({"s": "abcdef"}) == {"s": "abcdef"}
    assert "hunter2" not in str(faults_of(declared, s="hunter2", a="x"))
    assert "default" not in declared.schema()["properties"]["s"]  # type: ignore[index]


def test_a_directory_with_a_nul() -> None:
    """It is wrong before a run is started."""
    (fault,) = Command(name="c", argv=("c",), cwd="/a\0b").faults()
    assert (fault.subject, bool(fault.hint)) == ("cwd", True)


def test_a_switch_that_makes_a_script() -> None:
    """A flag that has a shell take the next argument as its script is seen for what it is."""
    declared = command("sh", "{v}", "{a}", v=Boolean(flag="-c"), a=Text())
    assert "script" in next(fault.message for fault in declared.faults())


@pytest.mark.parametrize("name", ["hook", "hook-event", "hook-run"])
def test_labels_of_hooks_are_not_for_commands(name: str) -> None:
    """No hook would be told of its runs."""
    with pytest.raises(InvalidValues, match="as runs of hooks do"):
        Commands([Command(name="build", argv=("true",), labels={name: "x"})])
