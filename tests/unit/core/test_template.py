"""Templates: what stands for a parameter, and what does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailrace.core.template import Element, Hole, parse, render, script_fault


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ()),
        ("seq", ("seq",)),
        ("{n}", (Hole("n"),)),
        ("--name={n}!", ("--name=", Hole("n"), "!")),
        ("{a}{b-c}", (Hole("a"), Hole("b-c"))),
        ("{{n}}", ("{", "n", "}")),
        ("{{{n}}}", ("{", Hole("n"), "}")),
        ("awk {{ print $1 }}", ("awk ", "{", " print $1 ", "}")),
        ("a\n%s $x", ("a\n%s $x",)),
    ],
)
def test_the_parts_of_an_element(text: str, parts: Element) -> None:
    """Braces that are doubled are braces; everything else is itself."""
    assert parse(text) == parts


@pytest.mark.parametrize(
    "text", ["{", "}", "a{", "{n", "n}", "{}", "{ n }", "{N}", "{n!r}", "{n.x}", "{n[0]}", "{{n}", "a\0"]
)
def test_an_element_that_makes_no_sense(text: str) -> None:
    """Nothing is guessed; Python's own formatting, which reaches into objects, is none of this."""
    with pytest.raises(ValueError, match=r"has "):
        parse(text)


@given(st.text(st.characters(exclude_characters="\0")))
def test_any_text_can_be_written(text: str) -> None:
    """With its braces doubled it stands for itself."""
    assert render(parse(text.replace("{", "{{").replace("}", "}}")), {}) == text


@given(st.text(), st.text())
def test_a_value_is_never_a_template(value: str, other: str) -> None:
    """Whatever braces it has."""
    assert render(parse("<{a}|{b}>"), {"a": value, "b": other}) == f"<{value}|{other}>"


@pytest.mark.parametrize(
    "argv",
    [
        ["sh", "-c", "echo {x}"],
        ["/bin/bash", "-ec", "{x}"],
        ["env", "A=b", "dash", "-e", "-c", "echo '{x}'"],
        ["sudo", "-u", "ann", "zsh", "-lc", "a{x}"],
        ["bash", "-o", "pipefail", "-c", "echo {x}"],
        ["bash", "-euo", "pipefail", "-c", "echo {x}"],
        ["bash", "-ceuo", "pipefail", "echo {x}"],
        ["bash", "+o", "posix", "-Ec", "echo {x}"],
        ["bash", "--rcfile", "a", "--norc", "-c", "{x}"],
        ["su", "-c", "{x}"],
        ["su", "bob", "-c", "{x}"],
        ["su", "-", "bob", "-lc", "echo {x}"],
        ["su", "-s", "/bin/sh", "bob", "-cecho {x}"],
        ["su", "bob", "-c{x}"],
        ["su", "bob", "--com", "echo {x}"],
        ["su", "bob", "--session-command=echo {x}"],
        ["su", "bob", "--", "-c", "{x}"],
        ["su", "--", "bob", "-ec", "{x}"],
        ["/sbin/runuser", "-l", "bob", "-c", "a {x}"],
        ["fish", "-C", "{x}", "script.fish"],
        ["fish", "-iC", "set a {x}", "-c", "echo"],
        ["fish", "-c", "echo", "-C", "{x}"],
        ["fish", "-c", "echo", "--init-command={x}"],
        ["fish", "--command", "{x}"],
    ],
)
def test_a_value_in_a_shells_script(argv: list[str]) -> None:
    """It would be run as the shell's own text, however it is quoted there."""
    assert script_fault([parse(text) for text in argv]) is not None


@pytest.mark.parametrize(
    "argv",
    [
        ["sh", "-c", 'echo "$1"', "sh", "{x}"],
        ["sh", "script.sh", "{x}"],
        ["sh", "-e", "script.sh", "-c", "{x}"],
        ["echo", "-c", "{x}"],
        ["sh"],
        ["sh", "-c"],
        ["bash", "--", "{x}"],
        ["bash", "-euo", "pipefail", "script.sh", "-c", "{x}"],
        ["bash", "-euo", "pipefail", "-c", 'echo "$1"', "bash", "{x}"],
        ["su", "bob", "-c", 'echo "$1"', "--", "bob", "{x}"],
        ["su", "-s", "/bin/sh", "-g", "{x}", "bob", "-c", "id"],
        ["runuser", "-u", "bob", "--", "grep", "-c", "{x}"],
        ["fish", "-c", "echo $argv", "{x}"],
        ["fish", "-C", "set a 1", "script.fish", "-c", "{x}"],
    ],
)
def test_a_value_beside_a_shells_script(argv: list[str]) -> None:
    """As an argument of the script it is only a value."""
    assert script_fault([parse(text) for text in argv]) is None
