"""Commands that wait in the middle until the test lets them go on."""

import json
from pathlib import Path
from urllib.parse import quote

WAIT = 'until [ -e "$0" ]; do sleep 0.02; done'


def gated(before: str, gate: Path, after: str) -> list[str]:
    """Return a command: the shell's `before`, then nothing until the gate exists, then the shell's `after`."""
    return ["sh", "-c", f"{before}; {WAIT}; {after}", str(gate)]


def query(argv: list[str], **others: str) -> str:
    """Return the query that asks for the command."""
    fields = {"argv": json.dumps(argv), **others}
    return "?" + "&".join(f"{name}={quote(value)}" for name, value in fields.items())
