"""The pages without a browser: what they say, what their forms do, and what they may not."""

import re

import msgspec
import pytest

import tailrace
from tests.support.wait import wait_for
from tests.system.server.conftest import Serve
from tests.system.server.serving import Answer, Serving

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
MARKUP = "<script>alert(1)</script>&\"'"
HOSTILE = f"""
[commands.hostile]
title = '''{MARKUP}'''
description = '''{MARKUP}'''
argv = ['echo', '''{MARKUP}''', '{{x}}']
[commands.hostile.parameters.x]
type = "text"
title = '''{MARKUP}'''
help = '''{MARKUP}'''
default = '''{MARKUP}'''
"""


def _text(answer: Answer) -> str:
    return answer.body.decode()


def test_all_commands_have_a_form(serving: Serving) -> None:
    """With the limits of its parameters, and to an address that holds under any prefix."""
    text = _text(serving.ask("/", headers=HTML))
    assert '<form method="post" action="./commands/count" novalidate>' in text
    assert re.search(r'<input type="number"[^>]* value="3" min="1" max="100000"[^>]* name="n"', text)
    assert "Nothing has run yet." in text


@pytest.mark.parametrize("path", ["/", "/commands/count", "/runs/{run}", "/runs?run={run}", "/runs/none"])
def test_a_page_may_load_nothing_from_elsewhere(serving: Serving, path: str) -> None:
    """Nor have a script or style of its own, or be framed; it is not kept, and not taken for something else."""
    path = path.replace("{run}", serving.start("count"))
    headers = serving.ask(path, headers=HTML).headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == policy["worker-src"] == policy["frame-src"] == "'self'"
    assert policy["style-src"].split(" ")[0] == "'self'"
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"
    text = _text(serving.ask(path, headers=HTML))
    assert not re.search(r"""(?:src|href|action)="(?:https?:)?//|<style|style=|<script>|\son\w+=""", text)


