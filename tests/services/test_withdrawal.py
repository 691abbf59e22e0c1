"""Taking back what should never have been in force: everything it caused is undone, what people decided meanwhile stands and is listed."""

import random
import uuid
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask, current_app
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select

from checkpoint.alerts import service as alerting
from checkpoint.alerts.models import Alert, AlertEvent, FeedEntry
from checkpoint.crossings.models import Crossing, CrossingDecision
from checkpoint.database import db, insert_rows, new_id, transaction
from checkpoint.followups.models import FollowUp
from checkpoint.followups.service import complete
from checkpoint.registrations.models import Pass, Registration, Stay, Traveller
from checkpoint.risk.levels import Level
from checkpoint.risk.lists import Entry
from checkpoint.risk.models import Assessment, ListState, RiskList
from checkpoint.risk.policies import LastPolicy, policies, publish_policy, withdraw_policy
from checkpoint.risk.policy import default_policy
from checkpoint.risk.publishing import withdraw
from checkpoint.risk.service import current_state
from checkpoint.surveillance.findings import findings, look_at, waiting
from checkpoint.surveillance.models import ReassessBatch, ReassessItem
from checkpoint.surveillance.people import assess_all, books_of, load
from tests.factories import NOW, people
from tests.factories.declarations import stay
from tests.factories.divisions import FAR_AWAY, NEIGHBOUR, NEIGHBOUR_TOWN, OTHER_VILLAGE, SAME_PROVINCE, VILLAGE
from tests.factories.inside import follow_up, let_in, put, register
from tests.factories.lists import FENGJING, JIASHAN_LOW, ZHUJING

HOUR = timedelta(hours=1)
WUHAN = Entry(Level.LOW, "湖北省", "武汉市", "江汉区", "民族街道全域")
WRONG_AT = NOW + 2 * HOUR
BACK_AT = NOW + 5 * HOUR


def picture(registration: Registration) -> dict[str, Any]:
    """What a person is under: the tier, why, the measures and the open work."""
    db.session.expire_all()
    one = db.session.get_one(Registration, registration.id)
    assessment = db.session.get_one(Assessment, one.assessment_id)
    work = select(FollowUp.kind, FollowUp.day, FollowUp.due_at).where(
        FollowUp.registration_id == registration.id, FollowUp.state == "open"
    )
    return {
        "tier": one.tier,
        "doubt": one.doubt,
        "state": one.state,
        "score": assessment.score,
        "reasons": [{key: value for key, value in reason.items() if key != "list_id"} for reason in assessment.reasons],
        "measures": assessment.measures,
        "work": sorted(tuple(row) for row in db.session.execute(work)),
    }


def test_everything_a_wrong_list_caused_is_undone() -> None:
    put(WUHAN)
    tablet = people.tablet()
    guest = let_in(tablet, 1, stays=[stay(NEIGHBOUR_TOWN)])
    coming = register(2, stays=[stay(NEIGHBOUR_TOWN)])
    before = [picture(guest), picture(coming)]
    wrong = put(WUHAN, FENGJING, at=WRONG_AT)
    follow_up(WRONG_AT)
    assert [picture(one)["tier"] for one in (guest, coming)] == ["red", "red"]
    assert picture(guest)["work"] != before[0]["work"]
    withdraw(wrong.id, actor=people.operator(), at=BACK_AT)
    assert follow_up(BACK_AT) == 2
    assert [picture(guest), picture(coming)] == before
    raised = db.session.scalars(select(Alert).where(Alert.kind == "reassessment")).all()
    assert [one.state for one in raised] == ["retracted", "retracted"]
    told = db.session.scalars(
        select(AlertEvent).where(AlertEvent.event == "retracted", AlertEvent.alert_id.in_([one.id for one in raised]))
    ).all()
    assert [(one.data or {})["because"] for one in told] == ["withdraw", "withdraw"]
    assert [(one.data or {})["list_id"] for one in told] == [wrong.id, wrong.id]
    heard = db.session.scalar(
        select(func.count()).where(FeedEntry.event == "change", FeedEntry.alert_id.in_([one.id for one in raised]))
    )
    assert heard == 2
    notice = db.session.scalars(select(Alert).where(Alert.kind == "withdrawal")).one()
    assert (notice.division_code, notice.state, notice.params["lowered"]) == (VILLAGE, "notice", 2)
    causes = db.session.scalars(
        select(Assessment.cause).where(Assessment.registration_id == guest.id).order_by(Assessment.made_at)
    ).all()
    assert list(causes) == ["submit", "list", "withdrawal"]
    live = db.session.scalars(select(Alert).where(Alert.subject_id == guest.id, Alert.state != "retracted")).all()
    one = db.session.get_one(Registration, guest.id)
    assert one.alert_id in {alert.id for alert in live}


