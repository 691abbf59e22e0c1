"""`GET /api/v1/stream`: alerts as they happen, as server-sent events, to whoever may read them.

One hub for each process reads the numbered feed and keeps the last events in a ring; every screen waits on the ring in a
thread of its own and holds no database connection while it waits. `id:` is the feed's number, so that a screen that comes
back with `Last-Event-ID` is served from where it was: from the ring, or from the database when the ring no longer reaches
back that far. Nothing personal goes over this wire: an event says which alert to look at.
"""

import json
import logging
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, Flask, Response, current_app, request

from checkpoint import clock
from checkpoint.accounts import service as account_service
from checkpoint.accounts import sessions
from checkpoint.accounts.permissions import Actor, Permission
from checkpoint.accounts.tokens import actor_for_token
from checkpoint.alerts import feed
from checkpoint.config import Settings
from checkpoint.errors import TooBusy
from checkpoint.live import Entry, Hub
from checkpoint.web.auth import bearer_token, current_actor, requires, session_key

blueprint = Blueprint("stream", __name__)

PING_SECONDS = 15.0
RECHECK_SECONDS = 30.0
RETRY_SECONDS = 30
CHUNK = 1000
READERS_AT_ONCE = 4  # screens that read the database after a long absence; the others wait their turn
PING = b": ping\n\n"

_log = logging.getLogger(__name__)
Recheck = Callable[[], Actor | None]


@dataclass
class Screens:
    """What the streams of one process share: the hub, how many there are, and how many may read the database at once."""

    limit: int
    hub: Hub | None = None
    open: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    readers: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(READERS_AT_ONCE))

    def enter(self) -> None:
        """Take a place; TooBusy when all are taken."""
        with self.lock:
            if self.open >= self.limit:
                raise TooBusy(retry_after=RETRY_SECONDS + random.randrange(RETRY_SECONDS))  # noqa: S311 - spreads a herd
            self.open += 1

    def leave(self) -> None:
        """Give a place back."""
        with self.lock:
            self.open -= 1


@dataclass(frozen=True, slots=True)
class Screen:
    """One connected reader: where it stands and who it is. `recheck` says who it is now, None once nobody."""

    app: Flask
    hub: Hub
    screens: Screens
    actor: Actor
    recheck: Recheck
    reset: bool = False


def wire(item: feed.Item) -> bytes:
    """One event as it goes over the wire."""
    data = {"alert": item.alert_id, "division": item.division_code, "event": item.event, "at": item.at.isoformat()}
    return f"id: {item.seq}\nevent: {item.event}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()


def screens_of(app: Flask) -> Screens:
    """What the streams of this process share."""
    settings: Settings = app.extensions["settings"]
    known: Screens = app.extensions.setdefault("screens", Screens(settings.stream_limit))
    return known


def hub_of(app: Flask) -> Hub:
    """The hub of this process, started by its first screen: a thread does not survive the fork of a worker."""
    screens = screens_of(app)
    with screens.lock:
        if screens.hub is None:
            screens.hub = Hub(lambda after: read_feed(app, after))
        hub = screens.hub
    hub.start()
    return hub


def read_feed(app: Flask, after: int | None) -> tuple[int, list[Entry]]:
    """Number what was committed, then everything after `after`; with None only the newest number."""
    with app.app_context():
        feed.number()
        if after is None:
            return feed.newest(), []
        entries: list[Entry] = []
        while True:
            items = feed.items_after(after, limit=CHUNK)
            entries += [Entry(item.seq, item.division_code, wire(item)) for item in items]
            after = items[-1].seq if items else after
            if len(items) < CHUNK:
                return after, entries


def close_streams(app: Flask) -> None:
    """End every stream of this process; their screens come back to another worker."""
    hub = screens_of(app).hub
    if hub is not None:
        hub.stop()


