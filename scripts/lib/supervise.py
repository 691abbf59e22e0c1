"""Child processes that live and die together.

Each child is forked, leads a process group of its own, and ends when its parent is gone, however it went: it holds the reading
end of a pipe that only the parent writes to. Ctrl-C reaches the parent alone, which then ends every group in order.
"""

import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType

PATIENCE = 10.0  # seconds from SIGTERM to SIGKILL


@dataclass(frozen=True, slots=True)
class Child:
    """A running child process."""

    name: str
    pid: int


class Supervisor:
    """Forks children and waits for the first one to end, or for a signal."""

    def __init__(self) -> None:
        self.children: list[Child] = []
        self._reading, self._writing = os.pipe()
        self.stopping = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._stop)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping = True

    def fork(self, name: str, work: Callable[[], None]) -> None:
        """Run `work` in a new process; the process ends when it returns."""
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid:
            self.children.append(Child(name, pid))
            return
        code = 1
        try:
            os.setsid()
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)
            os.close(self._writing)
            threading.Thread(target=self._follow_parent, daemon=True, name="parent-watch").start()
            work()
            code = 0
        except SystemExit as leaving:
            code = leaving.code if isinstance(leaving.code, int) else 0 if leaving.code is None else 1
        except KeyboardInterrupt:
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def _follow_parent(self) -> None:
        os.read(self._reading, 1)  # returns at the end of the file: the parent is gone
        os.kill(os.getpid(), signal.SIGTERM)

    def ended(self) -> tuple[str, int] | None:
        """The name and exit status of a child that has ended, if one has."""
        for child in list(self.children):
            pid, status = os.waitpid(child.pid, os.WNOHANG)
            if pid:
                self.children.remove(child)
                _signal_group(child.pid, signal.SIGKILL)  # what it may have left behind
                return child.name, os.waitstatus_to_exitcode(status)
        return None

    def wait(self) -> tuple[str, int] | None:
        """Until a child ends (its name and exit status) or somebody asks to stop (None)."""
        while not self.stopping:
            if (gone := self.ended()) is not None:
                return gone
            time.sleep(0.1)
        return None

    def end_all(self) -> None:
        """End every child: SIGTERM to each, and SIGKILL to the whole group of those that do not follow in time."""
        for child in self.children:
            _signal(child.pid, signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE
        while self.children and time.monotonic() < deadline:
            if self.ended() is None:
                time.sleep(0.05)
        for child in self.children:
            _signal_group(child.pid, signal.SIGKILL)
            os.waitpid(child.pid, 0)
        self.children.clear()


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _signal_group(pid: int, number: signal.Signals) -> None:
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        return