def test_work_that_was_overdue_before_is_overdue_again() -> None:
    """What the wrong list had cancelled comes back as it was, not as new work with a new day."""
    put(ZHUJING, JIASHAN_LOW)
    guest = let_in(people.tablet(), 1, stays=[stay(NEIGHBOUR, text="朱泾镇罗星路100号", days_ago=2)])
    before = picture(guest)
    assert before["tier"] == "yellow"
    assert any(kind == "test" for kind, _day, _due in before["work"])
    wrong = put(
        JIASHAN_LOW, Entry(Level.HIGH, ZHUJING.province, ZHUJING.city, ZHUJING.county, ZHUJING.text), at=WRONG_AT
    )
    follow_up(WRONG_AT)
    assert picture(guest)["tier"] == "red"
    late = NOW + timedelta(days=3)
    withdraw(wrong.id, actor=people.operator(), at=late)
    follow_up(late)
    assert picture(guest) == before
    follow_up(late + HOUR)
    assert picture(guest) == before


def test_what_people_decided_stands_and_is_listed() -> None:
    put(WUHAN)
    tablet, worker = people.tablet(), people.village_worker()
    inside = let_in(tablet, 1, stays=[stay(NEIGHBOUR_TOWN)])
    wrong = put(WUHAN, FENGJING, at=WRONG_AT)
    follow_up(WRONG_AT)
    turned = let_in(tablet, 2, at=WRONG_AT, decision="turned_back", stays=[stay(NEIGHBOUR_TOWN)])
    alert = db.session.scalars(select(Alert).where(Alert.kind == "reassessment", Alert.subject_id == inside.id)).one()
    alerting.resolve(alert.id, "transferred", "送往隔离点", actor=worker, at=WRONG_AT + HOUR)
    check = db.session.scalars(
        select(FollowUp).where(
            FollowUp.registration_id == inside.id, FollowUp.kind == "health_check", FollowUp.state == "open"
        )
    ).first()
    assert check is not None
    complete(check.id, "well", None, actor=worker, at=WRONG_AT + HOUR)
    withdraw(wrong.id, actor=people.operator(), at=BACK_AT)
    follow_up(BACK_AT)
    command = people.commander()
    listed = findings(command)
    assert Counter(one.kind for one in listed) == {"crossing": 1, "alert": 1, "follow_up": 1}
    by_kind = {one.kind: one for one in listed}
    assert (by_kind["crossing"].registration_id, by_kind["crossing"].decision) == (turned.id, "turned_back")
    assert (by_kind["crossing"].tier_before, by_kind["crossing"].tier_after) == ("red", "green")
    assert (by_kind["alert"].decision, by_kind["alert"].actor) == ("transferred", worker.key)
    db.session.expire_all()
    assert db.session.get_one(Registration, turned.id).state == "turned_back"
    assert db.session.get_one(Alert, alert.id).state == "resolved"
    assert db.session.get_one(FollowUp, check.id).state == "done"
    assert waiting(command) == 3
    look_at(by_kind["alert"].id, actor=command, at=BACK_AT)
    look_at(by_kind["alert"].id, actor=command, at=BACK_AT + HOUR)
    assert waiting(command) == 2
    assert [one.looked_by for one in findings(command, looked=True)] == [command.key]


def test_a_policy_is_taken_back_like_a_list() -> None:
    put(FENGJING)
    guest = let_in(people.tablet(), 1, stays=[stay(NEIGHBOUR, days_ago=2)])
    follow_up()
    before = picture(guest)
    assert before["tier"] == "yellow"
    harsh = default_policy().model_copy(update={"red_from": 45})
    made = publish_policy(harsh, actor=people.operator(), at=WRONG_AT)
    assert publish_policy(harsh, actor=people.operator(), at=WRONG_AT).id == made.id
    assert follow_up(WRONG_AT) == 1
    assert picture(guest)["tier"] == "red"
    assert db.session.scalars(select(Alert.tier).where(Alert.kind == "reassessment")).all() == ["red"]
    withdraw_policy(made.id, actor=people.operator(), at=BACK_AT)
    assert follow_up(BACK_AT) == 1
    assert picture(guest) == before
    with pytest.raises(LastPolicy):
        withdraw_policy(policies()[-1].id, actor=people.operator(), at=BACK_AT)


def _columns(row: Any) -> dict[str, Any]:
    return {column.name: getattr(row, column.name) for column in row.__table__.columns}


