"""Where the parts of a list are worked on: processes of this machine, or a Dask cluster named by DASK_SCHEDULER.

Both are executors of `concurrent.futures` and get the same function. A worker that dies takes its part with it, and the part is given out
again: by Dask itself, here by a new pool.
"""

import os
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Protocol

from checkpoint.errors import ConfigurationError
from checkpoint.inquiries.chunks import Found, Part, bytes_of, work
from checkpoint.inquiries.registry import Registry


def _alone() -> None:
    """A worker is one of several: Polars must not start a thread for every core in each."""
    os.environ["POLARS_MAX_THREADS"] = "1"
    os.nice(1)


def local_pool(workers: int | None = None) -> ProcessPoolExecutor:
    """Processes of this machine, started afresh: a fork would copy locks of libraries that run threads."""
    return ProcessPoolExecutor(
        workers or max(1, os.cpu_count() or 1), mp_context=get_context("spawn"), initializer=_alone
    )


class Hands(Protocol):
    """Somebody who works on parts."""

    @property
    def ahead(self) -> int:
        """How many parts to hand out before the first one is back."""

    def submit(self, part: Part) -> "Future[Found]":
        """Start on a part."""


@dataclass(slots=True)
class LocalHands:
    """Processes that read their part of the file themselves and map the registry's keys."""

    pool: Executor
    registry: str
    ahead: int

    def submit(self, part: Part) -> "Future[Found]":
        return self.pool.submit(work, part, self.registry)


@dataclass(slots=True)
class DaskHands:
    """Workers of a cluster: the registry's keys are sent to each once, the parts one by one."""

    client: Any
    registry: Any
    ahead: int

    def submit(self, part: Part) -> "Future[Found]":
        sent = replace(part, source=bytes_of(part.source))
        executor: Executor = self.client.get_executor(pure=False, retries=3)
        return executor.submit(work, sent, self.registry)


@contextmanager
def hands(pool: ProcessPoolExecutor, registry: Registry, folder: Path, scheduler: str | None) -> Iterator[Hands]:
    """Whoever works on the parts of a list: the pool that has opened the registry, or the cluster at `scheduler`."""
    if not scheduler:
        path = folder / "people"
        registry.write(path)
        try:
            yield LocalHands(pool, str(path), 2 * max(1, os.cpu_count() or 1))
        finally:
            path.unlink(missing_ok=True)
        return
    try:
        from distributed import Client  # an extra: only clusters need it
    except ImportError as error:
        raise ConfigurationError("DASK_SCHEDULER is set, but the package distributed is not installed.") from error
    try:
        client: Any = Client(scheduler, timeout=10, set_as_default=False)  # type: ignore[no-untyped-call]
    except OSError as error:
        raise ConfigurationError(f"The Dask scheduler at {scheduler} cannot be reached.") from error
    with client:
        client.wait_for_workers(1, timeout=30)
        workers = max(1, len(client.scheduler_info()["workers"]))
        (sent,) = client.scatter([registry], broadcast=True)
        yield DaskHands(client, sent, 2 * workers)
