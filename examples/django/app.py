"""A Django view: `gunicorn --threads 16 app:application`, then `curl -N http://127.0.0.1:8000/stream`."""

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.core.wsgi import get_wsgi_application
from django.http import StreamingHttpResponse
from django.urls import path

from tailrace.wsgi import Tailrace

settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["127.0.0.1", "localhost"])
race = Tailrace()
LOOP = ["bash", "-c", "for ((i=0;i<100;i=i+1)); do echo $i; sleep 1; done"]


def stream(request: WSGIRequest) -> StreamingHttpResponse:
    answer = race.stream(request.environ, LOOP)
    return StreamingHttpResponse(answer.body, status=answer.status, headers=dict(answer.headers))


urlpatterns = [path("stream", stream)]
application = get_wsgi_application()
