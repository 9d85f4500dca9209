"""`[server]`: how commands are served. The file says it first, the environment over it, flags over both."""

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, Literal, NamedTuple, TypeAlias
from urllib.parse import urlsplit

import msgspec

from tailrace.config.tables import Mistakes, Reader, duration_s
from tailrace.core.errors import Fault

SECTION = "server"
PREFIX = "TAILRACE_"
STATE: Final = "TAILRACE_STATE"
UNIX: Final = "unix"
"""a proxy that asks through the Unix socket, and has no address"""
LONGEST_SESSION_S: Final = 400 * 86400.0
"""that browsers keep a cookie (RFC 6265bis, 5.5)"""
LOCAL: Final = ("localhost", "127.0.0.1", "::1")
TRUE, FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")

Texts: TypeAlias = tuple[str, ...]

_HOST_NAME = re.compile(r"(?!-)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})*", re.IGNORECASE)
_HEADER = re.compile(r"[A-Za-z0-9-]{1,64}")
_ROOT_PATH = re.compile(r"(?:/[^/?#\s]+)*")


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """How commands are served."""

    auth: Literal["none", "token", "users", "proxy", "oidc"] = "token"
    """how it knows who asks: by a `token` of its own, by `users` of a file, by what a `proxy` says, or by OpenID
    Connect (`oidc`); with `none` everybody may do everything, for which it must listen on this machine alone"""
    host: str = "127.0.0.1"
    """the address to listen on"""
    port: int = 8000
    """the port to listen on; 0: any that is free"""
    uds: str | None = None
    """a Unix socket to listen on instead, from the file's directory"""
    workers: int = 1
    """processes that serve"""
    root_path: str = ""
    """the path under which a proxy shows it, without a slash at its end: `/ops`"""
    trusted_proxies: Texts = ()
    """addresses and networks of proxies whose `Forwarded` and `X-Forwarded-…` headers are believed; `unix` is one that
    asks through the Unix socket"""
    hosts: Texts = ()
    """names by which it may be asked, besides addresses and `localhost`"""
    cors_origins: Texts = ()
    """origins whose pages may ask it, each exact: `https://ops.example`"""
    tls_certificate: str | None = None
    """a file with its certificate and those above it, PEM, from the file's directory"""
    tls_key: str | None = None
    """a file with the certificate's key, PEM, from the file's directory"""
    state_dir: str | None = None
    """where runs live, from the file's directory; by default `$XDG_STATE_HOME/tailrace`"""
    max_viewers_per_run: int = 10_000
    """viewers of one run at the same time; more are refused. 0: any number"""
    max_viewers_per_address: int = 1_000
    """viewers from one address at the same time; more are refused. 0: any number"""
    access_log: bool = True
    """write a line for each request"""
    log_format: Literal["text", "json"] = "text"
    """how the lines of the log are written"""
    users_file: str | None = None
    """where users are, for `auth = "users"`, from the file's directory; by default `auth/users.toml` in the state
    directory. `tailrace user` writes it"""
    session_max_age: float | None = None
    """how long a browser's session lasts at most: by default 12 hours with `auth = "oidc"`, where its user keeps for so
    long the groups that he came with, and 90 days else"""
    user_header: str = ""
    """the header in which a trusted proxy says who asks, for `auth = "proxy"`: `X-Forwarded-User`"""
    groups_header: str = ""
    """the header in which it says his groups, separated by commas; empty: it does not"""

    @property
    def url(self) -> str:
        """The address at which it listens, with its root path and no slash at its end."""
        scheme = "http" if self.tls_certificate is None else "https"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}:{self.port}{self.root_path}"


READINGS: Final = {"session_max_age": duration_s}
SERVER: Final = Reader(Server, readings=READINGS)
PATHS: Final = ("uds", "tls_certificate", "tls_key", "state_dir", "users_file")
"""that are from the file's directory, if the file says them"""
VARIABLES: Final = {name: STATE if name == "state_dir" else PREFIX + name.upper() for name in Server.__struct_fields__}
"""the environment variable of each setting"""


class Layer(NamedTuple):
    """Settings from one source."""

    settings: Mapping[str, object]
    place: Callable[[str], str]
    """returns where the source has the setting, and what it is called there"""


def from_environment(environ: Mapping[str, str]) -> Layer:
    """Return what the environment says; an empty variable says nothing, and lists are separated by commas."""
    found = {name: environ[key] for name, key in VARIABLES.items() if environ.get(key)}
    return Layer({name: _from_text(name, text) for name, text in found.items()}, VARIABLES.__getitem__)


def from_flags(flags: Mapping[str, object]) -> Layer:
    """Return what flags say; None says nothing."""
    said = {name: value for name, value in flags.items() if value is not None}
    return Layer(said, lambda name: f"--{name.replace('_', '-')}")


def merged(layers: Iterable[Layer], report: Callable[[str, str, str], None]) -> Server:
    """Return the settings of all layers, of which a later one wins; what is wrong is reported.

    Args:
        layers: the least first.
        report: takes where something is wrong, what, and the cure.
    """
    fields: dict[str, object] = {}
    places: dict[str, Callable[[str], str]] = {}

    def note(keys: tuple[str, ...], message: str, hint: str) -> None:
        name, bracket, index = keys[-1].partition("[")
        report(places.get(name, _default_place)(name) + bracket + index, message, hint)

    mistakes = Mistakes(note)
    for layer in layers:
        places |= dict.fromkeys(layer.settings, layer.place)
        found = SERVER.read(layer.settings, (SECTION,), mistakes)
        mistakes.add(_clashes(found), (SECTION,))
        fields = {name: value for name, value in fields.items() if not _is_replaced(name, found)} | found
    server = Server(**fields)  # type: ignore[arg-type]  # they were decoded
    mistakes.add(_faults(server), (SECTION,))
    return server


