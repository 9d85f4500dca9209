"""Loading a server's file, with the environment and flags over it."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailrace.config.access import Oidc
from tailrace.config.load import Config, load, load_commands
from tailrace.config.server import VARIABLES, Server
from tailrace.core.access import Access, Rule
from tailrace.core.audit import Audit
from tailrace.core.command import Command
from tailrace.core.errors import Fault, InvalidValues
from tailrace.core.hook import Hook
from tailrace.core.limits import Allowance, Limits
from tailrace.core.parameters import TYPES, Integer, Text

WHOLE = """
[server]
auth = "none"
host = "::1"
port = 0
workers = 4
root_path = "/ops/runs"
trusted_proxies = ["127.0.0.1", "10.0.0.0/8", "fd00::/8"]
hosts = ["ops.example", "localhost"]
cors_origins = ["https://ops.example", "http://localhost:5173", "http://[::1]:5173"]
tls_certificate = "cert.pem"
tls_key = "/etc/key.pem"
state_dir = "state"
max_viewers_per_run = 10
max_viewers_per_address = 0
access_log = false
log_format = "json"

[commands.count]
title = "Count"
description = "Counts."
argv = ["seq", "1", "{n}"]
env = { A = "b" }
cwd = "below"
pty = true
stdin = true
merge = false
timeout = "1h30m"
idle_timeout = 90
max_output = "10M"
on_max_output = "truncate"
key = "count {n}"
when_busy = "queue"
labels = { a = "b" }
unbuffer = true

[commands.count.parameters.n]
type = "integer"
title = "N"
help = "How far."
minimum = 1
maximum = 9
default = 5
example = 3
required = true
allow_dash = true

[commands.say]
argv = ["echo", "{text}"]
cwd = "/"
max_output = "none"
parameters.text = { type = "text", pattern = '\\d+', minimum_length = 1, maximum_length = 5, allow_newlines = true }
"""
Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Give what writes the file."""
    path = tmp_path / "tailrace.toml"

    def written(text: str) -> Path:
        path.write_text(text)
        return path

    return written


def told(
    path: Path | None, environ: Mapping[str, str] | None = None, flags: Mapping[str, object] | None = None
) -> list[str]:
    """Return all that is wrong, without the directory."""
    with pytest.raises(InvalidValues) as caught:
        load(path, environ or {}, flags or {})
    assert all(fault.hint for fault in caught.value.faults)
    return [str(fault).removeprefix(f"{path.parent}/" if path else "") for fault in caught.value.faults]


def server(path: Path | None, environ: Mapping[str, str] | None = None, **flags: object) -> Server:
    """Return the settings."""
    return load(path, environ or {}, flags).server


def test_everything_that_a_file_may_say(write: Write, tmp_path: Path) -> None:
    """Each key, in its place; paths are from where the file is, durations and sizes as people write them."""
    config = load(write(WHOLE))
    assert config.server == Server(
        auth="none",
        host="::1",
        port=0,
        workers=4,
        root_path="/ops/runs",
        trusted_proxies=("127.0.0.1", "10.0.0.0/8", "fd00::/8"),
        hosts=("ops.example", "localhost"),
        cors_origins=("https://ops.example", "http://localhost:5173", "http://[::1]:5173"),
        tls_certificate=f"{tmp_path}/cert.pem",
        tls_key="/etc/key.pem",
        state_dir=f"{tmp_path}/state",
        max_viewers_per_run=10,
        max_viewers_per_address=0,
        access_log=False,
        log_format="json",
    )
    count = Command(
        name="count",
        title="Count",
        description="Counts.",
        argv=("seq", "1", "{n}"),
        env={"A": "b"},
        cwd=f"{tmp_path}/below",
        pty=True,
        stdin=True,
        timeout=5400,
        idle_timeout=90,
        max_output=10 << 20,
        on_max_output="truncate",
        key="count {n}",
        when_busy="queue",
        labels={"a": "b"},
        unbuffer=True,
        parameters={
            "n": Integer(
                title="N", help="How far.", minimum=1, maximum=9, default=5, example=3, required=True, allow_dash=True
            )
        },
    )
    text = Text(pattern=r"\d+", minimum_length=1, maximum_length=5, allow_newlines=True)
    say = Command(name="say", argv=("echo", "{text}"), cwd="/", max_output=None, parameters={"text": text})
    assert list(config.commands.values()) == [count, say]


