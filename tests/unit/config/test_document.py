"""A TOML file and where its keys stand."""

from pathlib import Path

import pytest

from tailrace.config.document import MOST_BYTES, Document, is_plain
from tailrace.core.errors import InvalidInput, InvalidValues

TEXT = '''# first
[server]
port = 1
tls.key = "x"

[commands.count]
description = """
port = 2
[commands.fake]
"""
argv = [
    "seq",
]
parameters.n = { type = "integer", minimum = 1 }
  [ commands . "a b" ]
  'c' = 1
'''


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (("server",), 2),
        (("server", "port"), 3),
        (("server", "tls", "key"), 4),
        (("server", "nothing"), 2),
        (("commands",), 6),
        (("commands", "count"), 6),
        (("commands", "count", "argv[0]"), 11),
        (("commands", "count", "parameters", "n"), 14),
        (("commands", "count", "parameters", "n", "minimum"), 14),
        (("commands", "a b", "c"), 16),
    ],
)
def test_where_a_key_is(tmp_path: Path, keys: tuple[str, ...], line: int) -> None:
    """Its own line, or that of the table that holds it; never one inside a text."""
    path = tmp_path / "x.toml"
    path.write_text(TEXT)
    assert Document(path).place(keys) == f"{path}:{line}: {'.'.join(keys)}"


def test_a_key_that_is_nowhere(tmp_path: Path) -> None:
    """The file alone is named."""
    (tmp_path / "x.toml").write_text("")
    assert Document(tmp_path / "x.toml").place(("server",)) == f"{tmp_path}/x.toml: server"


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"a = 1\nb = \n", ":2: invalid value"),
        (b"a = 1\na = 2\n", "overwrite a value"),
        (b"[server]\n[server]\n", "declare"),
        (b"a = [", "invalid value"),
        (b"a = 1\n# \xff\n", ":2: is not UTF-8"),
        (b"\xff\xfea\0", ":1: is not UTF-8"),
        (b"a = " + b"[" * 100_000, "cannot be read as TOML"),
        (b"a = " + b"9" * 10_000, "cannot be read as TOML"),
    ],
)
def test_what_is_not_toml(tmp_path: Path, data: bytes, told: str) -> None:
    """Says where and why; a file that is made to hurt does not."""
    path = tmp_path / "x.toml"
    path.write_bytes(data)
    with pytest.raises(InvalidValues) as caught:
        Document(path)
    assert told in caught.value.message.lower() or told in caught.value.message
    assert str(path) in caught.value.message
    assert caught.value.hint


def test_what_cannot_be_read(tmp_path: Path) -> None:
    """No file, a directory, or one without an end."""
    for path in (tmp_path / "none", tmp_path, Path("/dev/zero")):
        with pytest.raises(InvalidInput, match=str(path)):
            Document(path)
    assert MOST_BYTES < 10 << 20


def test_what_json_has_too(tmp_path: Path) -> None:
    """Dates and numbers without bounds are TOML's alone."""
    path = tmp_path / "x.toml"
    path.write_text(
        "a = [1, 1.5, true, 'x', { b = [] }]\nb = [2026-01-01]\nc = nan\nd = { e = 99999999999999999999 }\n"
    )
    assert [is_plain(value) for value in Document(path).table.values()] == [True, False, False, False]
