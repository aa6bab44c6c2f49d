"""A small HTTP server on loopback: one function answers."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Request:
    """What was asked: the path, the body, and the address that the client used for this server."""

    path: str
    body: bytes = b""
    host: str = LOOPBACK


@dataclass(frozen=True)
class Answer:
    """A response."""

    body: str
    kind: str = "text/plain; charset=utf-8"
    status: HTTPStatus = HTTPStatus.OK


Answering = Callable[[Request], Answer]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # Prometheus keeps its connections
    timeout = 60
    wbufsize = -1  # head and body in one packet, or the second waits for the first to be acknowledged
    answering: Answering

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path.partition("?")[0]
        answer = type(self).answering(Request(path, body, self.headers.get("Host", LOOPBACK)))
        content = answer.body.encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = _answer  # noqa: N815, the names that the parent calls

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002, the parent's name for it
        """Nothing: the screen tells the story."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128  # at first all targets are scraped within moments

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that is gone, a browser or a server that ended, is no error."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # socketserver's own types


@contextmanager
def serving(answering: Answering) -> Iterator[int]:
    """Serve on a free port of loopback until the context ends; gives the port."""
    handler = type("Handler", (_Handler,), {"answering": staticmethod(answering)})
    with _Server((LOOPBACK, 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()
