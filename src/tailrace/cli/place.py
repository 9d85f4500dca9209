"""Where runs live, as the command line says it: `--state-dir`, before or after the command's name, or `--on`."""

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.decorators import FC

from tailrace.core.errors import InvalidInput

if TYPE_CHECKING:
    from tailrace.engine.base import Engine
    from tailrace.engine.http import HttpEngine

_KEY = "tailrace.state_dir"
_SERVER = "tailrace.on"
_HEADERS = "tailrace.headers"
_TOKEN_FILE = "tailrace.token_file"  # noqa: S105  (a name)


def _note(context: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    if value is not None:
        context.meta[_KEY] = value


def _note_server(context: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    if value is not None:
        context.meta[_SERVER] = value


def _note_headers(context: click.Context, _parameter: click.Parameter, value: tuple[str, ...]) -> None:
    if value:
        context.meta[_HEADERS] = value


def _note_token(context: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    if value is not None:
        context.meta[_TOKEN_FILE] = value


place_option = click.option(
    "--state-dir",
    metavar="DIR",
    type=click.Path(),
    expose_value=False,
    callback=_note,
    help="Where runs live.  [default: $TAILRACE_STATE, else ~/.local/state/tailrace]",
)
"""adds `--state-dir` to a command; the value is kept for `engine` and `state_path`"""


_server_option = click.option(
    "--on",
    metavar="URL",
    expose_value=False,
    callback=_note_server,
    help="The server where runs live; TAILRACE_TOKEN is what it knows you by.",
)


header_option = click.option(
    "--header",
    "-H",
    metavar="NAME: VALUE",
    multiple=True,
    expose_value=False,
    callback=_note_headers,
    help="Send it to the server too, for a proxy's login; @FILE: those in the file. Also TAILRACE_HEADERS.",
)
"""adds `--header` to a command; what it says is kept for `headers`"""


_token_option = click.option(
    "--token-file",
    metavar="FILE",
    type=click.Path(),
    expose_value=False,
    callback=_note_token,
    help="The file that has the token for the server, instead of TAILRACE_TOKEN or what `tailrace login` has kept.",
)


def anywhere_option(command: FC) -> FC:
    """Add `--on`, `--token-file`, `--header` and `--state-dir` to a command that works on the runs of a server too."""
    return place_option(_server_option(_token_option(header_option(command))))


def said_headers() -> tuple[str, ...]:
    """Return what `--header` said, each time."""
    said: tuple[str, ...] = click.get_current_context().meta.get(_HEADERS, ())
    return said


def headers() -> dict[str, str]:
    """Return the headers that are to be sent to a server: those of the environment, and of `--header`.

    Raises:
        InvalidInput: one is none.
    """
    from tailrace.api import usual_headers
    from tailrace.engine.remote.headers import read_headers

    found = usual_headers()
    for text in said_headers():
        found.update(read_headers(text))
    return found


def server_url() -> str | None:
    """Return what `--on` said, or None.

    Raises:
        InvalidInput: `--state-dir` was said too.
    """
    url = click.get_current_context().meta.get(_SERVER)
    if isinstance(url, str) and state_path() is not None:
        raise InvalidInput(
            "--on and --state-dir exclude each other",
            op="open",
            subject=url,
            hint="a server has a state directory of its own",
        )
    return url if isinstance(url, str) else None


def stay_on(url: str) -> None:
    """Have this server be where runs live, as if `--on` had said so.

    Raises:
        InvalidInput: an option says otherwise.
    """
    context = click.get_current_context()
    if said := server_url() or state_path():
        raise InvalidInput(
            f"the address of a run and {said} say different things",
            op="open",
            subject=url,
            hint="leave out --on and --state-dir where the run is given by its address",
        )
    context.meta[_SERVER] = url


def server(url: str, *, token: str | None = None) -> "HttpEngine":
    """Return the engine behind a server.

    Args:
        url: where it is.
        token: what it is to know the caller by; None: what `--token-file` says, else what is usual.

    Raises:
        InvalidInput: it is no server's address, or what `--header` said is no header, or the token cannot be read.
    """
    from tailrace.api import server

    return server(url, token=token or _token_in_file(), headers=headers())


def _token_in_file() -> str | None:
    path: str | None = click.get_current_context().meta.get(_TOKEN_FILE)
    if path is None:
        return None
    try:
        token = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise _no_token(path, f"cannot be read: {(why or str(error)).lower()}") from None
    if not token:  # another than the one that was meant would be sent instead
        raise _no_token(path, "is empty")
    return token


def _no_token(path: str, what: str) -> InvalidInput:
    hint = "--token-file names a file with the token, and nothing else"
    return InvalidInput(f"{path} {what}", op="read", subject=path, hint=hint)


def state_path() -> str | None:
    """Return what `--state-dir` said, or None."""
    path = click.get_current_context().meta.get(_KEY)
    return path if isinstance(path, str) else None


def again() -> str:
    """Return ` --state-dir DIR` or ` --on URL`, as it is to be typed in the next command; empty if it was not said.

    Of what `--header` said, only the names: values may be secrets.
    """
    path = state_path()
    if url := server_url():
        return f" --on {shlex.quote(url)}{''.join(map(_header_again, said_headers()))}"
    return f" --state-dir {shlex.quote(path)}" if path else ""


def _header_again(text: str) -> str:
    shown = text if text.startswith("@") else f"{text.partition(':')[0]}: …"
    return f" --header {shlex.quote(shown)}"


def is_unsaid() -> bool:
    """Tell whether runs live in the default directory: neither an option nor a variable says otherwise."""
    return not server_url() and not state_path() and not os.environ.get("TAILRACE_STATE")


def missing() -> str | None:
    """Return the path of the state directory if there is nothing at it; None if there is, whatever it is."""
    from tailrace.host.statedir import default_path

    path = Path(state_path() or default_path()).absolute()
    try:
        path.stat()
    except FileNotFoundError:
        return str(path)
    except OSError:
        return None  # what is the matter with it is told by whoever opens it
    return None


def must_be_there() -> None:
    """See that looking for runs does not make a directory for them.

    Raises:
        InvalidInput: there is none.
    """
    if path := missing():
        raise InvalidInput(
            f"{path} is not there yet",
            op="open",
            subject=path,
            hint="the first run makes it; see --state-dir and TAILRACE_STATE",
        )


def existing_engine() -> "Engine":
    """Return the engine, for a command that has nothing to do where no run has ever been.

    Raises:
        InvalidInput: its directory is not there.
        EngineError: it cannot be used.
    """
    if url := server_url():
        return server(url)
    must_be_there()
    return engine()


def engine() -> "Engine":
    """Return the engine that the command is to use.

    Raises:
        InvalidInput: headers were said, which are for a server.
        EngineError: its directory cannot be used.
    """
    from tailrace.api import connect

    if said_headers():
        raise InvalidInput(
            "--header is for a server, and none is named",
            op="open",
            subject="header",
            hint="name the server by --on URL, or the run by its address there",
        )
    path = state_path()
    return connect(f"disk:{path}" if path else None)
