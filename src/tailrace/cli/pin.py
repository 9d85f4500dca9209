"""`tailrace pin` and `tailrace unpin`: what is never pruned."""

import click

from tailrace.cli.naming import locate_all
from tailrace.cli.place import anywhere_option


@click.command("pin", short_help="Keep runs for ever.")
@click.argument("runs", nargs=-1, required=True, metavar="ID...")
@anywhere_option
def pin_command(runs: tuple[str, ...]) -> int:
    """Protect runs from `tailrace prune` and from the runner's own retention.

    ID is a run's id, the beginning of one, or `last`.

    \b
    tailrace pin last
    """
    return _set(runs, pinned=True)


@click.command("unpin", short_help="Let runs be pruned again.")
@click.argument("runs", nargs=-1, required=True, metavar="ID...")
@anywhere_option
def unpin_command(runs: tuple[str, ...]) -> int:
    """Let runs be pruned again.

    \b
    tailrace unpin last
    """
    return _set(runs, pinned=False)


def _set(names: tuple[str, ...], *, pinned: bool) -> int:
    for run in locate_all(names):
        run.pin(pinned)
    return 0