def test_what_a_file_need_not_say(write: Write) -> None:
    """Nothing at all is a file too; a command keeps at most 1 GiB, and is stopped there."""
    config = load(write(""))
    assert config == Config(Server(), load(None).commands, looked=config.looked)
    commands = load_commands(write('[commands.a]\nargv = ["a"]\n'))
    assert (commands["a"].max_output, commands["a"].on_max_output, commands["a"].cwd) == (1 << 30, "stop", None)


@pytest.mark.parametrize(
    ("text", "mistakes"),
    [
        ("[srver]\n", ["tailrace.toml:1: srver means nothing here"]),
        ("server = 1\n", ["tailrace.toml:1: server must be a table"]),
        ("[commands]\na = 1\n", ["tailrace.toml:2: commands.a must be a table"]),
        ("[commands.a]\n", ["tailrace.toml:1: commands.a.argv is missing"]),
        (
            '[commands.a]\nargv = "seq 5"\n',
            ["tailrace.toml:2: commands.a.argv must be a list, not text"],
        ),
        (
            '[commands.a]\nargv = ["a"]\nname = "b"\n',
            ["tailrace.toml:3: commands.a.name means nothing here"],
        ),
        (
            '[commands.a]\nargv = ["a", 1]\nparameters = 1\n',
            [
                "tailrace.toml:2: commands.a.argv[1] must be text, not a whole number",
                "tailrace.toml:3: commands.a.parameters must be a table",
            ],
        ),
        (
            '[commands.a]\nargv = ["a", "{n}"]\nparameters.n = {}\n',
            ["tailrace.toml:3: commands.a.parameters.n.type is missing"],
        ),
        (
            '[commands.a]\nargv = ["a", "{n}"]\nparameters.n = 5\n',
            [
                "tailrace.toml:2: commands.a.argv has {n}, which is no parameter of it",
                "tailrace.toml:3: commands.a.parameters.n must be a table",
            ],
        ),
        (
            '[commands.a]\nargv = ["a", "{n}"]\nparameters.n = { type = "integer", pattern = "x", default = "x" }\n',
            [
                "tailrace.toml:3: commands.a.parameters.n.pattern means nothing here",
                "tailrace.toml:3: commands.a.parameters.n.default must be a whole number, not text",
            ],
        ),
        (
            '[commands.a]\nargv = ["a"]\ntimeout = "soon"\nmax_output = "much"\nwhen_busy = "wait"\nenv = { A = 1 }\n',
            [
                "tailrace.toml:3: commands.a.timeout cannot be so: 'soon' is not a duration",
                "tailrace.toml:4: commands.a.max_output cannot be so: 'much' is not a size",
                "tailrace.toml:5: commands.a.when_busy cannot be 'wait'",
                "tailrace.toml:6: commands.a.env[…] must be text, not a whole number",
            ],
        ),
        (
            (
                '[access]\ndefault_role = "boss"\nroles = { admin = ["a"], boss = ["b"] }\n'
                '[oidc]\nissuer = "https://["\nclient_id = "a"\n'
                '[audit]\nmax_bytes = "none"\n'
                '[commands.a]\nargv = ["a", "{n}"]\nparameters.n = { type = "path", root = "r", kind = "dir" }\n'
            ),
            [
                "tailrace.toml:2: access.default_role cannot be 'boss'",
                "tailrace.toml:3: access.roles cannot be 'boss'",
                "tailrace.toml:5: oidc.issuer cannot be 'https://['",
                "tailrace.toml:8: audit.max_bytes must be a whole number, not 'none'",
                "tailrace.toml:11: commands.a.parameters.n.kind cannot be 'dir'",
            ],
        ),
        (
            '[commands.a]\nargv = ["a"]\ntimeout = -1\ntitle = 2026-11-26\n',
            [
                "tailrace.toml:3: commands.a.timeout cannot be so: timeout must be more than 0 to 1000000000 s, got -1",
                "tailrace.toml:4: commands.a.title cannot be so: it is a date, or a number that is too large",
            ],
        ),
    ],
)
def test_a_mistake_is_told_with_its_line(write: Write, text: str, mistakes: list[str]) -> None:
    """Each once, and none that only follows from another."""
    assert told(write(text)) == mistakes


