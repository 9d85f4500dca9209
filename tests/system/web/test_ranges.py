"""Range requests for the text of a run, live and finished."""

from pathlib import Path

import pytest

from tailrace import Engine
from tests.support.wait import wait_for
from tests.system.web.gate import gated
from tests.system.web.sites import Site
from tests.system.web.test_rules import check_problem, get
from tests.system.web.test_watching import OUTPUT

SIZE = len(OUTPUT)


@pytest.fixture
def run_id(engine: Engine) -> str:
    """Give a finished run that has written `OUTPUT`."""
    run = engine.start(["seq", "100"])
    run.wait(60)
    return run.id


@pytest.mark.parametrize(
    ("asked", "begin", "end"),
    [
        ("bytes=0-", 0, SIZE),
        ("bytes=100-", 100, SIZE),
        ("bytes=100-199", 100, 200),
        ("bytes=0-0", 0, 1),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE),
        ("bytes=200-100000", 200, SIZE),
        ("bytes=-10", SIZE - 10, SIZE),
        ("bytes=-100000", 0, SIZE),
    ],
)
def test_a_part(app: Site, run_id: str, asked: str, begin: int, end: int) -> None:
    """206, with exactly these bytes, and the headers that say which they are."""
    response = get(app, f"/watch/{run_id}", {"Range": asked})
    assert (response.status_code, response.data) == (206, OUTPUT[begin:end])
    assert response.headers["Content-Range"] == f"bytes {begin}-{end - 1}/{SIZE}"
    assert response.headers["Content-Length"] == str(end - begin)
    assert response.headers["ETag"] == f'"{run_id}"'


@pytest.mark.parametrize(
    "headers",
    [
        {"Range": "bytes=0-1,5-6"},
        {"Range": "lines=0-1"},
        {"Range": "bytes=-"},
        {"Range": "bytes=x-"},
        {"Range": "bytes=5-", "If-Range": '"another"'},
        {"Range": "bytes=5-", "If-Range": "Sun, 22 Nov 2026 00:00:00 GMT"},
    ],
)
def test_what_may_be_ignored(app: Site, run_id: str, headers: dict[str, str]) -> None:
    """All of it, as if no range had been asked for."""
    response = get(app, f"/watch/{run_id}", headers)
    assert (response.status_code, response.data) == (200, OUTPUT)
    assert response.headers["Accept-Ranges"] == "bytes"


def test_the_tag_holds(app: Site, run_id: str) -> None:
    """With the run's own tag a range is honoured; HEAD takes none."""
    headers = {"Range": "bytes=5-", "If-Range": f'"{run_id}"'}
    assert get(app, f"/watch/{run_id}", headers).data == OUTPUT[5:]
    head = get(app, f"/watch/{run_id}", headers, method="HEAD")
    assert (head.status_code, head.headers["Content-Length"], head.data) == (200, str(SIZE), b"")


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", "bytes=5-4", "bytes=-0", f"bytes={10**18}-"])
def test_a_part_that_is_not_there(app: Site, run_id: str, asked: str) -> None:
    """416, with the length that there is."""
    response = get(app, f"/watch/{run_id}", {"Range": asked})
    check_problem(response, 416)
    assert response.headers["Content-Range"] == f"bytes */{SIZE}"


def test_a_live_run_gives_what_there_is(app: Site, engine: Engine, tmp_path: Path) -> None:
    """The part up to now, complete at once; later, under the same tag, the rest."""
    gate = tmp_path / "gate"
    run = engine.start(gated("seq 3", gate, "seq 4 6"))
    wait_for(lambda: run.info().size == 6)
    live = get(app, f"/watch/{run.id}", {"Range": "bytes=2-"})
    assert (live.status_code, live.data, live.headers["Content-Range"]) == (206, b"2\n3\n", "bytes 2-5/*")
    assert get(app, f"/watch/{run.id}", {"Range": "bytes=6-"}).status_code == 416
    gate.touch()
    run.wait(60)
    rest = get(app, f"/watch/{run.id}", {"Range": "bytes=6-", "If-Range": live.headers["ETag"]})
    assert (rest.data, rest.headers["Content-Range"]) == (b"4\n5\n6\n", "bytes 6-11/12")


def test_only_the_whole_text_has_parts(app: Site, run_id: str) -> None:
    """Another wire, or a text that is a part already, is given as it is asked for."""
    for query in ("?format=lines", "?from=5", "?tail=1", "?stream=stdout"):
        response = get(app, f"/watch/{run_id}{query}", {"Range": "bytes=1-2"})
        assert response.status_code == 200
        assert "Accept-Ranges" not in response.headers
