"""Those who are let in, and try more than they may: a viewer who acts, and whoever looks at what is not his.

That every route asks, and what each role may of it, is in `tests/system/server/test_access.py`.
"""

import json
import re
from contextlib import suppress

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

import tailrace
from tests.support.wait import wait_for
from tests.system.security.town import HTML, MakeTown, Town, bearer, has_ended, refused
from tests.system.server.serving import UPGRADE, raw

ASKS: tuple[dict[str, object], ...] = (
    {"type": "stop"},
    {"type": "stop", "now": True},
    {"type": "signal", "signal": "KILL"},
    {"type": "input", "text": "x\n"},
    {"type": "close-input"},
    {"type": "resize", "rows": 5, "columns": 5},
)


def _opened(town: Town, run_id: str, who: dict[str, str]) -> ClientConnection:
    url = f"ws://127.0.0.1:{town.serving.port}/api/runs/{run_id}/socket"
    return connect(url, additional_headers=who, proxy=None)


def _answer(client: ClientConnection) -> dict[str, object]:
    while True:
        message = client.recv(60)
        if isinstance(message, str) and (found := json.loads(message)).get("type") in {"error", "reply"}:
            return dict(found)


@pytest.mark.parametrize("who", ["a viewer", "a viewer's token", "a link"])
def test_a_viewer_who_acts_by_websocket(town: Town, who: str) -> None:
    """Each message is refused, says what was not allowed, and the run is as it was."""
    run_id = town.waiting(town.browser("otto"))
    headers = {
        "a viewer": lambda: town.browser("vera"),
        "a viewer's token": lambda: town.token("viewer", "watching"),
        "a link": lambda: bearer(town.link(run_id)),
    }[who]()
    with town.unmoved(), _opened(town, run_id, headers) as client:
        for ask in ASKS:
            client.send(json.dumps(ask))
            answer = _answer(client)
            assert (answer["type"], answer["status"], bool(answer["hint"])) == ("error", 403, True), ask
        client.send(b"x\n")
        assert _answer(client)["status"] == 403
    assert town.engine.get(run_id).size == 0


def test_a_viewer_who_acts(town: Town) -> None:
    """By no form, and by no route of the API; the run's page shows him none but the way out."""
    run_id = town.waiting(town.browser("otto"))
    vera = town.browser("vera")
    with town.unmoved():
        for what in ("stop", "input", "pin", "unpin", "share"):
            refused(town.ask(f"/api/runs/{run_id}/{what}", vera, "POST", b""), 403)
        for what in ("stop", "input"):
            assert town.ask(f"/runs/{run_id}/{what}", {**vera, **HTML}, "POST", b"").status == 403
        for path in ("/api/commands/count/runs", "/commands/count"):
            refused(town.ask(path, vera, "POST", b""), 403)
    shown = town.ask(f"/runs/{run_id}", {**vera, **HTML}).body
    assert re.findall(rb'<form[^>]* action="([^"]*)"', shown) == [b"../logout"] * shown.count(b"<form")


def test_figures_and_the_audit_are_not_for_everybody(town: Town) -> None:
    """Figures are an admin's; who did what is at no address, nor is what lies beside it."""
    for who in ("vera", "otto"):
        refused(town.ask("/metrics", town.cookie(who)), 403)
    assert town.ask("/metrics", town.cookie("anna")).status == 200
    run_id = town.start("count", town.browser("otto"))
    for path in ("/audit", "/audit.jsonl", "/api/audit", "/auth/secret", "/tailrace.toml", f"/api/runs/{run_id}/spec"):
        refused(town.ask(path, town.cookie("anna")), 404)


def test_a_command_for_others(town: Town) -> None:
    """It is not there, by any name of it, in any list, for whoever may not start it."""
    otto = town.browser("otto")
    with town.unmoved():
        refused(town.ask("/api/commands/ops/runs", otto, "POST", b""), 404)
        assert town.ask("/commands/ops", {**otto, **HTML}, "POST", b"").status == 404
    refused(town.ask("/api/commands/ops", otto), 404)
    for path in ("/api/commands", "/", "/api/runs?command=ops"):
        assert b'"ops"' not in town.ask(path, otto).body


