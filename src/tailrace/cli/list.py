"""`tailrace list`: what runs, and what ran."""

import sys
from datetime import datetime
from typing import TypedDict, Unpack

import click
import msgspec

from tailrace.cli import table, talk
from tailrace.cli.naming import find
from tailrace.cli.place import anywhere_option, existing_engine, is_unsaid, missing
from tailrace.cli.values import instant, pair
from tailrace.core.run import RunInfo
from tailrace.engine.base import Engine, Page, Query


class Options(TypedDict):
    """What the command line can say about a list."""

    state: tuple[str, ...]
    command: str | None
    by: str | None
    q: str | None
    since: datetime | None
    until: datetime | None
    label: tuple[tuple[str, str], ...]
    limit: int
    cursor: str | None
    as_json: bool


@click.command("list", short_help="Show what runs, and what ran.")
@click.option(
    "--state",
    multiple=True,
    metavar="STATE",
    help="Only runs in this state, or with this outcome: running, exited, lost. Of several, any.",
)
@click.option("--command", metavar="NAME", help="Only runs of this declared command.")
@click.option("--by", metavar="TEXT", help="Only runs that this user asked for.")
@click.option(
    "--search", "q", metavar="TEXT", help="Only runs with this in their id, command, arguments, labels or user."
)
@click.option("--since", type=instant, metavar="WHEN", help="Only runs created since: 2026-11-27T10:00, or 2h ago.")
@click.option("--until", type=instant, metavar="WHEN", help="Only runs created before.")
@click.option("-l", "--label", type=pair, multiple=True, metavar="NAME=VALUE", help="Only runs with this label.")
@click.option(
    "-n", "--limit", type=int, default=20, show_default=True, metavar="N", help="At most so many; up to 1000."
)
@click.option("--cursor", metavar="ID", help="Go on behind this run: the `next` of the page before.")
@click.option("--json", "as_json", is_flag=True, help='Print {"runs": [...], "next": cursor or null, "total"}.')
@anywhere_option
def list_command(**options: Unpack[Options]) -> int:
    """Show runs, newest first.

    \b
    tailrace list
    tailrace list --state running
    tailrace list --label branch=main --json
    tailrace list --search deploy --since 1d
    """
    if is_unsaid() and missing():
        print_json(Page((), None, 0)) if options["as_json"] else talk.say("no runs yet")
        return 0
    runs = existing_engine()
    cursor = options["cursor"]
    page = _found(
        runs,
        Query(
            state=options["state"] or None,
            command=options["command"],
            by=options["by"],
            q=options["q"],
            since=options["since"],
            until=options["until"],
            labels=dict(options["label"]),
            limit=options["limit"],
            cursor=find(runs, cursor).id if cursor else None,
            total=options["as_json"],
        ),
    )
    if options["as_json"]:
        print_json(page)
    else:
        _print(page)
    return 0


def _found(runs: Engine, query: Query) -> Page:
    """Return a page that is short only where there are no more."""
    page = first = runs.list(query)
    found: list[RunInfo] = list(page.runs)
    while page.next is not None and len(found) < query.limit:
        page = runs.list(msgspec.structs.replace(query, limit=query.limit - len(found), cursor=page.next, total=False))
        found += page.runs
    is_all = query.total and query.cursor is None and page.next is None
    return Page(tuple(found), page.next, len(found) if is_all else first.total)


def print_json(value: object) -> None:
    """Print a value as JSON: one line, or laid out for whoever sits at a terminal."""
    data = msgspec.json.encode(value)
    if sys.stdout.isatty():
        data = msgspec.json.format(data, indent=2)
    sys.stdout.write(data.decode() + "\n")


def _print(page: Page) -> None:
    if not page.runs:
        talk.say("no runs")
        return
    sys.stdout.write("".join(f"{line}\n" for line in table.lines(page.runs)))
    if page.next is not None:
        sys.stdout.flush()
        talk.say(f"there are more: --cursor {page.next}")
