import os
from pathlib import Path

import msgspec
import pytest

from tailrace.web.page import bundle
from tailrace.web.page.bundle import Entry

MANIFEST = {
    "src/page.tsx": {"file": "page-11111111.js", "isEntry": True, "css": ["page-1.css"], "imports": ["_a", "_b"]},
    "src/element/element.ts": {"file": "element-22222222.js", "isEntry": True, "imports": ["_b"]},
    "_a": {"file": "a-33333333.js", "imports": ["_b"], "css": ["a-1.css"]},
    "_b": {"file": "b-44444444.js", "imports": ["_a"], "dynamicImports": ["_late"]},
    "_late": {"file": "late-55555555.js", "css": ["late-1.css"]},
}


def _write(built: Path, manifest: object) -> None:
    (built / "manifest.json").write_bytes(msgspec.json.encode(manifest))


def test_an_entry_has_all_that_it_imports(tmp_path: Path) -> None:
    """Each once, what is imported first, also in a circle; not what is loaded on demand."""
    _write(tmp_path, MANIFEST)
    page = bundle.entry(bundle.PAGE, tmp_path)
    assert page == Entry("page-11111111.js", ("b-44444444.js", "a-33333333.js"), ("a-1.css", "page-1.css"))
    element = bundle.entry(bundle.ELEMENT, tmp_path)
    assert element is not None
    assert sorted(element.modules) == ["a-33333333.js", "b-44444444.js"]


@pytest.mark.parametrize("has_manifest", [False, True])
def test_what_is_not_built_is_not_there(tmp_path: Path, *, has_manifest: bool) -> None:
    """Nor is its absence remembered."""
    if has_manifest:
        _write(tmp_path, {})
    assert bundle.entry(bundle.PAGE, tmp_path) is None
    _write(tmp_path, MANIFEST)
    assert bundle.entry(bundle.PAGE, tmp_path) is not None


def test_another_bundle_is_noticed(tmp_path: Path) -> None:
    """A server that runs serves what is there, not what was."""
    _write(tmp_path, MANIFEST)
    assert bundle.entry(bundle.PAGE, tmp_path) is not None
    _write(tmp_path, {bundle.PAGE: {"file": "page-66666666.js"}})
    os.utime(tmp_path / "manifest.json", ns=(1, 1))
    assert bundle.entry(bundle.PAGE, tmp_path) == Entry("page-66666666.js", (), ())
