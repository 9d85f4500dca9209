"""`tailrace list`: what runs, and what ran."""

import sys
from typing import TypedDict, Unpack

import click
import msgspec

from tailrace.cli import table, talk
from tailrace.cli.naming import find
from tailrace.cli.place import anywhere_option, existing_engine, is_unsaid, missing
from tailrace.cli.values import pair
from tailrace.engine.base import Page, Query


class Options(TypedDict):
    """What the command line can say about a list."""

    state: str | None
    command: str | None
    label: tuple[tuple[str, str], ...]
    limit: int
    cursor: str | None
    as_json: bool


@click.command("list", short_help="Show what runs, and what ran.")
@click.option("--state", metavar="STATE", help="Only runs in this state, or with this outcome: running, exited, lost.")
@click.option("--command", metavar="NAME", help="Only runs of this declared command.")
@click.option("-l", "--label", type=pair, multiple=True, metavar="NAME=VALUE", help="Only runs with this label.")
@click.option(
    "-n", "--limit", type=int, default=20, show_default=True, metavar="N", help="At most so many; up to 1000."
)
@click.option("--cursor", metavar="ID", help="Go on behind this run: the `next` of the page before.")
@click.option("--json", "as_json", is_flag=True, help='Print {"runs": [...], "next": cursor or null}.')
@anywhere_option
def list_command(**options: Unpack[Options]) -> int:
    """Show runs, newest first.

    \b
    tailrace list
    tailrace list --state running
    tailrace list --label branch=main --json
    """
    if is_unsaid() and missing():
        print_json(Page((), None)) if options["as_json"] else talk.say("no runs yet")
        return 0
    runs = existing_engine()
    cursor = options["cursor"]
    page = runs.list(
        Query(
            state=options["state"],
            command=options["command"],
            labels=dict(options["label"]),
            limit=options["limit"],
            cursor=find(runs, cursor).id if cursor else None,
        )
    )
    if options["as_json"]:
        print_json(page)
    else:
        _print(page)
    return 0


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
