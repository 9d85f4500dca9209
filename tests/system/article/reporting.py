"""The article's `events.py`, whose page also tells the test what it shows: `reporting.py PORT DIRECTORY`."""

import runpy
import sys
from pathlib import Path

from flask import Flask, Response, request
from werkzeug.serving import make_server

from tests.system.web.server import ROOT

REPORT = b"""<script>
  const shown = () => document.getElementById('output').textContent;
  setInterval(() => fetch('/report', { method: 'POST', body: source.readyState + ' ' + shown() }), 100);
</script>"""


def main(port: int, directory: Path) -> None:
    """Serve the program's own application, with a route more."""
    app: Flask = runpy.run_path(str(ROOT / "examples" / "article" / "events.py"))["app"]

    @app.post("/report")
    def report() -> str:
        part = directory / ".report"
        part.write_bytes(request.get_data())
        part.rename(directory / "report")
        return ""

    @app.after_request
    def add_report(response: Response) -> Response:
        if request.path == "/page":
            response.direct_passthrough = False
            response.set_data(response.get_data() + REPORT)
        return response

    app.root_path = str(ROOT / "examples" / "article")
    make_server("127.0.0.1", port, app, threaded=True).serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
