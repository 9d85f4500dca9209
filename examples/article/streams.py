"""stderr and any text, shown properly: open http://127.0.0.1:5000/. The `sse` wire tells the streams apart."""

from flask import Flask, Response, send_file

from tailrace.flask import Tailrace

app = Flask(__name__)
race = Tailrace(app)


@app.get("/stream")
def stream() -> Response:
    script = "echo 'Grüße, 世界'; ls /does-not-exist; printf 'caf\\351\\n'; echo '<b>done</b>'"
    return race.stream(["sh", "-c", script], wire="sse")


@app.get("/")
def page() -> Response:
    return send_file("streams.html")


if __name__ == "__main__":
    app.run()
