"""How many requests a process works on at once, how many may wait for their turn, and what the rest is told.

A server that takes everything in answers everybody late and then nobody: each of a thousand threads gets a thousandth of the
processor, and those who have given up are worked for like the others. So WEB_THREADS requests are worked on, WEB_QUEUE wait for at
most a second, and whoever comes then hears 503 and when to come back, before anything was read or written for them.
"""

import logging
import sys
import threading
import uuid
from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask, g
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError, PendingRollbackError

from checkpoint.config import Settings
from checkpoint.errors import TooBusy

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PATIENCE = 1.0  # seconds that a request waits for its turn
# What an operator asks in the rush, what costs next to nothing, and what has a limit of its own (checkpoint/web/stream.py).
FREE = ("/healthz", "/readyz", "/static/")
STREAM = "/api/v1/stream"

_log = logging.getLogger(__name__)


class Turns:
    """Places at the work, given in the order of arrival."""

    def __init__(self, working: int, waiting: int) -> None:
        self._free = working
        self._most = waiting
        self._lock = threading.Lock()
        self._queue: deque[threading.Event] = deque()

    def take(self, patience: float) -> bool:
        """Wait for a place; False at once when too many wait already, and after `patience` seconds."""
        with self._lock:
            if self._free and not self._queue:
                self._free -= 1
                return True
            if len(self._queue) >= self._most:
                return False
            mine = threading.Event()
            self._queue.append(mine)
        if mine.wait(patience):
            return True
        with self._lock:
            if mine.is_set():  # it came in this very moment
                return True
            self._queue.remove(mine)
            return False

    def give_back(self) -> None:
        """Hand the place to whoever has waited longest."""
        with self._lock:
            if self._queue:
                self._queue.popleft().set()
            else:
                self._free += 1


class Admission:
    """Stands before the application. A place is held until the answer is made; a slow reader of it holds none."""

    def __init__(self, app: Flask, inner: "WSGIApplication", turns: Turns) -> None:
        self._app, self._inner, self._turns = app, inner, turns

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == STREAM or path.startswith(FREE):
            return self._inner(environ, start_response)
        if not self._turns.take(PATIENCE):
            return self._sent_away(environ, start_response)
        try:
            return self._inner(environ, start_response)
        except (OperationalError, InterfaceError, InternalError, PendingRollbackError) as error:
            # The database died when the answer was made already, while what it had used was tidied up.
            _log.warning("database gone after the answer: %s", type(error).__name__)
            failure = sys.exc_info()  # lets the server forget the headers that it was given
            return self._sent_away(
                environ, lambda status, headers, _none=None: start_response(status, headers, failure)
            )
        finally:
            self._turns.give_back()

    def _sent_away(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """The page or problem of any other 503, made without a look at who asks."""
        from checkpoint.web.errors import answer, retry_after

        with self._app.request_context(environ):
            g.request_id = uuid.uuid4().hex
            refusal = answer(503, TooBusy.code, headers={"Retry-After": str(retry_after())})
            return self._app.process_response(refusal)(environ, start_response)


def init_app(app: Flask) -> None:
    """Put the gate before the application; last of all, so that nothing stands before it."""
    settings: Settings = app.extensions["settings"]
    turns = Turns(settings.web_threads, settings.web_queue)
    app.wsgi_app = Admission(app, app.wsgi_app, turns)  # type: ignore[method-assign]
