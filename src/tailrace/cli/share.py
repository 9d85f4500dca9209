"""`tailrace share`: a link by which one run may be watched."""

import os
import re
import signal
import threading
from datetime import UTC, datetime
from urllib.parse import quote

import click

from tailrace.cli import talk, values
from tailrace.cli.extras import need_server
from tailrace.cli.keys import config_option, server_of, vault_of
from tailrace.cli.naming import locate
from tailrace.cli.place import anywhere_option, server, server_url, state_path
from tailrace.core.errors import InvalidInput
from tailrace.engine.run import Run

USUAL = "7d"


@click.command("share", short_help="Make a link by which a run may be watched.")
@click.argument("run", required=False, metavar="ID")
@click.option(
    "--expires", type=values.seconds, default=USUAL, show_default=True, metavar="DURATION", help="Until then."
)
@click.option("--url", metavar="URL", help="Where the server is for others, if its file does not say it.")
@click.option("--revoke-all", is_flag=True, help="End all links that were ever made here.")
@click.option("--serve", metavar="ADDRESS", help="Serve this run alone, at HOST:PORT, until it has ended.")
@click.option(
    "--linger", type=values.seconds, default="1m", show_default=True, metavar="TIME", help="And so long after."
)
@config_option
@anywhere_option
def share_command(  # noqa: PLR0913  what can be said of a link
    run: str | None,
    *,
    expires: float,
    url: str | None,
    revoke_all: bool,
    serve: str | None,
    linger: float,
    config: str | None,
) -> int:
    """Print a link: whoever has it may watch the run ID, on its page, until it expires; and do nothing else.

    \b
    tailrace share last
    tailrace share 1k0w1tktqkh --expires 1h
    tailrace share last --serve 0.0.0.0:8001

    ID is a run's id, the beginning of one, `last`, or the run's address on a server. A link is signed and kept nowhere,
    so that one alone cannot be ended: `--revoke-all` ends all.
    """
    if revoke_all:
        vault_of(server_of(config)).replace_secret()
        return 0
    if run is None:
        raise InvalidInput("no run is named", op="share", subject="run", hint="an id, or `last`")
    found = locate(run)
    if serve is not None:
        return _serve(found, serve, linger, expires)
    if (there := server_url()) is not None:
        shared = server(there).share(found.id, expires)
        click.echo(shared.url)
        until = shared.expires
    else:
        from tailrace.server.auth.shares import Shares

        settings = server_of(config)
        token, seconds = Shares(vault_of(settings)).make(found.id, expires)
        scheme = "http" if settings.tls_certificate is None else "https"
        base = (url or f"{scheme}://{settings.host}:{settings.port}{settings.root_path}").rstrip("/")
        click.echo(f"{base}/runs/{found.id}?share={quote(token)}")
        until = datetime.fromtimestamp(seconds, UTC)
    talk.say(f"good until {until.astimezone():%Y-%m-%d %H:%M}, for whoever has it")
    return 0


def _serve(run: Run, where: str, linger_s: float, expires_s: float) -> int:
    """Serve the run alone, until it has ended, and a while after."""
    need_server()
    if server_url() is not None:
        raise InvalidInput(
            "a run of a server is served there", op="share", subject=run.id, hint="leave --serve out for a link to it"
        )
    from tailrace.config.load import Config
    from tailrace.config.server import Server
    from tailrace.core.command import Commands
    from tailrace.server.auth.shares import Shares
    from tailrace.server.serve import serve

    host, port = address(where)
    settings = Server(auth="token", host=host, port=port, state_dir=state_path(), access_log=False)
    token, _until = Shares(vault_of(settings)).make(run.id, expires_s)
    threading.Thread(target=_end_after, args=(run, linger_s), daemon=True).start()
    serve(
        Config(settings, Commands(), only_run=run.id),
        lambda address: click.echo(f"watch it at {address}runs/{run.id}?share={quote(token)}"),
    )
    return 0


def _end_after(run: Run, linger_s: float) -> None:
    run.wait()
    threading.Event().wait(linger_s)
    os.kill(os.getpid(), signal.SIGTERM)


def address(text: str) -> tuple[str, int]:
    """Return (host, port) of `HOST:PORT`.

    Raises:
        InvalidInput: it is none.
    """
    host, colon, port = text.rpartition(":")
    if not colon or not host or re.fullmatch("[0-9]{1,5}", port) is None or int(port) > 65535:
        raise InvalidInput(
            f"{text[:60]!r} is no address", op="share", subject="serve", hint="HOST:PORT, such as 127.0.0.1:0"
        )
    return host.removeprefix("[").removesuffix("]"), int(port)
