"""A plain ASGI application: `uvicorn app:application`, then `curl -N http://127.0.0.1:8000/stream`."""

from tailrace.asgi import Receive, Scope, Send, Tailrace

race = Tailrace()
LOOP = ["bash", "-c", "for ((i=0;i<100;i=i+1)); do echo $i; sleep 1; done"]


async def root(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] != "http":
        raise RuntimeError("only HTTP is spoken here")
    if scope["path"] == "/stream":
        answer = await race.stream(scope, LOOP)
        await answer(scope, receive, send)
    else:
        await send({"type": "http.response.start", "status": 404, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": b"try /stream\n"})


application = race.blueprint(open=True).under("/ops", root)
