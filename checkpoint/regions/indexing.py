"""Building the index file in a process of its own, beside the loading of the database: each keeps one core busy for half a minute."""

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

from checkpoint.regions.build import build_index
from checkpoint.regions.source import read_divisions

_POLL_SECONDS = 0.2


class IndexBuildFailed(RuntimeError):
    """The region index could not be built; the message of the process that tried stands above."""


def _build(dist: Path, path: Path, done: "Synchronized[int]") -> None:
    def note(count: int) -> None:
        done.value = count

    build_index(read_divisions(dist), path, note)


class IndexBuild:
    """A build under way. The new file takes its place in `install`, so that no text resolves to what the database lacks."""

    def __init__(self, dist: Path, target: Path) -> None:
        self._target = target
        self._next = target.with_name(f"{target.name}.next")
        context = multiprocessing.get_context("spawn")  # a fork would share the database connections
        self._done: Synchronized[int] = context.Value("q", 0)
        self._process = context.Process(target=_build, args=(dist, self._next, self._done), daemon=True)
        self._process.start()

    def install(self, progress: Callable[[int], None]) -> None:
        """Wait for the build, telling how many divisions are done, and put the file in place. Raises IndexBuildFailed."""
        while self._process.is_alive():
            progress(self._done.value)
            self._process.join(_POLL_SECONDS)
        if self._process.exitcode != 0:
            raise IndexBuildFailed
        self._next.replace(self._target)

    def close(self) -> None:
        """End the process if it is still at work, and leave nothing half-made behind."""
        if self._process.is_alive():
            self._process.terminate()
            self._process.join()
        self._process.close()
        self._next.unlink(missing_ok=True)


@contextmanager
def building(dist: Path, target: Path) -> Iterator[IndexBuild]:
    """Start building; whatever happens, no process stays behind."""
    build = IndexBuild(dist, target)
    try:
        yield build
    finally:
        build.close()
