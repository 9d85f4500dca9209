"""One endless command, many viewers: whoever comes while it runs watches the same run, from its start.

Ten seconds after the last viewer has left, it is stopped.
"""

from flask import Flask, Response

from tailrace.flask import Tailrace

app = Flask(__name__)
race = Tailrace(app)


@app.get("/clock")
def clock() -> Response:
    return race.stream(["bash", "-c", "while date +%T; do sleep 1; done"], key="clock", on_disconnect="stop")


if __name__ == "__main__":
    app.run()
