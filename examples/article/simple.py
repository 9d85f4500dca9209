"""The simple stream: `python simple.py`, then `curl -N http://127.0.0.1:5000/stream`."""

from flask import Flask, Response

from tailrace.flask import Tailrace

app = Flask(__name__)
race = Tailrace(app)


@app.get("/stream")
def stream() -> Response:
    return race.stream(["bash", "-c", "for ((i=0;i<100;i=i+1)); do echo $i; sleep 1; done"])


if __name__ == "__main__":
    app.run()
