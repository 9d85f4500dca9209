"""Events for a browser: open http://127.0.0.1:5000/page. EventSource gets lines, and resumes by itself."""

from flask import Flask, Response, send_file

from tailrace.flask import Tailrace

app = Flask(__name__)
race = Tailrace(app)


@app.get("/stream")
def stream() -> Response:
    return race.stream(["bash", "-c", "for ((i=0;i<100;i=i+1)); do echo $i; sleep 1; done"])


@app.get("/page")
def page() -> Response:
    return send_file("page.html")


if __name__ == "__main__":
    app.run()