def _default_place(name: str) -> str:
    return f"{SECTION}.{name}"


def _from_text(name: str, text: str) -> object:
    """Return the value that the text of a variable means; what it cannot mean stays, for the type to be refused."""
    default = getattr(Server(), name)
    match default:
        case bool():
            return text.lower() in TRUE if text.lower() in (*TRUE, *FALSE) else text
        case int():
            return int(text) if re.fullmatch("[0-9]{1,9}", text) else text
        case tuple():
            return [part.strip() for part in text.split(",") if part.strip()]
        case _:
            return text


def _clashes(found: Mapping[str, object]) -> Iterator[Fault]:
    """Yield what one source says of two places to listen at."""
    if "uds" in found and ("host" in found or "port" in found):
        yield Fault("uds", "excludes host and port", "listen on a socket, or on an address")


def _is_replaced(name: str, found: Mapping[str, object]) -> bool:
    """Tell whether a later source's place to listen at takes the place of this one."""
    if name == "uds":
        return "host" in found or "port" in found
    return name in ("host", "port") and "uds" in found


def _faults(server: Server) -> Iterator[Fault]:
    yield from _address_faults(server)
    yield from _proxy_faults(server)
    yield from _name_faults(server)
    if _ROOT_PATH.fullmatch(server.root_path) is None:
        yield Fault(
            "root_path", f"cannot be {server.root_path[:40]!r}", "a path such as /ops, without a slash at its end"
        )
    if (server.tls_certificate is None) != (server.tls_key is None):
        there, missing = ("tls_certificate", "tls_key") if server.tls_key is None else ("tls_key", "tls_certificate")
        yield Fault(there, f"is there without {missing}", "they belong together")
    for name in ("max_viewers_per_run", "max_viewers_per_address"):
        if getattr(server, name) < 0:
            yield Fault(name, "is below 0", "0 means any number")
    if server.session_max_age is not None and not 0 < server.session_max_age <= LONGEST_SESSION_S:
        yield Fault("session_max_age", f"cannot be {server.session_max_age:g}", 'for example "12h"; "400d" at most')
    if not 1 <= server.workers <= 256:
        yield Fault("workers", f"cannot be {server.workers}", "1 to 256")


def _address_faults(server: Server) -> Iterator[Fault]:
    """Yield what is wrong with where it listens, which must be here if everybody may do everything."""
    if not 0 <= server.port < 1 << 16:
        yield Fault("port", f"cannot be {server.port}", "0 to 65535; 0 is any that is free")
    if server.auth == "none" and server.uds is None and not is_local(server.host):
        hint = f'one of: {", ".join(LOCAL)}; or a Unix socket (uds); for others, auth = "token" or another login'
        yield Fault("host", f"is {server.host[:60]!r}, while auth is none and everybody may do anything", hint)
    for index, proxy in enumerate(server.trusted_proxies):
        if proxy == UNIX:
            continue
        try:
            ipaddress.ip_network(proxy)
        except ValueError as error:
            hint = f"127.0.0.1, or 10.0.0.0/8, or {UNIX}"
            yield Fault(f"trusted_proxies[{index}]", f"is no address or network: {error}", hint)


def _proxy_faults(server: Server) -> Iterator[Fault]:
    """Yield what is missing for a proxy to be believed."""
    for name in ("user_header", "groups_header"):
        value = getattr(server, name)
        if value and _HEADER.fullmatch(value) is None:
            yield Fault(name, f"cannot be {value[:40]!r}", "a header's name: X-Forwarded-User")
    if server.auth == "proxy":
        if not server.trusted_proxies:
            yield Fault("trusted_proxies", "is missing, while auth is proxy", 'for example ["127.0.0.1"], or ["unix"]')
        if not server.user_header:
            yield Fault("user_header", "is missing, while auth is proxy", "for example X-Forwarded-User")


def _name_faults(server: Server) -> Iterator[Fault]:
    for index, host in enumerate(server.hosts):
        if _HOST_NAME.fullmatch(host) is None:
            yield Fault(f"hosts[{index}]", f"cannot be {host[:60]!r}", "a name without scheme, port or *: ops.example")
    for index, origin in enumerate(server.cors_origins):
        if not _is_origin(origin):
            hint = "scheme, name and port as browsers send them: https://ops.example, http://localhost:5173"
            yield Fault(f"cors_origins[{index}]", f"cannot be {origin[:60]!r}", hint)


def is_local(host: str) -> bool:
    """Tell whether nobody on another machine reaches what listens there."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_origin(text: str) -> bool:
    """Tell whether a browser could send this as its `Origin` (RFC 6454, 6.2)."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    name = parts.hostname or ""
    shown = f"[{name}]" if ":" in name else name
    origin = f"{parts.scheme}://{shown}" + ("" if port is None else f":{port}")
    usual = {"http": 80, "https": 443}
    return bool(name) and "*" not in name and text == origin and parts.scheme in usual and port != usual[parts.scheme]
