"""`tailrace login`: keep a token for a server."""

import click

from tailrace.cli import talk
from tailrace.cli.place import header_option, server
from tailrace.cli.secrets import read_secret
from tailrace.core.errors import InvalidInput


@click.command("login", short_help="Keep a token for a server.")
@click.argument("url")
@click.option("--forget", is_flag=True, help="Forget the token for this server.")
@header_option
def login_command(url: str, *, forget: bool) -> int:
    """Ask for a token for the server at URL, see that it is good, and keep it for `--on URL`.

    \b
    tailrace login https://example.org/ops
    tailrace list --on https://example.org/ops

    The token is asked for, or read from standard input; `tailrace token create` makes one at the server. It is kept in
    ~/.config/tailrace/logins.json, for its owner alone. TAILRACE_TOKEN and `--token-file` count before it.
    """
    from tailrace.engine.remote import logins

    if forget:
        if not logins.forget(url):
            raise InvalidInput(
                f"no token is kept for {url}", op="forget", subject=url, hint="see ~/.config/tailrace/logins.json"
            )
        return 0
    token = read_secret("Token")
    server(url, token=token).introduce()
    logins.remember(url, token)
    talk.say(f"from now on `--on {url}` knows you")
    return 0
