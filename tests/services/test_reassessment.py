"""A list changes above people's heads: who is looked at again, what the village hears, and what loses its point."""

import uuid
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from checkpoint.alerts.models import Alert, AlertEvent
from checkpoint.alerts.service import acknowledge
from checkpoint.crossings import service as crossings
from checkpoint.database import db, transaction
from checkpoint.followups.models import FollowUp
from checkpoint.registrations.models import Pass, Registration
from checkpoint.risk.levels import Level
from checkpoint.risk.lists import Entry
from checkpoint.risk.models import Assessment
from checkpoint.risk.publishing import confirm, publish, withdraw
from checkpoint.surveillance.models import ReassessBatch, ReassessItem, ReassessJob
from checkpoint.surveillance.service import plan_all, work_all, work_batch
from tests.factories import NOW, people
from tests.factories.declarations import stay
from tests.factories.divisions import FAR_AWAY, NEIGHBOUR, NEIGHBOUR_TOWN, OTHER_VILLAGE, VILLAGE
from tests.factories.inside import draft, follow_up, let_in, put, register
from tests.factories.lists import FENGJING, ZHUJING

HOUR = timedelta(hours=1)
WUHAN = Entry(Level.LOW, "湖北省", "武汉市", "江汉区", "民族街道全域")
LATER = NOW + 3 * HOUR


def fresh(registration: Registration) -> Registration:
    db.session.expire_all()
    return db.session.get_one(Registration, registration.id)


def assessments(registration: Registration) -> list[Assessment]:
    query = select(Assessment).where(Assessment.registration_id == registration.id)
    return list(db.session.scalars(query.order_by(Assessment.made_at, Assessment.id)))


def alerts(**where: Any) -> list[Alert]:
    db.session.expire_all()
    query = select(Alert).filter_by(**where)
    return list(db.session.scalars(query.order_by(Alert.created_at, Alert.id)))


def work(registration: Registration, state: str = "open") -> list[tuple[str, int]]:
    query = select(FollowUp.kind, FollowUp.day).where(
        FollowUp.registration_id == registration.id, FollowUp.state == state
    )
    return sorted((kind, day) for kind, day in db.session.execute(query))


def test_who_was_in_a_newly_listed_place_is_raised_and_the_village_hears_why() -> None:
    put(WUHAN)
    tablet = people.tablet()
    guest = let_in(tablet, stays=[stay(NEIGHBOUR_TOWN, text="白牛路151弄12号楼302室")])
    other = let_in(tablet, 2)
    assert guest.tier == "green"
    new = put(WUHAN, FENGJING, at=LATER)
    assert alerts(kind="reassessment") == []  # publishing returns at once
    assert follow_up(LATER) == 1
    assert fresh(guest).tier == "red"
    raised = alerts(kind="reassessment")
    assert [(one.subject_id, one.division_code, one.tier, one.state) for one in raised] == [
        (guest.id, VILLAGE, "red", "open")
    ]
    assert raised[0].params["list_id"] == new.id
    assert raised[0].params["why"]["area"] == FENGJING.text
    assert raised[0].params["why"]["stay"] == 1
    assert raised[0].ack_due == LATER + timedelta(minutes=15)
    assert [one.cause for one in assessments(guest)] == ["submit", "list"]
    assert [one.cause for one in assessments(other)] == ["submit"]
    assert fresh(guest).alert_id == raised[0].id
    assert ("release", 7) in work(guest)


def test_a_second_round_changes_nothing() -> None:
    put(WUHAN)
    guest = register(stays=[stay(NEIGHBOUR_TOWN)])
    put(WUHAN, FENGJING, at=LATER)
    assert follow_up(LATER) == 1
    before = (len(assessments(guest)), len(alerts()), db.session.scalar(select(func.count()).select_from(AlertEvent)))
    assert follow_up(LATER + HOUR) == 0
    assert before == (
        len(assessments(guest)),
        len(alerts()),
        db.session.scalar(select(func.count()).select_from(AlertEvent)),
    )
    job = db.session.scalars(select(ReassessJob).order_by(ReassessJob.version.desc())).first()
    assert job is not None
    assert job.total == 1
    assert job.finished_at == LATER + HOUR


def test_publishing_the_list_in_force_again_looks_at_nobody() -> None:
    version = put(FENGJING)
    register(stays=[stay(NEIGHBOUR_TOWN)])
    follow_up()
    publish(version.id, actor=people.operator(), at=LATER)
    assert follow_up(LATER) == 0


