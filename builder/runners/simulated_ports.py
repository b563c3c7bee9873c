"""``-p`` for simulated servers: a port of this machine whose requests a simulated listener answers.

HTTP is all that is simulated of a network, so the machine's side is a small HTTP server.
"""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from builder.errors import BuildError
from builder.runners.simulated import SimulatedProcess
from builder.world.machine.network import HttpRequest, HttpResponse

_PATIENCE_SECONDS: Final = 30
_MAX_BODY_BYTES: Final = 1 << 20


class SimulatedPort:
    """A port of this machine that leads inside, until it is closed. ``outer``: (address, port; 0: any)."""

    def __init__(self, process: SimulatedProcess, outer: tuple[str, int], inner: int) -> None:
        try:
            self._server = _Server(outer, process, inner)
        except OSError as error:
            raise BuildError(
                f"cannot listen on {outer[0]}:{outer[1]}: {error.strerror}", fix="is it in use?"
            ) from None
        self.address: tuple[str, int] = self._server.server_address[:2]  # type: ignore[assignment]
        threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True).start()

    def close(self) -> None:
        """Listen no longer."""
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, outer: tuple[str, int], process: SimulatedProcess, inner: int) -> None:
        self.process = process
        self.inner = inner
        super().__init__(outer, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that breaks off is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _PATIENCE_SECONDS
    server: _Server

    def do_GET(self) -> None:
        """Let the listener inside answer; whatever the method, it decides."""
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > _MAX_BODY_BYTES:
            self.send_error(413)
            return
        self.rfile.read(int(length))  # what is simulated reads no bodies
        request = HttpRequest(self.command, self.path, self.headers.get("Host", "localhost"))
        try:
            answer = self.server.process.request(self.server.inner, request)
        except ConnectionRefusedError:
            self.close_connection = True  # nobody listens (yet): the caller sees its connection closed
            return
        self._send(answer)

    do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_GET  # noqa: N815

    def _send(self, answer: HttpResponse) -> None:
        self.send_response_only(answer.status, answer.reason)
        names = {name.lower() for name in answer.headers}
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if "content-length" not in names:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the simulated server keeps a log of its own."""
