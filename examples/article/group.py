"""Several commands as one labelled stream: `curl -N -X POST http://127.0.0.1:5000/build`."""

from collections.abc import Iterator

from flask import Flask, Response

from tailrace import Group

app = Flask(__name__)


@app.post("/build")
def build() -> Response:
    def lines() -> Iterator[str]:
        with Group() as group:
            group.start(["sh", "-c", "echo compiling; sleep 1; echo linked"], label="api")
            group.start(["sh", "-c", "echo bundling; sleep 1; echo 'no such file' >&2; exit 3"], label="page")
            yield from (f"{line.label}: {line.text}" for line in group)
            yield f"{group.codes()}\n"

    return Response(lines(), mimetype="text/plain")


if __name__ == "__main__":
    app.run()
