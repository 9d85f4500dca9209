"""Knowing proxies by their headers, and the settings of each."""

import pytest

from tailrace.doctor.proxies import CURES, GENERAL, SIGNS, cure, recognise


@pytest.mark.parametrize(
    ("headers", "names"),
    [
        ({}, ()),
        ({"server": "gunicorn"}, ()),
        ({"server": "nginx/1.22.1"}, ("nginx",)),
        ({"server": "awselb/2.0"}, ("AWS ALB",)),
        ({"server": "cloudflare", "cf-ray": "8"}, ("Cloudflare",)),
        ({"via": "1.1 Caddy", "server": "Apache/2.4"}, ("Apache", "Caddy")),
    ],
)
def test_recognising(headers: dict[str, str], names: tuple[str, ...]) -> None:
    """By `Server`, `Via` and their own; each once."""
    assert recognise(headers) == names


def test_every_check_has_a_general_cure() -> None:
    """And those of proxies are of such as can be recognised."""
    for check, cures in CURES.items():
        assert cures[GENERAL], check
        assert set(cures) - {GENERAL} <= {name for _header, _word, name in SIGNS}, check


def test_cures() -> None:
    """Of each proxy that is known, else in general."""
    assert cure("idle", ("nginx", "HAProxy")).count(": ") == 2
    assert cure("idle", ()) == cure("idle", ("lighttpd",)) == CURES["idle"][GENERAL]
    assert 'root_path = "/ops"' in cure("prefix", ("nginx",), path="/ops")
    assert "location /ops/ { proxy_pass" in cure("prefix", ("nginx",), path="/ops")
