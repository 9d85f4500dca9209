"""Connecting to a name, but not to all that a name may lead to: this machine, its network, its cloud's metadata.

The name is resolved once, here, and the connection goes to the very address that was looked at. So a name that means
one thing when it is checked and another when it is used (DNS rebinding) gains nothing.
"""

import ipaddress
import socket
import time
from typing import Final, TypeAlias

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

_WITH_IPV4: Final = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("::/96"))
"""whose last 32 bits are an IPv4 address (RFC 6052; RFC 4291, 2.5.5.1)"""

_LOCAL_NAT64: Final = ipaddress.IPv6Network("64:ff9b:1::/48")
"""for a network's own use (RFC 8215), which older versions of Python do not know"""


class Unreachable(OSError):
    """No connection could be made, or none may be."""


def is_public(text: str) -> bool:
    """Tell whether the address is one of the whole internet's, also if it carries another one in it."""
    address = ipaddress.ip_address(text.partition("%")[0])
    return address not in _LOCAL_NAT64 and all(each.is_global and not each.is_multicast for each in _all_in(address))


def connect(host: str, port: int, timeout_s: float, *, allow_private: bool) -> socket.socket:
    """Return a connection to the first address of the host that may be connected to, and answers.

    Args:
        host: a name or an address.
        port: where it listens.
        timeout_s: for all of it, but for the resolver, which has limits of its own.
        allow_private: whether every address will do.

    Raises:
        Unreachable: there is none.
    """
    deadline = time.monotonic() + timeout_s
    why: OSError = Unreachable(f"{host} has no address")
    for family, kind, proto, _name, place in _resolved(host, port):
        if not allow_private and not is_public(str(place[0])):
            why = Unreachable(f"{host} is {place[0]}, which is no public address; allow_private = true allows it")
            continue
        connection = socket.socket(family, kind, proto)
        try:
            connection.settimeout(max(0.1, deadline - time.monotonic()))
            connection.connect(place)
        except OSError as error:
            connection.close()
            why = Unreachable(f"cannot connect to {host}: {(error.strerror or str(error)).lower()}")
        else:
            return connection
    raise why


def _resolved(
    host: str, port: int
) -> list[tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[str, int] | tuple[str, int, int, int]]]:
    """Return what the name stands for.

    Raises:
        Unreachable: nothing.
    """
    try:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)  # type: ignore[return-value]  # no bytes with IP
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"{host} cannot be resolved: {error}") from None


def _all_in(address: Address) -> list[Address]:
    """Return the address, and the IPv4 ones that it leads to."""
    found: list[Address] = [address]
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return [address.ipv4_mapped]
        if address.sixtofour is not None:
            found.append(address.sixtofour)
        if address.teredo is not None:
            found += address.teredo
        if any(address in network for network in _WITH_IPV4):
            found.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return found
