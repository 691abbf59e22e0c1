"""How many requests a process works on at once, how many may wait for their turn, and what the rest is told.

A server that takes everything in answers everybody late and then nobody: each of a thousand threads gets a thousandth of the
processor, and those who have given up are worked for like the others. So WEB_THREADS requests are worked on, WEB_QUEUE wait for at
most a second, and whoever comes then hears 503 and when to come back, before anything was read or written for them.
"""

import logging
import re
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
# What the refusal depends on besides the path and what was chosen; errors are not compressed.
_ASKED_BY = ("HTTP_ACCEPT", "HTTP_ACCEPT_LANGUAGE", "HTTP_SEC_FETCH_SITE")
_CHOSEN = re.compile(r"(?:^|[;&?]\s*)(lang|text|theme)=([a-z]{2,8})\b")
_NEW_EACH_TIME = {"retry-after", "x-request-id", "set-cookie", "date"}
MOST_REFUSALS = 200

Refusal = tuple[str, list[tuple[str, str]], bytes]

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
        self._refusals: dict[tuple[object, ...], Refusal] = {}

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
        """The page or problem of any other 503, made without a look at who asks.

        A thousand a second are sent away in a rush, and each must cost next to nothing of what those who are let in need: it is
        made once for each way of asking, then only its number and the time to come back are new.
        """
        from checkpoint.web.errors import retry_after

        path = environ.get("PATH_INFO", "")
        key = (path.startswith("/api/"), *_asked_for(environ), *(environ.get(name, "") for name in _ASKED_BY))
        made = self._refusals.get(key)
        if made is None:
            made = self._refusal(environ)
            if len(self._refusals) < MOST_REFUSALS:
                self._refusals[key] = made
        status, headers, body = made
        own = [("Retry-After", str(retry_after())), ("X-Request-Id", uuid.uuid4().hex)]
        start_response(status, [*headers, *own])
        return () if environ.get("REQUEST_METHOD") == "HEAD" else (body,)

    def _refusal(self, environ: "WSGIEnvironment") -> Refusal:
        """The whole answer as any other error page is made, without what is new each time."""
        from checkpoint.web.errors import answer

        with self._app.request_context(environ):
            g.request_id = ""
            refusal = self._app.process_response(answer(503, TooBusy.code))
            body = refusal.get_data()
            headers = [item for item in refusal.headers.to_wsgi_list() if item[0].lower() not in _NEW_EACH_TIME]
            return refusal.status, headers, body


def _asked_for(environ: "WSGIEnvironment") -> tuple[object, ...]:
    """What the address and the cookies choose of language and looks."""
    return tuple(
        tuple(_CHOSEN.findall(environ.get(name, ""))) if environ.get(name) else ()
        for name in ("QUERY_STRING", "HTTP_COOKIE")
    )


def init_app(app: Flask) -> None:
    """Put the gate before the application; last of all, so that nothing stands before it."""
    settings: Settings = app.extensions["settings"]
    turns = Turns(settings.web_threads, settings.web_queue)
    app.wsgi_app = Admission(app, app.wsgi_app, turns)  # type: ignore[method-assign]
