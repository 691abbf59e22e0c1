"""The application behind a real socket, and a reader of its stream: what a test client inside the process cannot show."""

import contextlib
import http.client
import json
import queue
import socket
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from flask import Flask
from werkzeug.serving import make_server

from checkpoint.web.stream import close_streams, screens_of


def _closing(app: Flask) -> Any:
    """The application, its answers closed even when werkzeug's server forgets it: as after a reader that hung up without a word."""

    def call(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        answer: Iterable[bytes] = app(environ, start_response)
        try:
            yield from answer
        finally:
            if hasattr(answer, "close"):
                answer.close()

    return call


@contextmanager
def serving(app: Flask) -> Iterator[str]:
    """Serve the application from threads on a free port of the loopback; gives `127.0.0.1:port`."""
    server = make_server("127.0.0.1", 0, _closing(app), threaded=True)
    server.daemon_threads = True  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        close_streams(app)
        deadline = time.monotonic() + 5
        while screens_of(app).open and time.monotonic() < deadline:
            time.sleep(0.02)
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass(frozen=True, slots=True)
class Event:
    """One event of the stream as a browser would read it."""

    seq: int
    event: str
    data: dict[str, Any]


class Listener:
    """A screen: reads the stream in a thread of its own until it is closed or the server ends it."""

    def __init__(self, address: str, headers: Mapping[str, str], *, after: int | None = None, last: int | None = None):
        self._connection = http.client.HTTPConnection(address, timeout=30)
        path = "/api/v1/stream" if after is None else f"/api/v1/stream?after={after}"
        more = {} if last is None else {"Last-Event-ID": str(last)}
        self._connection.request("GET", path, headers={**headers, **more})
        self._socket = self._connection.sock  # the response takes it away from the connection
        self.response = self._connection.getresponse()
        self.status = self.response.status
        self.comments: list[str] = []
        self.ended = threading.Event()
        self._events: queue.Queue[Event] = queue.Queue()
        self._thread = threading.Thread(target=self._read, daemon=True)
        if self.status == 200:
            self._thread.start()

    def _read(self) -> None:
        fields: dict[str, str] = {}
        try:
            while line := self.response.readline():
                text = line.decode().rstrip("\n")
                if text.startswith(":"):
                    self.comments.append(text)
                elif text:
                    name, _colon, value = text.partition(": ")
                    fields[name] = value
                else:
                    if "data" in fields:
                        seq = int(fields.get("id", "0"))
                        self._events.put(Event(seq, fields.get("event", ""), json.loads(fields["data"])))
                    fields = {}
        except (OSError, ValueError, AttributeError, http.client.HTTPException):
            pass  # closed by the test
        finally:
            self.ended.set()

    def take(self, number: int, timeout: float = 10.0) -> list[Event]:
        """The next `number` events; fails when they do not come in time."""
        deadline = time.monotonic() + timeout
        return [self._events.get(timeout=max(0.01, deadline - time.monotonic())) for _ in range(number)]

    def nothing_more(self, wait: float = 0.4) -> bool:
        """Whether no further event comes for a while."""
        try:
            self._events.get(timeout=wait)
        except queue.Empty:
            return True
        return False

    def wait_connected(self, timeout: float = 5.0) -> "Listener":
        """Wait for the first bytes: from then on nothing is missed."""
        deadline = time.monotonic() + timeout
        while not self.comments:
            assert time.monotonic() < deadline, "the stream sent nothing"
            time.sleep(0.01)
        return self

    def close(self) -> None:
        """Go away as a browser does: without a word."""
        with contextlib.suppress(OSError):  # the server may have gone first
            self._socket.shutdown(socket.SHUT_RDWR)
        if self._thread.is_alive():
            self._thread.join(5)
        self.response.close()
        self._connection.close()
