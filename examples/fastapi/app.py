"""A FastAPI route: `uvicorn app:app`, then `curl -N http://127.0.0.1:8000/stream`."""

from fastapi import FastAPI, Request, Response

from tailrace.asgi import Tailrace

app = FastAPI()
race = Tailrace()
LOOP = ["bash", "-c", "for ((i=0;i<100;i=i+1)); do echo $i; sleep 1; done"]


@app.api_route("/stream", methods=["GET", "HEAD"])
async def stream(request: Request) -> Response:
    return await race.stream(request, LOOP)


app.mount("/ops", race.blueprint(open=True))
