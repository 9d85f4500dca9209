"""The API in a Flask application, for gunicorn."""

from flask import Flask

from tailrace.flask import Tailrace

app = Flask(__name__)
app.register_blueprint(Tailrace(app).blueprint(open=True), url_prefix="/ops")


@app.get("/ping")
def ping() -> str:
    """Tell that it serves."""
    return "pong"
