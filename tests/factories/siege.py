"""An instance whose processes are killed at any moment: gunicorn, the scheduler and, on PostgreSQL, the server below them."""

import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import textwrap
import time
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from checkpoint.benchmarks.processes import workers_of
from checkpoint.config import PROJECT_ROOT

PATIENCE = 60.0  # seconds for anything to come back

# The project's scheduler, with batches so small that there is a middle to be killed in.
_SCHEDULER = textwrap.dedent(
    """
    from checkpoint import create_app, scheduler
    from checkpoint.surveillance import planning
    planning.BATCH = 1
    scheduler.run(create_app())
    """
)


class Database(Protocol):
    """A database server that may be killed."""

    def kill(self) -> None:
        """End it without a word."""

    def start(self) -> None:
        """Start it again with what it had on disk."""


class Siege:
    """The processes of one instance, and the means to kill them."""

    def __init__(self, environment: dict[str, str], logs: Path, database: Database | None) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        own = {"HOST": "127.0.0.1", "PORT": str(self.port), "STREAM_LIMIT": "4", "PYTHONPATH": str(PROJECT_ROOT)}
        self._environment = {**os.environ, **environment, **own}
        self._logs, self._database = logs, database
        self._web = self._start("web", "-m", "gunicorn", "-c", "gunicorn.conf.py", "--log-level", "error", "wsgi:app")
        self._scheduler = self._start("scheduler", "-c", _SCHEDULER)
        self.kills: dict[str, int] = {}
        self._until_ready()

    def _start(self, name: str, *arguments: str) -> "subprocess.Popen[bytes]":
        with (self._logs / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, *arguments],
                cwd=PROJECT_ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _until_ready(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with suppress(OSError, http.client.HTTPException):
                if self._ask("GET", "/readyz", "")[0] == 200:
                    return
            time.sleep(0.1)
        raise RuntimeError(self.said())

    def said(self) -> str:
        """The last words of all processes."""
        return "\n".join(path.read_text(errors="replace")[-1500:] for path in sorted(self._logs.glob("*.log")))

    def _ask(self, method: str, path: str, token: str, body: bytes = b"") -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, body, {"Authorization": f"Bearer {token}"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def post(self, path: str, token: str, body: bytes = b"") -> dict[str, object]:
        """Send until it is taken, as a person at the page would: an answer that was lost says nothing of what was done."""
        deadline, last = time.monotonic() + PATIENCE, ""
        while time.monotonic() < deadline:
            try:
                status, data = self._ask("POST", path, token, body)
            except (OSError, http.client.HTTPException) as error:
                last = repr(error)
            else:
                if status in (200, 201):
                    found: dict[str, object] = json.loads(data)
                    return found
                assert status >= 500, data
                last = data.decode(errors="replace")
            time.sleep(0.1)
        raise RuntimeError(f"{path}: {last}\n{self.said()}")

    @property
    def victims(self) -> list[str]:
        """What can be killed."""
        return ["scheduler", "web", *(["database"] if self._database is not None else [])]

    def kill(self, victim: str, rng: random.Random) -> None:
        """SIGKILL; what nobody else starts again is started again a moment later."""
        self.kills[victim] = self.kills.get(victim, 0) + 1
        if victim == "web":
            pids = workers_of(self._web.pid).pids
            if pids:
                with suppress(ProcessLookupError):
                    os.kill(rng.choice(pids), signal.SIGKILL)  # gunicorn forks another one
        elif victim == "scheduler":
            self._scheduler.kill()
            self._scheduler.wait()
            self._scheduler = self._start("scheduler", "-c", _SCHEDULER)
        elif self._database is not None:
            self._database.kill()
            time.sleep(rng.random() * 0.3)
            self._database.start()

    def end(self) -> None:
        """End every process."""
        for process in (self._scheduler, self._web):
            process.terminate()
        for process in (self._scheduler, self._web):
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