def test_a_stay_that_began_after_the_end_of_a_listing_is_relaxed_and_one_before_is_not() -> None:
    put(FENGJING, at=NOW - timedelta(days=20))
    follow_up()
    confirm(1, at=NOW)
    tablet = people.tablet()
    before = let_in(tablet, 1, stays=[stay(NEIGHBOUR_TOWN, days_ago=9)])
    after = let_in(tablet, 2, stays=[stay(NEIGHBOUR_TOWN, days_ago=1)])
    assert (before.tier, after.tier) == ("red", "red")
    ended = draft(WUHAN, at=NOW - timedelta(days=2))  # the list itself is two days old
    publish(ended.id, actor=people.operator(), at=LATER)
    assert follow_up(LATER) == 1
    assert (fresh(before).tier, fresh(after).tier) == ("red", "green")
    told = {one.subject_id: (one.state, one.tier) for one in alerts(kind="arrival")}
    assert told == {before.id: ("open", "red"), after.id: ("notice", "green")}
    events = db.session.scalars(select(AlertEvent).where(AlertEvent.event == "relaxed")).all()
    assert [(one.data or {})["to"] for one in events] == ["green"] * len(events)
    assert work(after) == [("arrival_visit", 0), ("landing_test", 0), ("test", 1), ("test", 2), ("test", 3)]
    assert ("release", 7) in work(before)


def test_somebody_at_work_on_an_alert_is_told_and_keeps_it() -> None:
    put(WUHAN)
    guest = register(stays=[stay(NEIGHBOUR_TOWN, days_ago=1)])
    publish(draft(FENGJING, at=NOW - timedelta(days=10)).id, actor=people.operator(), at=LATER)
    follow_up(LATER)
    worker = people.village_worker()
    raised = alerts(kind="reassessment")[0]
    acknowledge(raised.id, actor=worker, at=LATER)
    near = Entry(Level.HIGH, "上海市", "上海市", "金山区", "朱泾镇罗星路100号")
    publish(draft(WUHAN, near, at=NOW - timedelta(days=2)).id, actor=people.operator(), at=LATER + HOUR)
    follow_up(LATER + HOUR)
    assert fresh(guest).tier == "yellow"  # 朱泾镇 is in the same county
    assert [(one.state, one.tier) for one in alerts(kind="reassessment")] == [("acknowledged", "yellow")]


def test_each_village_hears_of_its_own() -> None:
    put(WUHAN)
    for number in range(1, 6):
        register(number, stays=[stay(NEIGHBOUR_TOWN)])
    there = {"code": OTHER_VILLAGE, "address": "新埭 1 号"}
    register(6, stays=[stay(NEIGHBOUR_TOWN)], destination=there)
    put(FENGJING, at=LATER)
    follow_up(LATER)
    raised = alerts(kind="reassessment")
    assert sorted(one.division_code for one in raised) == [VILLAGE] * 5 + [OTHER_VILLAGE]
    assert len({one.group_key for one in raised}) == 1


def test_a_declaration_that_was_being_stored_meanwhile_is_found_by_the_sweep() -> None:
    """It was assessed under the list before, and became visible only after the work was planned."""
    put(WUHAN)
    late = register(stays=[stay(NEIGHBOUR_TOWN)])
    with transaction() as session:
        session.query(Registration).filter_by(id=late.id).update({"state": "left"})
    put(FENGJING, at=LATER)
    assert follow_up(LATER) == 0
    with transaction() as session:
        session.query(Registration).filter_by(id=late.id).update({"state": "declared"})
    assert follow_up(LATER + timedelta(seconds=30)) == 0
    assert follow_up(LATER + timedelta(seconds=90)) == 1
    assert fresh(late).tier == "red"
    assert [one.subject_id for one in alerts(kind="reassessment")] == [late.id]


def test_a_list_that_comes_at_last_clears_the_doubt() -> None:
    without = register(1)
    assert (without.tier, without.doubt) == ("yellow", "list_missing")
    put(WUHAN, at=LATER)
    assert follow_up(LATER) == 1
    assert (fresh(without).tier, fresh(without).doubt) == ("green", None)
    assert [(one.state, one.tier) for one in alerts(kind="registration")] == [("notice", "green")]


