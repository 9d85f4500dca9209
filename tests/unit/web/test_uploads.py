"""Files of forms that cannot be written down."""

from pathlib import Path

import pytest

from tailrace.core.command import Command
from tailrace.core.errors import EngineUnavailable
from tailrace.core.parameters import Upload
from tailrace.web.uploads import parts_of

FORM = b'--x\r\nContent-Disposition: form-data; name="f"; filename="a.csv"\r\n\r\n1,2\r\n--x--\r\n'


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """As on a full disk: what cannot be done, and where to look."""
    command = Command(name="take", argv=("cat", "{f}"), parameters={"f": Upload()})
    with pytest.raises(EngineUnavailable, match="files cannot be taken: no such file") as caught:
        parts_of(command, FORM, "multipart/form-data; boundary=x", str(tmp_path / "gone"))
    assert "space" in caught.value.hint
