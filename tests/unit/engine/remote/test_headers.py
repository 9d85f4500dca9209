from pathlib import Path

import pytest

from tailrace.core.errors import InvalidInput
from tailrace.engine.remote.headers import checked, read_headers


@pytest.mark.parametrize(
    ("text", "headers"),
    [
        ("", {}),
        ("Authorization: Basic eA==", {"Authorization": "Basic eA=="}),
        ("authorization:x", {"Authorization": "x"}),
        ("X-A: one: two \r\n\n# a note\nx-b:\t2", {"X-A": "one: two", "X-B": "2"}),
        ("Cookie: a=b; c=d", {"Cookie": "a=b; c=d"}),
    ],
)
def test_what_is_read(text: str, headers: dict[str, str]) -> None:
    """One or several lines, out of a text or a file; what is ours to say in whatever case is one header."""
    assert read_headers(text) == headers


def test_a_file(tmp_path: Path) -> None:
    """It is named behind an @."""
    path = tmp_path / "headers"
    path.write_text("A: 1\nB: 2\n")
    assert read_headers(f"@{path}") == {"A": "1", "B": "2"}


@pytest.mark.parametrize(
    "text",
    [
        "secret", ": secret", "A b: secret", "A:", "A: ", "A: secret\0", "Host: secret", "content-length: 5",
        "Transfer-Encoding: chunked", "A: secret\x7f", "@/secret/file/that/is/not/there", "A: 1\nsecret",
    ],
)  # fmt: skip
def test_what_is_no_header(text: str) -> None:
    """With a hint, and without repeating what may be a secret; a file's name is told."""
    with pytest.raises(InvalidInput) as caught:
        read_headers(text)
    assert caught.value.hint
    assert ("secret" in str(caught.value)) is text.startswith("@")


def test_lines_do_not_get_in_by_a_value() -> None:
    """Neither of a mapping."""
    with pytest.raises(InvalidInput):
        checked([("A", "1\r\nB: 2")])
