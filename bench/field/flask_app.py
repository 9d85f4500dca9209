"""Our API under Flask: the same run, watched through gunicorn's threads."""

import flask

from tailrace.flask import Tailrace

app = flask.Flask(__name__)
race = Tailrace(app)
app.register_blueprint(race.blueprint(open=True))
