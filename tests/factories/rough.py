"""A bad network: a proxy on the loopback that loses requests and answers, delivers some twice, and counts what it carries."""

import http.client
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "upgrade", "proxy-authorization", "trailer"}


@dataclass
class Network:
    """`lost` of the calls come to nothing, half of them after the server has acted; `twice` of them arrive twice."""

    address: str = ""
    lost: float = 0.0
    twice: float = 0.0
    dice: random.Random = field(default_factory=lambda: random.Random(11))  # noqa: S311 - a bad network, no secrets
    carried: int = 0  # bytes of answers, heads included
    dropped: int = 0
    repeated: int = 0


@contextmanager
def rough_network(server: str) -> Iterator[Network]:
    """A proxy before `server` (host:port); perfect until `lost` and `twice` are set."""
    network = Network()

    class Handler(_Handler):
        upstream = server
        state = network

    proxy = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    proxy.daemon_threads = True
    network.address = f"127.0.0.1:{proxy.server_port}"
    thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield network
    finally:
        proxy.shutdown()
        thread.join()
        proxy.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    upstream = ""
    state = Network()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Pass a call on; whoever asked may have died meanwhile."""
        try:
            self._pass_on()
        except OSError:
            self.close_connection = True

    do_POST = do_GET  # noqa: N815

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        network, call = self.state, self.path.startswith(("/api/", "/gate/device"))
        fate = network.dice.random() if call else 1.0
        if fate < network.lost / 2:
            self._lose()
            return
        status, headers, content = self._ask(body)
        if fate < network.lost:
            self._lose()
            return
        if call and network.dice.random() < network.twice:
            network.repeated += 1
            status, headers, content = self._ask(body)
        self._answer(status, headers, content)

    def _lose(self) -> None:
        self.state.dropped += 1
        self.close_connection = True

    def _ask(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection(self.upstream, timeout=60)
        try:
            headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
            connection.request(self.command, self.path, body=body or None, headers=headers)
            response = connection.getresponse()
            return response.status, response.getheaders(), response.read()
        finally:
            connection.close()

    def _answer(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
        kept = [(name, value) for name, value in headers if name.lower() not in _HOP | {"content-length"}]
        head = 30 + sum(len(name) + len(value) + 4 for name, value in kept)
        self.state.carried += head + len(content)
        self.send_response_only(status)
        for name, value in kept:
            self.send_header(name, value)
        if status != http.client.NOT_MODIFIED:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
