"""The processes of an instance under siege: gunicorn, the scheduler, Redis and PostgreSQL, each of which may be killed at any moment.

All of them are this benchmark's own, on free ports of the loopback, with their files in a folder that is gone at the end: whoever
works on the machine loses nothing.
"""

import os
import random
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from checkpoint.benchmarks.instance import Instance
from checkpoint.benchmarks.processes import workers_of
from checkpoint.config import PROJECT_ROOT
from checkpoint.errors import ConfigurationError

READY_WITHIN = 60.0
LIBRARY = PROJECT_ROOT / "scripts" / "lib"


class Database(Protocol):
    """A PostgreSQL server that may be killed."""

    url: str

    def kill(self) -> None:
        """End it without a word."""

    def start(self) -> None:
        """Start it again with what it had on disk, and wait until it answers."""


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def own_postgres() -> Iterator[Database | None]:
    """A PostgreSQL server of our own, None where its programs are not installed."""
    if str(LIBRARY) not in sys.path:
        sys.path.insert(0, str(LIBRARY))
    import postgres

    programs = postgres.installed_programs()
    if programs is None:
        yield None
        return
    with postgres.own_server(programs) as server:
        yield server


class Process:
    """One child with a log, that can be killed and started again. It leads a group of its own."""

    def __init__(self, name: str, command: list[str], environ: Mapping[str, str], log: Path) -> None:
        self.name, self._command, self._environ, self._log = name, command, dict(environ), log
        self._process = self._start()

    def _start(self) -> "subprocess.Popen[bytes]":
        with self._log.open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - our own command
                self._command,
                cwd=PROJECT_ROOT,
                env=self._environ,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def kill(self) -> None:
        """SIGKILL to it and to whatever it has started."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()

    def start(self) -> None:
        """Start it again after a kill."""
        self._process = self._start()

    def end(self) -> None:
        """SIGTERM, and SIGKILL to the group when that is not enough."""
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(10)
        self.kill()


class Fleet:
    """What runs, and the means to kill it. `kills` counts by name."""

    def __init__(self, instance: Instance, database: Database | None, redis: Process | None, folder: Path) -> None:
        self.port = instance.settings.port
        self.kills: dict[str, int] = {}
        self._folder, self._database, self._redis = folder, database, redis
        python = sys.executable
        web = [python, "-m", "gunicorn", "-c", "gunicorn.conf.py", "--log-level", "error"]
        self.web = Process("web", [*web, "checkpoint.benchmarks.serving:app"], instance.environ, folder / "web.log")
        self.scheduler = Process(
            "scheduler", [python, "-m", "checkpoint.benchmarks.orphans"], instance.environ, folder / "scheduler.log"
        )

    @property
    def victims(self) -> list[str]:
        """What is killed in turn: a worker, the scheduler, Redis, PostgreSQL, and the whole web server."""
        return [
            "worker",
            "scheduler",
            *(["redis"] if self._redis is not None else []),
            *(["database"] if self._database is not None else []),
            "web",
        ]

    def kill(self, victim: str, rng: random.Random) -> None:
        """SIGKILL, and after a moment another start of what nobody else starts again. It blocks until that is done."""
        self.kills[victim] = self.kills.get(victim, 0) + 1
        if victim == "worker":
            pids = workers_of(self.web.pid).pids
            if pids:
                with suppress(ProcessLookupError):
                    os.kill(rng.choice(pids), signal.SIGKILL)  # gunicorn forks another one
            return
        target = {"scheduler": self.scheduler, "web": self.web, "redis": self._redis, "database": self._database}[
            victim
        ]
        if target is not None:
            target.kill()
            time.sleep(rng.random())
            target.start()

    def wait_ready(self) -> None:
        """Until the web server answers that it is ready; ConfigurationError with its last words when it does not."""
        deadline = time.monotonic() + READY_WITHIN
        while time.monotonic() < deadline:
            with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5):
                return
            time.sleep(0.1)
        raise ConfigurationError(f"The server is not ready after {READY_WITHIN:.0f} s: {self.said()}")

    def wait_answering(self) -> None:
        """Until the web server answers at all, be it that it is not ready."""
        deadline = time.monotonic() + READY_WITHIN
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=5):
                    return
            except OSError:
                time.sleep(0.1)
        raise ConfigurationError(f"The server does not answer after {READY_WITHIN:.0f} s: {self.said()}")

    def said(self) -> str:
        """The first failure that each process has told of, and its last words."""
        words = []
        for path in sorted(self._folder.glob("*.log")):
            text = path.read_text(errors="replace")
            failure = text.find("Traceback")
            words.append(f"{path.name}: {text[failure : failure + 4000] if failure >= 0 else ''}\n…\n{text[-1000:]}")
        return "\n".join(words)

    def end(self) -> None:
        """End the scheduler and the web server; the databases are ended by those who made them."""
        for process in (self.scheduler, self.web):
            process.end()


@contextmanager
def own_redis(folder: Path) -> Iterator[tuple[Process, str] | None]:
    """A Redis of our own and its address, None where it is not installed. It keeps nothing: it counts, and that is all."""
    program = shutil.which("redis-server")
    if program is None:
        yield None
        return
    port = str(free_port())
    command = [program, "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(folder)]
    process = Process("redis", command, os.environ, folder / "redis.log")
    try:
        yield process, f"redis://127.0.0.1:{port}/0"
    finally:
        process.end()


@contextmanager
def own_folder() -> Iterator[Path]:
    """A folder for logs and files, gone at the end."""
    with tempfile.TemporaryDirectory(prefix="checkpoint-siege-") as folder:
        yield Path(folder)


@contextmanager
def many_files() -> Iterator[None]:
    """As many open connections as the system allows us, for this process and for those that it starts."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = hard if hard != resource.RLIM_INFINITY else 65_536
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, 65_536), wanted), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