def _many(count: int, *, listed: bool, number: int) -> list[uuid.UUID]:
    """Many people inside, as rows: those of `listed` were where the wrong list will be."""
    given = let_in(
        people.tablet(people.checkpoint(f"T{number}")), number, stays=[stay(NEIGHBOUR_TOWN)] if listed else []
    )
    db.session.expire_all()
    model = db.session.get_one(Registration, given.id)
    columns = _columns(model)
    assessment = db.session.get_one(Assessment, model.assessment_id)
    made = _columns(assessment)
    stays = db.session.scalars(select(Stay).where(Stay.registration_id == model.id)).all()
    registrations, assessments, places = [], [], []
    for at in range(count - 1):
        key, judged = new_id(), new_id()
        village = (VILLAGE, OTHER_VILLAGE)[at % 2]
        registrations.append(
            columns
            | {"id": key, "client_id": None, "assessment_id": judged, "destination_code": village, "alert_id": None}
            | dict.fromkeys(("origin_text_sealed", "address_sealed", "plate_sealed"))
        )
        assessments.append(made | {"id": judged, "registration_id": key})
        places += [_columns(one) | {"id": new_id(), "registration_id": key, "text_sealed": None} for one in stays]
    with transaction():
        insert_rows(Registration, registrations)
        insert_rows(Assessment, assessments)
        insert_rows(Stay, places)
    return [model.id, *(one["id"] for one in registrations)]


def _tables() -> dict[str, int]:
    """How many rows what must not be touched has."""
    models = (Crossing, CrossingDecision, Pass, Traveller, Stay, Registration)
    return {one.__tablename__: int(db.session.scalar(select(func.count()).select_from(one)) or 0) for one in models}


@pytest.mark.parametrize("wrongly", [1_020, pytest.param(10_200, marks=pytest.mark.slow)])
def test_thousands_of_wrong_orders_are_undone(wrongly: int) -> None:
    """One wrong list sent 10,200 people into quarantine. Taking it back frees all of them, and touches nobody else."""
    others = 300
    put(WUHAN)
    follow_up()
    ordered = _many(wrongly, listed=True, number=1)
    rest = _many(others, listed=False, number=2)
    before, untouched = _tables(), _assessed(rest)
    wrong = put(WUHAN, FENGJING, at=WRONG_AT)
    assert follow_up(WRONG_AT) == wrongly
    assert _tiers(ordered) == {"red": wrongly}
    orders = select(func.count(FollowUp.registration_id.distinct())).where(
        FollowUp.kind == "release", FollowUp.state == "open"
    )
    assert db.session.scalar(orders) == wrongly
    withdraw(wrong.id, actor=people.operator(), at=BACK_AT)
    assert follow_up(BACK_AT) == wrongly
    assert _tiers(ordered) == {"green": wrongly}
    assert db.session.scalar(orders) == 0
    counted_states = select(Alert.state, func.count()).where(Alert.kind == "reassessment").group_by(Alert.state)
    states = {state: number for state, number in db.session.execute(counted_states)}
    assert states == {"retracted": wrongly}
    notices = db.session.scalars(select(Alert).where(Alert.kind == "withdrawal")).all()
    assert sum(one.params["lowered"] for one in notices) == wrongly
    assert len(notices) == 2
    assert (_tables(), _assessed(rest)) == (before, untouched)
    version = db.session.scalars(select(func.max(ReassessBatch.version))).one()
    counted = db.session.execute(
        select(func.sum(ReassessBatch.lowered), func.sum(ReassessBatch.retracted)).where(
            ReassessBatch.version == version
        )
    ).one()
    assert tuple(counted) == (wrongly, wrongly)
    again = select(func.count()).select_from(Assessment).where(Assessment.cause == "withdrawal")
    assert db.session.scalar(again) == wrongly


def _tiers(ids: list[uuid.UUID]) -> dict[str, int]:
    db.session.expire_all()
    known = set(ids)
    return dict(
        Counter(tier for key, tier in db.session.execute(select(Registration.id, Registration.tier)) if key in known)
    )


def _assessed(ids: list[uuid.UUID]) -> dict[uuid.UUID, tuple[uuid.UUID, int]]:
    rows = db.session.execute(select(Registration.id, Registration.assessment_id, Registration.state_version))
    known = set(ids)
    return {key: (assessed, version) for key, assessed, version in rows if key in known}


PLACES = [
    Entry(level, "上海市", "上海市", "金山区", text)
    for text in ("枫泾镇白牛路151弄12号楼", "朱泾镇罗星路100号", "石化街道全域", "金山卫镇古城路58号")
    for level in (Level.HIGH, Level.MIDDLE)
] + [WUHAN, Entry(Level.HIGH, "湖北省", "武汉市", "江汉区", "民族街道全域"), JIASHAN_LOW]


