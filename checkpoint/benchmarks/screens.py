"""`stream`: many screens on the stream, registrations that raise alerts, and the time until each screen has each alert."""

import json
import resource
import selectors
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select

from checkpoint.alerts.models import Alert
from checkpoint.benchmarks import workloads
from checkpoint.benchmarks.instance import Instance, Server, served
from checkpoint.benchmarks.load import Call, Connection, WrongAnswer, quantile
from checkpoint.database import db
from checkpoint.errors import ConfigurationError

POSTERS = 4
WARM = 20
_PATIENCE = 15.0  # seconds for the last event to arrive


@dataclass(frozen=True, slots=True)
class Plan:
    """How many screens, how many registrations a second, for how many seconds."""

    connections: int
    rate: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Arrival:
    """One event on one screen: the alert, when the server stamped it and when it came (seconds since 1970)."""

    alert: str
    stamped: float
    came: float


@dataclass
class Screen:
    """One open stream, and what came over it."""

    socket: socket.socket
    buffer: bytearray = field(default_factory=bytearray)
    numbers: list[int] = field(default_factory=list)
    arrivals: list[Arrival] = field(default_factory=list)

    def receive(self) -> None:
        """Take what has come."""
        data = self.socket.recv(65536)
        came = time.time()
        if not data:
            raise WrongAnswer("the server closed a stream")
        self.buffer += data
        *blocks, rest = bytes(self.buffer).replace(b"\r\n", b"\n").split(b"\n\n")
        if blocks:
            self.buffer = bytearray(rest)
        for block in blocks:
            self._take(block, came)

    def _take(self, block: bytes, came: float) -> None:
        """One block of the stream. The lengths of HTTP's chunks stand between the lines and name no field."""
        fields = dict(line.split(b": ", 1) for line in block.split(b"\n") if b": " in line)
        if fields.get(b"event") == b"alert":
            data = json.loads(fields[b"data"])
            self.numbers.append(int(fields[b"id"]))
            self.arrivals.append(Arrival(data["alert"], datetime.fromisoformat(data["at"]).timestamp(), came))


@dataclass(slots=True)
class _Posted:
    """The registrations that were answered: by id, when the answer came (seconds since 1970)."""

    answered: dict[str, float] = field(default_factory=dict)
    waiting: int = 0


def _open_screens(instance: Instance, server: Server, number: int, stack: ExitStack) -> list[Screen]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = number + 200
    if soft < wanted:
        if hard != resource.RLIM_INFINITY and hard < wanted:
            raise ConfigurationError(
                f"{number} streams need {wanted} open files and the limit is {hard}: ulimit -n {wanted}"
            )
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    request = (
        f"GET /api/v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {instance.command_token}\r\n\r\n"
    ).encode()
    screens = []
    for _ in range(number):
        opened = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=30))
        opened.sendall(request)
        screens.append(Screen(opened))
    for screen in screens:
        while b": connected" not in screen.buffer:
            data = screen.socket.recv(65536)
            screen.buffer += data
            if not data or (len(screen.buffer) > 15 and screen.buffer[9:12] != b"200"):
                raise WrongAnswer(f"a stream was refused: {bytes(screen.buffer[:200]).decode(errors='replace')}")
        screen.buffer.clear()
    return screens


def _post(server: Server, calls: Iterator[Call], screens: list[Screen], number: int, rate: float) -> _Posted:
    """Send registrations at even distances while all screens are read; ends when every screen has every alert, or in vain."""
    posted = _Posted()
    with selectors.DefaultSelector() as selector, ExitStack() as stack:
        for screen in screens:
            selector.register(screen.socket, selectors.EVENT_READ, screen)
        posters = [Connection(server.port, selector) for _ in range(POSTERS)]
        for poster in posters:
            stack.callback(poster.close)
        idle = list(posters)
        due, left, expected = time.perf_counter(), number, [len(screen.arrivals) + number for screen in screens]
        give_up = due + number / rate + _PATIENCE
        while time.perf_counter() < give_up:
            while left and idle and due <= time.perf_counter():
                idle.pop().send(next(calls), due)
                left, due = left - 1, due + 1 / rate
            if not left and len(idle) == POSTERS and all(map(_has, screens, expected)):
                break
            for event, _mask in selector.select(max(0.0, due - time.perf_counter()) if left and idle else 0.2):
                _handle(event.data, posted, idle)
    return posted


def _has(screen: Screen, number: int) -> bool:
    return len(screen.arrivals) >= number


def _handle(found: Screen | Connection, posted: _Posted, idle: list[Connection]) -> None:
    if isinstance(found, Screen):
        found.receive()
        return
    body = found.receive()
    if body is not None:
        posted.answered[json.loads(body)["id"]] = time.time()
        idle.append(found)


def _alerts_of(instance: Instance, posted: _Posted) -> dict[str, float]:
    """The alerts that the registrations raised, with the time of each answer."""
    with instance.app.app_context():
        rows = db.session.execute(select(Alert.id, Alert.subject_id).where(Alert.kind == "registration")).all()
        db.session.remove()
    return {str(row.id): posted.answered[str(row.subject_id)] for row in rows if str(row.subject_id) in posted.answered}


def measure(instance: Instance, plan: Plan) -> dict[str, float]:
    """The figures of `stream`."""
    calls = (workloads.registration_call(body) for body in workloads.declarations(instance))
    number = max(1, int(plan.rate * plan.seconds))
    with served(instance) as server, ExitStack() as stack:
        _post(server, calls, [], WARM, plan.rate)
        before = server.workers.own_kib()
        screens = _open_screens(instance, server, plan.connections, stack)
        _post(server, calls, screens, POSTERS, plan.rate)
        memory = (server.workers.own_kib() - before) / plan.connections
        for screen in screens:
            screen.numbers.clear()
            screen.arrivals.clear()
        cpu = server.workers.cpu_seconds()
        posted = _post(server, calls, screens, number, plan.rate)
        cpu = server.workers.cpu_seconds() - cpu
        answers = _alerts_of(instance, posted)
    return {key: round(value, 3) for key, value in _figures(screens, answers, plan, memory, cpu).items()}


def _figures(
    screens: list[Screen], answers: dict[str, float], plan: Plan, memory: float, cpu: float
) -> dict[str, float]:
    lost = doubled = disordered = 0
    stamped, answered = [], []
    for screen in screens:
        seen = Counter(arrival.alert for arrival in screen.arrivals)
        lost += sum(alert not in seen for alert in answers)
        doubled += sum(times - 1 for times in seen.values())
        disordered += screen.numbers != sorted(screen.numbers)
        for arrival in screen.arrivals:
            stamped.append(max(0.0, arrival.came - arrival.stamped) * 1000)
            if arrival.alert in answers:
                answered.append(max(0.0, arrival.came - answers[arrival.alert]) * 1000)
    return {
        "connections": float(len(screens)),
        "alerts": float(len(answers)),
        "alerts_per_second": plan.rate,
        "p50_ms": quantile(stamped, 0.50),
        "p99_ms": quantile(stamped, 0.99),
        "answer_p50_ms": quantile(answered, 0.50),
        "answer_p99_ms": quantile(answered, 0.99),
        "lost": float(lost),
        "doubled": float(doubled),
        "disordered": float(disordered),
        "kib_per_stream": memory,
        "cpu_ms_per_alert": 1000 * cpu / max(1, len(answers)),
    }
