"""What a server knows its callers by, for the commands that manage it: where the server itself would find it."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tailrace.cli.extras import need_server
from tailrace.cli.place import state_path
from tailrace.config.load import load_server
from tailrace.config.server import Server
from tailrace.core.errors import InvalidInput

if TYPE_CHECKING:
    from tailrace.server.auth.tokens import Tokens
    from tailrace.server.auth.users import Users
    from tailrace.server.auth.vault import Vault

FILE = "tailrace.toml"

config_option = click.option(
    "--config",
    metavar="FILE",
    type=click.Path(),
    help="The server's file.  [default: tailrace.toml, if it is here]",
)
"""adds `--config` to a command, which says where the server keeps what it knows"""


def server_of(config: str | None) -> Server:
    """Return the settings of the server, whatever is wrong with the rest of its file.

    Args:
        config: its file; None: the one in this directory, if there is one.

    Raises:
        InvalidInput: it cannot be read, or something in `[server]` is wrong.
    """
    need_server()
    found = config if config is not None else FILE if Path(FILE).exists() else None
    return load_server(found, os.environ, {"state_dir": state_path()})


def vault_of(server: Server) -> "Vault":
    """Return where the server keeps what it knows.

    Raises:
        EngineError: it cannot be opened.
    """
    from tailrace.server.auth.vault import Vault

    return Vault(server.state_dir)


def tokens_of(server: Server) -> "Tokens":
    """Return the server's tokens.

    Raises:
        EngineError: see `vault_of`.
    """
    from tailrace.server.auth.tokens import Tokens

    return Tokens(vault_of(server))


def own_token(server: Server) -> str:
    """Return the server's own token, which is made if there is none.

    Raises:
        EngineError: see `vault_of`.
    """
    return tokens_of(server).own()


def users_of(server: Server) -> "Users":
    """Return the server's users.

    Raises:
        EngineError: see `vault_of`.
    """
    from tailrace.server.auth.users import FILE as USERS
    from tailrace.server.auth.users import Users

    return Users(Path(server.users_file) if server.users_file is not None else vault_of(server).path / USERS)


def address_of(server: Server) -> str:
    """Return where the server can be reached, without a slash at its end.

    Raises:
        InvalidInput: nobody can tell: it listens on a Unix socket, or takes whichever port is free.
    """
    if server.uds is None and server.port:
        return server.url
    where = f"on {server.uds}" if server.uds is not None else "at whichever port is free"
    raise InvalidInput(
        f"the server listens {where}, so its address is not known here", op="link", subject="address",
        hint="name a port, or use the address that `tailrace serve` prints; `tailrace share` takes it as --url",
    )  # fmt: skip
