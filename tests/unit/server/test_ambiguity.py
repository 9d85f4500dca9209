import pytest

from tailrace.server.ambiguity import is_ambiguous


@pytest.mark.parametrize(
    ("url", "hosts", "version", "is_clear"),
    [
        (b"/", [b"a"], "1.1", True),
        (b"/?next=http://b/", [b"a"], "1.1", True),
        (b"//b/", [b"a"], "1.1", True),
        (b"/http://b/", [b"a"], "1.1", True),
        (b"*", [b"a"], "1.1", True),
        (b"a:80", [b"a:80"], "1.1", True),
        (b"http://a/x", [b"a"], "1.1", True),
        (b"HTTPS://A:8000/x", [b"a:8000"], "1.1", True),
        (b"/", [b""], "1.1", True),
        (b"/", [], "1.0", True),
        (b"/", [], "1.1", False),
        (b"/", [b"a", b"a"], "1.1", False),
        (b"/", [b"a", b"b"], "1.0", False),
        (b"http://b/x", [b"a"], "1.1", False),
        (b"http://a/x", [], "1.0", False),
        (b"http://a@b/x", [b"a"], "1.1", False),
        (b"http://a", [b"a"], "1.1", False),
        (b"ftp://a/x", [b"a"], "1.1", False),
    ],
)
def test_a_request_is_for_one_host(url: bytes, hosts: list[bytes], version: str, is_clear: bool) -> None:
    """By its header, and by its target if there is a host in it: the same one."""
    headers = [(b"x", b"y"), *((b"host", host) for host in hosts)]
    assert is_ambiguous(url, version, headers) is not is_clear


@pytest.mark.parametrize(
    ("codings", "is_clear"),
    [
        ([], True),
        ([b"chunked"], True),
        ([b" Chunked "], True),
        ([b"chunked", b"chunked"], False),
        ([b"identity", b"chunked"], False),
        ([b"identity, chunked"], False),
        ([b"gzip, chunked"], False),
        ([b""], False),
    ],
)
def test_a_request_has_one_body(codings: list[bytes], is_clear: bool) -> None:
    """Coded in the one way that is read here, or not."""
    headers = [(b"host", b"a"), *((b"transfer-encoding", coding) for coding in codings)]
    assert is_ambiguous(b"/", "1.1", headers) is not is_clear
