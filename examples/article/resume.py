"""Stop watching, and go on where you left off: `curl -N -C - -o log http://127.0.0.1:5000/runs/ID`, again and again."""

from flask import Flask, Response

from tailrace.flask import Tailrace

app = Flask(__name__)
race = Tailrace(app)


@app.post("/runs")
def start() -> tuple[str, int]:
    run = race.start(["bash", "-c", "for ((i=0;i<100;i=i+1)); do echo $i; sleep 1; done"])
    return f"{run.id}\n", 201


@app.get("/runs/<run_id>")
def watch(run_id: str) -> Response:
    return race.stream(run_id)


if __name__ == "__main__":
    app.run()
