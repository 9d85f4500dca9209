"""`tailrace share`: a link by which one run may be watched."""

import os
import re
import signal
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote

import click

from tailrace.cli import login, talk, values
from tailrace.cli.extras import need_server
from tailrace.cli.keys import address_of, config_option, server_of, vault_of
from tailrace.cli.naming import locate
from tailrace.cli.place import again, anywhere_option, server, server_url, state_path
from tailrace.core.errors import InvalidInput
from tailrace.core.share import Link, Shared
from tailrace.core.terminal import escape_text
from tailrace.engine.run import Run

if TYPE_CHECKING:
    from tailrace.server.auth.shares import Shares
    from tailrace.server.auth.vault import Vault

USUAL = "7d"


@click.command("share", short_help="Make a link by which a run may be watched, or end one.")
@click.argument("run", required=False, metavar="ID")
@click.option(
    "--expires", type=values.seconds, default=USUAL, show_default=True, metavar="DURATION", help="Until then."
)
@click.option("--url", metavar="URL", help="Where the server is for others, if its file does not say it.")
@click.option("--list", "is_list", is_flag=True, help="Show the links to the run that are good; without ID, to any.")
@click.option("--end", "ended", metavar="LINK", help="End this link to the run, by what --list calls it; or `all`.")
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
    is_list: bool,
    ended: str | None,
    revoke_all: bool,
    serve: str | None,
    linger: float,
    config: str | None,
) -> int:
    """Print a link: whoever has it may watch the run ID, on its page, until it expires; and do nothing else.

    \b
    tailrace share last
    tailrace share 1k0w1tktqkh --expires 1h
    tailrace share last --list
    tailrace share last --end 6f3c21d09a4e5b77
    tailrace share last --serve 0.0.0.0:8001

    ID is a run's id, the beginning of one, `last`, or the run's address on a server. Whoever watches by a link that is
    ended is put out within seconds.
    """
    if revoke_all:
        return _revoke_all(config)
    if run is None:
        return _list_all(config, is_list=is_list)
    found = locate(run)
    if is_list:
        return _show(_links(found, config))
    if ended is not None:
        return _end(found, ended, config)
    if serve is not None:
        return _serve(found, serve, linger, expires)
    shared = _made(found, expires, url, config)
    click.echo(shared.url)
    talk.say(
        f"good until {shared.expires.astimezone():%Y-%m-%d %H:%M}, for whoever has it; "
        f"to end it: tailrace share {found.id} --end {shared.id}{again()}"
    )
    return 0


def _shares(vault: "Vault") -> "Shares":
    from tailrace.server.auth.shares import Shares

    return Shares(vault)


def _made(run: Run, expires_s: float, url: str | None, config: str | None) -> Shared:
    """Make a link: at the server, if the run is on one; else where it would look."""
    if (there := server_url()) is not None:
        return server(there).share(run.id, expires_s)
    settings = server_of(config)
    token, link = _shares(vault_of(settings)).make(run.id, expires_s, login.name())
    base = (url or address_of(settings)).rstrip("/")
    return Shared(f"{base}/runs/{run.id}?share={quote(token)}", token, link.expires, link.id)


def _links(run: Run, config: str | None) -> Sequence[Link]:
    if (there := server_url()) is not None:
        return server(there).shares(run.id).links
    return _shares(vault_of(server_of(config))).of(run.id)


def _list_all(config: str | None, *, is_list: bool) -> int:
    if not is_list or server_url() is not None:
        hint = "an id, or `last`; `--list` alone shows the links to all runs of this machine"
        raise InvalidInput("no run is named", op="share", subject="run", hint=hint)
    return _show(_shares(vault_of(server_of(config))).of(None))


def _revoke_all(config: str | None) -> int:
    """End all links of this machine.

    Raises:
        InvalidInput: those of a server are meant, which it does not do for anybody.
    """
    if server_url() is not None:
        raise InvalidInput(
            "all links of a server are ended where it runs", op="share", subject="revoke-all",
            hint="leave out --on, on its machine; those of one run: tailrace share ID --end all --on URL",
        )  # fmt: skip
    vault = vault_of(server_of(config))
    vault.replace_secret()
    _shares(vault).end(None)
    return 0


def _show(links: Sequence[Link]) -> int:
    for link in links:
        by = f", by {link.by}" if link.by else ""
        made, until = (f"{at.astimezone():%Y-%m-%d %H:%M}" for at in (link.created, link.expires))
        click.echo(escape_text(f"{link.id}  run {link.run}, made {made}{by}, good until {until}"))
    if not links:
        talk.say("no links")
    return 0


def _end(run: Run, which: str, config: str | None) -> int:
    """End one of the run's links, or all of them.

    Raises:
        InvalidInput: there is no such link.
    """
    link_id = None if which == "all" else which
    there = server_url()
    count = (
        _shares(vault_of(server_of(config))).end(run.id, link_id)
        if there is None
        else server(there).unshare(run.id, link_id)
    )
    if link_id is not None and not count:
        raise InvalidInput(
            f"there is no link {which[:40]!r} to run {run.id}, or no more", op="share", subject="end",
            hint=f"tailrace share {run.id} --list{again()}",
        )  # fmt: skip
    talk.say(f"{count} link{'' if count == 1 else 's'} ended")
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
    from tailrace.server.serve import serve

    host, port = address(where)
    settings = Server(auth="token", host=host, port=port, state_dir=state_path(), access_log=False)
    shares = _shares(vault_of(settings))
    token, link = shares.make(run.id, expires_s, login.name())
    threading.Thread(target=_end_after, args=(run, linger_s), daemon=True).start()
    try:
        serve(
            Config(settings, Commands(), only_run=run.id),
            lambda address: click.echo(f"watch it at {address}runs/{run.id}?share={quote(token)}"),
        )
    finally:
        shares.end(run.id, link.id)
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
