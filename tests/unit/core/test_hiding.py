import pytest

from tailrace.core.command import Command
from tailrace.core.parameters import Secret


def faults(command: Command) -> str:
    """Return all that is wrong with a declaration."""
    return "; ".join(f"{fault}: {fault.hint}" for fault in command.faults())


@pytest.mark.parametrize(
    ("command", "wrong"),
    [
        (Command(name="c", argv=("c", "{s}"), parameters={"s": Secret(variable="S")}), 'say deliver = "file"'),
        (Command(name="c", argv=("c",), parameters={"s": Secret()}), "parameters.s.variable is missing"),
        (Command(name="c", argv=("c",), parameters={"s": Secret(variable="a b")}), "cannot be a variable's name"),
        (Command(name="c", argv=("c",), parameters={"s": Secret(deliver="file")}), "the path of its file"),
        (Command(name="c", argv=("c",), parameters={"s": Secret(deliver="stdin")}, pty=True), "echoed"),
        (Command(name="c", argv=("c",), parameters={"s": Secret(deliver="stdin", variable="S")}), "means nothing"),
        (Command(name="c", argv=("c",), parameters={"s": Secret(variable="S")}, key="k {s}"), "see a key"),
        (Command(name="c", argv=("c",), parameters={"s": Secret(variable="S", minimum_length=5)}), "less than 6"),
        (Command(name="c", argv=("c",), env={"S": "short"}, secret_env=("S",)), "too short"),
        (Command(name="c", argv=("c",), secret_env=("A=B",)), "the name of a variable"),
        (
            Command(name="c", argv=("c", "{s}"), parameters={"s": Secret(deliver="file")}, user="nobody"),
            "could not read",
        ),
    ],
)
def test_a_declaration_that_would_show_a_secret_is_a_mistake(command: Command, wrong: str) -> None:
    """What is wrong with it is told with its cure."""
    assert wrong in faults(command)


def test_a_secret_need_not_be_in_the_argv() -> None:
    """By environment or input it stands nowhere; of a file the path does."""
    secrets = {"e": Secret(variable="E"), "i": Secret(deliver="stdin"), "f": Secret(deliver="file")}
    command = Command(name="c", argv=("c", "--key={f}"), parameters=secrets, secret_env=("HOME",))
    values: dict[str, object] = {"e": "@secret", "i": "-secret", "f": "content"}
    assert faults(command) == ""
    assert command.argv_for(values) == ("c", "--key=\0f\0")
    assert command.secrets_for(values) == values
