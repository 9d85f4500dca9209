"""What the build made of `frontend/`: which files a page has a browser load, and those files.

A file's name has the hash of its content in it, so that a browser may keep it for ever. The manifest is read when it is
first asked for, and again when it has become another one: where the package has been replaced under a server that runs,
the files that its old manifest names are gone.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

BUILT: Final = Path(__file__).with_name("built")
PAGE: Final = "src/page.tsx"
ELEMENT: Final = "src/element/element.ts"
"""the entries, by their sources"""


class Chunk(msgspec.Struct, frozen=True):
    """What the manifest says of one source."""

    file: str
    css: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()
    """other chunks, by their keys in the manifest; not those that are loaded on demand"""


class Entry(NamedTuple):
    """What is to be loaded for an entry, by the files' names."""

    script: str
    modules: tuple[str, ...]
    """that the script imports, and they import"""
    styles: tuple[str, ...]
    """in the order in which they count"""


Manifest = Mapping[str, Chunk]
_MANIFEST = msgspec.json.Decoder(dict[str, Chunk])


def entry(source: str, built: Path = BUILT) -> Entry | None:
    """Return what is to be loaded for an entry; None if that has not been built.

    Args:
        source: of the entry, as the manifest has it.
        built: where the bundle is.
    """
    path = built / "manifest.json"
    try:
        now = path.stat()
    except FileNotFoundError:
        return None
    return _entries(path, now.st_mtime_ns, now.st_size).get(source)


@lru_cache(maxsize=2)  # of so many manifests; an older one is read no more
def _entries(path: Path, _mtime_ns: int, _size: int) -> Mapping[str, Entry]:
    manifest = _MANIFEST.decode(path.read_bytes())
    return {source: _entry(manifest, chunk) for source, chunk in manifest.items() if not source.startswith("_")}


def _entry(manifest: Manifest, chunk: Chunk) -> Entry:
    below = tuple(dict.fromkeys(_imported(manifest, chunk.imports, set())))
    styles = dict.fromkeys(name for each in (*below, chunk) for name in each.css)
    return Entry(chunk.file, tuple(each.file for each in below), tuple(styles))


def _imported(manifest: Manifest, keys: Sequence[str], seen: set[str]) -> Iterator[Chunk]:
    """Yield what is imported, before what imports it; each once, also where they import each other."""
    for key in keys:
        if key not in seen:
            seen.add(key)
            yield from _imported(manifest, manifest[key].imports, seen)
            yield manifest[key]