@pytest.mark.parametrize(
    ("line", "mistake"),
    [
        ('auth = "ldap"', "auth cannot be 'ldap'"),
        ('host = "192.0.2.1"\nauth = "none"', "host is '192.0.2.1', while auth is none and everybody may do anything"),
        (
            'host = "ops.example"\nauth = "none"',
            "host is 'ops.example', while auth is none and everybody may do anything",
        ),
        ("port = 65536", "port cannot be 65536"),
        ("port = true", "port must be a whole number, not true or false"),
        ("workers = 0", "workers cannot be 0"),
        ('root_path = "ops"', "root_path cannot be 'ops'"),
        ('root_path = "/ops/"', "root_path cannot be '/ops/'"),
        ('trusted_proxies = ["127.0.0.1", "proxy"]', "trusted_proxies[1] is no address or network: "),
        ('trusted_proxies = ["*"]', "trusted_proxies[0] is no address or network: "),
        ('hosts = ["https://ops.example"]', "hosts[0] cannot be 'https://ops.example'"),
        ('hosts = ["*.example"]', "hosts[0] cannot be '*.example'"),
        ('hosts = "ops.example"', "hosts must be a list, not text"),
        ('cors_origins = ["*"]', "cors_origins[0] cannot be '*'"),
        ('cors_origins = ["https://ops.example/"]', "cors_origins[0] cannot be 'https://ops.example/'"),
        ('cors_origins = ["https://ops.example:443"]', "cors_origins[0] cannot be 'https://ops.example:443'"),
        ('cors_origins = ["HTTPS://ops.example"]', "cors_origins[0] cannot be 'HTTPS://ops.example'"),
        ('cors_origins = ["https://*.example"]', "cors_origins[0] cannot be 'https://*.example'"),
        ('cors_origins = ["null"]', "cors_origins[0] cannot be 'null'"),
        ('cors_origins = ["https://a:x"]', "cors_origins[0] cannot be 'https://a:x'"),
        ('tls_key = "key.pem"', "tls_key is there without tls_certificate"),
        ("max_viewers_per_run = -1", "max_viewers_per_run is below 0"),
        ('uds = "sock"\nport = 80', "uds excludes host and port"),
        ('log_format = "xml"', "log_format cannot be 'xml'"),
    ],
)
def test_a_setting_that_cannot_be(write: Write, line: str, mistake: str) -> None:
    """Among them whatever would open the server to more than was meant."""
    (found,) = told(write(f"[server]\n{line}\n"))
    assert found.startswith(f"tailrace.toml:2: server.{mistake}")


def test_later_wins(write: Write) -> None:
    """The file, then the environment, then flags."""
    path = write("[server]\nport = 1\nworkers = 2\nroot_path = '/a'\n")
    environ = {"TAILRACE_PORT": "2", "TAILRACE_WORKERS": "3", "TAILRACE_HOST": ""}
    settings = server(path, environ, port=3, host=None)
    assert (settings.port, settings.workers, settings.root_path, settings.host) == (3, 3, "/a", "127.0.0.1")


def test_a_later_place_to_listen_at_takes_the_place_of_an_earlier_one(write: Write) -> None:
    """An address replaces a socket, and a socket an address."""
    assert server(write("[server]\nport = 1\n"), uds="/run/x").uds == "/run/x"
    assert server(write("[server]\nport = 1\n"), uds="/run/x").port == Server().port
    settings = server(write('[server]\nuds = "x"\n'), {"TAILRACE_PORT": "5"})
    assert (settings.uds, settings.port) == (None, 5)
    assert told(None, {}, {"uds": "x", "port": 5}) == ["--uds excludes host and port"]


def test_the_environment(tmp_path: Path) -> None:
    """Text stands for what the setting is: numbers, switches, lists with commas; paths are as they stand."""
    environ = {
        "TAILRACE_HOSTS": "a.example, b.example,",
        "TAILRACE_ACCESS_LOG": "No",
        "TAILRACE_PORT": "0",
        "TAILRACE_STATE": "state",
        "TAILRACE_STATE_DIR": "not this",
        "TAILRACE_RUN": "whatever",
        "HOME": str(tmp_path),
    }
    settings = server(None, environ)
    assert settings == Server(hosts=("a.example", "b.example"), access_log=False, port=0, state_dir="state")


