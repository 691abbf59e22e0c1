"""Many screens of many workers on one selector: what came is kept with its moment and read afterwards, so that reading costs no time."""

import contextlib
import json
import selectors
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from checkpoint.benchmarks.load import WrongAnswer

_PATIENCE = 30.0  # seconds for a connection


@dataclass(frozen=True, slots=True)
class Arrival:
    """One event on one screen: its number, the alert, and when it came (seconds since 1970). `event` is alert or change."""

    seq: int
    event: str
    alert: str
    came: float


@dataclass(slots=True)
class Line:
    """One connection of a screen: the bytes that came, and how many of them were there at which moment."""

    socket: socket.socket
    data: bytearray = field(default_factory=bytearray)
    marks: list[tuple[int, float]] = field(default_factory=list)

    def receive(self) -> None:
        """Take what has come. WrongAnswer when the server hangs up or refuses."""
        got = self.socket.recv(262_144)
        if not got:
            raise WrongAnswer("the server closed a stream")
        self.data += got
        self.marks.append((len(self.data), time.time()))
        if not b"200".startswith(bytes(self.data[9:12])):
            raise WrongAnswer(f"a stream was refused: {bytes(self.data[:200]).decode(errors='replace')}")

    @property
    def connected(self) -> bool:
        """Whether the stream itself has begun, so that nothing is missed from here on."""
        return b": connected" in self.data

    @property
    def last(self) -> int | None:
        """The number of the last whole event, as a browser would send it when it comes back."""
        whole = self.data.rfind(b"\n\n")
        start = self.data.rfind(b"\nid: ", 0, max(whole, 0))
        return int(self.data[start + 5 : self.data.index(b"\n", start + 5)]) if start >= 0 else None

    def arrivals(self) -> Iterator[Arrival]:
        """Every whole event in the order in which it came. HTTP's chunk lengths stand on lines of their own and name no field."""
        marks, at, start = iter(self.marks), (0, 0.0), 0
        while (end := self.data.find(b"\n\n", start)) >= 0:
            while at[0] < end + 2:
                at = next(marks)
            lines = bytes(self.data[start:end]).replace(b"\r\n", b"\n").split(b"\n")
            fields = dict(line.split(b": ", 1) for line in lines if b": " in line)
            if b"id" in fields:
                found = json.loads(fields[b"data"])
                yield Arrival(int(fields[b"id"]), fields[b"event"].decode(), found["alert"], at[1])
            start = end + 2


@dataclass(slots=True)
class Worker:
    """Somebody with a screen: the token, the reach, where the screen stood when it opened, and its connections one after another."""

    token: str
    reach: tuple[str, str]
    after: int
    lines: list[Line] = field(default_factory=list)
    away: tuple[float, float] | None = None

    @property
    def last(self) -> int:
        """The number of the last event on the screen."""
        return next((last for line in reversed(self.lines) if (last := line.last) is not None), self.after)

    def has(self, seq: int) -> bool:
        """Whether an event has come."""
        return any(line.data.rfind(b"id: %d\n" % seq) >= 0 for line in self.lines)

    def arrivals(self) -> list[Arrival]:
        """Every event, over all connections."""
        return [one for line in self.lines for one in line.arrivals()]


class Screens:
    """All screens; whoever waits for something lets them read meanwhile."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._selector = selectors.DefaultSelector()
        self.workers: list[Worker] = []

    def __enter__(self) -> "Screens":
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers:
            self.cut(worker)
        self._selector.close()

    def open(self, worker: Worker) -> None:
        """Connect a screen, or connect it again where it was."""
        came_back = f"Last-Event-ID: {worker.last}\r\n" if worker.lines else ""
        opened = socket.create_connection(("127.0.0.1", self._port), timeout=_PATIENCE)
        opened.sendall(
            f"GET /api/v1/stream?after={worker.after} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Authorization: Bearer {worker.token}\r\n{came_back}\r\n".encode()
        )
        line = Line(opened)
        if not worker.lines:
            self.workers.append(worker)
        worker.lines.append(line)
        self._selector.register(opened, selectors.EVENT_READ, line)

    def cut(self, worker: Worker) -> None:
        """A network that goes without a word."""
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(worker.lines[-1].socket)
        worker.lines[-1].socket.close()

    def read(self, seconds: float) -> None:
        """Take what comes within some seconds, at most one round."""
        for key, _mask in self._selector.select(max(0.0, seconds)):
            key.data.receive()

    def read_until(self, done: Callable[[], bool], patience: float, step: float = 0.05) -> bool:
        """Read until something is so; False when it is not so after `patience` seconds."""
        deadline, look = time.monotonic() + patience, 0.0
        while time.monotonic() < deadline:
            if time.monotonic() >= look:
                if done():
                    return True
                look = time.monotonic() + step
            self.read(step)
        return done()
