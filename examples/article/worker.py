"""Many viewers at once in one worker, and no monkey patching: `gunicorn -k gevent worker:app`.

Any other server will do: Werkzeug's, gunicorn with threads, waitress, uWSGI.
"""

from flask import Flask, Response

from tailrace.flask import Tailrace

app = Flask(__name__)
race = Tailrace(app)


@app.get("/stream")
def stream() -> Response:
    return race.stream(["bash", "-c", "for ((i=0;i<100;i=i+1)); do echo $i; sleep 1; done"])
