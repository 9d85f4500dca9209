import os
import socket

from flask import Flask, Response, send_file
from werkzeug.serving import make_server

from tailrace.flask import Tailrace

app = Flask(__name__)
app.config["TRUSTED_HOSTS"] = ["127.0.0.1", "localhost"]
race = Tailrace(app)


@app.get("/")
def page() -> Response:
    return send_file("page.html")


@app.get("/stream")
def stream() -> Response:
    return race.stream(["bash", "-c", "for ((i=0;i<100;i=i+1)); do echo $i; sleep 1; done"])


def listen() -> socket.socket:
    try:
        return socket.create_server(("127.0.0.1", int(os.environ.get("PORT", "8000"))))
    except OSError:  # the port is taken
        return socket.create_server(("127.0.0.1", 0))


if __name__ == "__main__":
    with listen() as listener:
        address, port = listener.getsockname()
        print(f"The page: http://{address}:{port}/\nThe stream: http://{address}:{port}/stream", flush=True)
        make_server(address, port, app, threaded=True, fd=listener.fileno()).serve_forever()
