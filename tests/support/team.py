"""A server that is put before a team: its users, its commands with parameters of all types, and how they come in."""

import subprocess
import sys
from urllib.parse import urlsplit

from playwright.sync_api import Page

ALL_TYPES = """
[commands.all]
title = "All types"
description = "Says what it was given."
argv = ["echo", "{word}", "{n}", "{ratio}", "{loud}", "{color}", "{parts}", "{day}"]
[commands.all.parameters.word]
type = "text"
title = "Word"
help = "what to say"
example = "hello"
pattern = "[a-z ]+"
maximum_length = 20
[commands.all.parameters.n]
type = "integer"
minimum = 1
maximum = 9
default = 3
[commands.all.parameters.ratio]
type = "number"
minimum = 0.5
default = 1.5
[commands.all.parameters.loud]
type = "boolean"
flag = "--loud"
[commands.all.parameters.color]
type = "choice"
choices = ["red", "green"]
default = "green"
[commands.all.parameters.parts]
type = "choices"
choices = ["a", "b", "c"]
maximum_count = 2
[commands.all.parameters.day]
type = "date"
minimum = "2026-01-01"
default = "2026-11-27"
[commands.secret]
title = "With a secret"
argv = ["sh", "-c", 'echo "$KEY" | tr a-z A-Z; echo "$KEY"; cat "$1"', "secret", "{list}", "{note}"]
[commands.secret.parameters.key]
title = "Password for it"
type = "secret"
variable = "KEY"
[commands.secret.parameters.list]
title = "Names"
type = "file"
accept = [".txt"]
[commands.secret.parameters.note]
title = "Note"
type = "text"
allow_newlines = true
default = "none"
"""


def add_user(name: str, role: str) -> None:
    """Add a user, whose password is `NAME's password`, to the state directory of the environment."""
    argv = [sys.executable, "-m", "tailrace", "user", "add", name, "--role", role]
    subprocess.run(argv, input=f"{name}'s password\n", text=True, check=True, capture_output=True)


def come_in(page: Page, address: str, name: str, path: str = "") -> None:
    """Log in as the user, by the login's form, and be led to the page."""
    page.goto(f"{address}{path}")
    page.get_by_label("User").fill(name)
    page.get_by_label("Password").fill(f"{name}'s password")
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(lambda url: not urlsplit(url).path.startswith("/login"))
