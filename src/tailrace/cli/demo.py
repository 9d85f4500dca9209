"""`tailrace demo`: a server with commands to try, for this machine alone, that leaves nothing behind."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import click

from tailrace.cli.extras import need_server

HOST = "127.0.0.1"
FIRST_PORT = 8000
MOST_PORTS = 100
"""that are tried"""
STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@click.command("demo", short_help="Serve some commands to try, and leave nothing behind.")
@click.option("--port", type=click.IntRange(0, 65535), help="The port.  [default: 8000, or the next that is free]")
def demo_command(port: int | None) -> int:
    """Serve some telling commands on this machine, to be tried in a browser.

    \b
    tailrace demo

    Nobody else can reach it, and nothing stays: what runs and what ran is in a directory of its own, which goes with
    ^C, together with everything that still runs in it.
    """
    need_server()
    from tailrace.cli.catalogue import commands
    from tailrace.cli.throwaway import throwaway
    from tailrace.config.load import Config
    from tailrace.config.server import Server
    from tailrace.server.serve import is_free, serve

    ports = range(FIRST_PORT, FIRST_PORT + MOST_PORTS)
    chosen = port if port is not None else next((each for each in ports if is_free(HOST, each)), FIRST_PORT)
    with _until_told_to_stop(), throwaway() as state:
        settings = Server(auth="none", host=HOST, port=chosen, state_dir=str(state), access_log=False)
        try:
            serve(Config(settings, commands()), _say)
        finally:
            for number in STOPS:
                signal.signal(number, signal.SIG_IGN)  # tidying up takes a moment, and is not to be cut short
    return 0


@contextmanager
def _until_told_to_stop() -> Iterator[None]:
    """End what is within at the first signal, and let it tidy up; while it serves, the server takes the signals."""
    is_told = False

    def note(_number: int, _frame: object) -> None:
        nonlocal is_told
        if not is_told:
            is_told = True
            raise _Told

    before = {number: signal.signal(number, note) for number in STOPS}
    try:
        yield
    except _Told:
        return
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Told(BaseException):
    """A signal says to stop."""


def _say(address: str) -> None:
    click.echo(
        f"Tailrace serves its demonstration at {address}\nOpen it in a browser; ^C ends it, and all that it runs."
    )
