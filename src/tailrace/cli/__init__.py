"""The command line: everything Tailrace does, from a shell.

What lives here: a file per command, and what they share: values as people type them, what is said on stderr, the loop
that shows an output and answers signals, the one boundary at which errors become two lines and an exit code.
What may be imported: every inner ring, and `click`.
What never: anything that another ring needs; standard output carries output and results, and nothing else.
"""

from tailrace.cli.program import main

__all__ = ["main"]
