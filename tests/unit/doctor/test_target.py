"""Addresses."""

import pytest

from tailrace.core.errors import InvalidInput
from tailrace.doctor.target import Target


@pytest.mark.parametrize(
    ("url", "authority", "prefix"),
    [
        ("http://127.0.0.1:8000", "127.0.0.1:8000", ""),
        ("https://ops.example/", "ops.example", ""),
        ("https://ops.example:443/a/b/", "ops.example", "/a/b"),
        ("http://[::1]:81/x", "[::1]:81", "/x"),
    ],
)
def test_an_address(url: str, authority: str, prefix: str) -> None:
    """What browsers would send as `Host`, and the prefix without its last slash."""
    target = Target.of(url)
    assert (target.authority, target.prefix) == (authority, prefix)


@pytest.mark.parametrize("url", ["", "x", "http://", "http://a:b/", "http://a@b/", "http://a/#x", "unix:/x"])
def test_no_address(url: str) -> None:
    """It is refused."""
    with pytest.raises(InvalidInput):
        Target.of(url)
