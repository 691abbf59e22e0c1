"""Two disks that take nothing, under a running instance on SQLite: one is full, one is read-only.

Full: the kernel lets the server's files grow no further (RLIMIT_FSIZE, which needs no rights and harms nobody else), in the middle of
registrations; then it lets them grow again. Read-only: the folder is mounted read-only where we may mount, or its rights are taken
away where we may not; root without the right to mount is asked for nothing.
"""

import asyncio
import json
import os
import resource
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from sqlite3 import connect

from checkpoint.benchmarks.crowd import Crowd
from checkpoint.benchmarks.fleet import READY_WITHIN, Fleet, own_folder
from checkpoint.benchmarks.instance import Instance, prepared
from checkpoint.benchmarks.processes import workers_of
from checkpoint.benchmarks.reckoning import reckon
from checkpoint.benchmarks.workloads import SEED, declarations
from checkpoint.database import db

BEFORE, AFTER = 20, 20
MOST = 5000  # registrations until the disk is full
_STORAGE = "urn:checkpoint:problem:storage"


def measure() -> dict[str, float]:
    """How many answers said clearly that the disk takes nothing, how many said anything else, and what was lost or corrupt."""
    figures: dict[str, float] = {"disk_refused": 0, "disk_unclear": 0, "disk_lost": 0, "disk_corrupt": 0}
    with own_folder() as logs, prepared(None, {"REDIS_URL": ""}) as instance:
        for step in (_full, _read_only):
            for name, value in asyncio.run(step(instance, logs)).items():
                figures[name] += value
    return figures


async def _full(instance: Instance, logs: Path) -> dict[str, float]:
    fleet = Fleet(instance, None, None, logs)
    crowd = _crowd(instance)
    try:
        fleet.wait_ready()
        refused, unclear = await _sent(crowd, BEFORE)
        _limit(fleet, _largest(instance.settings.data))
        for _ in range(MOST):
            told, strange = await _sent(crowd, 1)
            refused, unclear = refused + told, unclear + strange
            if refused >= AFTER or unclear >= AFTER:
                break
        _limit(fleet, resource.RLIM_INFINITY)
        again, strange = await _sent(crowd, AFTER)
    finally:
        crowd.line.close()
        fleet.end()
    lost, corrupt = _held_against_the_file(instance, crowd)
    return {
        "disk_refused": refused,
        "disk_unclear": unclear + strange + again,
        "disk_lost": lost,
        "disk_corrupt": corrupt,
    }


async def _read_only(instance: Instance, logs: Path) -> dict[str, float]:
    """The disk becomes read-only under the server, whose workers then end and are forked again: what they had open is closed."""
    crowd = _crowd(instance)
    fleet = Fleet(instance, None, None, logs)
    try:
        fleet.wait_ready()
        before = _rows(instance)
        with _locked(instance.settings.data) as is_locked:
            if not is_locked:
                return {}
            _fork_again(fleet)
            refused, unclear = await _sent(crowd, AFTER)
    finally:
        crowd.line.close()
        fleet.end()
    taken = AFTER - refused - unclear  # by a disk that takes nothing
    return {"disk_refused": refused, "disk_unclear": unclear + taken, "disk_corrupt": float(_rows(instance) != before)}


def _fork_again(fleet: Fleet) -> None:
    old = set(workers_of(fleet.web.pid).pids)
    for pid in old:
        os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + READY_WITHIN
    while len(set(workers_of(fleet.web.pid).pids) - old) < len(old) and time.monotonic() < deadline:
        time.sleep(0.05)
    fleet.wait_answering()


def _crowd(instance: Instance) -> Crowd:
    source = declarations(instance, SEED + 2)
    return Crowd(instance.settings.port, instance.device_token, instance.command_token, source, SEED)


async def _sent(crowd: Crowd, number: int) -> tuple[int, int]:
    """Send declarations, each once: how many were refused in clear words, and how many were neither taken nor that."""
    refused = unclear = 0
    for _ in range(number):
        client_id, body = crowd.next_body()
        crowd.ledger.sent.add(client_id)
        answer = await crowd.line.ask("POST", "/api/v1/registrations", body)
        if answer.status == 201:
            crowd.took(client_id, answer.json())
        elif answer.status == 503 and answer.retry_after and json.loads(answer.body)["type"] == _STORAGE:
            refused += 1
        else:
            unclear += 1
    return refused, unclear


def _largest(data: Path) -> int:
    """The size of the largest of the database's files: what has not come to it may still grow, and then no further."""
    return max(path.stat().st_size for path in data.glob("checkpoint.sqlite*"))


def _limit(fleet: Fleet, size: int) -> None:
    for pid in (fleet.web.pid, *workers_of(fleet.web.pid).pids):
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def _held_against_the_file(instance: Instance, crowd: Crowd) -> tuple[int, int]:
    with instance.app.app_context():
        found = reckon(crowd.ledger, set())
        db.session.remove()
        db.engine.dispose()
    return len(found.lost), len(found.wrong) + len(found.doubled)


def _rows(instance: Instance) -> tuple[str, int]:
    """Whether the file is whole, and how many registrations it holds."""
    with closing(connect(instance.settings.data / "checkpoint.sqlite")) as connection:
        whole: str = connection.execute("PRAGMA integrity_check").fetchone()[0]
        count: int = connection.execute("SELECT count(*) FROM registration").fetchone()[0]
    return whole, count


@contextmanager
def _locked(folder: Path) -> Iterator[bool]:
    """The folder, read-only; whether it could be made so."""
    if os.geteuid() == 0:
        with _mounted(folder) as is_mounted:
            yield is_mounted
        return
    modes = {path: path.stat().st_mode for path in (folder, *folder.iterdir())}
    for path, mode in modes.items():
        path.chmod(mode & ~0o222)
    try:
        yield True
    finally:
        for path, mode in modes.items():
            path.chmod(mode)


@contextmanager
def _mounted(folder: Path) -> Iterator[bool]:
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if mount is None or umount is None or not _run(mount, "--bind", str(folder), str(folder)):
        yield False
        return
    try:
        yield _run(mount, "-o", "remount,bind,ro", str(folder))
    finally:
        if not _run(umount, str(folder)):
            _run(umount, "--lazy", str(folder))


def _run(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0  # noqa: S603 - our own command
