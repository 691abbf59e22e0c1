"""How the scripts speak: short lines on standard error, one clear sentence when something cannot go on."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn


class CannotGoOn(Exception):
    """The message is one sentence that says what is wrong and what to do."""


def say(text: str) -> None:
    """One line for the person who started the script."""
    print(text, file=sys.stderr, flush=True)


def stop(sentence: str) -> NoReturn:
    """End the script with its one sentence."""
    say(f"checkpoint: {sentence}")
    sys.exit(1)


@contextmanager
def step(title: str) -> Iterator[None]:
    """Name a piece of work that takes time, and say how long it took."""
    print(f"{title} … ", end="", file=sys.stderr, flush=True)
    begun = time.monotonic()
    try:
        yield
    except BaseException:
        print("failed", file=sys.stderr, flush=True)
        raise
    print(f"{time.monotonic() - begun:.1f} s", file=sys.stderr, flush=True)
