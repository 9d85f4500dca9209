"""`tailrace share`: a link by which one run may be watched."""

from datetime import UTC, datetime
from urllib.parse import quote

import click

from tailrace.cli import talk, values
from tailrace.cli.keys import config_option, server_of, vault_of
from tailrace.cli.naming import locate
from tailrace.cli.place import anywhere_option, server, server_url
from tailrace.core.errors import InvalidInput

USUAL = "7d"


@click.command("share", short_help="Make a link by which a run may be watched.")
@click.argument("run", required=False, metavar="ID")
@click.option(
    "--expires", type=values.seconds, default=USUAL, show_default=True, metavar="DURATION", help="Until then."
)
@click.option("--url", metavar="URL", help="Where the server is for others, if its file does not say it.")
@click.option("--revoke-all", is_flag=True, help="End all links that were ever made here.")
@config_option
@anywhere_option
def share_command(run: str | None, *, expires: float, url: str | None, revoke_all: bool, config: str | None) -> int:
    """Print a link: whoever has it may watch the run ID, on its page, until it expires; and do nothing else.

    \b
    tailrace share last
    tailrace share 1k0w1tktqkh --expires 1h

    ID is a run's id, the beginning of one, `last`, or the run's address on a server. A link is signed and kept nowhere,
    so that one alone cannot be ended: `--revoke-all` ends all.
    """
    if revoke_all:
        vault_of(server_of(config)).replace_secret()
        return 0
    if run is None:
        raise InvalidInput("no run is named", op="share", subject="run", hint="an id, or `last`")
    found = locate(run)
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
