"""Links to single runs, in the hands of whoever should not have more than that.

That one is good for its run, becomes a cookie, is refused when altered, cut or expired, and ends with its secret, is in
`tests/system/server/test_access.py`.
"""

import hashlib
import json
import time
from urllib.parse import quote

import pytest
from itsdangerous import URLSafeSerializer, URLSafeTimedSerializer

from tailrace.server.auth.shares import SALT
from tailrace.server.auth.tokens import OWN
from tests.support.wait import wait_for
from tests.system.security.town import HTML, Town, bearer, refused
from tests.system.server.serving import UPGRADE, raw

HOW = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}


def test_every_wire_of_its_run_and_nothing_else(town: Town) -> None:
    """As a token or as a cookie: what shows the run is shown; nothing is done, started, listed, or told of others."""
    run_id, other = town.start("count", town.browser("otto")), town.waiting(town.browser("otto"))
    wait_for(lambda: town.engine.get(run_id).is_finished)
    link = town.link(run_id)
    opened = town.ask(f"/runs/{run_id}?share={link}")
    holders = (bearer(link), {"Cookie": opened.headers["set-cookie"].partition(";")[0]})
    shown = ["", "/output", "/lines", "/search?q=1", "/activity"]
    shown += [f"/output?format={wire}" for wire in ("text", "lines", "sse", "ndjson", "cast")]
    for holder in holders:
        with town.unmoved():
            for part in shown:
                assert town.ask(f"/api/runs/{run_id}{part}", holder).status == 200, part
                refused(town.ask(f"/api/runs/{other}{part}", holder), 404)
            assert town.ask(f"/api/runs/{run_id}/output", holder, Range="bytes=2-3").status == 206
            assert town.ask(f"/api/events?run={run_id}", holder).status == 200
            refused(town.ask(f"/api/events?run={run_id}&run={other}", holder), 404)
            refused(town.ask(f"/api/events?run={run_id}&list=1", holder), 403)
            for path in ("/api/runs", "/api/commands", "/api/commands/count", "/api/openapi.json", "/api/probe"):
                refused(town.ask(path, holder), 403)
            refused(town.ask("/metrics", holder), 403)
            for path in ("/api/commands/count/runs", *(f"/api/runs/{run_id}/{what}" for what in ("stop", "share"))):
                refused(town.ask(path, {**holder, "Origin": town.origin}, "POST", b""), 403)
            line = "".join(f"{name}: {value}\r\n" for name, value in holder.items())
            head = f"GET /api/runs/{other}/socket HTTP/1.1\r\nHost: localhost\r\n{line}"
            assert raw(town.serving, head.encode() + UPGRADE + b"\r\n").startswith(b"HTTP/1.1 404 ")


def test_a_link_signed_by_somebody_else(town: Town) -> None:
    """With another secret, salt, digest or form, or for a longer time: it is believed in nothing."""
    run_id, other = town.start("count", town.browser("otto")), town.start("count", town.browser("otto"))
    until, secret = int(time.time()) + 3600, town.vault.secret()
    text = town.link(run_id)
    payload, _, signature = text.rpartition(".")
    longer = URLSafeSerializer("x").dumps([run_id, until + 10**9]).rpartition(".")[0]
    another = URLSafeSerializer("x").dumps([other, until]).rpartition(".")[0]
    expired = URLSafeSerializer(secret, salt=SALT, signer_kwargs=HOW)
    forged = [
        URLSafeSerializer("", salt=SALT, signer_kwargs=HOW).dumps([run_id, until]),
        URLSafeSerializer("secret", salt=SALT, signer_kwargs=HOW).dumps([run_id, until]),
        URLSafeSerializer(secret, salt="itsdangerous", signer_kwargs=HOW).dumps([run_id, until]),
        URLSafeSerializer(secret, salt=SALT).dumps([run_id, until]),
        URLSafeTimedSerializer(secret, salt=SALT, signer_kwargs=HOW).dumps([run_id, until]),
        expired.dumps([run_id, int(time.time()) - 1]),
        expired.dumps([run_id, str(until)]),
        expired.dumps([run_id, None]),
        expired.dumps({"run": run_id, "until": until}),
        expired.dumps([f"../{run_id}", until]),
        f"{longer}.{signature}",
        f"{another}.{signature}",
        f"{payload}.",
        f"{payload}.{signature}.{signature}",
        f"{payload}{signature}",
        f" {text}x",
        text.swapcase(),
        "." + text,
        text + "A" * 400,
        "null",
    ]
    for link in forged:
        for each in (run_id, other):
            refused(town.ask(f"/api/runs/{each}", bearer(link.strip())), 401)
            answer = town.ask(f"/runs/{each}?share={quote(link)}", HTML)
            assert (answer.status, "set-cookie" in answer.headers) == (403, False), link
    assert town.ask(f"/api/runs/{run_id}", bearer(text)).status == 200


@pytest.mark.parametrize("lasts", [0, -1, 0.5, 1e12, "9" * 400, None, "1h"])
def test_a_link_for_ever(town: Town, lasts: object) -> None:
    """Nobody makes one that lasts longer than a year, or has lasted already."""
    run_id = town.start("count", town.browser("otto"))
    body = json.dumps({"expires": lasts}).encode()
    refused(
        town.ask(f"/api/runs/{run_id}/share", town.browser("otto"), "POST", body, Content_Type="application/json"), 400
    )


def test_what_is_signed_for_another_purpose(town: Town) -> None:
    """The same secret signs nothing that could be taken for a link; and a link, or a session, is no token."""
    run_id = town.start("count", town.browser("otto"))
    session = town.cookie("anna")["Cookie"].partition("=")
    link = town.link(run_id)
    refused(town.ask("/api/runs", bearer(session[2])), 401)
    refused(town.ask("/api/runs", {"Cookie": f"{session[0]}={link}"}), 401)
    refused(town.ask("/api/runs", bearer(town.vault.secret().hex())), 401)
    refused(town.ask("/api/runs", bearer(OWN)), 401)
    refused(town.ask("/api/runs", {"Cookie": f"{session[0]}={link}; {session[0]}={session[2]}"}), 401)


def test_a_link_with_a_session_opens_no_more(town: Town) -> None:
    """Who is a viewer and follows a link of his own run is still a viewer."""
    run_id = town.waiting(town.browser("otto"))
    answer = town.ask(f"/runs/{run_id}?share={town.link(run_id)}")
    shared = answer.headers["set-cookie"].partition(";")[0]
    both = {"Cookie": f"{town.cookie('vera')['Cookie']}; {shared}", "Origin": town.origin}
    with town.unmoved():
        refused(town.ask(f"/api/runs/{run_id}/stop", both, "POST", b""), 403)
        refused(town.ask("/api/commands/count/runs", both, "POST", b""), 403)
