"""The files that pages load: what is sent, to whom, for how long, and how much of it there is."""

import gzip
import re

import msgspec
import pytest

from tailrace.web.page import bundle
from tests.system.server.conftest import Serve
from tests.system.server.serving import Answer, Serving

MOST_BYTES = 150_000
"""of script and style that a page loads at once, packed; what is loaded on demand, as the terminal is, comes on top"""
NAMES = sorted(
    path.name for path in bundle.BUILT.glob("*-*") if path.suffix in (".js", ".css", ".svg") and path.is_file()
)
KINDS = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}


def _entry() -> bundle.Entry:
    found = bundle.entry(bundle.PAGE)
    assert found is not None, "the page is not built"
    return found


def _names() -> tuple[str, ...]:
    entry = _entry()
    return (entry.script, *entry.modules, *entry.styles)


@pytest.mark.parametrize("coding", ["", "br", "gzip"])
def test_every_file_is_there_for_ever(serving: Serving, coding: str) -> None:
    """With its type, its tag and its policy, packed as asked, for pages of other origins too; and 304 to who has it."""
    assert set(_names()) <= set(NAMES)
    for name in NAMES:
        answer = serving.ask(f"/page/{name}", headers={"Accept-Encoding": coding} if coding else {})
        assert answer.status == 200
        assert answer.headers["content-type"].startswith(KINDS[name.rpartition(".")[2]])
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
        assert answer.headers["vary"] == "Accept-Encoding"
        data = (bundle.BUILT / name).read_bytes()
        packed = answer.headers.get("content-encoding")
        assert packed == (coding or None if len(data) >= 512 else None)
        assert packed == "br" or (gzip.decompress(answer.body) if packed else answer.body) == data
        again = serving.ask(
            f"/page/{name}", headers={"Accept-Encoding": coding, "If-None-Match": answer.headers["etag"]}
        )
        assert (again.status, again.body) == (304, b"")


def test_tags_tell_codings_apart(serving: Serving) -> None:
    """A cache must not give packed bytes to who cannot unpack them; what is weighed with 0 is not wanted."""
    name = max(NAMES, key=lambda name: (bundle.BUILT / name).stat().st_size)
    codings = ("br, gzip", "gzip;q=1.0, br;q=0", "br;q=0, identity", "*;q=0")
    answers = [serving.ask(f"/page/{name}", headers={"Accept-Encoding": coding}) for coding in codings]
    assert [answer.headers.get("content-encoding") for answer in answers] == ["br", "gzip", None, None]
    assert len({answer.headers["etag"] for answer in answers}) == 3


@pytest.mark.parametrize(
    "path",
    [
        *("/page/manifest.json", "/page/sources.sha256", "/page/../bundle.py", "/page/%2e%2e%2fbundle.py", "/page/"),
        *("/page/none-abcdefgh.js", "/page/icon.svg/", "/page/..%2fbuilt%2fmanifest.json", "/page/__init__.py"),
    ],
)
def test_no_other_file_is_there(serving: Serving, path: str) -> None:
    """Neither what the build keeps for itself, nor anything outside."""
    assert serving.ask(path).status == 404


def test_no_packed_file_has_an_address_of_its_own(serving: Serving) -> None:
    """It would be of the wrong type there."""
    assert all(serving.ask(f"/page/{name}.br").status == 404 for name in NAMES)


def test_the_icon_is_asked_for_again(serving: Serving) -> None:
    """Its address stays, so what is there may change."""
    answer = serving.ask("/page/icon.svg")
    assert (answer.headers["content-type"], answer.headers["cache-control"]) == ("image/svg+xml", "no-cache")
    assert serving.ask("/page/icon.svg", headers={"If-None-Match": answer.headers["etag"]}).status == 304


def test_the_element_has_an_address_that_stays(serving: Serving) -> None:
    """Which leads to the file of this version, for pages of any origin; where it is not built, to nothing."""
    answer = serving.ask("/page/tailrace-output.js")
    entry = bundle.entry(bundle.ELEMENT)
    if entry is None:
        assert answer.status == 404
        return
    assert answer.body == f'export * from "./{entry.script}";\n'.encode()
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["access-control-allow-origin"] == "*"


def test_who_may_read_is_said_once(serve: Serve) -> None:
    """A page of a listed origin gets its own name, not the one for everybody beside it."""
    serving = serve('cors_origins = ["https://ops.example"]')
    with serving.asking(f"/page/{NAMES[0]}", headers={"Origin": "https://ops.example"}) as response:
        assert response.headers.get_all("Access-Control-Allow-Origin") == ["https://ops.example"]


def test_a_page_is_small() -> None:
    """What it loads before it is of use, packed."""
    sizes = {name: len(gzip.compress((bundle.BUILT / name).read_bytes(), 9)) for name in _names()}
    assert sum(sizes.values()) <= MOST_BYTES, sizes


def test_a_page_names_its_files(serving: Serving) -> None:
    """All that its script imports are loaded ahead; nothing of it stands in the page."""
    text = serving.ask("/commands/count", headers={"Accept": "text/html"}).body.decode()
    entry = _entry()
    assert f'<script type="module" src="../page/{entry.script}"></script>' in text
    assert re.findall('rel="modulepreload" href="../page/([^"]+)"', text) == list(entry.modules)
    assert re.findall('rel="stylesheet" href="../page/([^"]+)"', text) == list(entry.styles)


def _given(answer: Answer) -> dict[str, object]:
    match = re.search('<script type="application/json" id="given">(.*?)</script>', answer.body.decode(), re.DOTALL)
    assert match is not None
    return msgspec.json.decode(match[1].encode(), type=dict[str, object])


def test_a_page_is_given_what_it_is_about(serving: Serving) -> None:
    """Which page, the way home, the commands, the run, and what may be done to it."""
    run_id, other = serving.start("echo"), serving.start("wait")
    home = _given(serving.ask("/"))
    assert (home["page"], home["root"], home["run"]) == ("home", "./", None)
    assert [command["name"] for command in home["commands"]] == ["count", "wait", "echo"]  # type: ignore[attr-defined]  # JSON
    run = _given(serving.ask(f"/runs/{run_id}"))
    assert (run["page"], run["root"]) == ("run", "../")
    assert run["may"] == {"start": True, "stop": True, "input": True, "pin": True, "share": False}
    assert _given(serving.ask(f"/runs/{other}"))["may"] == {
        "start": True,
        "stop": True,
        "input": False,
        "pin": True,
        "share": False,
    }
    several = _given(serving.ask(f"/runs?run={run_id}&run={other}"))
    assert several["page"] == "runs"
    assert [run["id"] for run in several["runs"]] == [run_id, other]  # type: ignore[attr-defined]  # JSON
    assert {command["name"] for command in several["commands"]} == {"echo", "wait"}  # type: ignore[attr-defined]  # JSON
    wrong = _given(serving.post("/commands/count", "n=0"))
    assert (wrong["page"], wrong["values"]) == ("command", {"n": "0"})
    assert wrong["errors"]
    missing = _given(serving.ask("/runs/none", headers={"Accept": "text/html"}))
    assert (missing["page"], missing["root"], missing["run"]) == ("problem", "../", None)


def test_every_page_has_the_same_policy(serving: Serving) -> None:
    """Styles are those of its own files, also where a terminal may be shown."""
    run_id = serving.start("count")
    paths = ("/", f"/runs/{run_id}", f"/runs?run={run_id}")
    policies = {serving.ask(path).headers["content-security-policy"] for path in paths}
    (policy,) = policies
    assert "style-src 'self';" in policy
