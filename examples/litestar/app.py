"""A Litestar handler: `uvicorn app:app`, then `curl -N http://127.0.0.1:8000/stream`."""

from litestar import Litestar, Request, route

from tailrace.asgi import Answer, Tailrace

race = Tailrace()
LOOP = ["bash", "-c", "for ((i=0;i<100;i=i+1)); do echo $i; sleep 1; done"]


@route("/stream", http_method=["GET", "HEAD"])
async def stream(request: Request) -> Answer:
    return await race.stream(request, LOOP)


app = race.blueprint(open=True).under("/ops", Litestar([stream]))
