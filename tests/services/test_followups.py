"""From the barrier to the door: a plan from the measures, what its results bring, what is overdue, and the release."""

import threading
import uuid
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from checkpoint.alerts.models import Alert
from checkpoint.database import db, transaction
from checkpoint.errors import Conflict, InvalidInput, NotFound
from checkpoint.followups import overdue, reports, service
from checkpoint.followups.models import FollowUp, TravellerReport
from checkpoint.followups.queries import of_registration
from checkpoint.registrations.models import TestResult
from checkpoint.risk.models import Assessment
from tests.factories import NOW, lists, people
from tests.factories.divisions import FAR_AWAY, OTHER_VILLAGE, TOWN, VILLAGE
from tests.factories.travelling import Inside, admitted

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
YELLOW = {"symptoms": ["cough"]}


def work(person: Inside, kind: str, state: str = "open") -> list[FollowUp]:
    db.session.expire_all()
    return [one for one in of_registration(person.id) if one.kind == kind and one.state == state]


def alerts(kind: str) -> list[Alert]:
    db.session.expire_all()
    return list(db.session.scalars(select(Alert).where(Alert.kind == kind).order_by(Alert.created_at)))


def do(person: Inside, kind: str, result: str, at: datetime) -> FollowUp:
    return service.complete(work(person, kind)[0].id, result, None, actor=people.operator(), at=at)


def test_overdue_work_raises_one_alert_which_closes_with_the_work() -> None:
    lists.in_force()
    person = admitted()
    assert overdue.sweep(NOW + 4 * HOUR - timedelta(seconds=1)) == (0, 0)
    assert overdue.sweep(NOW + 4 * HOUR) == (1, 0)
    assert overdue.sweep(NOW + 5 * HOUR) == (0, 0)
    [alert] = alerts("overdue_followup")
    # A green traveller's alert needs an answer as well, or it could be forgotten.
    assert (alert.division_code, alert.tier, alert.state, alert.params["task"]) == (
        VILLAGE,
        "yellow",
        "open",
        "arrival_visit",
    )
    do(person, "arrival_visit", "arrived", NOW + 6 * HOUR)
    [alert] = alerts("overdue_followup")
    assert (alert.state, alert.result, alert.resolved_at) == ("resolved", "handled", NOW + 6 * HOUR)


def test_two_schedulers_raise_each_alert_once(app: Flask) -> None:
    lists.in_force()
    tablet = people.tablet()
    for number in range(12):
        admitted(tablet, name="王" + "安宁清平晓岚思远文若水一"[number])
    raised: list[int] = []

    def run() -> None:
        with app.app_context():
            raised.append(overdue.raise_overdue(NOW + 5 * HOUR, limit=5))
            raised.append(overdue.raise_overdue(NOW + 5 * HOUR, limit=5))
            raised.append(overdue.raise_overdue(NOW + 5 * HOUR, limit=5))
            db.session.remove()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(raised) == 12
    assert len(alerts("overdue_followup")) == 12


def test_who_was_turned_back_leaves_no_work_and_no_alarm() -> None:
    lists.in_force()
    person = admitted()
    overdue.sweep(NOW + 5 * HOUR)
    with transaction():
        service.cancel_for(person.id, at=NOW + 6 * HOUR)
    assert [one.because for one in work(person, "arrival_visit", "cancelled")] == ["turned_back"]
    assert [one.state for one in alerts("overdue_followup")] == ["retracted"]


def test_not_at_the_door_tells_the_town_and_plans_another_visit() -> None:
    lists.in_force()
    person = admitted()
    do(person, "arrival_visit", "not_here", NOW + HOUR)
    [alert] = alerts("followup_failed")
    assert (alert.division_code, alert.state) == (TOWN, "open")
    [again] = work(person, "arrival_visit")
    assert (again.from_at, again.due_at, again.because) == (NOW, NOW + 4 * HOUR, None)
    do(person, "arrival_visit", "arrived", NOW + 2 * HOUR)
    assert [one.state for one in alerts("followup_failed")] == ["resolved"]


def test_a_positive_test_is_assessed_at_once_and_planned_anew() -> None:
    lists.in_force()
    person = admitted(origin={"code": FAR_AWAY})
    assert (person.row.tier, len(work(person, "test"))) == ("green", 3)
    do(person, "landing_test", "positive", NOW + 2 * HOUR)
    assert person.row.tier == "red"
    assert len(work(person, "test")) == 0
    assert {one.because for one in work(person, "test", "cancelled")} == {"replanned"}
    assert len(work(person, "health_check")) == 7  # counted from the day of the test
    assert len(work(person, "release")) == 1


