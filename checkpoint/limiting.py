"""Where rate limits are counted when there is no Redis: a small SQLite file beside the data, shared by every process of the host.

It is a cache, not a record: it is written without waiting for the disk, and whatever goes wrong with it never keeps anybody out.
Keys may be made of addresses and phones, so that only their hashes are stored.
"""

import hashlib
import os
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

from limits.storage import Storage

SCHEME = "checkpoint-file"
REDIS_PATIENCE = {"socket_connect_timeout": 0.5, "socket_timeout": 0.5}  # seconds; nobody waits longer for a counter
SWEEP_EVERY = 1000  # countings between two sweeps of what has ended
SWEEP_ROWS = 5000
WAIT_SECONDS = 0.2
_SCHEMA = "CREATE TABLE IF NOT EXISTS rate_window (key BLOB PRIMARY KEY, ends REAL NOT NULL, hits INTEGER NOT NULL) WITHOUT ROWID"
_COUNT = """
INSERT INTO rate_window (key, ends, hits) VALUES (:key, :ends, :amount)
ON CONFLICT (key) DO UPDATE SET
  hits = CASE WHEN ends <= :now THEN excluded.hits ELSE hits + excluded.hits END,
  ends = CASE WHEN ends <= :now THEN excluded.ends ELSE ends END
RETURNING hits
"""
_SWEEP = "DELETE FROM rate_window WHERE key IN (SELECT key FROM rate_window WHERE ends <= ? LIMIT ?)"


class FileStorage(Storage):
    """Fixed windows in a SQLite file; `checkpoint-file:///path` names it."""

    STORAGE_SCHEME = [SCHEME]  # noqa: RUF012 - as the base class has it

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, **options: Any) -> None:
        super().__init__(uri, wrap_exceptions=wrap_exceptions, **options)
        self._path = Path((uri or "").removeprefix(f"{SCHEME}://"))
        self._local = threading.local()
        self._counted = 0

    @property
    def base_exceptions(self) -> type[Exception]:
        return sqlite3.Error

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count a hit in the window of a key, which begins with its first hit and lasts `expiry` seconds; returns how many there are."""
        now = time.time()
        values = {"key": _hashed(key), "ends": now + expiry, "amount": amount, "now": now}
        connection = self._connection()
        hits = int(connection.execute(_COUNT, values).fetchone()[0])
        self._counted += 1
        if self._counted % SWEEP_EVERY == 0:
            connection.execute(_SWEEP, (now, SWEEP_ROWS))
        return hits

    def get(self, key: str) -> int:
        """How many hits there are in the window under way."""
        found = self._window(key)
        return 0 if found is None else int(found[1])

    def get_expiry(self, key: str) -> float:
        """When the window under way ends, in seconds of the epoch; now when there is none."""
        found = self._window(key)
        return time.time() if found is None else float(found[0])

    def check(self) -> bool:
        """Whether the file can be used."""
        try:
            self._connection().execute("SELECT 1 FROM rate_window LIMIT 1")
        except sqlite3.Error:
            return False
        return True

    def reset(self) -> int | None:
        """Forget everything."""
        return self._connection().execute("DELETE FROM rate_window").rowcount

    def clear(self, key: str) -> None:
        """Forget one key."""
        self._connection().execute("DELETE FROM rate_window WHERE key = ?", (_hashed(key),))

    def _window(self, key: str) -> tuple[float, int] | None:
        query = "SELECT ends, hits FROM rate_window WHERE key = ? AND ends > ?"
        found: tuple[float, int] | None = self._connection().execute(query, (_hashed(key), time.time())).fetchone()
        return found

    def _connection(self) -> sqlite3.Connection:
        """This thread's own connection; one that was opened before a fork is left alone."""
        known: sqlite3.Connection | None
        owner, known = getattr(self._local, "connection", (0, None))
        if known is None or owner != os.getpid():
            known = sqlite3.connect(self._path, timeout=WAIT_SECONDS, isolation_level=None, check_same_thread=False)
            known.execute("PRAGMA journal_mode=WAL")
            known.execute("PRAGMA synchronous=OFF")
            known.execute(_SCHEMA)
            self._local.connection = (os.getpid(), known)
        return known


def _hashed(key: str) -> bytes:
    return hashlib.blake2b(key.encode(), digest_size=16).digest()
