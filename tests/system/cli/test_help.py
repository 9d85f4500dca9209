"""What `--help` says, and how quickly."""

import subprocess
import sys

import pytest

import tailrace
from tailrace.cli.program import COMMANDS
from tests.system.cli.conftest import TAILRACE, Program

ELSEWHERE = ("demo", "audit", "login", "user")
"""a demonstration has a place of its own, the server's file says where its audit is, a login is the caller's, and each
command of `user` has the option for itself"""


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_help_with_an_example(program: Program, name: str) -> None:
    """One line that says what it does, and how it is used."""
    done = program(name, "--help")
    text = done.stdout.decode()
    assert done.returncode == 0
    assert f"  tailrace {name}" in text.split("Options:")[0]
    assert ("--state-dir" in text) == (name not in ELSEWHERE)


def test_the_program_lists_all_commands(program: Program) -> None:
    """`tailrace`, `--help` and `-h` show every command with a line."""
    for args in ([], ["--help"], ["-h"]):
        done = program(*args)
        text = done.stdout.decode()
        assert (done.returncode, done.stderr) == (0, b"")
        assert all(f"\n  {name} " in text for name in COMMANDS)
        assert "tailrace run -- make test" in text


def test_version_loads_no_engine() -> None:
    """`--version` answers without importing what runs commands."""
    code = """
import runpy, sys
sys.argv[1:] = ['--version']
try:
    runpy.run_module('tailrace', run_name='__main__')
except SystemExit:
    print([name for name in sys.modules if name.startswith(('tailrace.engine', 'msgspec', 'asyncio'))])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == f"tailrace {tailrace.__version__}\n[]\n"
    assert TAILRACE[1:] == ["-m", "tailrace"]
