"""How many requests were answered, how, and how fast: figures of all workers of one server, for /metrics.

The workers share a piece of memory that is made before they are forked; each adds to a place of its own, so that nobody waits for
another process and a killed worker takes no lock along. Whatever worker answers /metrics adds the places up. What a worker that
is gone had counted stays; the figures begin anew with the server.
"""

import mmap
import os
import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from flask import Flask
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from werkzeug.wsgi import ClosingIterator

from checkpoint.web.admission import STREAM

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

KINDS = ("scan", "decision", "registration", "api", "page", "static", "stream")
# 429 and 503 are asked for by the rush itself; the other 4xx and 5xx by mistakes.
STATUSES = ("2xx", "3xx", "4xx", "5xx", "429", "503")
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # seconds
WAITS = ("connection", "turn_to_write")
OPERATORS = frozenset({"/healthz", "/readyz", "/metrics"})
PLACES = 256  # gunicorn numbers its workers upward: more than live at any time, so that no two share one

_TIMES = len(KINDS) * len(STATUSES)
_STRIDE = len(BUCKETS) + 2  # each bucket, what is slower than all, and the sum of seconds
_GIVEN_UP = _TIMES + len(KINDS) * _STRIDE
_OPEN = _GIVEN_UP + len(WAITS)
_PID = _OPEN + 1
_NUMBERS = _PID + 1
_DOUBLE = 8  # bytes


class Counts:
    """The figures of one server, in memory that its workers share."""

    def __init__(self) -> None:
        self._all = memoryview(mmap.mmap(-1, PLACES * _NUMBERS * _DOUBLE)).cast("d")
        self._lock = threading.Lock()  # among the threads of one process
        self._base = 0

    def take_place(self, number: int) -> None:
        """Count in a place of its own from now on: called in each worker after the fork, with gunicorn's number of it."""
        self._lock = threading.Lock()
        self._base = number % PLACES * _NUMBERS
        self._all[self._base + _OPEN] = 0
        self._all[self._base + _PID] = os.getpid()

    def answered(self, kind: str, status: int, seconds: float) -> None:
        """One request was answered."""
        which = KINDS.index(kind)
        first = _TIMES + which * _STRIDE
        with self._lock:
            self._add(which * len(STATUSES) + STATUSES.index(family_of(status)), 1)
            self._add(first + bisect_left(BUCKETS, seconds), 1)
            self._add(first + _STRIDE - 1, seconds)

    def gave_up(self, wait: str) -> None:
        """Somebody waited in vain for a connection of the pool, or for a turn to write."""
        with self._lock:
            self._add(_GIVEN_UP + WAITS.index(wait), 1)

    def stream(self, change: int) -> None:
        """A stream was opened (1) or ended (-1)."""
        with self._lock:
            self._add(_OPEN, change)

    def _add(self, index: int, number: float) -> None:
        self._all[self._base + index] += number

    def _sum(self, index: int) -> float:
        return sum(self._all[index::_NUMBERS])

    def _living(self) -> list[int]:
        """The bases of the places whose worker is alive: this process in any case, also where nothing was forked."""
        pids = {place * _NUMBERS: int(self._all[place * _NUMBERS + _PID]) for place in range(PLACES)}
        return [base for base, pid in pids.items() if base == self._base or (pid and _is_alive(pid))]

    def collect(self) -> Iterator[Metric]:
        """The figures in the words of Prometheus; what `CollectorRegistry.register` asks for."""
        requests = CounterMetricFamily("checkpoint_requests", "Requests answered", labels=["kind", "status"])
        times = HistogramMetricFamily("checkpoint_request_seconds", "Time until the answer was made", labels=["kind"])
        for which, kind in enumerate(KINDS):
            for number, status in enumerate(STATUSES):
                requests.add_metric([kind, status], self._sum(which * len(STATUSES) + number))
            if kind == "stream":
                continue  # it lasts as long as somebody looks at it
            first, reached, buckets = _TIMES + which * _STRIDE, 0.0, []
            for number, bound in enumerate((*map(str, BUCKETS), "+Inf")):
                reached += self._sum(first + number)
                buckets.append((bound, reached))
            times.add_metric([kind], buckets, self._sum(first + _STRIDE - 1))
        yield requests
        yield times
        waits = CounterMetricFamily("checkpoint_waits_given_up", "Requests that waited in vain", labels=["wait"])
        for number, wait in enumerate(WAITS):
            waits.add_metric([wait], self._sum(_GIVEN_UP + number))
        yield waits
        living = self._living()
        yield GaugeMetricFamily("checkpoint_workers", "Processes of this server that answer", value=len(living))
        streams = sum(self._all[base + _OPEN] for base in living)
        yield GaugeMetricFamily("checkpoint_streams", "Screens that follow a stream of this server", value=streams)


def family_of(status: int) -> str:
    """Under which of STATUSES an answer counts."""
    return str(status) if status in (429, 503) else f"{min(max(status // 100, 2), 5)}xx"


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def kind_of(method: str, path: str) -> str:
    """What a request is to the people at the barrier."""
    if path == STREAM:
        return "stream"
    if path.startswith("/static/"):
        return "static"
    if method == "POST":
        if path == "/api/v1/scans":
            return "scan"
        if path.startswith("/api/v1/scans/") and path.endswith("/decision"):
            return "decision"
        if path in ("/", "/api/v1/registrations", "/api/v1/gate/registrations") or path.startswith("/c/"):
            return "registration"
    return "api" if path.startswith("/api/") else "page"


class Counting:
    """Stands before everything, so that those who are sent away are counted too."""

    def __init__(self, inner: "WSGIApplication", counts: Counts) -> None:
        self.inner, self._counts = inner, counts

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path in OPERATORS:
            return self.inner(environ, start_response)
        status = 500  # of an application that raises

        def started(line: str, *more: Any) -> Callable[[bytes], object]:
            nonlocal status
            status = int(line[:3])
            return start_response(line, *more)

        kind, began = kind_of(environ.get("REQUEST_METHOD", ""), path), time.perf_counter()
        try:
            body = self.inner(environ, started)
        finally:
            self._counts.answered(kind, status, time.perf_counter() - began)
        if kind == "stream" and status == 200:
            self._counts.stream(1)
            return ClosingIterator(body, lambda: self._counts.stream(-1))
        return body


def init_app(app: Flask) -> None:
    """Count; after whatever else stands before the application."""
    counts = app.extensions["counts"] = Counts()
    app.wsgi_app = Counting(app.wsgi_app, counts)  # type: ignore[method-assign]
