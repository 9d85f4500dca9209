"""Servers that have no command of their own: `serve.py KIND PORT`. Nothing is monkey-patched here."""

import sys

from tests.system.servers.app import make_app


def serve_eventlet(port: int) -> None:
    """Serve by eventlet.wsgi."""
    import eventlet
    import eventlet.wsgi

    eventlet.wsgi.server(eventlet.listen(("127.0.0.1", port)), make_app(), log_output=False)


def serve_pywsgi(port: int) -> None:
    """Serve by gevent's own server."""
    from gevent.pywsgi import WSGIServer

    WSGIServer(("127.0.0.1", port), make_app(), log=None).serve_forever()


def serve_werkzeug(port: int) -> None:
    """Serve by the development server."""
    from werkzeug.serving import make_server

    make_server("127.0.0.1", port, make_app(), threaded=True).serve_forever()


def serve_tornado(port: int) -> None:
    """Serve by Tornado's container of WSGI applications."""
    import asyncio

    from tornado.httpserver import HTTPServer
    from tornado.wsgi import WSGIContainer

    async def serve() -> None:
        HTTPServer(WSGIContainer(make_app())).listen(port, "127.0.0.1")
        await asyncio.Event().wait()

    asyncio.run(serve())


SERVERS = {"eventlet": serve_eventlet, "pywsgi": serve_pywsgi, "tornado": serve_tornado, "werkzeug": serve_werkzeug}

if __name__ == "__main__":
    SERVERS[sys.argv[1]](int(sys.argv[2]))
