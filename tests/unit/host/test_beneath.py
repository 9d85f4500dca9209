"""Paths below a directory: nothing outside it is ever given to a command."""

from pathlib import Path

import pytest

from tailrace.core.errors import InvalidInput
from tailrace.core.parameters import PathBelow, Text
from tailrace.host.beneath import locate


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Give a directory with files, links within and links out of it, that is itself reached by a link."""
    real = tmp_path / "real"
    (real / "sub").mkdir(parents=True)
    (real / "a.txt").write_text("a")
    (real / "in").symlink_to("sub")
    (real / "out").symlink_to("..")
    (real / "etc").symlink_to("/etc")
    (real / "round").symlink_to("round")
    (tmp_path / "real-not").mkdir()
    (real / "beside").symlink_to("../real-not")
    link = tmp_path / "root"
    link.symlink_to("real")
    return link


def where(root: Path, text: str, parameter: PathBelow | None = None) -> str:
    """Return where a path leads."""
    parameter = parameter or PathBelow(root=str(root))
    return locate(parameter, parameter.argument(text))


def test_what_is_inside(root: Path) -> None:
    """It is given whole, with all links followed."""
    real = root.resolve()
    assert where(root, "a.txt") == str(real / "a.txt")
    assert where(root, "in") == str(real / "sub")
    assert where(root, ".") == str(real)
    assert where(root, "new/x", PathBelow(root=str(root), must_exist=False)) == str(real / "new" / "x")
    assert locate(Text(), "anything") == "anything"


@pytest.mark.parametrize("text", ["out", "out/real/a.txt", "etc/passwd", "beside", "out/new"])
@pytest.mark.parametrize("must_exist", [True, False])
def test_what_a_link_leads_to_outside(root: Path, text: str, *, must_exist: bool) -> None:
    """It is refused, whether it is there or not."""
    if text == "out/real/a.txt":
        assert where(root, text) == str(root.resolve() / "a.txt")  # it leads back in
        return
    with pytest.raises(InvalidInput, match="leads out of its directory"):
        where(root, text, PathBelow(root=str(root), must_exist=must_exist))


@pytest.mark.parametrize(
    ("text", "kind", "told"),
    [
        ("none", None, "is not there"),
        ("a.txt/x", None, "is not there"),
        ("round", None, "leads nowhere"),
        ("sub", "file", "is no file"),
        ("a.txt", "directory", "is no directory"),
        ("x" * 300, None, "cannot be looked at"),
    ],
)
def test_what_is_not_what_it_must_be(root: Path, text: str, kind: str | None, told: str) -> None:
    """It is refused when the run is started."""
    parameter = PathBelow(root=str(root), kind=kind)  # type: ignore[arg-type]  # one of the two
    with pytest.raises(InvalidInput, match=told):
        where(root, text, parameter)
