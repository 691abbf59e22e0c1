"""A run of made inputs over all parsers: what crashed, what took longer than a second, how fast, how much memory.

Each parser runs in a process of its own, so that one which takes the interpreter down is told as well: the number of the input
stands in memory that outlives it. An input is made again by seed, parser and number alone.
"""

import mmap
import os
import pickle
import resource
import signal
import struct
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import NoReturn

from flask import Flask

from checkpoint import create_app
from tests.factories import databases
from tests.fuzz.mutate import dice_for
from tests.fuzz.targets import Target, targets

LONGEST = 1.0  # seconds of CPU for one input; more counts as a hang
_GIVE_UP = 20  # seconds by the clock after which an input is left
_MEMORY = 1 << 30  # bytes that a parser may need above what the program needs itself
_KEPT = 5  # findings kept of a parser


class Stuck(BaseException):
    """An input that does not end. No parser may catch it, so it is no Exception."""


@dataclass(slots=True)
class Outcome:
    """What became of the inputs of one parser; times in seconds, memory in bytes."""

    name: str
    inputs: int = 0
    accepted: int = 0
    refused: int = 0
    crashes: int = 0
    hangs: int = 0
    slowest: float = 0.0
    slowest_at: int = 0
    seconds: float = 0.0
    memory: int = 0
    findings: list[str] = field(default_factory=list)

    def note(self, number: int, what: str, raw: bytes) -> None:
        """Keep a finding with what makes it again."""
        if len(self.findings) < _KEPT:
            self.findings.append(f"{self.name} #{number}: {what}\n    {raw[:200]!r}")


@contextmanager
def instance() -> Iterator[Flask]:
    """An instance with the small tree of divisions, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="checkpoint-fuzz-") as folder:
        data = databases.make_template(Path(folder) / "data")
        app = create_app(databases.environment(data))
        app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
        yield app
        databases.close(app)


def run(inputs: int, seed: int, *, only: str = "", first: int = 0) -> list[Outcome]:
    """`inputs` over all parsers by their shares, or over those whose name holds `only`; counted from `first` in each."""
    with instance() as app, app.app_context():
        found = [target for target in targets(app) if only in target.name]
        whole = sum(target.share for target in found)
        return [in_process(one, seed, first, -(-inputs * one.share // whole)) for one in found]


def in_process(target: Target, seed: int, first: int, count: int) -> Outcome:
    """`try_all` in a process of its own, whatever becomes of that."""
    progress = mmap.mmap(-1, 8)
    reading, writing = os.pipe()
    before = time.monotonic()
    child = os.fork()
    if not child:
        _work(target, seed, first, count, progress, reading, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read()
    _pid, status, _usage = os.wait4(child, 0)
    if told and not status:
        outcome: Outcome = pickle.loads(told)  # noqa: S301 - from our own child
    else:
        (number,) = struct.unpack("<Q", progress[:8])
        raw = made(target, seed, number)
        outcome = Outcome(target.name, inputs=number - first + 1, crashes=1)
        outcome.note(number, f"the process ended with {status}", raw)
    outcome.seconds = time.monotonic() - before
    return outcome


def _work(
    target: Target, seed: int, first: int, count: int, progress: mmap.mmap, reading: int, writing: int
) -> NoReturn:
    os.close(reading)
    ending = 1
    try:
        outcome = try_all(target, seed, first, count, progress)
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(pickle.dumps(outcome))
        ending = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(ending)


def made(target: Target, seed: int, number: int) -> bytes:
    """Input `number` of a parser."""
    dice = dice_for(seed, target.name, number)
    return target.mutate(dice, dice.choice(target.seeds), target.seeds)


def try_all(target: Target, seed: int, first: int, count: int, progress: mmap.mmap | bytearray) -> Outcome:
    """Give a parser its inputs, one after the other."""
    outcome = Outcome(target.name)
    start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    before = signal.signal(signal.SIGALRM, _stuck)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number in range(first, first + count):
            progress[:8] = struct.pack("<Q", number)
            _try(target, made(target, seed, number), number, outcome)
    signal.signal(signal.SIGALRM, before)
    outcome.memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - start) * 1024
    if outcome.memory > _MEMORY:
        outcome.crashes += 1
        outcome.findings.append(f"{target.name}: needed {outcome.memory >> 20} MiB")
    return outcome


def _stuck(_number: int, _frame: FrameType | None) -> NoReturn:
    raise Stuck


def _try(target: Target, raw: bytes, number: int, outcome: Outcome) -> None:
    outcome.inputs += 1
    begun = time.process_time()
    signal.setitimer(signal.ITIMER_REAL, _GIVE_UP)
    try:
        target.call(raw)
        outcome.accepted += 1
    except target.refusals:
        outcome.refused += 1
    except Stuck:
        outcome.hangs += 1
        outcome.note(number, f"no end after {_GIVE_UP} s", raw)
        return
    except BaseException as error:  # a panic of a native library is no Exception
        outcome.crashes += 1
        place = traceback.extract_tb(error.__traceback__)[-1]
        outcome.note(
            number, f"{type(error).__name__}: {str(error)[:160]} at {Path(place.filename).name}:{place.lineno}", raw
        )
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    took = time.process_time() - begun
    if took > outcome.slowest:
        outcome.slowest, outcome.slowest_at = took, number
    if took > LONGEST:
        outcome.hangs += 1
        outcome.note(number, f"took {took:.1f} s", raw)


def figures(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """The sums of a run."""
    inputs, seconds = sum(one.inputs for one in outcomes), sum(one.seconds for one in outcomes)
    return {
        "inputs": inputs,
        "parsers": len(outcomes),
        "accepted": sum(one.accepted for one in outcomes),
        "refused": sum(one.refused for one in outcomes),
        "crashes": sum(one.crashes for one in outcomes),
        "hangs": sum(one.hangs for one in outcomes),
        "slowest_ms": round(max((one.slowest for one in outcomes), default=0.0) * 1000, 1),
        "memory_mib": max((one.memory for one in outcomes), default=0) >> 20,
        "seconds": round(seconds, 1),
        "per_second": round(inputs / seconds, 1) if seconds else 0.0,
    }
