"""A page in Chromium that the test may look into, by its DevTools protocol."""

import itertools
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from websockets.sync.client import ClientConnection, connect

from tests.support.browser import DEADLINE_S
from tests.support.wait import wait_for

_ANSWER = msgspec.json.Decoder(dict[str, object])
_TARGETS = msgspec.json.Decoder(list[dict[str, object]])


class Page:
    """An open page."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._numbers = itertools.count(1)

    def value(self, expression: str) -> object:
        """Return what the expression is in the page; None if it cannot be told."""
        answer = self.command("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        result = answer.get("result")
        if not isinstance(result, dict) or not isinstance(result.get("result"), dict):
            return None
        found: object = result["result"].get("value")
        return found

    def text(self, selector: str) -> str:
        """Return the text that is seen in an element; nothing if there is none."""
        return str(self.value(f"document.querySelector({selector!r})?.innerText ?? ''"))

    def command(self, method: str, **parameters: object) -> dict[str, object]:
        """Do what the protocol's method says, and return its answer."""
        number = next(self._numbers)
        self._connection.send(msgspec.json.encode({"id": number, "method": method, "params": parameters}).decode())
        while True:
            answer = _ANSWER.decode(self._connection.recv(DEADLINE_S))
            if answer.get("id") == number:
                return answer


@contextmanager
def opened(browse: Callable[[str], None], profile: Path, url: str) -> Iterator[Page]:
    """Give the page at the address, once it is there."""
    browse(url)
    port_file = profile / "DevToolsActivePort"
    wait_for(lambda: port_file.exists() and "\n" in port_file.read_text(), DEADLINE_S)
    port = int(port_file.read_text().splitlines()[0])
    address = wait_for(lambda: _page_at(port, url), DEADLINE_S)
    with connect(address, max_size=None, open_timeout=DEADLINE_S, compression=None) as connection:
        page = Page(connection)
        wait_for(lambda: page.value("document.readyState + location.href") == f"complete{url}", DEADLINE_S)
        yield page


def _page_at(port: int, url: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=DEADLINE_S) as response:
        targets = _TARGETS.decode(response.read())
    return next((str(each["webSocketDebuggerUrl"]) for each in targets if str(each.get("url")).startswith(url)), "")
