"""`tailrace serve`: declared commands, and every run's output, over HTTP."""

import os
from pathlib import Path
from typing import TypedDict, Unpack

import click

from tailrace.cli import talk
from tailrace.cli.extras import need_server
from tailrace.cli.place import place_option, state_path
from tailrace.config.load import load

FILE = "tailrace.toml"
EXAMPLE = f"""declare commands in {FILE}, such as [commands.count] and below it argv = ["seq", "100"]; or name a file"""


class Flags(TypedDict):
    """What the command line says of the server; None: nothing."""

    host: str | None
    port: int | None
    uds: str | None
    workers: int | None


@click.command("serve", short_help="Serve commands, and the output of runs, over HTTP.")
@click.argument("config", required=False, type=click.Path())
@click.option("--host", help="The address to listen on: 127.0.0.1, unless the file says otherwise.")
@click.option("--port", type=int, help="The port; 0 is any that is free. 8000, unless the file says otherwise.")
@click.option("--uds", type=click.Path(), help="A Unix socket to listen on instead.")
@click.option("--workers", type=int, help="How many processes serve.")
@place_option
def serve_command(config: str | None, **flags: Unpack[Flags]) -> int:
    """Serve the commands that a file declares, and the output of all runs, over HTTP.

    \b
    tailrace serve
    tailrace serve /etc/tailrace.toml --port 8080

    CONFIG is tailrace.toml in this directory, if there is one; `tailrace check` says what is wrong with it. Settings
    come from the file, the environment (TAILRACE_…) and these options; later wins. Stop it with ^C or SIGTERM: runs go
    on, and viewers resume at the next server.
    """
    need_server()
    from tailrace.server.serve import serve

    found = config if config is not None else FILE if Path(FILE).exists() else None
    settings = load(found, os.environ, {**flags, "state_dir": state_path()})

    def tell(address: str) -> None:
        click.echo(f"tailrace serves at {address}")
        if found is None:
            talk.say(f"there is no {FILE} here, so nothing can be started by this server; runs can be watched")
            talk.advise(EXAMPLE)

    serve(settings, tell)
    return 0
