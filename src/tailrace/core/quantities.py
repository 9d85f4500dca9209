"""Durations and sizes as people write them: `10s`, `1h30m`, `1G`."""

import re

_SECONDS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES = {letter: 1 << (10 * power) for power, letter in enumerate(("", "k", "m", "g", "t"))}
_DURATION = re.compile(r"[0-9]+(?:\.[0-9]+)?|(?:[0-9]+(?:\.[0-9]+)?(?:ms|[smhd]))+")
_PART = re.compile(r"([0-9.]+)(ms|[smhd])?")
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([kmgt]?)(?:i?b)?", re.IGNORECASE)


def seconds(text: str) -> float:
    """Return the seconds in `10`, `10s`, `5m`, `1.5h`, `30d`, `1h30m`.

    Raises:
        ValueError: it is no duration.
    """
    if not _DURATION.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is not a duration; for example 10, 10s, 5m, 1h30m, 30d")
    return sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text))


def size_bytes(text: str) -> int:
    """Return the bytes in `4096`, `10k`, `1M`, `1.5GiB`; each unit is 1024 times the one before.

    Raises:
        ValueError: it is no size.
    """
    found = _SIZE.fullmatch(text)
    if found is None:
        raise ValueError(f"{text[:40]!r} is not a size; for example 4096, 10k, 1M, 1G")
    return round(float(found[1]) * _BYTES[found[2].lower()])
