"""Lines of outputs that nobody has counted yet: at once, without their numbers. Under Flask and ASGI alike."""

import json
import shlex
from collections.abc import Iterator
from contextlib import closing
from itertools import accumulate
from pathlib import Path

import msgspec
import pytest

from tailrace.core.lineindex import RECORD_BYTES, STRIDE_BYTES
from tailrace.core.lines import Line
from tailrace.core.wires import LIMIT_BYTES
from tailrace.engine.run import Run
from tailrace.web.excerpt import BACK_BYTES, TEXT_CHARS
from tailrace.web.routes import lines as route
from tailrace.web.routes.lines import LinePage
from tests.support.wait import wait_for
from tests.system.web.conftest import Mount
from tests.system.web.mounted import Policy, ask
from tests.system.web.sites import Site
from tests.system.web.test_rules import check_problem

PAGES = msgspec.json.Decoder(LinePage)
MANY = b"".join(b"%d %s\n" % (number, b"x" * (number * 37 % 101)) for number in range(50_000))
"""lines of some 60 bytes"""
HUGE = "€é𝄞a".encode() * (3 * BACK_BYTES // 10)
"""one line, three times as long as anybody looks for its ends, with characters over all borders"""
LONG = b"y" * (BACK_BYTES - 100_000)
"""one line that is nearly too long"""


@pytest.fixture
def site(mount: Mount, policy: Policy, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Give an application in which a request counts hardly anything."""
    monkeypatch.setattr(route, "COUNTED_BYTES", STRIDE_BYTES)
    return mount(policy)


def printed(site: Site, data: bytes, tmp_path: Path) -> Run:
    """Return a run, ended, that printed these bytes."""
    (tmp_path / "data").write_bytes(data)
    run = site.engine.start(["sh", "-c", f"cat {shlex.quote(str(tmp_path / 'data'))}"], by="ann")
    run.wait(60)
    return run


def page_of(site: Site, run: Run, query: str) -> LinePage:
    """Return a page."""
    reply = ask(site, f"/ops/api/runs/{run.id}/lines?{query}")
    assert reply.status_code == 200, reply.data
    return PAGES.decode(reply.data)


def texts(lines: list[Line]) -> list[str]:
    """Return the lines' texts."""
    return [line.text for line in lines]


def whole(data: bytes, page: LinePage) -> None:
    """See that a page shows exactly its bytes; of a line longer than 64 KiB that it has whole, the beginning."""
    assert page.begin is not None
    assert page.end is not None
    at = page.begin
    ends = [*(line.offset for line in page.lines[1:]), page.end]
    for line, end in zip(page.lines, ends, strict=True):
        assert line.offset == at
        assert not line.inside or at > 0
        shown = data[at : line.rest if line.continued else end].removesuffix(b"\n").decode()
        assert line.text == shown
        assert line.partial == (end == len(data) and not data.endswith(b"\n"))
        if not line.inside:
            assert at == data.rfind(b"\n", 0, at) + 1
        at = end


def test_the_last_lines_come_at_once(site: Site, tmp_path: Path) -> None:
    """Counted from the end, below 0; when all has been counted, the same lines have their numbers."""
    run = printed(site, MANY, tmp_path)
    page = page_of(site, run, "last=3")
    assert [line.number for line in page.lines] == [-3, -2, -1]
    assert texts(page.lines) == [text.decode() for text in MANY.splitlines()[-3:]]
    assert (page.start, page.next, page.total, page.end, page.size) == (-3, None, None, len(MANY), len(MANY))
    assert page.counted < len(MANY)
    assert page_of(site, run, "start=-3") == page
    some = page_of(site, run, "last=5&count=2")
    assert ([line.number for line in some.lines], some.start, some.next) == ([-5, -4], -5, 0)
    wait_for(lambda: page_of(site, run, "start=50000").total == 50_000)
    again = page_of(site, run, "last=3")
    assert (again.start, again.total, again.begin, again.end) == (49_998, 50_000, page.begin, page.end)
    assert [line.number for line in again.lines] == [49_998, 49_999, 50_000]
    assert texts(again.lines) == texts(page.lines)


def test_the_end_of_a_run_that_goes_on(site: Site, tmp_path: Path) -> None:
    """`at` the end of a page goes on from there, from half a line too."""
    (tmp_path / "data").write_bytes(MANY + b"half")
    run = site.engine.start(
        ["sh", "-c", f"cat {shlex.quote(str(tmp_path / 'data'))} -"], by="ann", stdin=True, ladder=[("TERM", 30)]
    )
    wait_for(lambda: run.info().size == len(MANY) + 4)
    page = page_of(site, run, "last=2")
    assert (texts(page.lines)[1], page.lines[1].partial, page.next) == ("half", True, 0)
    run.send(b" a line\nnext\n")
    wait_for(lambda: run.info().size == len(MANY) + 17)
    page = page_of(site, run, f"at={page.end}")
    assert (texts(page.lines), page.start, page.next) == (["half a line", "next"], 0, 0)
    page = page_of(site, run, f"at={page.end}")
    assert (page.lines, page.start, page.begin, page.end, page.next) == ([], 0, page.size, page.size, 0)
    run.close_input()
    run.wait(60)
    assert page_of(site, run, f"at={page.end}").next is None


def test_a_far_number_is_not_known_yet(site: Site, tmp_path: Path) -> None:
    """From either end; the page says so, and is there in the end."""
    run = printed(site, MANY * 4, tmp_path)
    for query, number in (("start=150000", 150_000), ("last=150000&count=5", -150_000)):
        page = page_of(site, run, query)
        assert (page.start, page.next, page.lines, page.total) == (number, number, [], None)
        assert (page.begin, page.end) == (None, None)
    wait_for(lambda: page_of(site, run, "start=150000").lines)
    wait_for(lambda: page_of(site, run, "start=200000").total == 200_000)
    assert page_of(site, run, "last=50001&count=5").lines == page_of(site, run, "start=150000&count=5").lines


def test_a_place_is_known_by_its_offset(site: Site, tmp_path: Path) -> None:
    """Its number is 0; the number of a time too."""
    run = printed(site, MANY, tmp_path)
    middle = len(MANY) // 2
    page = page_of(site, run, f"at={middle}&count=10")
    whole(MANY, page)
    assert (page.begin, page.start, page.next, page.total) == (MANY.rfind(b"\n", 0, middle) + 1, 0, 0, None)
    assert {line.number for line in page.lines} == {0}
    assert page_of(site, run, "time=1000000&count=1").start == 0
    assert page_of(site, run, "at=100&count=1").start > 0
    for query in (f"at={len(MANY) + 1}", f"before={len(MANY) + 1}"):
        check_problem(ask(site, f"/ops/api/runs/{run.id}/lines?{query}"), 416)


def forward(site: Site, run: Run, query: str) -> Iterator[LinePage]:
    """Yield pages from the start to the end, by their ends."""
    page = page_of(site, run, f"at=0&{query}")
    while True:
        yield page
        if page.next is None:
            return
        page = page_of(site, run, f"at={page.end}&{query}")


def backward(site: Site, run: Run, query: str) -> Iterator[LinePage]:
    """Yield pages from the end to the start, by their beginnings."""
    page = page_of(site, run, f"last=1000&{query}")
    while True:
        yield page
        if page.begin == 0:
            return
        page = page_of(site, run, f"before={page.begin}&{query}")


SHAPES = {
    "many": MANY,
    "one huge": HUGE,
    "huge between": MANY[:1_000_000] + HUGE + b"\n" + MANY[:700_000],
    "huge at the end": MANY[:1_000_000] + HUGE,
    "long ones": b"a\n" + LONG + b"\n" + LONG + b"\n" + LONG,
    "some of a page": b"".join(b"z" * size + b"\n" for size in (1 << 20, 70_000, 900_000, 65_536, 65_537) * 3),
}


def step(begin: int, size: int) -> int:
    """Return where the next line begins."""
    return begin + size + 1


@pytest.mark.parametrize("adapter", ["flask"], indirect=True)
@pytest.mark.parametrize("shape", SHAPES)
def test_pages_lead_on_by_their_offsets(site: Site, tmp_path: Path, shape: str) -> None:
    """To both sides, over lines of any length; nothing is left out or comes twice, whether numbers are known or not."""
    data = SHAPES[shape]
    numbers = {
        begin: number for number, begin in enumerate(accumulate(map(len, data.split(b"\n")), step, initial=0), 1)
    }
    run = printed(site, data, tmp_path)
    for is_counted in (False, True):
        forth, back = (list(pages(site, run, "count=1000")) for pages in (forward, backward))
        for way in (forth, back[::-1]):
            assert way[0].begin == 0
            assert way[-1].end == len(data)
            assert [page.end for page in way[:-1]] == [page.begin for page in way[1:]]
            for page in way:
                whole(data, page)
                assert sum(map(len, texts(page.lines))) <= TEXT_CHARS + LIMIT_BYTES
                if is_counted:
                    assert [line.number for line in page.lines] == [numbers[line.offset] for line in page.lines]
                    assert not any(line.inside for line in page.lines)
        with closing(site.engine.cursor(run.id)) as cursor:
            cursor.lines().count()


def test_a_huge_last_line_is_shown_in_pieces(site: Site, tmp_path: Path) -> None:
    """Of 64 KiB, at borders that are the same for everybody; its number is that of the last line."""
    data = MANY[:100_000] + HUGE
    run = printed(site, data, tmp_path)
    page = page_of(site, run, "last=3")
    whole(data, page)
    assert [line.number for line in page.lines] == [-1, -1, -1]
    assert [line.continued for line in page.lines] == [True, True, False]
    assert [line.partial for line in page.lines] == [False, False, True]
    assert all(line.inside and line.offset % LIMIT_BYTES < 4 for line in page.lines)
    assert page_of(site, run, f"at={page.lines[1].offset}").begin == page.lines[1].offset


@pytest.fixture
def usual(mount: Mount, policy: Policy) -> Site:
    """Give an application that counts as it does."""
    return mount(policy)


def index_of(site: Site, run: Run) -> Path:
    """Return where the index is."""
    (index,) = Path(str(site.engine).split("disk:")[1].rstrip("')")).glob(f"runs/{run.id}")
    return index / "lines"


def is_whole(index: Path, size: int) -> bool:
    """Tell whether the index has a record for each stride."""
    return index.exists() and index.stat().st_size == size // STRIDE_BYTES * RECORD_BYTES


def test_the_rest_is_counted_behind_the_request(usual: Site) -> None:
    """Nobody has to ask for it again; a large output is indexed when its run has ended, too."""
    size = 200_000_000
    run = usual.engine.start(["sh", "-c", f"yes 'a line' | head -c {size}"], by="ann")
    run.wait(60)
    index = index_of(usual, run)
    wait_for(lambda: is_whole(index, size))
    assert page_of(usual, run, "last=1").total == size // 7 + 1
    index.unlink()
    page = page_of(usual, run, "last=1000")
    assert (page.start, page.total, len(page.lines)) == (-1000, None, 1000)
    wait_for(lambda: is_whole(index, size))
    page = page_of(usual, run, "start=20000000&count=1")
    assert (page.begin, page.total) == (7 * (20_000_000 - 1), size // 7 + 1)


def test_where_no_index_can_be_written(usual: Site) -> None:
    """What has been counted is remembered all the same, by this process, so that asking again leads somewhere."""
    size = 100_000_000
    run = usual.engine.start(["sh", "-c", f"yes 'a line' | head -c {size}"], by="ann")
    run.wait(60)
    index = index_of(usual, run)
    wait_for(lambda: is_whole(index, size))
    index.unlink()
    index.mkdir()
    assert page_of(usual, run, "last=1").start == -1
    wait_for(lambda: page_of(usual, run, "last=1").total == size // 7 + 1)
    assert json.loads(ask(usual, f"/ops/api/runs/{run.id}/lines?start=14000000&count=1").data)["lines"][0][
        "offset"
    ] == (7 * (14_000_000 - 1))
    assert not list(index.iterdir())


def test_whoever_watches_has_it_counted(usual: Site) -> None:
    """The index follows the tail of a live run that somebody asks for now and then."""
    run = usual.engine.start(["sh", "-c", "yes 'a line' | head -c 100000000; cat"], by="ann", stdin=True)
    wait_for(lambda: run.info().size == 100_000_000)
    index = index_of(usual, run)
    page_of(usual, run, "last=1")
    wait_for(lambda: is_whole(index, 100_000_000))
    for _ in range(40):
        run.send(b"line\n" * 10_000)
    wait_for(lambda: run.info().size == 102_000_000)
    wait_for(lambda: is_whole(index, 102_000_000))
    run.close_input()
    run.wait(60)
