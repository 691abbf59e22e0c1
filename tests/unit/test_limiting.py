"""The counter of rate limits in a file: windows, many threads and processes, and no harm when it breaks."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from limits import RateLimitItemPerMinute
from limits.storage import storage_from_string
from limits.strategies import FixedWindowRateLimiter

from checkpoint.limiting import SCHEME, SWEEP_EVERY, FileStorage

COUNT = """
import sys
from checkpoint.limiting import SCHEME, FileStorage
store = FileStorage(f"{SCHEME}://{sys.argv[1]}")
for _ in range(200):
    store.incr("LIMITS/127.0.0.1/1/minute", 60)
"""


@pytest.fixture
def store(tmp_path: Path) -> FileStorage:
    made = storage_from_string(f"{SCHEME}://{tmp_path / 'limits.sqlite'}")
    assert isinstance(made, FileStorage)
    return made


def test_a_window_counts_and_ends(store: FileStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000_000.0
    monkeypatch.setattr(time, "time", lambda: now)
    assert [store.incr("a", 60), store.incr("a", 60, 3), store.incr("b", 60)] == [1, 4, 1]
    assert (store.get("a"), store.get_expiry("a"), store.get("c")) == (4, now + 60, 0)
    now += 60
    assert store.get("a") == 0
    assert store.incr("a", 60) == 1
    store.clear("a")
    assert store.get("a") == 0


def test_a_limit_holds_and_opens_again(store: FileStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000_000.0
    monkeypatch.setattr(time, "time", lambda: now)
    limiter, limit = FixedWindowRateLimiter(store), RateLimitItemPerMinute(3)
    assert [limiter.hit(limit, "x") for _ in range(5)] == [True, True, True, False, False]
    assert limiter.test(limit, "y")
    now += 61
    assert limiter.hit(limit, "x")


def test_what_has_ended_is_swept(store: FileStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000_000.0
    monkeypatch.setattr(time, "time", lambda: now)
    for number in range(SWEEP_EVERY - 1):
        store.incr(f"old-{number}", 10)
    now += 11
    store.incr("new", 10)
    assert store._connection().execute("SELECT count(*) FROM rate_window").fetchone() == (1,)


def test_threads_and_processes_count_together(store: FileStorage) -> None:
    path = str(store._path)
    commands = [[sys.executable, "-c", COUNT, path] for _ in range(2)]
    store.check()
    processes = [subprocess.Popen(command) for command in commands]
    threads = [
        threading.Thread(target=lambda: [store.incr("LIMITS/127.0.0.1/1/minute", 60) for _ in range(100)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [process.wait() for process in processes] == [0, 0]
    assert store.get("LIMITS/127.0.0.1/1/minute") == 800


def test_no_address_or_phone_is_stored(store: FileStorage) -> None:
    store.incr("LIMITS/203.0.113.77/3000/minute", 60)
    files = [path.read_bytes() for path in store._path.parent.iterdir()]
    assert not any(b"203.0.113.77" in content for content in files)


def test_a_broken_file_says_so(tmp_path: Path) -> None:
    path = tmp_path / "limits.sqlite"
    path.write_bytes(b"no database" * 1000)
    assert FileStorage(f"{SCHEME}://{path}").check() is False
