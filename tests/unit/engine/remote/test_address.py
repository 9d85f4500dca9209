import pytest

from tailrace.core.errors import InvalidInput
from tailrace.engine.remote.address import Address, is_url, parse, parse_run

RUN = "01jd3v5w8x9abcdefghjkmnpqrs"


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://h", Address(False, "h", None, "")),
        ("http://h/", Address(False, "h", None, "")),
        ("HTTP://H:8000", Address(False, "h", 8000, "")),
        ("https://h/ops/", Address(True, "h", None, "/ops")),
        ("https://h:1/a/b", Address(True, "h", 1, "/a/b")),
        ("http://[::1]:8000/ops", Address(False, "::1", 8000, "/ops")),
        ("http://h/caf\u00e9/%20", Address(False, "h", None, "/caf%C3%A9/%20")),
    ],
)
def test_servers(url: str, address: Address) -> None:
    """Host, port and prefix; what the address says, it is made of again."""
    assert parse(url) == address
    assert parse(str(address)) == address


@pytest.mark.parametrize(
    "url",
    [
        "", "h:80", "ftp://h", "http://", "http:///x", "http://h:0", "http://h:x", "http://h:70000", "http://[::1",
        "http://h/?a=b", "http://h/#x", "http://ann:pw@h", "http://ann@h", "http://h/a b", "http://h/\r\nX: y",
    ],
)  # fmt: skip
def test_what_is_no_server(url: str) -> None:
    """With a hint; a password is not repeated."""
    with pytest.raises(InvalidInput) as caught:
        parse(url)
    assert caught.value.hint
    assert "pw" not in str(caught.value)


@pytest.mark.parametrize(
    ("path", "prefix"),
    [
        ("/runs/{}", ""),
        ("/runs/{}/", ""),
        ("/api/runs/{}", ""),
        ("/api/runs/{}/output", ""),
        ("/api/runs/{}/output?from=7#L3", ""),
        ("/ops/runs/{}", "/ops"),
        ("/ops/api/runs/{}", "/ops"),
        ("/api/api/runs/{}", "/api"),
        ("/runs/runs/{}", "/runs"),
    ],
)
def test_addresses_of_a_run(path: str, prefix: str) -> None:
    """The page, the place in the API and the output, below any prefix."""
    assert parse_run("http://h:8000" + path.format(RUN)) == (Address(False, "h", 8000, prefix), RUN)


@pytest.mark.parametrize("path", ["", "/", "/runs", "/runs/", "/runs/x", f"/runs/{RUN}/stop", f"/{RUN}", "/runs/.."])
def test_what_is_no_run(path: str) -> None:
    """Other addresses are refused, and it is said what is wanted."""
    with pytest.raises(InvalidInput, match="is not the address of a run"):
        parse_run("http://h" + path)


def test_urls_are_told_from_ids() -> None:
    """By their scheme."""
    assert is_url("http://h")
    assert is_url("HTTPS://h")
    assert not is_url(RUN)
    assert not is_url("last")
