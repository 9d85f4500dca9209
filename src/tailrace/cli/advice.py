"""What to do about a command that was not found: what people who know a shell usually meant."""

import re
import shlex

from tailrace.core.outcome import FailedToStart, Outcome

NOT_FOUND = 127
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=.*", re.ASCII | re.DOTALL)
_BUILTINS = {
    ".", "alias", "bg", "declare", "eval", "exec", "exit", "export", "fg", "for", "history", "if", "jobs", "let",
    "local", "pushd", "popd", "set", "shopt", "source", "trap", "ulimit", "umask", "unalias", "unset", "while",
}  # fmt: skip


def for_outcome(outcome: Outcome, argv: tuple[str, ...]) -> str:
    """Return a hint for a run that ended so; empty if there is none."""
    if not isinstance(outcome, FailedToStart) or outcome.exit_code != NOT_FOUND or not argv:
        return ""
    program = argv[0]
    if program == "cd":
        return "a shell's own command; give the directory with -C/--cwd, or write " + _by_shell("cd DIR && COMMAND")
    if program in _BUILTINS:
        return "a shell's own command; write " + _by_shell(shlex.join(argv))
    if _ASSIGNMENT.fullmatch(program):
        return "set variables with -e/--env NAME=value"
    if any(char.isspace() for char in program.strip()):
        return "that is one word to us; write `tailrace run -- ls -l`, or for a shell: " + _by_shell("ls -l | wc")
    return ""


def _by_shell(script: str) -> str:
    return f"tailrace run -- sh -c {shlex.quote(script)}"
