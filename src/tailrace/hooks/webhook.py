"""A signed request, as Standard Webhooks has it (standardwebhooks.com, 1.0); there are libraries that check it.

`webhook-id`, the same however often it is sent; `webhook-timestamp`, seconds since 1970; `webhook-signature`, `v1,` and
the base64 of an HMAC-SHA256, with the secret as its key, over the id, a full stop, the timestamp, a full stop, and the
body. A secret that begins with `whsec_` is base64 behind that; any other is taken as it is, in UTF-8.
"""

import base64
import binascii
import hashlib
import hmac
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

from tailrace._version import __version__
from tailrace.core.errors import InvalidInput
from tailrace.core.hook import Hook
from tailrace.hooks.address import connect

BASE64: Final = "whsec_"
LEAST_BYTES: Final = 16
"""of a secret"""
CUT: Final = "it took longer than the hook's timeout"


class NotDelivered(Exception):
    """The receiver has not said that it has it."""


def secret_of(hook: Hook, environ: Mapping[str, str]) -> bytes:
    """Return the key that the hook's requests are signed with.

    Raises:
        InvalidInput: it is not there, or too short.
    """
    where = hook.secret_file or f"${hook.secret_env}"
    try:
        text = _read(hook, environ).strip()
        key = base64.b64decode(text.removeprefix(BASE64), validate=True) if text.startswith(BASE64) else text.encode()
    except (OSError, KeyError, UnicodeDecodeError, binascii.Error) as error:
        why = error.strerror.lower() if isinstance(error, OSError) and error.strerror else "it is not there, or no text"
        raise _bad_secret(hook, f"cannot be read from {where}: {why}") from None
    if len(key) < LEAST_BYTES:
        raise _bad_secret(hook, f"in {where} has fewer than {LEAST_BYTES} bytes")
    return key


def signature(key: bytes, delivery_id: str, timestamp: int, body: bytes) -> str:
    """Return what proves that the body comes from who has the key."""
    signed = f"{delivery_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def send(hook: Hook, key: bytes, delivery_id: str, timestamp: int, body: bytes) -> None:
    """Send the body; returns when the receiver has said yes, by any status of 200 to 299.

    No redirect is followed, no proxy asked, no cookie kept, and of the answer only its status read.

    Args:
        hook: where to, how long, and whether to private addresses.
        key: to sign with.
        delivery_id: the same each time that this is sent.
        timestamp: now, in seconds since 1970.
        body: JSON.

    Raises:
        NotDelivered: it has not; says why.
    """
    parts = urlsplit(hook.url or "")
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"tailrace/{__version__}",
        "webhook-id": delivery_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(key, delivery_id, timestamp, body),
    }
    try:
        with _connected(hook, parts) as connection:
            connection.request("POST", _target(parts), body, headers)
            status = connection.getresponse().status
    except (OSError, HTTPException) as error:
        raise NotDelivered(_words(error)) from None
    if not 200 <= status < 300:
        about = ", and redirects are not followed" if 300 <= status < 400 else ""
        raise NotDelivered(f"the receiver answered with {status}{about}")


class _Plain(HTTPConnection):
    """HTTP over a connection that is there already."""

    def connect(self) -> None:
        """Do nothing."""


class _Secure(_Plain):
    """The same, of HTTPS: the port that goes without saying is another."""

    default_port = HTTPSConnection.default_port


@contextmanager
def _connected(hook: Hook, parts: SplitResult) -> Iterator[HTTPConnection]:
    """Have a connection, which is cut when the hook's timeout is over, whatever the receiver is doing then.

    Raises:
        OSError: there is none.
    """
    host, is_secure = parts.hostname or "", parts.scheme == "https"
    kind = _Secure if is_secure else _Plain
    with (
        closing(
            connect(host, parts.port or kind.default_port, hook.timeout, allow_private=hook.allow_private)
        ) as plain,
        _cutting(plain, hook.timeout),
        closing(_tls(plain, host) if is_secure else plain) as secured,
        closing(kind(host, parts.port, timeout=hook.timeout)) as connection,
    ):
        connection.sock = secured
        yield connection


@contextmanager
def _cutting(plain: socket.socket, timeout_s: float) -> Iterator[None]:
    """Shut the connection down when the time is over; by a descriptor of its own, as TLS takes the other one over."""
    is_over = threading.Event()

    def shut() -> None:
        is_over.set()
        with suppress(OSError):  # the receiver was faster
            own.shutdown(socket.SHUT_RDWR)

    with closing(plain.dup()) as own:
        timer = threading.Timer(timeout_s, shut)
        timer.daemon = True
        timer.start()
        try:
            yield
            is_late = is_over.is_set()  # half an answer passes for a whole one
        except (OSError, HTTPException):
            if not is_over.is_set():
                raise
            is_late = True
        finally:
            timer.cancel()
            timer.join()
    if is_late:
        raise NotDelivered(CUT)


def _tls(plain: socket.socket, host: str) -> ssl.SSLSocket:
    return ssl.create_default_context().wrap_socket(plain, server_hostname=host)


def _target(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _read(hook: Hook, environ: Mapping[str, str]) -> str:
    return Path(hook.secret_file).read_text() if hook.secret_file is not None else environ[hook.secret_env or ""]


def _bad_secret(hook: Hook, what: str) -> InvalidInput:
    return InvalidInput(
        f"the secret of hook {hook.name} {what}",
        op="serve",
        subject=f"hooks.{hook.name}",
        hint=f"make one by `openssl rand -hex 32 > FILE`; {LEAST_BYTES} bytes or more",
    )


def _words(error: OSError | HTTPException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the receiver's certificate is not good: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return CUT
    if isinstance(error, OSError):
        return (error.strerror or str(error)).lower()
    return f"what the receiver answered is no HTTP ({type(error).__name__})"
