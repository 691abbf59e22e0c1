"""Live screens: one reader thread and one ring of formatted events for each process, whatever the number of screens.

The ring knows nothing of alerts: it is given a function that returns the numbered events after a number. Screens wait on
the ring; one that was away longer than the ring remembers is told so, and reads from the database first.
"""

import bisect
import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

POLL_SECONDS = 0.1
RING_SIZE = 10_000

_log = logging.getLogger(__name__)
_kicked = threading.Event()


@dataclass(frozen=True, slots=True)
class Entry:
    """One event as it goes over the wire. `division_code` decides who receives it."""

    seq: int
    division_code: str
    wire: bytes


def kick() -> None:
    """Something was committed in this process: look now instead of at the next poll."""
    _kicked.set()


class Hub:
    """The ring, its reader thread, and the screens that wait on it."""

    def __init__(self, read: Callable[[int | None], tuple[int, Sequence[Entry]]], size: int = RING_SIZE) -> None:
        """`read(after)` returns (newest number, events after `after`); with None only the newest number."""
        self._read = read
        self._ring: deque[Entry] = deque(maxlen=size)
        self._floor = 0
        self._head = 0
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stopped = threading.Event()
        self._ready = threading.Event()

    def start(self) -> None:
        """Start the reader once; called by the first screen, so that it runs in the worker and not before the fork."""
        with self._changed:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="live-hub", daemon=True)
                self._thread.start()
        self._ready.wait(5)

    def stop(self) -> None:
        """End the reader and wake every waiting screen."""
        self._stopped.set()
        kick()
        with self._changed:
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(5)

    @property
    def stopped(self) -> bool:
        """Whether the hub is ending: screens should close and come back later."""
        return self._stopped.is_set()

    @property
    def head(self) -> int:
        """The newest number that the ring has seen."""
        return self._head

    def after(self, seq: int) -> list[Entry] | None:
        """The events after `seq`, or None when the ring no longer reaches back that far."""
        with self._changed:
            if seq < self._floor:
                return None
            at = bisect.bisect_right(self._ring, seq, key=lambda entry: entry.seq)
            return [self._ring[index] for index in range(at, len(self._ring))]

    def wait(self, seq: int, timeout: float) -> bool:
        """Wait until there is something after `seq`; False when the time ran out or the hub stops."""
        with self._changed:
            return self._changed.wait_for(lambda: self._head > seq or self.stopped, timeout) and not self.stopped

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._advance()
            except Exception:
                # The database may be away for a while; screens keep waiting and the next round tries again.
                _log.exception("live hub: reading the feed failed")
                self._stopped.wait(1)
            _kicked.wait(POLL_SECONDS)
            _kicked.clear()

    def _advance(self) -> None:
        if not self._ready.is_set():
            self._floor = self._head = self._read(None)[0]
            self._ready.set()
            return
        newest, entries = self._read(self._head)
        if newest <= self._head:
            return
        with self._changed:
            for entry in entries:
                if len(self._ring) == self._ring.maxlen:
                    self._floor = self._ring[0].seq
                self._ring.append(entry)
            self._head = newest
            self._changed.notify_all()
