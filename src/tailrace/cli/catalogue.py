"""What `tailrace demo` serves: commands that show what a stream can be, made of nothing but sh and Python."""

import sys
from collections.abc import Iterator

from tailrace.core.command import Command, Commands
from tailrace.core.parameters import Integer, Text

LIMIT_S = 600.0
"""for each run: a demonstration that was killed leaves nothing that goes on for ever"""
FLOOD_BYTES = 64 << 20

COUNT = """
import sys, time
for number in range(1, int(sys.argv[1]) + 1):
    print(number)
    time.sleep(0.5)
"""
PROGRESS = r"""
import time
for percent in range(101):
    bar = "#" * (percent * 40 // 100)
    print(f"\rdownloading [{bar:<40}] {percent:3} %", end="")
    time.sleep(0.05)
print("\ndone")
"""
COLOURS = r"""
def show(codes, text):
    print(f"\x1b[{codes}m{text}\x1b[0m", end="")
print("the usual ones")
for number in range(16):
    show(f"48;5;{number}", "    ")
print("\n\n256 of them")
for number in range(16, 256):
    show(f"48;5;{number}", "  ")
    if (number - 15) % 36 == 0:
        print()
print("\n\ntrue colour")
for row in range(6):
    for column in range(72):
        show(f"48;2;{column * 255 // 71};{row * 51};{255 - column * 255 // 71}", " ")
    print()
print()
for codes, text in (("1", "bold"), ("2", "dim"), ("3", "italic"), ("4", "underlined"), ("7", "inverse")):
    show(codes, text)
    print(" ", end="")
print()
"""
FLOOD = """
import itertools, sys
for first in itertools.count(1, 1000):
    sys.stdout.write("".join(f"{number} the quick brown fox jumps over the lazy dog" + chr(10)
                             for number in range(first, first + 1000)))
"""
MIXED = """
import sys, time
for number in range(1, 21):
    stream = sys.stderr if number % 3 == 0 else sys.stdout
    print(f"line {number} goes to std{'err' if stream is sys.stderr else 'out'}", file=stream)
    time.sleep(0.2)
"""
ASK = """
name = input("What is your name? ")
print(f"Hello, {name or 'stranger'}!")
for number, line in enumerate(iter(input, "")):
    print(f"{name or 'You'}, you said: {line}")
print("Bye.")
"""
GREET = """
import sys, time
name, times = sys.argv[1], int(sys.argv[2])
for number in range(times):
    print(f"{number + 1}: hello, {name}")
    time.sleep(0.3)
"""
FAIL = 'echo "looking for the configuration"; sleep 1; echo "fatal: nothing is configured" >&2; exit 3'
STUBBORN = """
trap 'echo "INT? No."' INT
trap 'echo "TERM? Not that either."' TERM
echo "Stop me, and watch the signals that it takes: INT, TERM, KILL."
while :; do sleep 1; done
"""
SILENT = 'sleep 30; echo "That was all."'
UNICODE = r"""
import time
for line in (
    "Τὸ αὔταρκες · Ελληνικά", "Привет, мир · Русский", "你好世界 · 中文", "こんにちは世界 · 日本語",
    "안녕하세요 · 한국어", "שלום עולם · עברית", "مرحبا بالعالم · العربية", "नमस्ते दुनिया · हिन्दी",
    "emoji: 🏞️ 🇪🇺 👍🏽 👩\u200d🚀", "combining: e\u0301 n\u0303 a\u0308",
    "boxes: ┌─┬─┐ │ │ │ └─┴─┘ ▁▂▃▄▅▆▇█", "<b>not markup</b> &amp; <script>alert('neither')</script>",
):
    print(line)
    time.sleep(0.3)
"""


def commands() -> Commands:
    """Return the commands."""
    return Commands(_commands())


def _commands() -> Iterator[Command]:
    yield Command(
        name="count", title="Count", description="The article's loop: a number, a pause, the next number.",
        argv=_python(COUNT, "{n}"), parameters={"n": Integer(title="Up to", default=60, minimum=1, maximum=1000)},
        timeout=LIMIT_S,
    )  # fmt: skip
    yield _plain("progress", "Progress bar", "One line, written again and again with carriage returns.", PROGRESS)
    yield _plain("colours", "Colours", "Sixteen, 256, and true colour, by escape sequences.", COLOURS)
    yield Command(
        name="flood", title="Flood", argv=_python(FLOOD), timeout=60.0, max_output=FLOOD_BYTES, on_max_output="stop",
        description="As fast as it can, until its output limit of 64 MiB stops it. Others are not slowed.",
    )  # fmt: skip
    yield _plain("mixed", "stdout and stderr", "Both, each on a pipe of its own, shown as they come.", MIXED)
    yield Command(
        name="ask", title="Ask", argv=_python(ASK), stdin=True, timeout=LIMIT_S,
        description="Asks for your name, and answers whatever you type. An empty line ends it.",
    )  # fmt: skip
    yield _greet()
    yield _shell("fail", "Fail", "Writes to stderr, and exits with code 3.", FAIL)
    yield _shell("stubborn", "Stubborn", "Does not end when asked to. Stop it, and watch how that goes on.", STUBBORN)
    yield _shell(
        "silent", "Silent", "Says nothing for half a minute. The connection stays, and notices the end.", SILENT
    )
    yield _plain("unicode", "Unicode", "Many scripts, and some markup that must stay text.", UNICODE)


def _greet() -> Command:
    name = Text(title="Name", default="World", maximum_length=40, help="whom to greet, in one line")
    return Command(
        name="greet", title="Greet", description="Takes text and a number, and is given nothing else.",
        argv=_python(GREET, "{name}", "{times}"), timeout=LIMIT_S,
        parameters={"name": name, "times": Integer(title="Times", default=5, minimum=1, maximum=100)},
    )  # fmt: skip


def _plain(name: str, title: str, description: str, script: str) -> Command:
    return Command(name=name, title=title, description=description, argv=_python(script), timeout=LIMIT_S)


def _shell(name: str, title: str, description: str, script: str) -> Command:
    return Command(
        name=name, title=title, description=description, argv=("sh", "-c", _literal(script.strip())), timeout=LIMIT_S
    )


def _python(script: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-u", "-X", "utf8", "-c", _literal(script.strip()), *arguments)


def _literal(text: str) -> str:
    """Return the text as a template has it, where braces stand for parameters."""
    return text.replace("{", "{{").replace("}", "}}")
