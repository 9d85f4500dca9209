"""`[access]`: who may do what; and `[oidc]`: the provider that says who asks."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec

from tailrace.config.document import Keys, Table
from tailrace.config.tables import Mistakes, Reader, Report, table_at
from tailrace.core.access import Access, Rule
from tailrace.core.errors import Fault

SECTION: Final = "access"
OIDC: Final = "oidc"
RULES: Final = "rules"


class Oidc(msgspec.Struct, frozen=True, kw_only=True):
    """An OpenID provider, and how it knows this server."""

    issuer: str
    """its address, below which `/.well-known/openid-configuration` is: `https://login.example`"""
    client_id: str
    """the name by which it knows this server"""
    client_secret_file: str | None = None
    """a file with the secret that it has given, from the file's directory; none for a public client"""
    name_claim: str = "preferred_username"
    """the claim that is the user's name; where it is missing, `sub` is"""
    groups_claim: str = "groups"
    """the claim that has his groups; `roles` of `[access]` says what they are"""
    scopes: tuple[str, ...] = ("openid", "profile")
    """what is asked for"""

    def faults(self) -> Iterator[Fault]:
        """Yield what is wrong with it."""
        if not _is_safe(self.issuer):
            yield Fault("issuer", f"cannot be {self.issuer[:60]!r}", "https://login.example; http on this machine only")
        if "openid" not in self.scopes:
            yield Fault("scopes", "is without openid", 'for example ["openid", "profile", "groups"]')


def _is_safe(url: str) -> bool:
    """Tell whether it is an address to which secrets can be sent: by TLS, or on this machine."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    is_near = parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1")
    return bool(parts.hostname) and (parts.scheme == "https" or is_near)


ACCESS: Final = Reader(Access, others=(RULES,))
RULE: Final = Reader(Rule)
PROVIDER: Final = Reader(Oidc)


def access_in(document: Table, report: Report) -> Access:
    """Return the rules that the document has; what is wrong is reported."""
    table = table_at(document, SECTION, (), report)
    mistakes = Mistakes(report)
    fields = ACCESS.read(table, (SECTION,), mistakes)
    rules = tuple(_rules(table.get(RULES, []), mistakes))
    found = Access(**fields, rules=rules)  # type: ignore[arg-type]  # they were decoded
    mistakes.add(found.faults(), (SECTION,))
    return found


def oidc_in(document: Table, directory: Path, report: Report) -> Oidc | None:
    """Return the provider that the document names; None: none, or what is wrong was reported.

    Args:
        document: the whole file.
        directory: where the file is; `client_secret_file` is from there.
        report: told of each mistake.
    """
    if OIDC not in document:
        return None
    mistakes = Mistakes(report)
    fields = PROVIDER.read(table_at(document, OIDC, (), mistakes), (OIDC,), mistakes)
    for name in ("issuer", "client_id"):
        if name not in fields and (OIDC, name) not in mistakes.places:
            mistakes((OIDC, name), "is missing", "the provider says what it is")
    if isinstance(path := fields.get("client_secret_file"), str):
        fields["client_secret_file"] = os.fspath((directory / path).absolute())
    if mistakes.places:
        return None
    found = Oidc(**fields)  # type: ignore[arg-type]  # they were decoded
    mistakes.add(found.faults(), (OIDC,))
    return found


def _rules(tables: object, report: Report) -> Iterator[Rule]:
    if not isinstance(tables, list):
        report((SECTION, RULES), "must be a list of tables", "write [[access.rules]] above each")
        return
    for index, table in enumerate(tables):
        at: Keys = (SECTION, f"{RULES}[{index}]")
        if isinstance(table, Mapping):
            yield Rule(**RULE.read(table, at, report))  # type: ignore[arg-type]  # they were decoded
        else:
            report(at, "must be a table", "write [[access.rules]] above each")