def close_streams_on_exit(app: Flask) -> None:
    """End the streams at the first SIGTERM or SIGINT, before the server waits for its requests. For the main thread of a worker."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        before = signal.getsignal(number)

        def chained(signum: int, frame: Any, before: Any = before) -> None:
            threading.Thread(target=close_streams, args=(app,), daemon=True).start()
            if callable(before):
                before(signum, frame)

        signal.signal(number, chained)


@blueprint.get("/api/v1/stream")
@requires(Permission.ALERTS_READ)
def stream() -> Response:
    """Server-sent events `alert` and `change` of the caller's jurisdiction, from `Last-Event-ID` or `?after=` on, else from now."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    actor = current_actor()
    screens = screens_of(app)
    screens.enter()
    leave = _once(screens.leave)
    try:
        hub = hub_of(app)
        asked = _asked()
        newest = hub.head
        if asked is None or asked > newest:
            newest = max(newest, feed.newest())  # another process may be ahead; this request's snapshot may be behind
        # A number that was never given comes from before the database was restored: the page must load itself anew.
        reset = asked is not None and asked > newest
        screen = Screen(app, hub, screens, actor, _recheck(), reset)
        start = newest if asked is None or reset else asked
        response = Response(_lines(screen, start), mimetype="text/event-stream")
    except BaseException:
        leave()
        raise
    response.call_on_close(leave)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    return response


def _once(callback: Callable[[], None]) -> Callable[[], None]:
    called = threading.Lock()

    def run() -> None:
        if called.acquire(blocking=False):
            callback()

    return run


def _asked() -> int | None:
    """The number that the reader has seen last; None when it starts now or sends nonsense."""
    raw = request.headers.get("Last-Event-ID", "").strip() or request.args.get("after", "").strip()
    return int(raw) if raw.isascii() and raw.isdigit() and len(raw) <= 18 else None


def _recheck() -> Recheck:
    """How to ask again, later and outside the request, who this reader is."""
    token = bearer_token()
    if token is not None:
        return lambda: actor_for_token(token, at=clock.now())
    key = session_key()
    if key is None:
        return lambda: None

    def ask() -> Actor | None:
        now = sessions.find(key, at=clock.now())
        return None if now is None else account_service.actor_of(now.user)

    return ask


def _lines(screen: Screen, cursor: int) -> Iterator[bytes]:
    """The body: the delay before coming back, then every event once, in order, and a ping when nothing happens."""
    yield f"retry: {random.randrange(1000, 4000)}\n: connected\n\n".encode()  # noqa: S311 - spreads a herd
    if screen.reset:
        yield f'event: reset\ndata: {{"seq":{cursor}}}\n\n'.encode()
    check_at = time.monotonic() + RECHECK_SECONDS
    ping_at = time.monotonic() + PING_SECONDS
    while not screen.hub.stopped:
        if time.monotonic() >= check_at:
            if not _still_allowed(screen):
                return
            check_at = time.monotonic() + RECHECK_SECONDS
        lines, cursor = _next(screen, cursor)
        if lines:
            yield lines
            ping_at = time.monotonic() + PING_SECONDS
            continue
        if time.monotonic() >= ping_at:
            yield PING
            ping_at = time.monotonic() + PING_SECONDS
        screen.hub.wait(cursor, max(0.0, min(ping_at, check_at) - time.monotonic()))


def _next(screen: Screen, cursor: int) -> tuple[bytes, int]:
    """What the reader has not seen yet, as far as one step reaches, and where it stands after that."""
    entries = screen.hub.after(cursor)
    if entries is None:
        return _from_database(screen, cursor)
    if not entries:
        return b"", cursor
    return b"".join(entry.wire for entry in entries if screen.actor.sees(entry.division_code)), entries[-1].seq


def _from_database(screen: Screen, cursor: int) -> tuple[bytes, int]:
    upto = screen.hub.head  # what comes later is in the ring
    with screen.screens.readers, screen.app.app_context():
        items = feed.items_after(cursor, reach=screen.actor.reach, upto=upto, limit=CHUNK)
    return b"".join(wire(item) for item in items), items[-1].seq if len(items) == CHUNK else upto


def _still_allowed(screen: Screen) -> bool:
    """Whether the reader is still who it was; the stream of somebody who was moved ends, and comes back with the new reach."""
    try:
        with screen.app.app_context():
            return screen.recheck() == screen.actor
    except Exception:
        # The database may be away for a moment: the next check will tell.
        _log.exception("stream: checking a reader failed")
        return True