@pytest.mark.parametrize(
    ("name", "text", "mistake"),
    [
        ("TAILRACE_PORT", "tcp://10.0.0.1:80", "TAILRACE_PORT must be a whole number, not text"),
        ("TAILRACE_PORT", "99999", "TAILRACE_PORT cannot be 99999"),
        ("TAILRACE_ACCESS_LOG", "maybe", "TAILRACE_ACCESS_LOG must be true or false, not text"),
        ("TAILRACE_HOSTS", "a,*", "TAILRACE_HOSTS[1] cannot be '*'"),
        ("TAILRACE_AUTH", "ldap", "TAILRACE_AUTH cannot be 'ldap'"),
    ],
)
def test_a_variable_that_cannot_be(name: str, text: str, mistake: str) -> None:
    """The variable is named, not the file."""
    (found,) = told(None, {name: text})
    assert found.startswith(mistake)


def test_mistakes_of_all_sources_are_told_at_once(write: Write) -> None:
    """Each by the name that it has in its source."""
    path = write('[server]\nport = "x"\n[commands.a]\n')
    assert told(path, {"TAILRACE_WORKERS": "x"}, {"auth": "none", "host": "192.0.2.1"}) == [
        "tailrace.toml:2: server.port must be a whole number, not text",
        "tailrace.toml:3: commands.a.argv is missing",
        "TAILRACE_WORKERS must be a whole number, not text",
        "--host is '192.0.2.1', while auth is none and everybody may do anything",
    ]


KINDS = (Command, Server, Access, Rule, Oidc, Limits, Allowance, Audit, Hook, *TYPES.values())
KEYS = st.sampled_from(sorted({field for kind in KINDS for field in kind.__struct_fields__} | {"type"}))
WORDS = st.text(max_size=5) | st.sampled_from(
    [*TYPES, "{n}", "{", "-x", "none", "1G", "sh", "-c", "(", "n", "admin", "view", "https://[", "https://a.b"]
)
LEAVES = WORDS | st.integers(-3, 3) | st.integers() | st.floats() | st.booleans() | st.dates()
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.just("n"), inner, max_size=3),
    max_leaves=6,
)
TABLES = st.dictionaries(KEYS, VALUES, max_size=6)


def in_toml(value: object) -> str:
    """Return a value as TOML has it."""
    match value:
        case dict():
            return "{" + ", ".join(f"{json.dumps(key)} = {in_toml(each)}" for key, each in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(in_toml, value)) + "]"
        case str():
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case bool():
            return str(value).lower()
        case _:
            return str(value)


@given(
    st.fixed_dictionaries(
        {"server": TABLES, "commands": st.dictionaries(st.just("a"), TABLES | VALUES)},
        optional={
            **dict.fromkeys(("access", "oidc", "limits", "audit", "defaults"), TABLES),
            "hooks": st.lists(TABLES, max_size=2) | VALUES,
        },
    )
)
def test_whatever_a_file_says_is_taken_or_told(tmp_path_factory: pytest.TempPathFactory, document: object) -> None:
    """No value, of no key, does worse than being refused, with a hint."""
    assert isinstance(document, dict)
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_text("\n".join(f"{name} = {in_toml(table)}" for name, table in document.items()))
    try:
        load(path)
        faults: tuple[Fault, ...] = ()
    except InvalidValues as error:
        faults = error.faults
    assert all(fault.hint and fault.message and ": " in fault.subject for fault in faults)


def test_no_variable_has_two_meanings() -> None:
    """Those that the rest of Tailrace reads are no settings, but for the one that says where runs live."""
    others = {
        "TAILRACE_RUN",
        "TAILRACE_RUNNER",
        "TAILRACE_PYTHON",
        "TAILRACE_DEBUG",
        "TAILRACE_MOVER",
        "TAILRACE_FAULT",
    }
    assert not others & set(VARIABLES.values())
    assert VARIABLES["state_dir"] == "TAILRACE_STATE"
    assert len(set(VARIABLES.values())) == len(Server.__struct_fields__)


def test_words_in_place_of_a_list_are_shown_as_one(tmp_path: Path) -> None:
    """As they are to be written."""
    path = tmp_path / "tailrace.toml"
    path.write_text('[commands.a]\nargv = "ls -l"\n')
    with pytest.raises(InvalidValues) as caught:
        load(path)
    assert 'for example ["ls", "-l"]' in str(caught.value.faults)
