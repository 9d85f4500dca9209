"""`tailrace token`: the server's own token, and tokens for programs."""

import time
from datetime import UTC, datetime
from typing import get_args

import click

from tailrace.cli import talk, values
from tailrace.cli.keys import address_of, config_option, server_of, tokens_of
from tailrace.cli.place import place_option
from tailrace.core.access import ACTIONS
from tailrace.core.identity import Role
from tailrace.core.terminal import escape_text

ROLES = click.Choice(get_args(Role))


@click.group("token", invoke_without_command=True, short_help="The server's token, and tokens for programs.")
@click.option("--rotate", is_flag=True, help="Have another one; whoever came in by the old one is out.")
@click.option("--link", is_flag=True, help="Print the link to come in by, in a browser on this machine.")
@config_option
@place_option
@click.pass_context
def token_command(context: click.Context, *, rotate: bool, link: bool, config: str | None) -> int:
    """Print the server's own token (`auth = "token"`), by which whoever looks after it may do everything.

    \b
    tailrace token
    tailrace token create --name CI --role operator --command deploy --expires 30d

    It is made when it is first asked for, and lies in the state directory, for its owner alone.
    """
    if context.invoked_subcommand is not None:
        return 0
    server = server_of(config)
    tokens = tokens_of(server)
    token = tokens.rotate() if rotate else tokens.own()
    click.echo(f"{address_of(server)}/login#token={token}" if link else token)
    return 0


@token_command.command("create", short_help="Make a token for a program.")
@click.option("--name", required=True, help="What it is known by; its runs are by `token:NAME`.")
@click.option("--role", type=ROLES, default="viewer", show_default=True, help="What it may.")
@click.option("--action", "actions", multiple=True, metavar="ACTION", help=f"Only this: {', '.join(ACTIONS)}.")
@click.option("--command", "commands", multiple=True, metavar="NAME", help="Only this command, and its runs.")
@click.option("--expires", type=values.seconds, metavar="DURATION", help="After that it is good no more.")
@config_option
@place_option
def create_command(  # noqa: PLR0913  what can be said of a token
    *,
    name: str,
    role: Role,
    actions: tuple[str, ...],
    commands: tuple[str, ...],
    expires: float | None,
    config: str | None,
) -> int:
    """Make a token for a program, and print it: once, since only its hash is kept.

    \b
    tailrace token create --name CI --role operator --command deploy --expires 30d
    tailrace token create --name prometheus --role admin --action metrics
    """
    from tailrace.server.auth.tokens import Token

    now = time.time()
    token = Token(
        name=name, hash="", role=role, created=now, expires=None if expires is None else now + expires,
        actions=actions or None, commands=commands or None,
    )  # fmt: skip
    click.echo(tokens_of(server_of(config)).create(token))
    talk.say(
        "it is not shown again; a program sends it as `Authorization: Bearer`, `tailrace` has it in TAILRACE_TOKEN"
    )
    return 0


@token_command.command("list", short_help="Show the tokens for programs.")
@config_option
@place_option
def list_command(config: str | None) -> int:
    """Show the tokens for programs: what each may, until when, and when it was last used."""
    tokens = tokens_of(server_of(config))
    for token in tokens.all():
        scope = [*(token.actions or ()), *(f"command {name}" for name in token.commands or ())]
        limits = f" ({', '.join(scope)})" if scope else ""
        until = "" if token.expires is None else f", until {_time(datetime.fromtimestamp(token.expires, UTC))}"
        used = tokens.last_use(token)
        last = "never used" if used is None else f"used {_time(used)}"
        click.echo(escape_text(f"{token.name}  {token.role}{limits}{until}, {last}"))
    return 0


@token_command.command("revoke", short_help="Forget a token.")
@click.argument("name")
@config_option
@place_option
def revoke_command(name: str, config: str | None) -> int:
    """Forget the token NAME: it is good no more, at once."""
    tokens_of(server_of(config)).revoke(name)
    return 0


def _time(at: datetime) -> str:
    return at.astimezone().strftime("%Y-%m-%d %H:%M")