def _guests() -> list[Registration]:
    tablet = people.tablet()
    rng = random.Random(3)  # noqa: S311 - places, not secrets
    spots = [
        {"code": NEIGHBOUR_TOWN, "text": "白牛路151弄12号楼302室"},
        {"code": NEIGHBOUR, "text": "朱泾镇罗星路100号"},
        {"code": NEIGHBOUR},
        {"code": FAR_AWAY},
        {"code": SAME_PROVINCE},
        {"text": "天上人间"},
    ]
    found = []
    for number in range(12):
        given = rng.choice(spots)
        place = stay(given.get("code"), text=given.get("text"), days_ago=rng.randrange(1, 14), nights=0)
        maker = let_in if number % 2 else None
        if maker is not None:
            found.append(maker(tablet, number, stays=[place]))
        else:
            found.append(register(number, stays=[place]))
    return found


def _agrees(guests: list[Registration], at: Any) -> None:
    """Scored from nothing under what is in force, everybody is as the register says."""
    db.session.expire_all()
    state = current_state(at)
    books = books_of(state)
    found = load([one.id for one in guests], books, at)
    for key, result in assess_all(found.values(), state, books).items():
        stored = db.session.get_one(Registration, key)
        assessment = db.session.get_one(Assessment, stored.assessment_id)
        said = [{name: value for name, value in one.items() if name != "list_id"} for one in assessment.reasons]
        fresh = [one.as_dict() for one in result.reasons]
        for one in fresh:
            one.pop("list_id", None)
        assert (stored.tier, assessment.score, said, assessment.measures) == (
            result.tier.value,
            result.score,
            fresh,
            [one.as_dict() for one in result.measures],
        )


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("publish"), st.sets(st.sampled_from(range(len(PLACES))), min_size=1, max_size=5)),
        st.tuples(st.just("withdraw"), st.integers(0, 5)),
    ),
    min_size=2,
    max_size=7,
)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(STEPS)
def test_publishing_and_taking_back_in_any_order_leaves_what_a_fresh_look_would_say(app: Flask, steps: Any) -> None:
    _clear()
    put(WUHAN)
    guests = _guests()
    follow_up()
    at = NOW
    for number, (act, given_) in enumerate(steps):
        at += 3 * HOUR
        if act == "publish":
            put(*(PLACES[one] for one in sorted(given_)), at=at, source=f"step {number} {sorted(given_)}")
        else:
            chain = db.session.scalars(
                select(RiskList.id)
                .where(RiskList.state.in_([ListState.PUBLISHED, ListState.SUPERSEDED]))
                .order_by(RiskList.activated_at)
            ).all()
            if len(chain) > 1:
                withdraw(chain[given_ % (len(chain) - 1) + 1], actor=people.operator(), at=at)
        follow_up(at)
        _agrees(guests, at)


def _clear() -> None:
    """An empty registry with its division tree, as each example needs; the audit trail goes on, it cannot be emptied."""
    keep = {"division", "division_alias", "alembic_version", "audit_entry", "audit_seal", "audit_link"}
    with transaction() as session:
        if session.get_bind().dialect.name == "postgresql":
            names = ", ".join(one.name for one in db.metadata.sorted_tables if one.name not in keep)
            session.connection().exec_driver_sql(f"TRUNCATE {names} RESTART IDENTITY CASCADE")
        else:
            session.connection().exec_driver_sql("PRAGMA defer_foreign_keys=ON")
            for table in reversed(db.metadata.sorted_tables):
                if table.name not in keep:
                    session.execute(delete(table))
    db.session.expunge_all()
    for name in ("risk_books", "policies"):
        current_app.extensions.pop(name, None)


def test_fifty_versions_one_after_the_other_agree_with_a_look_from_nothing() -> None:
    put(WUHAN)
    guests = _guests()
    follow_up()
    rng = random.Random(50)  # noqa: S311 - places, not secrets
    at = NOW
    for number in range(50):
        at += HOUR
        named = rng.sample(PLACES, rng.randrange(1, 6))
        put(*named, at=at, source=f"version {number} {[one.text for one in named]}")
        follow_up(at)
    _agrees(guests, at)
    total = select(func.count()).select_from(ReassessItem).where(ReassessItem.tier_after.is_(None))
    assert db.session.scalar(total) == 0
    twice = (
        select(Assessment.registration_id)
        .where(Assessment.cause == "list")
        .group_by(Assessment.registration_id, Assessment.state_version)
        .having(func.count() > 1)
    )
    assert db.session.execute(twice).all() == []
