"""Correcting an account and a post: what is wrong is named, what was signed in ends, and the act is recorded once."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from checkpoint.accounts.changing import change_checkpoint, change_user
from checkpoint.accounts.models import CheckpointKind, Role, User
from checkpoint.accounts.permissions import Actor
from checkpoint.alerts import duty
from checkpoint.audit.models import AuditEntry
from checkpoint.database import db
from checkpoint.errors import Conflict, InvalidInput, NotFound
from tests.factories import NOW, people
from tests.factories.divisions import OTHER_VILLAGE, SITE, TOWN, VILLAGE


@pytest.fixture
def chief(context: Flask) -> Actor:
    return people.commander()


def acts(prefix: str) -> list[str]:
    return list(db.session.scalars(select(AuditEntry.act).where(AuditEntry.act.startswith(prefix))))


def test_another_role_ends_what_was_signed_in_and_a_name_does_not(chief: Actor) -> None:
    user = people.user("lina", Role.OFFICER, SITE)
    user.pin_hash = "a pin"
    epoch = user.session_epoch
    change_user(user.id, " 李娜 ", Role.OFFICER, SITE, actor=chief, at=NOW)
    assert (user.display_name, user.session_epoch, user.pin_hash) == ("李娜", epoch, "a pin")
    change_user(user.id, "李娜", Role.VILLAGE, VILLAGE, actor=chief, at=NOW)
    stored = db.session.get_one(User, user.id, populate_existing=True)
    assert (stored.role, stored.division_code, stored.pin_hash) == ("village", VILLAGE, None)
    assert stored.session_epoch != epoch
    change_user(user.id, "李娜", Role.VILLAGE, VILLAGE, actor=chief, at=NOW)
    assert acts("user.change") == ["user.change"] * 2, "a repeat changes nothing"


def test_shifts_in_the_division_that_somebody_has_left_count_no_more(chief: Actor) -> None:
    worker = people.village_worker()
    assert worker.id is not None
    shifts = duty.Shifts(worker.id, NOW.date(), 2, "00:00", "24:00")
    duty.add_shifts(shifts, actor=chief, at=NOW, timezone="Asia/Shanghai")
    assert len(duty.roster(chief, NOW, NOW + timedelta(days=3))) == 2
    change_user(worker.id, "某人", Role.VILLAGE, OTHER_VILLAGE, actor=chief, at=NOW)
    assert duty.roster(chief, NOW, NOW + timedelta(days=3)) == []


@pytest.mark.parametrize(
    ("name", "role", "division", "field"),
    [
        ("", "village", VILLAGE, "name"),
        ("李", "company", VILLAGE, "role"),
        ("李", "village", "999999999999", "division"),
    ],
)
def test_what_is_wrong_with_an_account_is_named(chief: Actor, name: str, role: str, division: str, field: str) -> None:
    user = people.user()
    with pytest.raises(InvalidInput) as wrong:
        change_user(user.id, name, role, division, actor=chief, at=NOW)
    assert [one.field for one in wrong.value.errors] == [field]


def test_ones_own_account_and_those_of_companies_and_of_elsewhere_stay_as_they_are(chief: Actor) -> None:
    liaison = people.user("liaison", Role.COMPANY, TOWN)
    assert chief.id is not None
    for user_id in (chief.id, liaison.id):
        with pytest.raises(Conflict):
            change_user(user_id, "某人", Role.VILLAGE, VILLAGE, actor=chief, at=NOW)
    with pytest.raises(NotFound):
        change_user(liaison.id, "某人", Role.VILLAGE, VILLAGE, actor=people.stranger(), at=NOW)


def test_a_post_gets_another_name_kind_and_place(chief: Actor) -> None:
    post = people.checkpoint("G60", TOWN)
    changed = change_checkpoint("g60", "新名", CheckpointKind.CLOSED, SITE, actor=chief, at=NOW)
    assert (changed.id, changed.name, changed.kind, changed.division_code) == (post.id, "新名", "closed", SITE)
    assert acts("checkpoint.change") == ["checkpoint.change"]
    with pytest.raises(InvalidInput) as wrong:
        change_checkpoint("G60", "", "bridge", "1", actor=chief, at=NOW)
    assert {one.field for one in wrong.value.errors} == {"name", "kind", "division"}
    with pytest.raises(NotFound):
        change_checkpoint("G60", "新名", "port", SITE, actor=people.stranger(), at=NOW)
