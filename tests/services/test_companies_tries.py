"""A staff list is no way to ask about strangers: what a day allows, what is kept of a refusal, and when command hears of it."""

import uuid
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from checkpoint.accounts.permissions import Actor
from checkpoint.alerts.models import Alert
from checkpoint.audit.models import AuditEntry
from checkpoint.companies import members, tries
from checkpoint.companies.models import CompanyMember
from checkpoint.companies.rows import lorry, person
from checkpoint.database import db
from checkpoint.errors import InvalidInput
from checkpoint.risk.policies import publish_policy
from checkpoint.risk.policy import StaffLists, default_policy
from tests.factories import NOW, companies, lists, people
from tests.factories.declarations import name, resident_id
from tests.factories.divisions import SITE

DAY = timedelta(days=1)
LATER = NOW + 5 * DAY  # the first days are over


@pytest.fixture
def liaison(context: Flask) -> Actor:
    lists.in_force()
    limits = StaffLists(per_day=3, first_days=3, first_per_day=6, taken_off_same_day=2)
    policy = default_policy().model_copy(update={"staff_lists": limits})
    publish_policy(policy, actor=people.operator(), at=NOW)
    return companies.active(town=people.town_worker())[1]


def told() -> list[tuple[str, str, object, object]]:
    rows = db.session.scalars(select(Alert).where(Alert.kind == tries.KIND).order_by(Alert.created_at))
    return [(one.division_code, one.state, one.params["why"], one.params["number"]) for one in rows]


def fill(liaison: Actor, numbers: range, at: datetime) -> list[uuid.UUID]:
    return [companies.listed(liaison, number, at).id for number in numbers]


def test_after_so_many_in_a_day_nobody_is_told_of(liaison: Actor) -> None:
    fill(liaison, range(1, 4), LATER)
    for _again in range(2):
        with pytest.raises(InvalidInput) as raised:
            members.add(uuid.uuid4(), person(name(4), resident_id(4)), actor=liaison, at=LATER)
    assert [(one.field, one.code) for one in raised.value.errors] == [("name", "too_many_today")]
    assert told() == [(SITE, "open", "too_many", 4)]
    entries = db.session.scalars(select(AuditEntry).where(AuditEntry.act == "company.too_many")).all()
    assert [entry.data for entry in entries] == [{"today": 3, "wanted": 1, "most": 3}] * 2
    assert len(db.session.scalars(select(CompanyMember)).all()) == 3
    assert companies.listed(liaison, 4, LATER + DAY).id  # the next day is a new one


def test_taking_off_makes_no_room_and_is_told(liaison: Actor) -> None:
    ids = fill(liaison, range(1, 4), LATER)
    members.remove(ids[:1], actor=liaison, at=LATER)
    assert told() == []
    members.remove(ids[1:], actor=liaison, at=LATER)
    assert told() == [(SITE, "open", "taken_off", 3)]
    with pytest.raises(InvalidInput):
        members.add(uuid.uuid4(), lorry("浙F12345"), actor=liaison, at=LATER)
    assert [why for *_rest, why, _number in told()] == ["taken_off", "too_many"]


def test_whoever_leaves_on_another_day_is_nothing_unusual(liaison: Actor) -> None:
    ids = fill(liaison, range(1, 4), LATER)
    members.remove(ids, actor=liaison, at=LATER + DAY)
    assert told() == []


def test_a_new_company_brings_its_whole_list(liaison: Actor) -> None:
    fill(liaison, range(1, 7), NOW)
    with pytest.raises(InvalidInput):
        companies.listed(liaison, 7, NOW)


def test_a_file_counts_as_the_people_in_it(liaison: Actor, tmp_path: Path) -> None:
    def read(first: int, last: int) -> uuid.UUID:
        path = tmp_path / "staff.csv"
        path.write_text(
            "姓名,证件号码\n" + "".join(f"{name(at)},{resident_id(at)}\n" for at in range(first, last)),
            encoding="utf-8",
        )
        return members.read_file(path, tmp_path, actor=liaison, at=LATER).id

    with pytest.raises(InvalidInput):
        members.confirm(read(1, 6), whole=True, actor=liaison, at=LATER)
    assert db.session.scalars(select(CompanyMember)).all() == []
    done = members.confirm(read(1, 4), whole=True, actor=liaison, at=LATER).done
    assert done == {"new": 3, "changed": 0, "gone": 0}
    again = members.confirm(read(1, 4), whole=True, actor=liaison, at=LATER).done  # nobody new: nothing is asked
    assert again == {"new": 0, "changed": 0, "gone": 0}
    assert [(why, number) for *_rest, why, number in told()] == [("too_many", 5)]
