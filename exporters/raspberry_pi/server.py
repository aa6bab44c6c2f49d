"""HTTP: /metrics, /-/healthy, /-/ready and a page that names them; nothing else.

OpenMetrics, gzip and TLS are prometheus_client's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, start_wsgi_server
from prometheus_client.exposition import make_wsgi_app

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

_PAGE = (
    "<!doctype html><title>raspberry_pi exporter</title><h1>raspberry_pi exporter</h1>"
    '<p><a href="/metrics">/metrics</a>, <a href="/-/healthy">/-/healthy</a>, <a href="/-/ready">/-/ready</a></p>\n'
)
_TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class Address:
    """Where to listen, and with which certificate; without one, in the clear."""

    host: str
    port: int
    certificate: str | None = None
    key: str | None = None
    client_ca: str | None = None


def address(written: str) -> tuple[str, int]:
    """`127.0.0.1:9998`, `[::1]:9998` or `:9998`, which is every address. Raises ValueError."""
    host, colon, port = written.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65535:
        raise ValueError(f"{written!r} is no address; allowed is 127.0.0.1:9998, [::1]:9998 or :9998")
    return host.removeprefix("[").removesuffix("]") or "0.0.0.0", int(port)  # noqa: S104, that is what it means


def application(metrics: WSGIApplication, ready: Callable[[], bool]) -> WSGIApplication:
    """What answers; `ready` says whether there is anything to scrape yet."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/metrics":
            return metrics(environ, start_response)
        status, kind, text = "404 Not Found", _TEXT, "there is /metrics, /-/healthy and /-/ready\n"
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            status, text = "405 Method Not Allowed", "use GET\n"
        elif path == "/":
            status, kind, text = "200 OK", "text/html; charset=utf-8", _PAGE
        elif path == "/-/healthy":
            status, text = "200 OK", "healthy\n"
        elif path == "/-/ready":
            status, text = ("200 OK", "ready\n") if ready() else ("503 Service Unavailable", "no first look yet\n")
        start_response(status, [("Content-Type", kind)])
        return [text.encode() if environ["REQUEST_METHOD"] != "HEAD" else b""]

    return answer


def serving(at: Address, registry: CollectorRegistry, ready: Callable[[], bool]) -> WSGIServer:
    """Serve in threads of their own, until `shutdown` is called. Raises OSError, for the port and for certificates."""
    tls: dict[str, Any] = {}
    if at.certificate and at.key:
        tls = {
            "certfile": at.certificate,
            "keyfile": at.key,
            "client_cafile": at.client_ca,
            "client_auth_required": bool(at.client_ca),
        }
    server, _ = start_wsgi_server(at.port, at.host, registry, **tls)
    server.set_app(application(make_wsgi_app(registry), ready))
    return server
