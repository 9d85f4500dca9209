"""Addresses."""

import pytest

from tailrace.core.errors import InvalidInput
from tailrace.doctor.target import Target

RUN = "1k16rqj0w0s2ndm139q1pyc5zr5"


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


@pytest.mark.parametrize("path", [f"/runs/{RUN}", "/commands/count", "/api/runs", f"/api/runs/{RUN}/output", "/api"])
def test_the_address_of_a_page_is_that_of_its_server(path: str) -> None:
    """People copy what their browser shows; a prefix of the same words is left alone."""
    assert Target.of(f"http://localhost:8000{path}").url == "http://localhost:8000/"
    assert Target.of(f"https://example.org/ops{path}").url == "https://example.org/ops/"
    assert Target.of("https://example.org/runs").url == "https://example.org/runs/"
