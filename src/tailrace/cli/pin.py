"""`tailrace pin` and `tailrace unpin`: what is never pruned."""

import click

from tailrace.cli.naming import find
from tailrace.cli.place import existing_engine, place_option


@click.command("pin", short_help="Keep runs for ever.")
@click.argument("runs", nargs=-1, required=True, metavar="ID...")
@place_option
def pin_command(runs: tuple[str, ...]) -> int:
    """Protect runs from `tailrace prune` and from the runner's own retention.

    ID is a run's id, the beginning of one, or `last`.

    \b
    tailrace pin last
    """
    return _set(runs, pinned=True)


@click.command("unpin", short_help="Let runs be pruned again.")
@click.argument("runs", nargs=-1, required=True, metavar="ID...")
@place_option
def unpin_command(runs: tuple[str, ...]) -> int:
    """Let runs be pruned again.

    \b
    tailrace unpin last
    """
    return _set(runs, pinned=False)


def _set(names: tuple[str, ...], *, pinned: bool) -> int:
    here = existing_engine()
    for run in [find(here, name) for name in names]:
        run.pin(pinned)
    return 0
