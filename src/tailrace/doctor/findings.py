"""What an examination finds."""

from enum import StrEnum

import msgspec


class Verdict(StrEnum):
    """How much it matters."""

    FINE = "fine"
    NOTE = "note"
    """works, and somebody may want to know"""
    WRONG = "wrong"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at."""

    check: str
    """what was looked at, in a word: `buffering`"""
    verdict: Verdict
    message: str
    cure: str = ""
    """what to set, and where; empty where nothing is wrong"""
    wires: tuple[str, ...] = ()
    """on which it was seen, where that matters"""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All of one examination."""

    subject: str
    """what was examined: an address, or `this host`"""
    proxies: tuple[str, ...] = ()
    """those that let themselves be known"""
    findings: tuple[Finding, ...] = ()

    @property
    def is_fine(self) -> bool:
        """Whether nothing is wrong."""
        return not any(finding.verdict is Verdict.WRONG for finding in self.findings)


def fine(check: str, message: str, *wires: str) -> Finding:
    """Return what is as it should be."""
    return Finding(check=check, verdict=Verdict.FINE, message=message, wires=wires)


def note(check: str, message: str, cure: str = "", *wires: str) -> Finding:
    """Return what works, and may matter."""
    return Finding(check=check, verdict=Verdict.NOTE, message=message, cure=cure, wires=wires)


def wrong(check: str, message: str, cure: str, *wires: str) -> Finding:
    """Return what does not work."""
    return Finding(check=check, verdict=Verdict.WRONG, message=message, cure=cure, wires=wires)
