"""A company applies for its people; granted, it names them; who leaves the list or comes new is not carried along."""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from checkpoint.accounts.permissions import Actor
from checkpoint.approvals import answering
from checkpoint.approvals.models import Approval, ApprovalHolder, ApprovalState
from checkpoint.approvals.queries import holders, proposed
from checkpoint.companies import applying, members, queries, service
from checkpoint.companies.applying import Asked
from checkpoint.companies.models import CompanyMember
from checkpoint.database import db
from checkpoint.errors import InvalidInput, NotFound
from tests.factories import NOW, TODAY, companies, lists, people
from tests.factories.divisions import OTHER_VILLAGE

HOUR = timedelta(hours=1)


@pytest.fixture
def town(context: Flask) -> Actor:
    lists.in_force()
    return people.town_worker()


@pytest.fixture
def liaison(town: Actor) -> Actor:
    return companies.active(town=town)[1]


def asked(*chosen: CompanyMember, kind: str = "company", days: int = 10, **changes: object) -> Asked:
    values: dict[str, object] = {
        "id": uuid.uuid4(),
        "kind": kind,
        "member_ids": tuple(one.id for one in chosen),
        "plan": "车间两班倒，住厂区宿舍，每日抗原检测",
        "first_day": TODAY,
        "last_day": TODAY + timedelta(days=days - 1),
    }
    return Asked(**{**values, **changes})  # type: ignore[arg-type]


def granted(approval: Approval, town: Actor, at: datetime = NOW) -> Approval:
    return answering.grant(approval.id, proposed(approval), "同意", actor=town, at=at)


def names(approval: Approval) -> set[str | None]:
    return {one.name or one.plate for one in holders(approval.id)}


def test_applied_granted_and_a_repeat_changes_nothing(town: Actor, liaison: Actor) -> None:
    one, lorry = companies.listed(liaison), companies.listed_lorry(liaison)
    wanted = asked(one, lorry, days=2, hours=("07:00", "19:00"))
    made = applying.apply(wanted, actor=liaison, at=NOW)
    assert applying.apply(wanted, actor=liaison, at=NOW + HOUR).number == made.number
    assert (made.state, names(made)) == ("open", {one.name, "浙F12345"})
    conditions = proposed(made)
    assert (conditions.valid_until - conditions.valid_from, conditions.hours) == (timedelta(days=2), ("07:00", "19:00"))
    assert granted(made, town).state == ApprovalState.GRANTED.value
    assert [(run.approval.id, run.holders) for run in applying.mine(liaison)] == [(made.id, 2)]
    assert applying.mine(liaison, commuters=True) == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"member_ids": ()}, "members"),
        ({"plan": "太短"}, "plan"),
        ({"kind": "person"}, "kind"),
        ({"first_day": None}, "first_day"),
        ({"first_day": TODAY - timedelta(days=1)}, "first_day"),
        ({"last_day": TODAY - timedelta(days=1)}, "last_day"),
        ({"last_day": TODAY + timedelta(days=900)}, "last_day"),
        ({"hours": ("08:00", "08:00")}, "hours"),
        ({"hours": ("08:00", "")}, "hours"),
        ({"kind": "lorry"}, "members"),
    ],
)
@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_what_is_wrong_is_named(liaison: Actor, changes: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        applying.apply(asked(companies.listed(liaison), **changes), actor=liaison, at=NOW)  # type: ignore[arg-type]
    assert {one.field for one in caught.value.errors} == {field}
    assert db.session.scalars(select(Approval.id)).all() == []


def test_who_is_new_waits_for_the_town(town: Actor, liaison: Actor) -> None:
    old = companies.listed(liaison, 1)
    first = granted(applying.apply(asked(old), actor=liaison, at=NOW), town)
    new = companies.listed(liaison, 2)
    assert names(first) == {old.name}
    mine = uuid.uuid4()
    more = applying.apply_too(first.id, mine, [new.id], actor=liaison, at=NOW + HOUR)
    assert applying.apply_too(first.id, mine, [new.id], actor=liaison, at=NOW + 2 * HOUR).id == more.id
    assert (more.state, names(more), more.valid_until) == ("open", {new.name}, first.valid_until)
    with pytest.raises(InvalidInput):  # who is named already is nobody new
        applying.apply_too(first.id, uuid.uuid4(), [old.id], actor=liaison, at=NOW)
    with pytest.raises(InvalidInput):  # what is not granted is no model
        applying.apply_too(more.id, uuid.uuid4(), [new.id], actor=liaison, at=NOW)


def test_who_leaves_the_list_loses_what_was_granted_at_once(town: Actor, liaison: Actor) -> None:
    leaving, staying = companies.listed(liaison, 1), companies.listed(liaison, 2)
    both = granted(applying.apply(asked(leaving, staying), actor=liaison, at=NOW), town)
    alone = granted(applying.apply(asked(leaving, kind="company"), actor=liaison, at=NOW), town)
    before = both.changed_at
    members.remove([leaving.id], actor=liaison, at=NOW + HOUR)
    db.session.expire_all()
    assert names(both) == {staying.name}
    assert (both.state, alone.state) == (ApprovalState.GRANTED.value, ApprovalState.WITHDRAWN.value)
    assert both.changed_at > before  # tablets hear of it
    gone = db.session.scalars(select(ApprovalHolder.removed_at).where(ApprovalHolder.approval_id == both.id)).all()
    assert sorted(gone, key=str) == [NOW + HOUR, None]


def test_another_company_sees_and_touches_nothing(town: Actor, liaison: Actor) -> None:
    made = applying.apply(asked(companies.listed(liaison)), actor=liaison, at=NOW)
    other = companies.active(2, town=people.stranger("far"), division_code=OTHER_VILLAGE)[1]
    acts: tuple[Callable[[], object], ...] = (
        lambda: applying.one(made.id, other),
        lambda: applying.withdraw(made.id, actor=other, at=NOW),
        lambda: applying.reply(made.id, "?", actor=other, at=NOW),
        lambda: applying.apply_too(made.id, uuid.uuid4(), [], actor=other, at=NOW),
    )
    for act in acts:
        with pytest.raises(NotFound):
            act()
    with pytest.raises(InvalidInput):  # nobody else's member can be named
        applying.apply(asked(companies.listed(liaison, 3)), actor=other, at=NOW)
    assert applying.mine(other) == []


def test_asked_back_answered_and_taken_back(town: Actor, liaison: Actor) -> None:
    made = applying.apply(asked(companies.listed(liaison)), actor=liaison, at=NOW)
    answering.ask(made.id, "宿舍几人一间？", actor=town, at=NOW)
    assert applying.one(made.id, liaison).state == ApprovalState.ASKED.value
    assert applying.reply(made.id, "两人一间", actor=liaison, at=NOW).state == ApprovalState.OPEN.value
    assert applying.withdraw(made.id, actor=liaison, at=NOW).state == ApprovalState.WITHDRAWN.value
    assert applying.withdraw(made.id, actor=liaison, at=NOW).state == ApprovalState.WITHDRAWN.value


def test_closing_a_company_ends_all_it_was_granted(town: Actor, liaison: Actor) -> None:
    running = granted(applying.apply(asked(companies.listed(liaison)), actor=liaison, at=NOW), town)
    waiting = applying.apply(asked(companies.listed(liaison, 2)), actor=liaison, at=NOW)
    service.close(queries.own(liaison).id, "企业注销", actor=town, at=NOW + HOUR)
    db.session.expire_all()
    assert (running.state, waiting.state) == (ApprovalState.REVOKED.value, ApprovalState.WITHDRAWN.value)
