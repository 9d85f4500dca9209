"""Values as people type them: `10s`, `5m`, `1G`, `NAME=VALUE`, `HUP`.

Each function is the `type` of options: it takes the text, and returns the value or raises what click tells the user.
"""

from datetime import UTC, datetime, timedelta

import click

from tailrace.core import quantities
from tailrace.core.outcome import signal_number


def seconds(text: str) -> float:
    """Return the seconds in `10`, `10s`, `5m`, `1.5h`, `30d`, `1h30m`.

    Raises:
        click.BadParameter: it is no duration.
    """
    try:
        return quantities.seconds(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def instant(text: str) -> datetime:
    """Return the instant of `2026-11-27T10:00`, on this machine's clock if it has no zone, or of `2h` (ago).

    Raises:
        click.BadParameter: it is none.
    """
    try:
        return datetime.now(UTC) - timedelta(seconds=quantities.seconds(text))
    except (ValueError, OverflowError):
        pass
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise click.BadParameter(
            f"{text[:40]!r} is no time; for example 2026-11-27T10:00, 2026-11-27, or 2h for two hours ago"
        ) from None


def size_bytes(text: str) -> int:
    """Return the bytes in `4096`, `10k`, `1M`, `1.5GiB`; each unit is 1024 times the one before.

    Raises:
        click.BadParameter: it is no size.
    """
    try:
        return quantities.size_bytes(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def offset(text: str) -> int:
    """Return the offset in `4096` or `10k`.

    Raises:
        click.BadParameter: it is no offset.
    """
    try:
        return size_bytes(text)
    except click.BadParameter:
        raise click.BadParameter(f"{text!r} is not an offset: a number of bytes, 0 or more") from None


def pair(text: str) -> tuple[str, str]:
    """Return (name, value) of `NAME=VALUE`; the value may be empty, and may have more `=`.

    Raises:
        click.BadParameter: there is no name, or no `=`.
    """
    name, sign, value = text.partition("=")
    if not sign or not name:
        raise click.BadParameter(f"{text!r} is not NAME=VALUE")
    return name, value


def resource_limit(text: str) -> tuple[str, int]:
    """Return (name, value) of `NOFILE=64` or `AS=1G`.

    Raises:
        click.BadParameter: it is no name with a number.
    """
    name, value = pair(text)
    return name, size_bytes(value)


def signal_to_send(text: str) -> int:
    """Return the number of `HUP`, `SIGHUP` or `1`.

    Raises:
        click.BadParameter: this system has no such signal.
    """
    try:
        return signal_number(text)
    except ValueError as error:
        raise click.BadParameter(f"{error}; `kill -l` lists them") from None
