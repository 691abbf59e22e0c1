"""Children live and die together, however the end comes."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[3] / "scripts" / "lib"
# A parent with two children that would sleep for a minute; the second leaves when a file appears, the first has a child too.
PARENT = """
import os, subprocess, sys, time
sys.path.insert(0, sys.argv[1])
from supervise import Supervisor
def first():
    subprocess.Popen(["sleep", "60"])
    time.sleep(60)
def second():
    while not os.path.exists(sys.argv[2]):
        time.sleep(0.02)
    sys.exit(7)
supervisor = Supervisor()
supervisor.fork("first", first)
supervisor.fork("second", second)
print(*(child.pid for child in supervisor.children), flush=True)
print(supervisor.wait(), flush=True)
supervisor.end_all()
"""


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout
    return not state.strip().startswith("Z")


def gone_within(pids: list[int], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not any(alive(pid) for pid in pids):
            return True
        time.sleep(0.05)
    return False


def group(pid: int) -> list[int]:
    """Everybody in a process group, the leader too."""
    rows = subprocess.run(["ps", "-Ao", "pid=,pgid="], capture_output=True, text=True, check=True).stdout.splitlines()
    return [int(row.split()[0]) for row in rows if row.split()[1] == str(pid)]


@pytest.fixture
def family(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], list[int], Path]]:
    """A running parent, everybody below it, and the file that lets the second child leave."""
    leave = tmp_path / "leave"
    command = [sys.executable, "-c", PARENT, str(SCRIPTS), str(leave)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        leaders = [int(word) for word in parent.stdout.readline().split()]
        deadline = time.monotonic() + 10
        while len(group(leaders[0])) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        everybody = [pid for leader in leaders for pid in group(leader)]
        assert len(everybody) == 3
        yield parent, everybody, leave
        parent.kill()
        for pid in filter(alive, everybody):
            os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_everybody(number: signal.Signals, family: tuple[subprocess.Popen[str], list[int], Path]) -> None:
    parent, everybody, _ = family
    parent.send_signal(number)
    assert parent.wait(15) == 0
    assert parent.stdout is not None
    assert parent.stdout.read().strip() == "None"
    assert gone_within(everybody, 5)


def test_the_end_of_one_is_the_end_of_all(family: tuple[subprocess.Popen[str], list[int], Path]) -> None:
    parent, everybody, leave = family
    leave.touch()
    assert parent.wait(15) == 0
    assert parent.stdout is not None
    assert parent.stdout.read().strip() == "('second', 7)"
    assert gone_within(everybody, 5)


def test_children_follow_a_parent_that_was_killed(family: tuple[subprocess.Popen[str], list[int], Path]) -> None:
    parent, everybody, _ = family
    parent.kill()
    parent.wait(5)
    leaders = [pid for pid in everybody if pid in {os.getpgid(one) for one in everybody if alive(one)}]
    assert gone_within(leaders, 10)


@pytest.mark.parametrize(("port", "sentence"), [("", "cannot be used"), ("seventy", "must be a whole number")])
def test_a_port_that_cannot_be_had_gives_one_sentence(port: str, sentence: str, tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        environment = {**os.environ, "PORT": port or str(holder.getsockname()[1]), "CHECKPOINT_DATA": str(tmp_path)}
        command = [sys.executable, str(SCRIPTS / "start.py")]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
