"""The world of the access matrix, for those who wish it ill."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.access.world import World, build


@pytest.fixture(scope="module")
def world(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One of everything, and everybody who may ask."""
    with pytest.MonkeyPatch.context() as patch:
        yield build(tmp_path_factory.mktemp("hostile"), template, patch)
