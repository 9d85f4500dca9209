"""An asynchronous Django view: `uvicorn app:application`, then `curl -N http://127.0.0.1:8000/stream`."""

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.handlers.asgi import ASGIRequest
from django.http import StreamingHttpResponse
from django.urls import path

from tailrace.asgi import Tailrace

settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["127.0.0.1", "localhost"])
race = Tailrace()
LOOP = ["bash", "-c", "for ((i=0;i<100;i=i+1)); do echo $i; sleep 1; done"]


async def stream(request: ASGIRequest) -> StreamingHttpResponse:
    return await race.stream(request, LOOP)


urlpatterns = [path("stream", stream)]
application = race.blueprint(open=True).under("/ops", get_asgi_application())