def test_a_list_that_was_silent_and_is_confirmed_clears_the_doubt() -> None:
    version = put(WUHAN)
    follow_up()
    late = NOW + 50 * HOUR
    guest = register(at=late, arriving_on=late.date().isoformat())
    assert (guest.tier, guest.doubt) == ("yellow", "list_stale")
    confirm(version.id, at=late + HOUR)
    assert follow_up(late + HOUR) == 1
    assert fresh(guest).tier == "green"


def test_a_batch_that_dies_is_done_by_the_next_one() -> None:
    put(WUHAN)
    guests = [register(number, stays=[stay(NEIGHBOUR_TOWN)]) for number in range(1, 4)]
    put(FENGJING, at=LATER)
    plan_all(LATER)
    died = False
    try:
        with transaction():
            work_batch(actor=people.operator(), at=LATER)
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        died = True
    assert died
    assert [fresh(one).tier for one in guests] == ["green"] * 3
    assert alerts(kind="reassessment") == []
    assert follow_up(LATER) == 3
    assert [fresh(one).tier for one in guests] == ["red"] * 3
    assert len(alerts(kind="reassessment")) == 3


def test_who_was_scanned_first_is_not_told_twice() -> None:
    """The scan has assessed the person under the new list; the batch that comes later leaves that as it is."""
    put(WUHAN)
    tablet = people.tablet()
    guest = register(stays=[stay(NEIGHBOUR_TOWN)])
    put(FENGJING, at=LATER)
    assert plan_all(LATER) == 1
    token = db.session.scalars(select(Pass.token).where(Pass.registration_id == guest.id)).one()
    crossings.record_scan(crossings.Scan(uuid.uuid4(), token, LATER), actor=tablet.actor, at=LATER)
    assert fresh(guest).tier == "red"
    count = len(alerts())
    follow_up(LATER)
    assert [one.cause for one in assessments(guest)] == ["submit", "scan"]
    assert len(alerts()) == count
    assert db.session.scalars(select(ReassessItem.tier_after)).all()[-1] == "red"


def test_only_stays_in_dates_that_count_are_looked_at() -> None:
    put(WUHAN)
    tablet = people.tablet()
    early = let_in(tablet, 1, stays=[stay(NEIGHBOUR, days_ago=12, nights=1)], origin={"code": FAR_AWAY})
    let_in(tablet, 2, stays=[stay(NEIGHBOUR, days_ago=5, nights=1)])
    put(WUHAN, ZHUJING, at=LATER)
    assert follow_up(LATER) == 1
    assert fresh(early).state_version < db.session.scalars(select(func.max(ReassessBatch.version))).one()


def test_a_list_taken_back_and_none_left_makes_everybody_yellow() -> None:
    version = put(WUHAN)
    tablet = people.tablet()
    guests = [let_in(tablet, 1), register(2)]
    withdraw(version.id, actor=people.operator(), at=LATER)
    assert follow_up(LATER) == 2
    assert [fresh(one).tier for one in guests] == ["yellow", "yellow"]
    assert {one.params["why"]["rule"] for one in alerts(kind="reassessment")} == {"list_missing"}


def test_two_who_work_in_turn_do_each_person_once() -> None:
    put(WUHAN)
    for number in range(1, 4):
        register(number, stays=[stay(NEIGHBOUR_TOWN)])
    put(FENGJING, at=LATER)
    assert plan_all(LATER) == 3
    assert plan_all(LATER) == 0
    assert work_batch(actor=people.operator(), at=LATER) == 3
    assert work_batch(actor=people.operator(), at=LATER) is None
    assert work_all(actor=people.operator(), clock=lambda: LATER) == 0


def test_a_list_taken_back_can_be_published_again() -> None:
    put(WUHAN)
    guest = register(stays=[stay(NEIGHBOUR_TOWN)])
    wrong = draft(WUHAN, FENGJING, at=LATER)
    for hours in (0, 4):
        at = LATER + hours * HOUR
        publish(wrong.id, actor=people.operator(), at=at)
        follow_up(at)
        assert fresh(guest).tier == "red"
        withdraw(wrong.id, actor=people.operator(), at=at + HOUR)
        follow_up(at + HOUR)
        assert fresh(guest).tier == "green"
    states = db.session.scalars(select(Alert.state).where(Alert.kind == "reassessment")).all()
    assert states == ["retracted", "retracted"]
