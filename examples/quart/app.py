"""A Quart route: `hypercorn app:app`, then `curl -N http://127.0.0.1:8000/stream`."""

from quart import Quart, Response, request

from tailrace.asgi import Tailrace

app = Quart(__name__)
race = Tailrace()
LOOP = ["bash", "-c", "for ((i=0;i<100;i=i+1)); do echo $i; sleep 1; done"]


@app.get("/stream")
async def stream() -> Response:
    return await race.stream(request, LOOP)


app.asgi_app = race.blueprint(open=True).under("/ops", app.asgi_app)
