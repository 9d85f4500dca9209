"""`tailrace serve`: declared commands, and every run's output, over HTTP."""

import os
import sys
from pathlib import Path
from typing import TypedDict, Unpack

import click

from tailrace.cli import talk
from tailrace.cli.extras import need_server
from tailrace.cli.place import place_option, state_path
from tailrace.config.load import Config, load
from tailrace.config.server import is_local

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
    come from the file, the environment (TAILRACE_…) and these options; later wins. A file that changes is read again,
    and so it is at SIGHUP; what cannot be used is not taken. Stop it with ^C or SIGTERM: runs go on, and viewers resume
    at the next server.
    """
    need_server()
    from tailrace.api import HEADERS, TOKEN
    from tailrace.config.live import Live
    from tailrace.server.serve import serve

    for name in (TOKEN, HEADERS):
        os.environ.pop(name, None)  # it opens servers to whoever starts this one, not to the commands of others
    found = config if config is not None else FILE if Path(FILE).exists() else None
    said = {**flags, "state_dir": state_path()}
    live = Live(lambda look: load(found, os.environ, said, look=look))
    _advise(live.config)

    def tell(address: str) -> None:
        _say(live.config, address)
        if found is None:
            talk.say(f"there is no {FILE} here, so nothing can be started by this server; runs can be watched")
            talk.advise(EXAMPLE)

    serve(live.config, tell, live if found is not None else None)
    return 0


def _say(config: Config, address: str) -> None:
    """Say where it serves, and, to a person, the link to come in by: in a log, a token is anybody's who reads it."""
    click.echo(f"tailrace serves at {address}")
    if config.server.auth != "token" or config.server.uds is not None:
        return
    if sys.stdout.isatty():
        from tailrace.cli.keys import own_token

        click.echo(f"come in by {address}login#token={own_token(config.server)}")
    else:
        talk.say(f"come in by {address}login#token=TOKEN; `tailrace token` prints TOKEN")


def _advise(config: Config) -> None:
    """Say what is missing, or not safe."""
    server = config.server
    is_clear = server.uds is None and server.tls_certificate is None and not server.trusted_proxies
    if server.auth != "none" and is_clear and not is_local(server.host):
        talk.say(
            f"tokens and passwords go to {server.host} in clear: whoever is on the way can read them",
            colour=talk.YELLOW,
        )
        talk.advise("set tls_certificate and tls_key, or put a proxy with TLS in front and name it in trusted_proxies")
    if server.auth == "users":
        from tailrace.cli.keys import users_of

        if not users_of(server).all():
            talk.say("there are no users yet, so nobody can come in")
            talk.advise("tailrace user add NAME --role admin")
