"""A file lock that processes and threads wait for in order, and for a bounded time only.

The kernel queues those who wait for `flock` fairly, but lets nobody give up. So one thread of each process stands in that queue at
a time, in place of whoever comes next; the callers wait for it with a deadline. A holder that hangs keeps everybody waiting for
`patience` seconds each, and a single thread for each process.
"""

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class _Attempt:
    """A place in the kernel's queue. Whoever waits for it may leave; the next caller of the process takes it over."""

    def __init__(self, handle: int) -> None:
        self.handle = handle
        self._granted = threading.Event()
        self._guard = threading.Lock()
        self._wanted = True
        self._over = False
        threading.Thread(target=self._stand, daemon=True, name="file-lock").start()

    def _stand(self) -> None:
        try:
            fcntl.flock(self.handle, fcntl.LOCK_EX)
        except OSError:
            with self._guard:
                self._over = True  # whoever waits runs into the deadline; the next one begins anew
                os.close(self.handle)
            return
        with self._guard:
            if self._wanted:
                self._granted.set()
            else:
                self._over = True
                os.close(self.handle)

    def wait(self, seconds: float) -> bool:
        """Whether the lock was granted in time; if not, it is given back as soon as it is, unless somebody takes the place over."""
        if self._granted.wait(max(0.0, seconds)):
            return True
        with self._guard:
            self._wanted = self._granted.is_set()  # it may have come in this very moment
            return self._wanted

    def take_over(self) -> bool:
        """Wait for it again; False when it has come and gone."""
        with self._guard:
            self._wanted = not self._over
            return self._wanted


class FairLock:
    """The lock on one file, for all threads of this process; `lock_on` hands it out."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._turn = threading.Lock()
        self._standing: _Attempt | None = None

    @contextmanager
    def held(self, patience: float) -> Iterator[None]:
        """Hold it. TimeoutError when it does not come within `patience` seconds; OSError when the file cannot be made."""
        deadline = time.monotonic() + patience
        if not self._turn.acquire(timeout=patience):
            raise TimeoutError
        try:
            handle = self._enter(deadline)
            try:
                yield
            finally:
                os.close(handle)
        finally:
            self._turn.release()

    def _enter(self, deadline: float) -> int:
        attempt = self._standing
        if attempt is None or not attempt.take_over():
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                attempt = self._standing = _Attempt(handle)
            except OSError:
                os.close(handle)
                raise
            else:
                return handle
        if not attempt.wait(deadline - time.monotonic()):
            raise TimeoutError
        self._standing = None
        return attempt.handle


_known: dict[str, FairLock] = {}
os.register_at_fork(after_in_child=_known.clear)  # the threads of the parent are not in the child


def lock_on(path: str) -> FairLock:
    """The lock of this process on a file."""
    return _known.get(path) or _known.setdefault(path, FairLock(path))
