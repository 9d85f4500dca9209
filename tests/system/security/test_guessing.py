"""Guessing: of passwords, tokens, sessions and ids; by many tries, and by how long an answer takes.

That failures make the next one wait, by user and by address, is in `tests/system/server/test_access.py` and
`tests/unit/server/test_sessions.py`.
"""

import hmac
import secrets
from itertools import count
from pathlib import Path

import argon2
import pytest

from tailrace.core import ids
from tailrace.server.auth import vault
from tailrace.server.auth.tokens import PREFIX, Tokens
from tailrace.server.auth.users import Users
from tests.support.wait import wait_for
from tests.system.security.town import HTML, MakeTown, Town, bearer, refused
from tests.system.server.serving import Answer


def test_many_addresses_that_are_one(make_town: MakeTown) -> None:
    """Whoever invents addresses, in headers of a proxy that nobody trusts, is slowed as one."""
    town, numbers = make_town(), count()

    def guess() -> Answer:
        number = next(numbers)
        claims = {"X-Forwarded-For": f"198.51.100.{number}", "Forwarded": f"for=198.51.100.{number}"}
        return town.serving.post("/login", f"user=otto&password=guess{number}", {"Origin": town.origin, **claims})

    assert [guess().status for _ in range(4)] == [401] * 4
    refusal = wait_for(lambda: _if_slowed(guess()))
    assert refusal is not None
    assert int(refusal.headers["retry-after"]) >= 1
    assert b"Try again in" in refusal.body
    assert town.ask("/api/runs", town.token("viewer", "another way")).status == 200


def test_one_password_for_many_names(make_town: MakeTown) -> None:
    """An address that fails for many users is slowed as well, though each was tried once."""
    town, numbers = make_town(), count()
    statuses = [town.log_in(f"user{next(numbers)}", "password1").status for _ in range(20)]
    assert statuses == [401] * 20
    assert wait_for(lambda: _if_slowed(town.log_in(f"user{next(numbers)}", "password1")))


def _if_slowed(answer: Answer) -> Answer | None:
    """Return the answer if it tells to wait; on a slow machine some waits are over before the next guess."""
    return answer if answer.status == 429 else None


def test_an_unknown_user_costs_the_same_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A password is hashed whether there is such a user or not, by the same parameters: no clock tells them apart."""
    users = Users(tmp_path / "users.toml")
    users.add("ann", "correct horse", "viewer", ())
    hashed: list[argon2.Parameters] = []
    verify = argon2.PasswordHasher.verify

    def counted(self: argon2.PasswordHasher, kept: str, password: str) -> bool:
        hashed.append(argon2.extract_parameters(kept))
        return bool(verify(self, kept, password))

    monkeypatch.setattr(argon2.PasswordHasher, "verify", counted)
    assert users.check("ann", "correct horse") is not None
    for name in ("ann", "nobody", "", "ann\0", "a" * 9999):
        assert users.check(name, "wrong horse") is None
    assert len(hashed) == 6
    assert all(each == hashed[0] for each in hashed)
    assert hashed[0].memory_cost >= 19 << 10, "KiB, as OWASP has it at least"


def test_secrets_are_compared_in_constant_time(town: Town, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The server's own token by `hmac.compare_digest`; tokens and sessions are found by their hashes."""
    compared: list[tuple[bytes, bytes]] = []
    compare = hmac.compare_digest

    def noted(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return compare(one, other)

    monkeypatch.setattr(hmac, "compare_digest", noted)
    tokens = Tokens(vault.Vault(str(tmp_path / "state")))
    own = tokens.own()
    assert tokens.is_own(own)
    assert not tokens.is_own(own[:-1] + "\u00e9")
    assert [other for _one, other in compared] == [own.encode()] * 2
    program = town.token("viewer", "kept as a hash")["Authorization"].split()[1]
    session = town.cookie("otto")["Cookie"].partition("=")[2]
    kept = b"".join(path.name.encode() + path.read_bytes() for path in town.vault.path.rglob("*") if path.is_file())
    assert program.encode() not in kept
    assert session.encode() not in kept
    assert vault.hashed(program).encode() in kept
    assert vault.hashed(session).encode() in kept


def test_tokens_that_nobody_was_given(town: Town) -> None:
    """Made up, cut, longer, of another case, or as it lies on the disk: 401, with the way to come in."""
    good = town.token("admin", "good")["Authorization"].split()[1]
    found = {path.name for path in (town.vault.path / "used").iterdir()}
    for text in (
        PREFIX + secrets.token_urlsafe(32),
        PREFIX,
        good[:-1],
        good + "x",
        good.swapcase(),
        good.removeprefix(PREFIX),
        vault.hashed(good),
        *found,
        "*",
        "null",
        "x" * 8_000,
        "\u00e9",
    ):
        answer = town.ask("/api/runs", {"Authorization": f"Bearer {text}".encode().decode("latin-1")})
        words = refused(answer, 401)
        assert "TAILRACE_TOKEN" in words
        assert text not in words
    for line in (f"Basic {good}", good, f"Token {good}", f"Digest {good}"):
        refused(town.ask("/api/runs", {"Authorization": line}), 401)
    for query in (f"token={good}", f"access_token={good}", f"authorization=Bearer {good}".replace(" ", "%20")):
        refused(town.ask(f"/api/runs?{query}"), 401)
    assert town.ask("/api/runs", bearer(good)).status == 200


def test_ids_that_are_near(town: Town) -> None:
    """An id is mostly chance, and one that is nearly right is as wrong as any other, to the byte."""
    run_id = town.start("count", town.browser("otto"))
    near = [run_id[:-1] + letter for letter in "0123456789abcdef" if letter != run_id[-1]]
    far = ids.make(ids.created_us(run_id), secrets.token_bytes(ids.RANDOM_BYTES))
    answers = {
        town.ask(f"/api/runs/{each}", town.cookie("anna")).body.replace(each.encode(), b"ID") for each in (*near, far)
    }
    assert len(answers) == 1


def test_a_login_tells_no_names(town: Town) -> None:
    """By its answer, its headers or its cookie."""
    wrong, unknown = town.log_in("olga", "wrong"), town.log_in("nobody", "wrong")
    assert wrong.status == unknown.status == 401
    assert wrong.body.replace(b'value="olga"', b'value="nobody"') == unknown.body  # what was typed stays in the form
    assert set(wrong.headers) == set(unknown.headers)
    answer = town.serving.post("/login", "user=olga&password=", {"Origin": town.origin, **HTML})
    assert (answer.status, "set-cookie" in answer.headers) == (401, False)
