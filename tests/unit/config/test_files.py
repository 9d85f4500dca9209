"""Defaults and included files."""

from pathlib import Path

import pytest

from tailrace.config.load import load
from tailrace.core.errors import InvalidInput, InvalidValues

MAIN = """
include = ["more.toml", "commands.d/*.toml"]
[defaults]
timeout = "10m"
env = { A = "1", B = "2" }
max_memory = "1G"
[commands.one]
argv = ["one"]
[commands.two]
argv = ["two"]
timeout = 5
env = { B = "3" }
"""


def write(directory: Path, **files: str) -> Path:
    """Write files, whose names have `__` for a slash, and return the first."""
    paths = [directory / f"{name.replace('__', '/')}.toml" for name in files]
    for path, text in zip(paths, files.values(), strict=True):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return paths[0]


def told(path: Path) -> list[str]:
    """Return all that is wrong, without the directory."""
    with pytest.raises(InvalidValues) as caught:
        load(path)
    assert all(fault.hint for fault in caught.value.faults)
    return [str(fault).replace(f"{path.parent}/", "") for fault in caught.value.faults]


def test_defaults_are_for_all_that_say_nothing_else(tmp_path: Path) -> None:
    """In the file and those that it includes; of tables, the names are put together."""
    path = write(
        tmp_path, main=MAIN, more='[defaults]\nmax_running = 2\n[commands.three]\nargv = ["three"]\n',
        commands__d="", **{"commands.d__a": '[commands.four]\nargv = ["four"]\ncwd = "x"\n'},
    )  # fmt: skip
    commands = load(path).commands
    assert list(commands) == ["one", "two", "three", "four"]
    assert (commands["one"].timeout, commands["two"].timeout, commands["four"].timeout) == (600, 5, 600)
    assert commands["two"].env == {"A": "1", "B": "3"}
    assert (commands["three"].max_running, commands["four"].max_running) == (2, None)
    assert commands["three"].max_memory == 1 << 30
    assert commands["four"].cwd == str(tmp_path / "commands.d" / "x")


def test_a_mistake_names_its_own_file(tmp_path: Path) -> None:
    """In the order in which the files are read, and of their lines."""
    path = write(
        tmp_path,
        main='include = ["b.toml", "none.toml"]\n[commands.a]\nargv = 1\n[defaults]\ntitle = "x"\ntimeout = -1\n',
        b='[server]\nport = 1\n[commands.a]\nargv = ["a"]\n[odd]\n',
    )
    assert told(path) == [
        "main.toml:1: include[1] cannot be: none.toml cannot be read: no such file or directory",
        "main.toml:3: commands.a.argv must be a list, not text".replace("text", "a whole number"),
        "main.toml:5: defaults.title means nothing here",
        "main.toml:6: defaults.timeout cannot be so: timeout must be more than 0 to 1000000000 s, got -1",
        "b.toml:1: server means nothing in a file that is included",
        "b.toml:3: commands.a is declared twice, first at main.toml:2: commands.a",
        "b.toml:5: odd means nothing here",
    ]


def test_a_file_that_is_no_toml(tmp_path: Path) -> None:
    """It is told with the others."""
    path = write(tmp_path, main='include = ["b.toml"]\n[commands.a]\n', b="[commands\n")
    found = told(path)
    assert found[0] == "main.toml:2: commands.a.argv is missing"
    assert found[1].startswith("b.toml:1: ")


@pytest.mark.parametrize(
    "files",
    [
        {"main": 'include = ["main.toml"]'},
        {"main": 'include = ["*.toml"]'},
        {"main": 'include = ["b.toml"]', "b": 'include = ["main.toml"]'},
        {"main": 'include = ["b.toml", "./b.toml"]', "b": ""},
    ],
)
def test_no_file_is_read_twice(tmp_path: Path, files: dict[str, str]) -> None:
    """Nor for ever."""
    (found,) = told(write(tmp_path, **files))
    assert "which is read already, for" in found


@pytest.mark.parametrize("text", ['include = "a.toml"', "include = [1]", 'include = [""]', "include = {}"])
def test_what_include_cannot_be(tmp_path: Path, text: str) -> None:
    """It is a list of names."""
    assert told(write(tmp_path, main=text)) == ["main.toml:1: include must be a list of names of files"]


def test_a_pattern_may_mean_nothing(tmp_path: Path) -> None:
    """An empty directory is no mistake, and a directory's own name no pattern."""
    odd = tmp_path / "[a]"
    odd.mkdir()
    path = write(odd, main='include = ["no/*.toml", "b*.toml"]\n', b='[commands.b]\nargv = ["b"]\n')
    assert list(load(path).commands) == ["b"]


def test_a_first_file_that_is_not_there(tmp_path: Path) -> None:
    """It is told as before."""
    with pytest.raises(InvalidInput, match=r"tailrace\.toml cannot be read"):
        load(tmp_path / "tailrace.toml")


@pytest.mark.parametrize(
    ("line", "mistake"),
    [
        ('user = "a b"', "user cannot be 'a b'"),
        ("user = -1", "user cannot be '-1'"),
        ('max_memory = "1k"', "max_memory cannot be 1024"),
        ("max_cpu = 0", "max_cpu cannot be 0"),
        ("max_processes = 0", "max_processes cannot be 0"),
        ("max_open_files = 2", "max_open_files cannot be 2"),
        ("max_running = 0", "max_running cannot be 0"),
        ("max_queued = -1", "max_queued cannot be -1"),
        ("max_starts_per_minute = -1", "max_starts_per_minute cannot be -1"),
        ("max_queued = 1", "max_queued means nothing without max_running"),
        ('allow = ["group:"]', "allow[0] cannot be 'group:'"),
        ('secret_env = ["X"]\nenv = { X = "abc" }', "secret_env[0] names 'X', which is too short or too long"),
        ('parameters.f = { type = "file", maximum_size = "1T" }\nuser = "root"', "parameters.f.maximum_size cannot be"),
    ],
)
def test_what_a_command_cannot_ask_for(tmp_path: Path, line: str, mistake: str) -> None:
    """Each is told at its line."""
    found = told(write(tmp_path, main=f'[commands.a]\nargv = ["a"]\n{line}\n'))
    assert any(each.startswith(f"main.toml:3: commands.a.{mistake}") for each in found), found
