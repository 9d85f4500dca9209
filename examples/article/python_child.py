"""A Python child that would buffer: its lines come as it prints them, without `-u`."""

import sys
from pathlib import Path

from flask import Flask, Response

from tailrace.flask import Tailrace

app = Flask(__name__)
race = Tailrace(app)
SLOW = Path(__file__).with_name("slow.py")


@app.get("/stream")
def stream() -> Response:
    return race.stream([sys.executable, str(SLOW)])


if __name__ == "__main__":
    app.run()
