"""`[[hooks]]`: what is told of runs, or done, when they start and end."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tailrace.config.document import Table
from tailrace.config.tables import Mistakes, Reader, Report, duration_s
from tailrace.core.hook import Hook

SECTION = "hooks"
READINGS: Final = {"timeout": duration_s, "give_up": duration_s}
HOOK: Final = Reader(Hook, readings=READINGS)


def hooks_in(document: Table, directory: Path, report: Report) -> Iterator[Hook]:
    """Yield the hooks that the document declares; what is wrong is reported.

    Args:
        document: the whole file.
        directory: where the file is; `secret_file` is from there.
        report: told of each mistake.
    """
    tables = document.get(SECTION, [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        report((SECTION,), "must be tables", "write [[hooks]] above the keys of each")
        return
    names: set[str] = set()
    for index, table in enumerate(tables):
        mistakes = Mistakes(report)
        at = (f"{SECTION}[{index}]",)
        fields = HOOK.read(table, at, mistakes)
        if "name" not in table:
            mistakes((*at, "name"), "is missing", 'give it one, such as name = "chat"')
        if isinstance(file := fields.get("secret_file"), str):
            fields["secret_file"] = os.fspath((directory / file).absolute())
        hook = Hook(**{"name": f"hook-{index}", **fields})  # type: ignore[arg-type]  # they were decoded
        mistakes.add(hook.faults(), at)
        if hook.name in names:
            mistakes((*at, "name"), f"is {hook.name!r}, as of another hook", "give each another name")
        names.add(hook.name)
        if not mistakes.places:
            yield hook
