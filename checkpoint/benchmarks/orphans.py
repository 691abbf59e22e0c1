"""Processes that a benchmark starts end with it, however it went: they hold the other end of its pipe as standard input."""

import os
import signal
import threading


def _wait() -> None:
    os.read(0, 1)  # not sys.stdin: its lock would be held in every fork of this process
    os.kill(os.getpid(), signal.SIGTERM)


def end_with_parent() -> None:
    """Send SIGTERM to this process when standard input ends."""
    threading.Thread(target=_wait, daemon=True, name="parent-watch").start()


if __name__ == "__main__":
    from checkpoint import create_app, scheduler

    end_with_parent()
    scheduler.run(create_app())
