"""What the builders promise to every other test."""

import pytest
from sqlalchemy import select
from stdnum.cn import ric

from checkpoint.accounts.models import Device, Role, User
from checkpoint.accounts.permissions import Permission
from checkpoint.database import db
from tests.factories import declarations, divisions, people


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_resident_ids_are_right_and_differ() -> None:
    """The library's list of counties lacks the guarded city itself, so its whole check is made with another county."""
    ids = [declarations.resident_id(number) for number in range(1000)]
    assert len(set(ids)) == len(ids)
    assert {ric.calc_check_digit(number) == number[-1] for number in ids} == {True}
    assert ric.is_valid(declarations.resident_id(1, county="330402"))


def test_actors_stand_for_stored_users() -> None:
    actor = people.village_worker()
    stored = db.session.scalars(select(User)).one()
    assert (actor.id, actor.division, actor.role) == (stored.id, divisions.VILLAGE, Role.VILLAGE)
    assert actor.may(Permission.ALERTS_ACT)
    assert not people.stranger().sees(divisions.VILLAGE)


def test_a_tablet_acts_for_its_checkpoint() -> None:
    tablet = people.tablet()
    stored = db.session.scalars(select(Device)).one()
    assert tablet.actor.checkpoint_id == stored.checkpoint_id == tablet.checkpoint.id
    assert tablet.actor.may(Permission.SCANS_WRITE)
    assert tablet.token.startswith("cpd_")
