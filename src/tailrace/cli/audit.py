"""`tailrace audit`: who did what on a server, as it has recorded it."""

import sys
from collections import deque
from collections.abc import Iterator
from datetime import datetime
from typing import TypedDict, Unpack

import click
import msgspec

from tailrace.audit.reading import entries, requests
from tailrace.cli import talk, words
from tailrace.cli.values import instant
from tailrace.config.load import load_audit
from tailrace.core.audit import Entry
from tailrace.core.errors import InvalidInput
from tailrace.core.terminal import escape_text

FILE = "tailrace.toml"
STDOUT = 1


class Options(TypedDict):
    """What the command line can say about what is shown."""

    file: str | None
    who: str | None
    run: str | None
    command: str | None
    action: str | None
    refused: bool
    since: datetime | None
    until: datetime | None
    limit: int
    as_json: bool


@click.command("audit", short_help="Show who did what on a server.")
@click.argument("config", default=FILE, type=click.Path())
@click.option("--file", type=click.Path(), help="Read this audit, instead of the one that the server's file names.")
@click.option("--who", metavar="NAME", help="Only what this user did.")
@click.option("--run", metavar="ID", help="Only what was done to this run; the beginning of its id is enough.")
@click.option("--command", metavar="NAME", help="Only starts of this declared command.")
@click.option("--action", metavar="WORD", help="Only this: start, stop, input, and so on.")
@click.option("--refused", is_flag=True, help="Only what was not allowed.")
@click.option("--since", type=instant, metavar="WHEN", help="Only since then: 2026-11-27T10:00, or 2h ago.")
@click.option("--until", type=instant, metavar="WHEN", help="Only before then.")
@click.option(
    "-n", "--limit", type=int, default=50, show_default=True, metavar="N", help="At most the last so many; 0: all."
)
@click.option("--json", "as_json", is_flag=True, help="Print the lines as they were recorded, one for each request.")
def audit_command(config: str, **options: Unpack[Options]) -> int:
    """Show who did what on a server, oldest first, as it has recorded it.

    \b
    tailrace audit
    tailrace audit --refused --since 1d
    tailrace audit --who ann --json

    CONFIG is the server's file, tailrace.toml by default, in which [audit] says where it is recorded. What is done on
    the host itself (`tailrace stop` and the like) does not go through the server, and is not recorded.
    """
    found = _wanted(options["file"] or _place(config), options)
    for entry in found if options["limit"] <= 0 else deque(found, options["limit"]):
        line = msgspec.json.encode(entry).decode() if options["as_json"] else _line(entry)
        sys.stdout.write(f"{line}\n")
    return 0


def _place(config: str) -> str:
    """Return where the server's file says that it is recorded.

    Raises:
        InvalidInput: it does not say, or cannot be read.
    """
    file = load_audit(config).file
    if file is None:
        raise InvalidInput(
            f"{config} records nothing",
            op="audit",
            subject="audit.file",
            hint='to have it recorded, write [audit] and below it file = "audit.jsonl"',
        )
    return file


def _wanted(path: str, options: Options) -> Iterator[Entry]:
    return (entry for entry in requests(entries(path)) if _is_wanted(entry, options))


def _is_wanted(entry: Entry, options: Options) -> bool:
    asked = (options["who"], entry.who), (options["command"], entry.command), (options["action"], entry.action)
    return (
        all(wanted is None or wanted == found for wanted, found in asked)
        and (entry.run or "").startswith(options["run"] or "")
        and not (options["refused"] and entry.allowed)
        and (options["since"] is None or entry.time >= options["since"])
        and (options["until"] is None or entry.time < options["until"])
    )


def _word(entry: Entry) -> str:
    """Return what was asked for: `unpin` and `shares`, say, where that is what `pin` and `share` are needed for."""
    last = entry.path.rpartition("/")[2]
    is_closer = entry.action != "" and entry.action in last and last.isalpha()
    return last if is_closer else entry.action or f"{entry.method} {entry.path}"


def _line(entry: Entry) -> str:
    """Return `2026-11-27 10:00:00 UTC  ann  127.0.0.1  start count n=5 → 201 0abc…`."""
    who = " ".join(filter(None, (entry.who or "-", entry.via and f"({entry.via})", entry.address or "-")))
    values = " ".join(f"{name}={value}" for name, value in entry.parameters.items())
    what = " ".join(filter(None, (_word(entry), entry.command, values, entry.run)))
    what = f"{what} ({entry.count} times)" if entry.count > 1 else what
    end = "no answer" if entry.phase == "asked" else str(entry.status or "")
    why = f": {entry.why}" if entry.why else ""
    line = escape_text(f"{words.moment(entry.time)}  {who}  {what}  {end}{why}".rstrip())
    return line if entry.allowed else talk.painted(line, talk.RED, STDOUT)
