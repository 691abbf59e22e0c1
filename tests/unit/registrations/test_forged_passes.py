"""Every way to make a pass that nobody issued: never valid, and never "expired", which would mean that it was once right."""

from datetime import timedelta

import pytest

from checkpoint.privacy import Keyring, load_keyring
from checkpoint.registrations.passes import PassKeys
from tests.factories import NOW
from tests.factories.forged import forgeries


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    return load_keyring(tmp_path_factory.mktemp("keys"))


@pytest.mark.parametrize("later", [timedelta(0), timedelta(days=400)], ids=["in time", "long after"])
def test_no_forgery_is_read(ring: Keyring, later: timedelta) -> None:
    keys, made = PassKeys(ring), forgeries(ring, NOW + timedelta(days=8))
    read = {name: keys.read(token, NOW + later) for name, token in made.items()}
    assert {
        name: one.problem for name, one in read.items() if one.problem not in ("unreadable", "other_key", "forged")
    } == {}
    assert [name for name, one in read.items() if one.claims is not None] == []
    assert len(made) > 40
