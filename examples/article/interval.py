"""A message every 5 seconds while the command is silent: `curl -N http://127.0.0.1:5000/stream`."""

from flask import Flask, Response

from tailrace.flask import Pace, Tailrace

app = Flask(__name__)
race = Tailrace(app)


@app.get("/stream")
def stream() -> Response:
    return race.stream(["bash", "-c", "echo working; sleep 12; echo done"], pace=Pace(interval_s=5))


if __name__ == "__main__":
    app.run()
