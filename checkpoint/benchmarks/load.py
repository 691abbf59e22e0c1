"""A small load generator: keep-alive connections on one selector, so that the server and not the client is the limit."""

import contextlib
import re
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from checkpoint.errors import CheckpointError

_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)\r\n")
_PATIENCE = 30.0  # seconds without any answer


class WrongAnswer(CheckpointError):
    """The server answered otherwise than the benchmark needs; a figure made of errors would mean nothing."""

    code = "wrong_answer"


@dataclass(frozen=True, slots=True)
class Call:
    """One request as bytes, and what its answer must look like."""

    request: bytes
    status: bytes
    without: bytes | None = None


@dataclass(slots=True)
class Sample:
    """What a run gave: answers, the time they took altogether (seconds), and each one's latency (seconds)."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)

    @property
    def rps(self) -> float:
        return len(self.latencies) / self.seconds if self.seconds else 0.0

    def quantile_ms(self, share: float) -> float:
        """The latency that a share of the requests stayed under, in milliseconds."""
        return quantile(self.latencies, share) * 1000


def quantile(values: list[float], share: float) -> float:
    """The value that `share` of the values do not exceed; 0 when there are none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def post(path: str, body: bytes, token: str | None = None, media: str = "application/json") -> bytes:
    """A POST as it goes over the wire."""
    signed = f"Authorization: Bearer {token}\r\n" if token else ""
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {media}\r\n{signed}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def get(path: str) -> bytes:
    """A GET as it goes over the wire."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


class Connection:
    """One keep-alive connection with at most one request under way."""

    def __init__(self, port: int, selector: selectors.BaseSelector) -> None:
        self._port = port
        self._selector = selector
        self._buffer = bytearray()
        self._socket = self._open()
        self.call: Call | None = None
        self.began = 0.0

    def _open(self) -> socket.socket:
        opened = socket.create_connection(("127.0.0.1", self._port), timeout=_PATIENCE)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._selector.register(opened, selectors.EVENT_READ, self)
        return opened

    def close(self) -> None:
        """Hang up."""
        self._selector.unregister(self._socket)
        self._socket.close()

    def reopen(self) -> None:
        """Take a new socket after the server closed this one between two requests."""
        self.close()
        self._buffer.clear()
        self._socket = self._open()

    def send(self, call: Call, began: float) -> None:
        """Send a request; its latency counts from `began`."""
        self.call, self.began = call, began
        self._socket.sendall(call.request)

    def receive(self) -> bytes | None:
        """Take what has come; the answer's body once it is whole, None before. WrongAnswer if it is not what was expected."""
        data = self._socket.recv(65536)
        if not data:
            if self.call is not None:
                raise WrongAnswer("the server closed a connection in the middle of a request")
            self.reopen()
            return None
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return None
        match = _LENGTH.search(self._buffer, 0, end + 2)
        length = int(match[1]) if match else 0
        if len(self._buffer) < end + 4 + length:
            return None
        head, body = bytes(self._buffer[:end]), bytes(self._buffer[end + 4 :])
        self._buffer.clear()
        call, self.call = self.call, None
        if call is None or head[9:12] != call.status or (call.without is not None and call.without in body):
            raise WrongAnswer(f"{head[:40].decode(errors='replace')}… {body[:400].decode(errors='replace')}")
        if b"\r\nconnection: close" in head.lower():
            self.reopen()
        return body


def run(port: int, calls: Callable[[], Call], *, connections: int, seconds: float, rate: float | None = None) -> Sample:
    """Load a server for some seconds.

    Without `rate` every connection sends its next request as soon as it has its answer. With `rate` requests are due at even
    distances whether or not the server keeps up, and a latency counts from the moment when its request was due.
    """
    sample = Sample()
    with selectors.DefaultSelector() as selector, contextlib.ExitStack() as stack:
        lines = [Connection(port, selector) for _ in range(connections)]
        for line in lines:
            stack.callback(line.close)
        idle = deque(lines)
        started = time.perf_counter()
        deadline = last = started + seconds
        due = started
        while True:
            now = time.perf_counter()
            while idle and now < deadline and due <= now:
                idle.popleft().send(calls(), now if rate is None else due)
                if rate is not None:
                    due += 1 / rate
            if now >= deadline and len(idle) == len(lines):
                break
            waits = min(due, deadline) - now if idle and now < deadline else _PATIENCE
            events = selector.select(max(0.0, waits))
            now = time.perf_counter()
            if not events and now > deadline + _PATIENCE:
                raise WrongAnswer(f"no answer for {_PATIENCE:.0f} s")
            for event, _mask in events:
                line = event.data
                busy = line.call is not None
                if line.receive() is not None:
                    sample.latencies.append(now - line.began)
                    last = now
                    if busy:
                        idle.append(line)
        sample.seconds = max(last, deadline) - started
    return sample
