"""The lock before SQLite: one at a time over threads and processes, and nobody waits for ever."""

import fcntl
import multiprocessing
import os
import threading
import time
from pathlib import Path

import pytest

from checkpoint.filelock import lock_on

PATIENCE = 30.0


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "file.lock")


def _held_elsewhere(path: str) -> int:
    """The lock, held by something that is not this process's FairLock."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(handle, fcntl.LOCK_EX)
    return handle


def test_one_thread_at_a_time(path: str) -> None:
    inside, most, rounds = 0, 0, []

    def work() -> None:
        nonlocal inside, most
        for _ in range(20):
            with lock_on(path).held(PATIENCE):
                inside += 1
                most = max(most, inside)
                rounds.append(inside)
                time.sleep(0)
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (most, len(rounds)) == (1, 160)


def _count(path: str, counter: str, rounds: int) -> None:
    for _ in range(rounds):
        with lock_on(path).held(PATIENCE):
            value = int(Path(counter).read_text())
            Path(counter).write_text(str(value + 1))


def test_one_process_at_a_time(path: str, tmp_path: Path) -> None:
    counter = tmp_path / "counter"
    counter.write_text("0")
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_count, args=(path, str(counter), 100)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert counter.read_text() == "300"


def test_nobody_waits_for_ever_and_one_thread_stands_for_all(path: str) -> None:
    handle = _held_elsewhere(path)
    standing = []
    for _ in range(3):
        with pytest.raises(TimeoutError), lock_on(path).held(0.01):
            pytest.fail("somebody else holds it")
        standing.append(sum(thread.name == "file-lock" for thread in threading.enumerate()))
    assert standing == [1, 1, 1]
    os.close(handle)
    with lock_on(path).held(PATIENCE):
        assert True


def test_a_place_that_nobody_waits_for_is_given_back(path: str) -> None:
    handle = _held_elsewhere(path)
    with pytest.raises(TimeoutError), lock_on(path).held(0.01):
        pytest.fail("somebody else holds it")
    os.close(handle)
    again = os.open(path, os.O_RDWR)
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(again, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            assert time.monotonic() < deadline
            time.sleep(0.005)
    os.close(again)


def test_the_lock_comes_free_when_its_work_fails(path: str) -> None:
    with pytest.raises(ValueError, match="work"), lock_on(path).held(PATIENCE):
        raise ValueError("work")
    with lock_on(path).held(0.0):
        assert True


def test_a_folder_that_is_not_there_is_an_error_of_the_disk(tmp_path: Path) -> None:
    lock = lock_on(str(tmp_path / "nowhere" / "file.lock"))
    for _ in range(2):
        with pytest.raises(FileNotFoundError), lock.held(1.0):
            pytest.fail("there is no folder")
