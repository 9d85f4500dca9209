"""When the page is bundled again, and what is said when it cannot be."""

import importlib.util
import stat
from pathlib import Path
from types import ModuleType
from typing import Protocol

import pytest

ROOT = Path(__file__).parents[2]
NPM = """#!/bin/sh
echo "$@" >>"{log}"
[ "$1" != ci ] || {{ mkdir -p node_modules; touch node_modules/.package-lock.json; }}
[ "$1" != run ] || {{ mkdir -p ../{built}; echo '{{}}' >../{built}/manifest.json; }}
exit {status}
"""
BUILT = "src/tailrace/web/page/built"
NODE = "#!/bin/sh\necho v{version}\n"


class Tree(Protocol):
    """What makes a tree of sources, and an npm and a node that only write down what they were asked."""

    def __call__(self, *, version: str = "22.1.0", status: int = 0) -> Path:
        """Make it: node is of this version, and npm ends with this status."""


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    """Give the hook, as the build loads it."""
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    """Give what makes one."""

    def make(*, version: str = "22.1.0", status: int = 0) -> Path:
        root, programs = tmp_path / "tree", tmp_path / "programs"
        (root / "frontend" / "src").mkdir(parents=True)
        programs.mkdir()
        for name in ("package.json", "package-lock.json", "src/page.tsx"):
            (root / "frontend" / name).write_text("{}")
        texts = {
            "npm": NPM.format(log=tmp_path / "log", status=status, built=BUILT),
            "node": NODE.format(version=version),
        }
        for name, text in texts.items():
            (programs / name).write_text(text)
            (programs / name).chmod(stat.S_IRWXU)
        monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
        return root

    return make


def _build(hook: ModuleType, root: Path) -> list[str]:
    """Have the hook do its work, and return what npm was asked meanwhile."""
    log = root.parent / "log"
    log.write_text("")
    made = hook.PageHook(str(root), {}, None, None, str(root / "dist"), "wheel")
    assert made.dependencies() == []
    made.initialize("editable", {})
    return [line.split(" ")[0] for line in log.read_text().splitlines()]


def test_it_builds_once(hook: ModuleType, tree: Tree) -> None:
    """Then again for other sources only, and installs again for another lock file only."""
    root = tree()
    assert _build(hook, root) == ["ci", "run"]
    assert _build(hook, root) == []
    (root / "frontend" / "src" / "page.tsx").write_text("x")
    assert _build(hook, root) == ["run"]
    (root / "frontend" / "src" / "more.ts").write_text("")
    assert _build(hook, root) == ["run"]
    (root / "frontend" / "README.md").write_text("not a source")
    assert _build(hook, root) == []
    (root / hook.BUILT / "manifest.json").unlink()
    assert _build(hook, root) == ["run"]


def test_what_has_been_built_is_enough(hook: ModuleType, tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the sources; and of other sources, where somebody says so."""
    root = tree()
    assert _build(hook, root) == ["ci", "run"]
    (root / "frontend" / "src" / "page.tsx").write_text("x")
    monkeypatch.setenv("TAILRACE_PAGE", "as-it-is")
    assert _build(hook, root) == []
    monkeypatch.delenv("TAILRACE_PAGE")
    (root / "frontend").rename(root / "elsewhere")
    assert _build(hook, root) == []


@pytest.mark.parametrize("version", ["18.20.4", "20.18.3", "nonsense"])
def test_a_node_that_is_too_old_is_none(hook: ModuleType, tree: Tree, version: str) -> None:
    """The build asks for one as a package; if it does not get it, it says what to do."""
    root = tree(version=version)
    made = hook.PageHook(str(root), {}, None, None, str(root / "dist"), "sdist")
    assert made.dependencies() == [hook.NODE_PACKAGE]
    with pytest.raises(hook.CannotBundle, match=r"no npm with node 20\.19 or later(?s:.)*Without a network"):
        made.initialize("standard", {})


def test_npms_failure_is_told(hook: ModuleType, tree: Tree) -> None:
    """And nothing passes for built."""
    root = tree(status=1)
    with pytest.raises(hook.CannotBundle, match=r"`npm ci .*` failed(?s:.)*Without a network"):
        _build(hook, root)
    assert not (root / hook.BUILT / hook.STAMP).exists()