def test_what_is_not_his(make_town: MakeTown) -> None:
    """With `own_runs_only` another's run is on no wire, in no list, search or event: it is not there."""
    town = make_town("[access]\nown_runs_only = true")
    otto, olga = town.browser("otto"), town.browser("olga")
    run_id, hers = town.waiting(otto), town.waiting(olga)
    tailrace.Run(town.engine, run_id).send(b"word\n")
    wait_for(lambda: town.engine.get(run_id).size)
    missing = "0" * len(run_id)
    parts = ["", "/output", "/lines", "/search?q=got", "/activity"]
    parts += [f"/output?format={wire}" for wire in ("text", "lines", "sse", "ndjson", "cast")]
    parts += ["/output?tail=1&follow=0", "/output?from=1", "/search?q=got&format=sse"]
    with town.unmoved():
        for part in parts:
            for more in ({}, {"Range": "bytes=0-"}, {"Last-Event-ID": f"{run_id}/0"}):
                hidden = town.ask(f"/api/runs/{run_id}{part}", {**olga, **more})
                unknown = town.ask(f"/api/runs/{missing}{part}", {**olga, **more})
                refused(hidden, 404)
                assert hidden.body.replace(run_id.encode(), missing.encode()) == unknown.body
        for part in ("stop", "input", "pin", "unpin", "share"):
            refused(town.ask(f"/api/runs/{run_id}/{part}", olga, "POST", b""), 404)
        for query in (f"run={run_id}", f"run={hers}&run={run_id}", f"run={run_id}/end", f"list=1&run={run_id}"):
            refused(town.ask(f"/api/events?{query}", olga), 404)
        for path in (f"/runs/{run_id}", f"/runs?run={run_id}", f"/runs?run={hers}&run={run_id}"):
            assert town.ask(path, {**olga, **HTML}).status == 404
        head = f"GET /api/runs/{run_id}/socket HTTP/1.1\r\nHost: localhost\r\nCookie: {olga['Cookie']}\r\n"
        assert raw(town.serving, head.encode() + UPGRADE + b"\r\n").startswith(b"HTTP/1.1 404 ")
    for query in ("", f"?q={run_id}", "?by=otto", "?q=otto", "?command=echo", "?state=running", f"?cursor={run_id}"):
        answer = town.ask(f"/api/runs{query}", olga)
        assert answer.status == 200
        assert run_id.encode() not in answer.body
        assert json.loads(answer.body).get("total") in {None, 0, 1}
    assert run_id.encode() not in town.ask("/", {**olga, **HTML}).body
    with town.serving.asking("/api/events?list=1", headers=olga) as events:
        begun = town.waiting(otto)
        mine = town.waiting(olga)
        seen = b""
        while mine.encode() not in seen:
            piece = events.read1()
            assert piece, seen
            seen += piece
    assert not {each for each in (run_id, begun) if each.encode() in seen}


def test_a_key_that_leads_to_another_users_run(make_town: MakeTown) -> None:
    """Whoever starts what is going already, and may not see that, learns no more of it than that it goes."""
    command = '[commands.once]\nargv = ["sleep", "1000"]\nkey = "once"\nwhen_busy = "join"\n'
    town = make_town(f"[access]\nown_runs_only = true\n{command}")
    run_id = town.start("once", town.browser("otto"))
    with town.unmoved():
        for accept in ("*/*", "text/event-stream", "text/plain"):
            answer = town.ask("/api/commands/once/runs", town.browser("olga"), "POST", b"", Accept=accept)
            refused(answer, 403)
            assert run_id.encode() not in answer.body


def test_a_stream_ends_with_the_right_to_it(make_town: MakeTown) -> None:
    """Whoever is taken out of the group that may see a run is shown no more of it, though he is still let in."""
    town = make_town('[[access.rules]]\ncommands = ["echo"]\nactions = ["view"]\nallow = ["group:ops"]')
    town.users.change("otto", groups=("ops",))
    otto = town.browser("otto")
    run_id = town.waiting(otto)
    with (
        town.serving.asking(f"/api/runs/{run_id}/output?format=sse", headers=otto) as stream,
        town.serving.asking(f"/api/events?run={run_id}", headers=otto) as events,
        _opened(town, run_id, otto) as socket,
    ):
        assert stream.read1()
        assert events.read1()
        town.users.change("otto", groups=())
        wait_for(lambda: has_ended(stream))
        wait_for(lambda: has_ended(events))
        wait_for(lambda: _is_closed(socket))
    assert town.ask("/api/runs", otto).status == 200
    refused(town.ask(f"/api/runs/{run_id}", otto), 404)
    assert not town.engine.get(run_id).is_finished


def _is_closed(socket: ClientConnection) -> bool:
    with suppress(TimeoutError, ConnectionClosed):
        socket.recv(0.1)
    return socket.close_code is not None


def test_a_user_who_is_called_like_a_token(make_town: MakeTown) -> None:
    """Whatever a proxy or a provider says that he is called: runs are somebody's by name, and this is a program's."""
    text = 'user_header = "X-User"\ntrusted_proxies = ["127.0.0.1"]\n[access]\ndefault_role = "operator"\n'
    town = make_town(f"{text}own_runs_only = true", "proxy")
    run_id = town.waiting(town.token("operator", "CI"))
    with town.unmoved():
        for name in ("token:CI", "token:", " token:CI", "token", "share", "hook note"):
            refused(town.ask(f"/api/runs/{run_id}", {"X-User": name}), 403)
            answer = town.ask(f"/api/runs/{run_id}/stop", {"X-User": name}, "POST", b"")
            refused(answer, 403)
            assert b"is a name that this server gives" in answer.body
    refused(town.ask(f"/api/runs/{run_id}", {"X-User": "CI"}), 404)
