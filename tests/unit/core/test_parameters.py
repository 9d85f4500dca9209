"""The types of parameters: which values they take, and what each becomes."""

import msgspec
import pytest

from tailrace.core.errors import InvalidInput
from tailrace.core.parameters import (
    TYPES,
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
from tailrace.core.parameters.base import LONGEST, NEWLINES
from tailrace.core.parameters.file import Sent

EITHER = msgspec.json.Decoder(Parameter)


@pytest.mark.parametrize(
    ("parameter", "value", "argument"),
    [
        (Text(), "", ""),
        (Text(), "a b; $(c) \t\x1b[0m", "a b; $(c) \t\x1b[0m"),
        (Text(), "é𝄞", "é𝄞"),
        (Text(), "-x", "-x"),
        (Text(allow_newlines=True), "a\r\nb\u2028", "a\r\nb\u2028"),
        (Text(pattern="[a-z]+"), "abc", "abc"),
        (Text(pattern="a|bc"), "bc", "bc"),
        (Text(minimum_length=2, maximum_length=3), "𝄞𝄞", "𝄞𝄞"),
        (Integer(), 0, "0"),
        (Integer(), -5, "-5"),
        (Integer(), (1 << 63) - 1, "9223372036854775807"),
        (Integer(minimum=1, maximum=3), 3, "3"),
        (Number(), 5, "5"),
        (Number(), 5.0, "5"),
        (Number(), 0.1, "0.1"),
        (Number(), 1e300, "1e+300"),
        (Number(minimum=-1, maximum=1), -1, "-1"),
        (Boolean(), True, "true"),
        (Boolean(), False, "false"),
        (Choice(choices=("a", "b")), "b", "b"),
        (Choices(choices=("a", "b")), ["b", "a"], "b,a"),
        (Choices(choices=("a", "b")), [], ""),
        (PathBelow(root="/srv"), "a/./b//c", "/srv/a/b/c"),
        (PathBelow(root="/srv"), "..a/b", "/srv/..a/b"),
        (Date(), "2024-02-29", "2024-02-29"),
        (Date(minimum="2026-01-01", maximum="2026-12-31"), "2026-01-01", "2026-01-01"),
        (Secret(), "secret", "secret"),
        (Upload(), Sent(5, "token", "/x"), "token"),
    ],
)
def test_a_value_becomes_an_argument(parameter: Parameter, value: object, argument: str) -> None:
    """Exactly as it was given."""
    assert parameter.argument(value) == argument


@pytest.mark.parametrize(
    ("parameter", "value", "told"),
    [
        (Text(), 5, "must be text, not a number"),
        (Text(), True, "must be text, not true or false"),
        (Text(), None, "must be text, not nothing"),
        (Text(), ["a"], "must be text, not a list"),
        (Text(), {}, "must be text, not an object"),
        (Text(), "a\0", "has a NUL"),
        (Text(allow_newlines=True), "\0", "has a NUL"),
        (Text(), "\udcff", "half of a character"),
        (Text(), "x" * 4097, "has 4097 characters"),
        (Text(minimum_length=1), "", "has 0 characters"),
        (Text(pattern="[a-z]+"), "abc1", "does not match"),
        (Text(pattern="a|bc"), "ac", "does not match"),
        (Text(pattern="^a$", allow_newlines=True), "a\n", "does not match"),
        (Text(pattern="a", allow_newlines=True), "a\nb", "does not match"),
        (Text(pattern=r"\d+"), "\u0661", "does not match"),
        (Text(pattern=r"\w+"), "é", "does not match"),
        (Integer(), "5", "must be a whole number, not text"),
        (Integer(), 5.0, "must be a whole number, not a number"),
        (Integer(), False, "must be a whole number, not true or false"),
        (Integer(), 1 << 63, "is out of range"),
        (Integer(), -(1 << 63) - 1, "is out of range"),
        (Integer(minimum=1), 0, "is out of range"),
        (Integer(maximum=1), 2, "is out of range"),
        (Number(), "1", "must be a number, not text"),
        (Number(), True, "must be a number, not true or false"),
        (Number(), float("inf"), "is out of range"),
        (Number(), float("nan"), "is out of range"),
        (Number(), 10**400, "is out of range"),
        (Number(maximum=1), 1.5, "is out of range"),
        (Boolean(), 1, "must be true or false, not a number"),
        (Boolean(), "true", "must be true or false, not text"),
        (Choice(choices=("a",)), "b", "is none of the choices"),
        (Choice(choices=("a",)), 1, "must be text, not a number"),
        (Choices(choices=("a",)), "a", "must be a list, not text"),
        (Choices(choices=("a",)), ["a", "a"], "has 2 values"),
        (Choices(choices=("a", "b")), ["a", "a"], "has a value twice"),
        (Choices(choices=("a",)), ["b"], "is none of the choices"),
        (Choices(choices=("a",), minimum_count=1), [], "has 0 values"),
        (PathBelow(root="/srv"), "/etc/passwd", "begins with '/'"),
        (PathBelow(root="/srv"), "a/../../b", "has '..' in it"),
        (PathBelow(root="/srv"), "a/..", "has '..' in it"),
        (PathBelow(root="/srv"), "", "is empty"),
        (PathBelow(root="/srv"), "a\0", "has a NUL"),
        (PathBelow(root="/srv"), "a\nb", "more than one line"),
        (Date(), "2026-02-30", "is no day"),
        (Date(), "20261127", "is no day"),
        (Date(), "2026-W48-5", "is no day"),
        (Date(), 5, "must be a day, not a number"),
        (Date(minimum="2026-01-01"), "2025-12-31", "is out of range"),
        (Secret(), "", "has 0 characters"),
        (Secret(), "secret\nsecret", "more than one line"),
        (Upload(), "x", "must be a file, not text"),
        (Upload(maximum_size=4), Sent(5, "t", "/x"), "has 5 bytes"),
    ],
)
def test_a_value_that_is_not_taken(parameter: Parameter, value: object, told: str) -> None:
    """What is wrong with it, and what would be right."""
    with pytest.raises(InvalidInput, match=told) as caught:
        parameter.argument(value)
    assert caught.value.hint


@pytest.mark.parametrize("newline", NEWLINES)
def test_whatever_begins_a_line_is_a_newline(newline: str) -> None:
    """Also what only some programs take for one."""
    with pytest.raises(InvalidInput, match="more than one line"):
        Text().argument(f"a{newline}b")


@pytest.mark.parametrize(
    ("parameter", "text", "value"),
    [
        (Text(), "", ""),
        (Text(), "5", "5"),
        (Text(), "a\r\nb\rc\n", "a\nb\rc\n"),
        (Integer(), "5", 5),
        (Integer(), "-5", -5),
        (Integer(), "007", 7),
        (Integer(), "", None),
        (Integer(), "5.0", "5.0"),
        (Integer(), "\u0661", "\u0661"),
        (Integer(), "1_0", "1_0"),
        (Integer(), "9" * 5000, "9" * 5000),
        (Number(), "0.5", 0.5),
        (Number(), "1e3", 1000.0),
        (Number(), "", None),
        (Number(), "nan", "nan"),
        (Boolean(), "on", True),
        (Boolean(), "No", False),
        (Boolean(), "", None),
        (Boolean(), "maybe", "maybe"),
        (Choice(choices=("a",)), "", None),
        (Choices(choices=("a",)), "a", ["a"]),
        (Choices(choices=("a",)), "", []),
        (Date(), "", None),
        (PathBelow(root="/srv"), "", None),
        (Secret(), "", None),
        (Upload(), "x", "x"),
    ],
)
def test_text_means_a_value(parameter: Parameter, text: str, value: object) -> None:
    """What it cannot mean is left, to be refused as a value; nothing where nothing was given."""
    assert parameter.from_text(text) == value


@pytest.mark.parametrize(
    ("parameter", "keys"),
    [
        (Text(), []),
        (Text(minimum_length=5, maximum_length=3), ["maximum_length"]),
        (Text(minimum_length=-1), ["maximum_length"]),
        (Text(maximum_length=LONGEST + 1), ["maximum_length"]),
        (Text(pattern="("), ["pattern"]),
        (Text(pattern="a{99999999999}"), ["pattern"]),
        (Text(pattern="[a-z]", default="A", example="B"), ["default", "example"]),
        (Text(default="a\nb"), ["default"]),
        (Text(required=False), ["required"]),
        (Text(required=False, default=""), []),
        (Text(required=True, default="x"), []),
        (Integer(minimum=1, maximum=0), ["maximum"]),
        (Integer(minimum=1, default=0), ["default"]),
        (Integer(example=5), []),
        (Number(minimum=1, maximum=0), ["maximum"]),
        (Number(default=5, maximum=1), ["default"]),
        (Boolean(flag="--"), ["flag"]),
        (Boolean(flag="a\0"), ["flag"]),
        (Boolean(default=None), []),
        (Choice(), ["choices"]),
        (Choice(choices=("a", "a")), ["choices"]),
        (Choice(choices=("a", "b\n")), ["choices[1]"]),
        (Choice(choices=("a",), default="b"), ["default"]),
        (Choices(choices=("a",), option="--{}x"), ["option"]),
        (Choices(choices=("a",), option="--"), ["option"]),
        (Choices(choices=("a",), minimum_count=2), ["maximum_count"]),
        (Choices(choices=("a",), default=("b",)), ["default"]),
        (PathBelow(), ["root"]),
        (PathBelow(root="/srv", default="../x"), ["default"]),
        (Date(minimum="today"), ["minimum"]),
        (Date(minimum="2026-02-01", maximum="2026-01-01"), ["maximum"]),
        (Date(default="never"), ["default"]),
        (Secret(variable="X", minimum_length=7, maximum_length=6), ["maximum_length"]),
        (Secret(minimum_length=5), ["minimum_length", "variable"]),
        (Upload(maximum_size=0), ["maximum_size"]),
        (Upload(accept=("a,b",)), ["accept"]),
    ],
)
def test_a_declaration_that_makes_no_sense(parameter: Parameter, keys: list[str]) -> None:
    """Every key that is wrong is named."""
    assert [fault.subject for fault in parameter.faults()] == keys
    assert all(fault.message and fault.hint for fault in parameter.faults())


def test_what_must_be_given() -> None:
    """What has no default; and what says so."""
    assert Text().is_required
    assert not Text(default="").is_required
    assert not Integer(default=0).is_required
    assert Integer(default=0, required=True).is_required


def test_the_schema() -> None:
    """Says in JSON Schema what is said here; its pattern is anchored, since JSON Schema's are not."""
    text = Text(title="Name", help="Whose.", default="a", example="b", pattern="a|b", maximum_length=5)
    assert text.schema() == {
        "type": "string",
        "title": "Name",
        "description": "Whose.",
        "default": "a",
        "examples": ["b"],
        "pattern": "^(?:a|b)$",
        "minLength": 0,
        "maxLength": 5,
    }
    assert Integer(minimum=1, default=0).schema() == {
        "type": "integer",
        "default": 0,
        "minimum": 1,
        "maximum": (1 << 63) - 1,
    }


def test_a_type_is_one_class() -> None:
    """Told by its name, in JSON as in the server's file."""
    assert list(TYPES) == [
        "text", "integer", "number", "boolean", "choice", "choices", "path", "date", "secret", "file",
    ]  # fmt: skip
    assert (TYPES["text"], TYPES["file"]) == (Text, Upload)
    assert EITHER.decode(b'{"type": "integer", "minimum": 1}') == Integer(minimum=1)
    assert msgspec.json.decode(msgspec.json.encode(Text(pattern="a"))) == {"type": "text", "pattern": "a"}
    with pytest.raises(msgspec.ValidationError):
        EITHER.decode(b'{"type": "integer", "pattern": "a"}')


def test_what_a_form_sends_for_boxes() -> None:
    """A hidden field in front says that there are boxes, since empty ones send nothing; else a field comes once."""
    assert Boolean().from_texts(["false"]) is False
    assert Boolean().from_texts(["false", "true"]) is True
    names = Choices(choices=("a", "b"))
    assert (names.from_texts([""]), names.from_texts(["", "a", "b"])) == ([], ["a", "b"])
    for parameter, texts in ((Boolean(), ["true", "true"]), (Text(), ["a", "a"]), (Secret(), ["a", "b"])):
        with pytest.raises(InvalidInput, match="stands there twice"):
            parameter.from_texts(texts)


def test_the_schema_of_a_secret() -> None:
    """Says that it is one, and nothing of it."""
    said = Secret(help="the token").schema()
    assert (said["format"], said["writeOnly"]) == ("password", True)
    assert not {"default", "examples"} & set(Secret(required=False).schema())
