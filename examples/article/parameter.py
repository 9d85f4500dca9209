"""A parameter from the URL: http://127.0.0.1:5000/count/5. Its type and bounds are checked, and no shell sees it."""

from flask import Flask, Response, abort

from tailrace.flask import Tailrace

app = Flask(__name__)
race = Tailrace(app)


@app.get("/count/<int:last>")
def count(last: int) -> Response:
    if not 1 <= last <= 1000:
        abort(400, "count to 1 at least, and to 1000 at most")
    return race.stream(["seq", str(last)])


if __name__ == "__main__":
    app.run()
