"""A stolen dump tells nobody's name, document, phone, plate, address or own words; and the search that says so finds what is there."""

import pytest
from flask import Flask

from checkpoint import clock
from checkpoint.accounts.permissions import system_actor
from checkpoint.audit.service import record
from checkpoint.benchmarks import dumped
from checkpoint.database import db, transaction
from tests.factories import divisions

EVERYBODY = [dumped.marked(number) for number in range(10_000)]


def registered(people: int) -> list[str]:
    """Let so many people register; all that they gave."""
    some = EVERYBODY[:people]
    dumped.register(some, divisions.VILLAGE, actor=system_actor(divisions.SITE), at=clock.now())
    return [secret for person in some for secret in person.secrets]


def test_nobody_is_like_anybody_else() -> None:
    secrets = [secret for person in EVERYBODY for secret in person.secrets]
    assert len(set(secrets)) == len(secrets) == 60_000


@pytest.mark.timeout(3600)  # people register one by one
@pytest.mark.parametrize("people", [100, pytest.param(10_000, marks=pytest.mark.slow)], ids=str)
def test_a_dump_tells_nothing(context: Flask, people: int) -> None:
    found, searched = dumped.search(dumped.dump(db.engine), registered(people))
    assert found == set()
    assert searched > 2000 * people  # the rows were there


@pytest.mark.parametrize("form", range(3), ids=["text", "bytes", "json"])
def test_the_search_finds_one_that_is_not_sealed(context: Flask, form: int) -> None:
    registered(3)
    secret = EVERYBODY[7].words
    with transaction():
        record(at=clock.now(), actor_kind="system", actor_id=None, act="leak", purpose=dumped.forms(secret)[form])
    found, _searched = dumped.search(dumped.dump(db.engine), [secret, EVERYBODY[0].name])
    assert found == {secret}


def test_blocks_overlap() -> None:
    secret = EVERYBODY[0].document
    parts = ["x" * (dumped._BLOCK - 5), secret, "y" * 3 * dumped._BLOCK]
    assert dumped.search(dumped._overlapping(parts), [secret])[0] == {secret}
    cut = ["x" * dumped._BLOCK + secret[:9], secret[9:] + "y" * dumped._BLOCK]
    assert dumped.search(dumped._overlapping(cut), [secret])[0] == {secret}