def test_a_plan_without_a_flaw_ends_in_the_release_with_its_reason() -> None:
    lists.in_force()
    person = admitted(**YELLOW)
    do(person, "arrival_visit", "arrived", NOW + HOUR)
    for day in range(1, 8):
        at = NOW + day * DAY
        reports.report_health(person.id, uuid.uuid4(), temperature=365, symptoms=[], actor=person.holder, at=at)
        overdue.sweep(at)
        assert person.row.state == "inside"
        if day in (1, 3, 7):
            do(person, "test", "negative", at)
    [release] = work(person, "release", "done")
    assert (release.result, release.because, release.done_by) == ("released", "plan_complete", "system")
    assert (person.row.state, person.row.released_at) == ("left", NOW + 7 * DAY)


def test_the_day_of_release_may_come_after_the_last_work() -> None:
    lists.in_force()
    person = admitted(**YELLOW)
    with transaction() as session:
        for one in of_registration(person.id):
            if one.kind not in ("release", "arrival_visit"):
                session.delete(one)
    do(person, "arrival_visit", "arrived", NOW + HOUR)
    assert overdue.sweep(NOW + 6 * DAY) == (0, 0)
    assert overdue.sweep(NOW + 7 * DAY) == (0, 1)
    assert overdue.sweep(NOW + 7 * DAY) == (0, 0)


@pytest.mark.parametrize(("kind", "result"), [("health_check", "no_answer"), ("test", "refused")])
def test_what_is_amiss_a_worker_decides(kind: str, result: str) -> None:
    lists.in_force()
    person = admitted(**YELLOW)
    with transaction() as session:
        for one in of_registration(person.id):
            if one.kind in ("health_check", "test") and one.day > 1:
                session.delete(one)
    do(person, "arrival_visit", "arrived", NOW + HOUR)
    for one in ("health_check", "test"):
        do(person, one, result if one == kind else {"health_check": "well", "test": "negative"}[one], NOW + DAY)
    assert overdue.sweep(NOW + 7 * DAY)[1] == 0
    do(person, "release", "extended", NOW + 7 * DAY)
    [release], [check] = work(person, "release"), work(person, "health_check")
    assert (release.day, check.day) == (8, 8)
    do(person, "release", "released", NOW + 8 * DAY)
    assert (person.row.state, work(person, "health_check")) == ("left", [])


def test_a_village_worker_elsewhere_cannot_finish_it() -> None:
    lists.in_force()
    person = admitted()
    with pytest.raises(NotFound):
        service.complete(
            work(person, "arrival_visit")[0].id, "arrived", None, actor=people.village_worker(OTHER_VILLAGE), at=NOW
        )


def test_the_poster_confirms_and_a_word_alone_waits() -> None:
    lists.in_force()
    person = admitted()
    said, at = uuid.uuid4(), NOW + HOUR
    report = reports.report_arrival(person.id, said, place_code=None, actor=person.holder, at=at)
    assert (report.state, len(work(person, "arrival_visit"))) == ("waiting", 1)
    with pytest.raises(InvalidInput):
        reports.report_arrival(person.id, uuid.uuid4(), place_code=OTHER_VILLAGE, actor=person.holder, at=at)
    proven = reports.report_arrival(person.id, uuid.uuid4(), place_code=VILLAGE, actor=person.holder, at=at)
    [visit] = work(person, "arrival_visit", "done")
    assert (proven.state, visit.result, visit.done_by) == ("taken", "arrived", person.holder.key)
    assert db.session.get_one(TravellerReport, said).state == "confirmed"
    # A repeat is the first result, and nobody else's pass opens it.
    assert reports.report_arrival(person.id, said, place_code=None, actor=person.holder, at=at + HOUR).id == said
    other = admitted(people.tablet(people.checkpoint("G61")), name="李四")
    with pytest.raises(NotFound):
        reports.report_arrival(person.id, uuid.uuid4(), place_code=VILLAGE, actor=other.holder, at=at)


def test_symptoms_are_assessed_and_alerted_once() -> None:
    lists.in_force()
    person = admitted()
    at = NOW + DAY
    reports.report_health(person.id, uuid.uuid4(), temperature=378, symptoms=["cough"], actor=person.holder, at=at)
    assert (person.row.tier, person.row.symptoms) == ("yellow", ["cough", "fever"])
    [newest] = db.session.scalars(
        select(Assessment).where(Assessment.registration_id == person.id, Assessment.cause == "health")
    )
    assert newest.tier == "yellow"
    assert len(work(person, "test")) == 3
    raised = alerts("registration")
    assert [one.tier for one in raised] == ["green", "yellow"]
    # The tier stays: the next report raises an alert of its own, the one after it none while that stands.
    for day in (2, 3):
        reports.report_health(
            person.id, uuid.uuid4(), temperature=None, symptoms=["fatigue"], actor=person.holder, at=NOW + day * DAY
        )
    assert [one.state for one in alerts("health_report")] == ["open"]
    assert [one.result for one in work(person, "health_check", "done")] == ["unwell", "unwell"]