def test_people_get_a_page_where_nothing_is(serving: Serving) -> None:
    """In the frame of the others, with the way to what there is; programs get a problem document."""
    answer = serving.ask("/no/such/thing", headers=HTML)
    assert (answer.status, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert '<a href="../../">All commands and runs</a>' in _text(answer)
    assert re.search(r'href="\.\./\.\./page/page-[\w-]+\.css"', _text(answer))
    assert serving.ask("/no/such/thing").headers["content-type"] == "application/problem+json"
    assert serving.ask("/api/thing", headers=HTML).headers["content-type"] == "application/problem+json"


def test_runs_are_called_by_their_commands_title(serving: Serving) -> None:
    """Wherever they are shown; a command without one by its name, a bare program by its own."""
    run_id, waiting = serving.start("count"), serving.start("wait")
    bare = tailrace.connect().start(["/usr/bin/env"])
    for path in ("/", "/commands/count"):
        assert 'class="link">Count</a>' in _text(serving.ask(path, headers=HTML))
    for run, name in ((run_id, "Count"), (waiting, "wait"), (bare.id, "env")):
        text = _text(serving.ask(f"/runs/{run}", headers=HTML))
        assert f"<h1>{name}</h1>" in text
        assert f"<title>{name}: {run}" in text


def test_a_form_leads_to_the_run(serving: Serving) -> None:
    """By an address that holds under any prefix; the page says how it ended."""
    answer = serving.post("/commands/count", "n=2", HTML)
    assert answer.status == 303
    found = re.fullmatch(r"\.\./runs/([a-z0-9]+)", answer.headers["location"])
    assert found is not None
    run = tailrace.Run(tailrace.connect(), found[1])
    run.wait(60)
    text = _text(serving.ask(f"/runs/{run.id}", headers=HTML))
    assert "exited 0" in text
    assert f'href="../api/runs/{run.id}/output?format=text"' in text
    assert "<code>seq 1 2</code>" in text


def test_a_form_that_does_not_fit_is_shown_again(serving: Serving) -> None:
    """With what was typed, and what is wrong with it, and nothing is started."""
    answer = serving.post("/commands/count", "n=0", HTML)
    assert answer.status == 400
    assert 'value="0"' in _text(answer)
    assert "n is out of range: it takes 1 to 100000" in _text(answer)
    assert tailrace.connect().list(tailrace.Query()).runs == ()


def test_what_has_run_is_listed(serving: Serving) -> None:
    """On the page of all commands, and on that of its own."""
    run_id = serving.start("count")
    wait_for(lambda: tailrace.connect().get(run_id).is_finished)
    for path in ("/", "/commands/count"):
        assert f"runs/{run_id}" in _text(serving.ask(path, headers=HTML))
    assert f"runs/{run_id}" not in _text(serving.ask("/commands/wait", headers=HTML))


def test_errors_are_pages_for_people(serving: Serving) -> None:
    """A browser gets a page, everybody else the problem document."""
    page, document = serving.ask("/runs/none", headers=HTML), serving.ask("/runs/none")
    assert (page.status, document.status) == (404, 404)
    assert "There is no run" in _text(page)
    assert document.headers["content-type"] == "application/problem+json"
    assert "detail" in msgspec.json.Decoder(dict[str, object]).decode(document.body)


@pytest.mark.parametrize("path", ["/", "/commands/hostile", "/runs/{run}"])
def test_text_never_becomes_markup(serve: Serve, path: str) -> None:
    """Whatever titles, descriptions, values and arguments say."""
    serving = serve(HOSTILE)
    path = path.replace("{run}", serving.start("hostile"))
    text = _text(serving.ask(path, headers=HTML))
    assert "<script>" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&amp;&quot;&#x27;" in text


def test_a_form_types_into_a_run_and_ends_it(serving: Serving) -> None:
    """A line at a time; each leads back to the run's page."""
    run_id = serving.start("echo")
    own = {**HTML, "Origin": serving.address.rstrip("/")}
    for form in ("line=a+%3Cb%3E", "line=&close=1"):
        answer = serving.post(f"/runs/{run_id}/input", form, own)
        assert (answer.status, answer.headers["location"]) == (303, f"../{run_id}")
    run = tailrace.Run(tailrace.connect(), run_id)
    run.wait(60)
    assert serving.ask(f"/api/runs/{run_id}/output").body == b"got a <b>\n"


@pytest.mark.parametrize("form", ["", "now=1"])
def test_a_form_stops_a_run(serving: Serving, form: str) -> None:
    """By the ladder, whose first signal is enough here."""
    run_id = serving.start("wait")
    wait_for(lambda: tailrace.connect().get(run_id).size)
    answer = serving.post(f"/runs/{run_id}/stop", form, {"Sec-Fetch-Site": "same-origin"})
    assert (answer.status, answer.headers["location"]) == (303, f"../{run_id}")
    wait_for(lambda: tailrace.connect().get(run_id).is_finished)
    assert "stopped" in _text(serving.ask(f"/runs/{run_id}", headers=HTML))


@pytest.mark.parametrize(
    ("path", "form", "headers", "status"),
    [
        ("input", "line=x", {}, 403),
        ("stop", "", {"Sec-Fetch-Site": "none"}, 403),
        ("stop", "", {"Sec-Fetch-Site": "same-site"}, 403),
        ("stop", "now=2", {"Sec-Fetch-Site": "same-origin"}, 400),
        ("stop", "later=1", {"Sec-Fetch-Site": "same-origin"}, 400),
        ("input", "", {"Sec-Fetch-Site": "same-origin"}, 400),
        ("input", "line=x&more=1", {"Sec-Fetch-Site": "same-origin"}, 400),
        ("input", "line=x&line=y", {"Sec-Fetch-Site": "same-origin"}, 400),
        ("input", "line=%ff", {"Sec-Fetch-Site": "same-origin"}, 400),
    ],
)
def test_a_form_that_is_not_the_pages_changes_nothing(
    serving: Serving, path: str, form: str, headers: dict[str, str], status: int
) -> None:
    """Nor one of which the browser does not say whose it is; people get a page that says so."""
    run_id = serving.start("echo")
    answer = serving.post(f"/runs/{run_id}/{path}", form, {**HTML, **headers})
    assert answer.status == status
    assert 'href="../../"' in _text(answer)
    info = tailrace.connect().get(run_id)
    assert (info.outcome, info.ladder, info.size) == (None, (), 0)


def test_a_finished_run_has_no_forms(serving: Serving) -> None:
    """Its output stands there as text, in a frame that may do nothing; of a long one, the end."""
    run_id, long = serving.start("count"), serving.start("count", "n=100000")
    wait_for(lambda: all(tailrace.connect().get(each).is_finished for each in (run_id, long)))
    text = _text(serving.ask(f"/runs/{run_id}", headers=HTML))
    assert "<form" not in text
    source = f"../api/runs/{run_id}/output?format=text"
    assert f'<noscript><div class="plain-tools"><a href="{source}">Whole text</a></div><iframe src="{source}"' in text
    assert " sandbox " in text


def test_several_runs_stand_side_by_side(serving: Serving) -> None:
    """Each with the end of its output; a query that names none leads to the list."""
    run_ids = [serving.start("count"), serving.start("wait")]
    text = _text(serving.ask(f"/runs?run={run_ids[0]}&run={run_ids[1]}", headers=HTML))
    for run_id in run_ids:
        assert f'href="./runs/{run_id}"' in text
        assert f'src="./api/runs/{run_id}/output?format=text&amp;follow=0&amp;tail=200"' in text
    answer = serving.ask("/runs", headers=HTML)
    assert (answer.status, answer.headers["location"]) == (303, "./")


@pytest.mark.parametrize(
    ("query", "status"), [("run=none", 404), ("run={0}&run={0}", 400), ("run={0}&x=1", 400), ("x=1", 400)]
)
def test_what_cannot_be_shown_side_by_side_is_told(serving: Serving, query: str, status: int) -> None:
    """As a page."""
    answer = serving.ask(f"/runs?{query.format(serving.start('count'))}", headers=HTML)
    assert answer.status == status
    assert '<a href="./" class="home">' in _text(answer)


def test_without_its_slash_the_page_leads_there(serve: Serve) -> None:
    """Links on it would otherwise lead elsewhere."""
    serving = serve('trusted_proxies = ["127.0.0.1"]')
    answer = serving.ask("/", headers={**HTML, "X-Forwarded-Prefix": "/ops"})
    assert answer.status == 200
    assert "./commands/count" in _text(answer)
