"""`tailrace user`: the users of a server's file."""

from typing import get_args

import click

from tailrace.cli.keys import config_option, server_of, users_of, vault_of
from tailrace.cli.place import place_option
from tailrace.cli.secrets import read_secret
from tailrace.core.errors import InvalidInput
from tailrace.core.identity import Role
from tailrace.core.terminal import escape_text

ROLES = click.Choice(get_args(Role))


@click.group("user", short_help='The users of a server with auth = "users".')
def user_command() -> None:
    """Add, change and remove users, who log in by name and password (`auth = "users"`).

    \b
    tailrace user add ann --role operator --group dev

    Passwords are asked for, or read from standard input; a file has their hashes. What is changed holds at once, also
    for who is logged in.
    """


@user_command.command("add", short_help="Add a user.")
@click.argument("name")
@click.option("--role", type=ROLES, default="viewer", show_default=True, help="What he may.")
@click.option("--group", "groups", multiple=True, metavar="GROUP", help="A group that he is in, for rules.")
@config_option
@place_option
def add_command(name: str, *, role: Role, groups: tuple[str, ...], config: str | None) -> int:
    """Add the user NAME."""
    users = users_of(server_of(config))
    users.add(name, read_secret("Password", twice=True), role, groups)
    return 0


@user_command.command("passwd", short_help="Give a user another password.")
@click.argument("name")
@config_option
@place_option
def passwd_command(name: str, config: str | None) -> int:
    """Give the user NAME another password; wherever he is logged in, he is out."""
    users_of(server_of(config)).change(name, password=read_secret("Password", twice=True))
    return 0


@user_command.command("change", short_help="Give a user another role, or other groups.")
@click.argument("name")
@click.option("--role", type=ROLES, help="What he may.")
@click.option("--group", "groups", multiple=True, metavar="GROUP", help="The groups that he is in, instead of those.")
@click.option("--no-groups", is_flag=True, help="He is in none any more.")
@config_option
@place_option
def change_command(
    name: str, *, role: Role | None, groups: tuple[str, ...], no_groups: bool, config: str | None
) -> int:
    """Give the user NAME another role, or other groups."""
    if groups and no_groups:
        raise InvalidInput(
            "--group and --no-groups exclude each other", op="change", subject="groups", hint="leave one of them out"
        )
    users_of(server_of(config)).change(name, role=role, groups=() if no_groups else groups or None)
    return 0


@user_command.command("remove", short_help="Remove a user.")
@click.argument("name")
@config_option
@place_option
def remove_command(name: str, config: str | None) -> int:
    """Remove the user NAME; wherever he is logged in, he is out."""
    from tailrace.server.auth.sessions import Sessions

    server = server_of(config)
    users_of(server).remove(name)
    Sessions(vault_of(server)).end_all(name)
    return 0


@user_command.command("list", short_help="Show the users.")
@config_option
@place_option
def list_command(config: str | None) -> int:
    """Show the users, with role and groups."""
    for name, user in users_of(server_of(config)).all().items():
        groups = f"  {', '.join(user.groups)}" if user.groups else ""
        click.echo(escape_text(f"{name}  {user.role}{groups}"))
    return 0