@pytest.mark.parametrize(("temperature", "symptoms"), [(200, []), (500, []), (None, ["boredom"])])
def test_health_that_cannot_be(temperature: int | None, symptoms: list[str]) -> None:
    lists.in_force()
    person = admitted()
    with pytest.raises(InvalidInput):
        reports.report_health(
            person.id, uuid.uuid4(), temperature=temperature, symptoms=symptoms, actor=person.holder, at=NOW
        )


def test_a_told_test_waits_for_the_worker_and_a_positive_one_does_not() -> None:
    lists.in_force()
    person = admitted(origin={"code": FAR_AWAY})
    at, taken = NOW + 2 * HOUR, NOW + HOUR

    def tell(result: str) -> TravellerReport:
        return reports.report_test(
            person.id, uuid.uuid4(), kind="antigen", result=result, taken_at=taken, actor=person.holder, at=at
        )

    told = tell("negative")
    assert told.state == "waiting"
    assert db.session.scalars(select(TestResult)).all() == []
    do(person, "landing_test", "negative", at + HOUR)
    [evidence] = db.session.scalars(select(TestResult))
    assert (evidence.kind, evidence.taken_at, evidence.source) == ("antigen", taken, "followup")
    assert db.session.get_one(TravellerReport, told.id).state == "confirmed"
    # No planned test is open today: the worker settles it by itself; a positive one is red already.
    alone = tell("negative")
    assert alone.follow_up_id is None
    reports.settle(alone.id, confirmed=False, actor=people.village_worker(), at=at)
    assert db.session.get_one(TravellerReport, alone.id).state == "refused"
    with pytest.raises(NotFound):
        reports.settle(alone.id, confirmed=True, actor=people.village_worker(OTHER_VILLAGE, "far"), at=at)
    tell("positive")
    assert person.row.tier == "red"


def test_nothing_is_reported_before_the_barrier() -> None:
    lists.in_force()
    person = admitted()
    do(person, "arrival_visit", "arrived", NOW)
    with transaction():
        person.row.state = "left"
    with pytest.raises(Conflict):
        reports.report_health(person.id, uuid.uuid4(), temperature=365, symptoms=[], actor=person.holder, at=NOW)


def test_replanning_is_what_a_fresh_plan_would_be_and_repeats_change_nothing() -> None:
    """A list turns somebody yellow on day 2 and is taken back on day 3: the first plan stands again, done work stays done."""
    lists.in_force()
    person = admitted(origin={"code": FAR_AWAY})
    before = [(one.kind, one.due_at) for one in of_registration(person.id)]
    imposed: list[dict[str, object]] = [
        {"kind": "home_observation", "days": 7, "within_hours": None, "test_days": [1, 3, 7]}
    ]

    def impose(measures: list[dict[str, object]], at: datetime) -> service.Replanned:
        with transaction() as session:
            first = session.get_one(Assessment, person.row.assessment_id)
            session.add(
                Assessment(
                    registration_id=person.id,
                    list_id=first.list_id,
                    policy_id=first.policy_id,
                    state_version=first.state_version,
                    cause="test",
                    tier="yellow",
                    score=50,
                    reasons=[],
                    measures=measures,
                    made_at=at,
                )
            )
            session.flush()
            return service.replan(person.id, measures, actor=people.operator(), at=at)

    original = list(db.session.get_one(Assessment, person.row.assessment_id).measures)
    assert impose(imposed, NOW + 2 * DAY).added > 0
    last = max(one.due_at for one in work(person, "release"))
    assert last == datetime(2022, 4, 21, 16, tzinfo=NOW.tzinfo)  # the end of the seventh day after the second
    with transaction():
        assert service.replan(person.id, imposed, actor=people.operator(), at=NOW + 2 * DAY) == service.Replanned()
    impose(original, NOW + 2 * DAY + HOUR)
    left = [(one.kind, one.due_at) for one in of_registration(person.id) if one.state != "cancelled"]
    assert set(left) <= set(before)
    assert [one for one in before if one[1] > NOW + 2 * DAY + HOUR] == [
        one for one in left if one[1] > NOW + 2 * DAY + HOUR
    ]


def test_work_that_is_wanted_again_can_be_overdue_again() -> None:
    lists.in_force()
    person = admitted(**YELLOW)
    late = NOW + 2 * DAY
    overdue.sweep(late)
    standing = len([one for one in alerts("overdue_followup") if one.state == "open"])
    with transaction():
        service.replan(person.id, [], actor=people.operator(), at=late)
    left = [one.params["task"] for one in alerts("overdue_followup") if one.state == "open"]
    assert (standing, left) == (3, ["arrival_visit"])  # the visit, and the test and the check of the first day
    with transaction() as session:
        for one in work(person, "test", "cancelled"):
            session.get_one(FollowUp, one.id).state = "open"
    overdue.sweep(late + HOUR)
    assert [one.state for one in alerts("overdue_followup") if one.params["task"] == "test"] == ["retracted", "open"]
