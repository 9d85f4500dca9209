"""Forms with files, read by a parser that others wrote."""

import io
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.formparser import parse_form_data

from tailrace.core.errors import InvalidInput
from tailrace.engine.remote.multipart import FileSource, Form

NAMES = st.text("abc_-", min_size=1, max_size=5)


def read(fields: list[tuple[str, str]], files: dict[str, FileSource]) -> tuple[list[tuple[str, str]], dict[str, bytes]]:
    """Return the fields and the files of a form, as Werkzeug reads it."""
    with Form(fields, files) as form:
        body = b"".join(form)
        assert len(body) == form.size
        environ = {
            "REQUEST_METHOD": "POST", "CONTENT_TYPE": form.content_type, "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
        }  # fmt: skip
    _stream, texts, parts = parse_form_data(environ)
    read = {name: part.read() for name, part in parts.items()}
    for part in parts.values():
        part.close()
    return list(texts.items(multi=True)), read


@given(st.lists(st.tuples(NAMES, st.text(max_size=20)), max_size=4), st.dictionaries(NAMES, st.binary(), max_size=3))
def test_what_goes_in_comes_out(fields: list[tuple[str, str]], files: dict[str, bytes]) -> None:
    """Every field, in its order among those of its name, and every byte of every file."""
    texts, parts = read(fields, dict(files))
    for name, _text in fields:
        assert [text for each, text in texts if each == name] == [text for each, text in fields if each == name]
    assert parts == files


def test_files_of_any_name(tmp_path: Path) -> None:
    """By their paths; a large one is read in pieces, an empty one is there."""
    large, odd = tmp_path / "large", tmp_path / 'a"b\r\nc: d é'
    large.write_bytes(os.urandom(200_001))
    odd.touch()
    _texts, parts = read([], {"large": large, "odd": str(odd)})
    assert parts == {"large": large.read_bytes(), "odd": b""}
    with Form([], {"large": large}) as form:
        assert max(map(len, form)) <= 64 << 10


def test_a_file_that_becomes_shorter(tmp_path: Path) -> None:
    """It is said, instead of a form that is not what it says it is."""
    path = tmp_path / "a"
    path.write_bytes(bytes(100))
    with Form([], {"a": path}) as form:
        os.truncate(path, 50)
        with pytest.raises(InvalidInput, match="became shorter"):
            list(form)


def test_what_is_no_file(tmp_path: Path) -> None:
    """Nothing, a directory, and what has no size."""
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path / "nothing", tmp_path, tmp_path / "fifo", "/dev/null", "a\0b"):
        with pytest.raises(InvalidInput) as caught:
            Form([], {"a": path})
        assert caught.value.hint
