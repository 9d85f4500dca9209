"""A Starlette endpoint: `uvicorn app:app`, then `curl -N http://127.0.0.1:8000/stream`."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Mount, Route

from tailrace.asgi import Answer, Tailrace

race = Tailrace()
LOOP = ["bash", "-c", "for ((i=0;i<100;i=i+1)); do echo $i; sleep 1; done"]


async def stream(request: Request) -> Answer:
    return await race.stream(request, LOOP)


app = Starlette(routes=[Route("/stream", stream), Mount("/ops", race.blueprint(open=True))])
