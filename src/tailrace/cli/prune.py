"""`tailrace prune`: remove finished runs."""

import click

from tailrace.cli import talk, words
from tailrace.cli.place import existing_engine, place_option
from tailrace.cli.values import seconds, size_bytes
from tailrace.core.errors import InvalidInput
from tailrace.engine.base import Retention


@click.command("prune", short_help="Remove finished runs.")
@click.option("--older-than", type=seconds, metavar="TIME", help="Those that ended longer ago: 30d, 12h.")
@click.option("--keep", type=click.IntRange(min=0), metavar="N", help="All but the newest N.")
@click.option(
    "--max-size", type=size_bytes, metavar="SIZE", help="The oldest, until the rest has at most so much output: 10G."
)
@place_option
def prune_command(older_than: float | None, keep: int | None, max_size: int | None) -> int:
    """Remove finished runs with their output, oldest first. Runs that go and pinned ones stay.

    \b
    tailrace prune --older-than 30d
    tailrace prune --keep 100 --max-size 10G
    """
    retention = Retention(age_s=older_than, count=keep, size_bytes=max_size)
    if retention == Retention():
        raise InvalidInput(
            "nothing says which runs are to go",
            op="prune",
            subject="retention",
            hint="give --older-than, --keep or --max-size; `--keep 0` removes all that are finished and not pinned",
        )
    pruned = existing_engine().prune(retention)
    runs = f"{pruned.runs} run{'' if pruned.runs == 1 else 's'}"
    talk.say(f"removed {runs}, {words.size(pruned.size_bytes)} of output" if pruned.runs else "nothing to remove")
    return 0
