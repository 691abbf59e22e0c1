"""Commuters day by day: looked at each morning and at each list, let in each day without a form, their tests, and their end."""

import json
import threading
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from checkpoint.alerts.models import Alert
from checkpoint.approvals import service
from checkpoint.crossings import service as crossings
from checkpoint.crossings.models import Crossing
from checkpoint.crossings.service import Scan
from checkpoint.crossings.snapshot import snapshot_at, version_at
from checkpoint.database import db, transaction
from checkpoint.errors import Conflict, InvalidInput, NotFound
from checkpoint.followups.models import FollowUp
from checkpoint.registrations import standing
from checkpoint.registrations.models import Pass, Registration, Stay, TestResult
from checkpoint.registrations.service import pass_keys
from checkpoint.risk.models import Assessment
from checkpoint.risk.policies import publish_policy
from checkpoint.risk.policy import default_policy
from checkpoint.risk.publishing import confirm
from checkpoint.surveillance.commuting import Morning, assess_commuters, each_morning, tell_test
from tests.factories import NOW, TODAY, people
from tests.factories.commuters import approval_of, conditions, granted, holder, pass_of, told, trip_of
from tests.factories.divisions import FAR_AWAY, VILLAGE
from tests.factories.inside import follow_up, put
from tests.factories.lists import FENGJING, ZHUJING

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def fresh(trip: Registration) -> Registration:
    db.session.expire_all()
    return db.session.get_one(Registration, trip.id)


def causes(trip: Registration) -> list[str]:
    query = select(Assessment.cause).where(Assessment.registration_id == trip.id)
    return list(db.session.scalars(query.order_by(Assessment.made_at, Assessment.id)))


def morning(at: datetime) -> Morning:
    return assess_commuters(actor=people.operator(), at=at)


def alerts(kind: str) -> list[Alert]:
    db.session.expire_all()
    return list(db.session.scalars(select(Alert).where(Alert.kind == kind).order_by(Alert.created_at)))


def listed(*entries: object, at: datetime = NOW) -> None:
    put(*entries, at=at)  # type: ignore[arg-type]
    follow_up(at)


def cross(trip: Registration, tablet: people.Tablet, at: datetime, decision: str = "admitted") -> Crossing:
    scan_id = uuid.uuid4()
    token = pass_of(trip).token
    crossing = crossings.record_scan(Scan(scan_id, token, at), actor=tablet.actor, at=at)
    crossings.decide(scan_id, decision, "为了测试", actor=tablet.actor, at=at)
    return crossing


def test_each_morning_the_dates_move_and_nothing_is_said_twice() -> None:
    listed(FENGJING)
    trip = granted(origin={"code": FAR_AWAY})
    written = causes(trip)
    confirm(1, at=NOW + DAY)
    follow_up(NOW + DAY)
    assert morning(NOW + DAY) == Morning(assessed=1)
    stay = db.session.scalars(select(Stay).where(Stay.registration_id == trip.id)).one()
    assert (stay.until, fresh(trip).arriving_on) == (TODAY + DAY, TODAY + DAY)
    assert causes(trip) == written
    assert morning(NOW + DAY + HOUR) == Morning()


def test_a_place_that_was_listed_meanwhile_raises_the_commuter_and_tells_the_village() -> None:
    """The list change itself did not find the trip: its last day was before the days that count."""
    listed(ZHUJING)
    trip = granted()
    before = fresh(trip).tier
    with transaction() as session:
        session.query(Stay).filter_by(registration_id=trip.id).update({"until": TODAY - 40 * DAY})
    put(ZHUJING, FENGJING, at=NOW + DAY)
    assert follow_up(NOW + DAY) == 0
    done = morning(NOW + DAY)
    assert (done.assessed, done.changed, done.told) == (1, 1, 1)
    assert before != "red"
    assert fresh(trip).tier == "red"
    assert causes(trip)[-1] == "daily"
    raised = alerts("reassessment")
    assert [(one.subject_id, one.division_code, one.tier, one.params["because"]) for one in raised] == [
        (trip.id, VILLAGE, "red", "daily")
    ]
    claims = pass_keys().read(pass_of(trip).token, NOW + DAY).claims
    assert claims is not None
    assert claims.tier == "red"


@pytest.mark.parametrize("crossed", [False, True])
def test_a_list_change_looks_at_a_standing_trip_in_whichever_state(crossed: bool) -> None:
    listed(ZHUJING)
    trip = granted()
    if crossed:
        cross(trip, people.tablet(), NOW)
    later = NOW + 20 * DAY
    confirm(1, at=later)
    follow_up(later)
    morning(later)
    assert fresh(trip).state == ("inside" if crossed else "declared")
    put(ZHUJING, FENGJING, at=later + HOUR)
    assert follow_up(later + HOUR) == 1
    assert fresh(trip).tier == "red"
    assert len(alerts("reassessment")) == 1


def test_a_list_nobody_has_confirmed_makes_commuters_yellow_without_a_storm() -> None:
    listed(ZHUJING)
    trip = granted(origin={"code": FAR_AWAY})
    late = NOW + 5 * DAY
    assert (fresh(trip).tier, fresh(trip).doubt) == ("green", None)
    assert morning(late).changed == 1
    assert (fresh(trip).tier, fresh(trip).doubt) == ("yellow", "list_stale")
    assert alerts("reassessment") == []
    assert morning(late + DAY).changed == 0  # a day older, and no more doubtful
    confirm(1, at=late + DAY)
    follow_up(late + DAY)
    assert (fresh(trip).tier, fresh(trip).doubt) == ("green", None)


def test_the_pass_goes_on_under_its_serial_until_the_approval_ends() -> None:
    trip = granted(conditions=conditions(until=(NOW + 20 * DAY).isoformat()))
    first = pass_of(trip)
    serial, code, old = first.serial, first.short_code, first.token
    for day in range(1, 20):
        morning(NOW + day * DAY)
    issued = pass_of(trip)
    assert (issued.serial, issued.short_code, issued.revoked_at) == (serial, code, None)
    assert issued.expires_at == NOW + 20 * DAY
    assert pass_keys().read(issued.token, NOW + 19 * DAY).problem is None
    assert pass_keys().read(old, NOW + 19 * DAY).problem == "expired"
    assert pass_keys().read(old, NOW + 5 * DAY).problem is None


def test_when_the_approval_is_over_the_trip_ends_with_it() -> None:
    trip = granted(conditions=conditions(until=(NOW + 2 * DAY).isoformat()))
    morning(NOW + DAY)
    assert fresh(trip).state == "declared"
    assert morning(NOW + 3 * DAY) == Morning(closed=1)
    assert fresh(trip).state == "left"
    assert pass_of(trip).revoked_because == "withdrawn"
    assert morning(NOW + 4 * DAY) == Morning()


def test_an_old_picture_of_a_green_pass_stays_red_for_tablets() -> None:
    """The token is signed again as red; the one in a screenshot says green, so tablets go on being told."""
    listed(ZHUJING)
    tablet = people.tablet()
    trip = granted(origin={"code": FAR_AWAY})
    serial = pass_of(trip).serial
    assert fresh(trip).tier == "green"
    tell_test(**told(trip, NOW + HOUR, "positive"))
    assert fresh(trip).tier == "red"
    later = NOW + 2 * HOUR
    snapshot = snapshot_at(version_at(tablet.actor, later), None, actor=tablet.actor, at=later)
    assert snapshot["raised"] == {serial.hex(): "red"}


def test_the_scheduler_waits_for_the_morning_and_then_for_tomorrow(app: Flask) -> None:
    trip = granted()
    operator = people.operator()
    midnight = NOW - timedelta(hours=NOW.hour) + 16 * HOUR  # local midnight
    assert each_morning(actor=operator, at=midnight + HOUR) == Morning()
    assert each_morning(actor=operator, at=midnight + 5 * HOUR).assessed == 1
    assert each_morning(actor=operator, at=midnight + 6 * HOUR) == Morning()
    with transaction() as session:
        session.query(Stay).filter_by(registration_id=trip.id).update({"until": TODAY})
    assert each_morning(actor=operator, at=midnight + 7 * HOUR) == Morning()  # today's round is over
    app.extensions.pop("commuters_done_on")  # as in a process that has just been started
    assert each_morning(actor=operator, at=midnight + 8 * HOUR).assessed == 1


def test_an_outage_is_made_good_in_one_round_and_a_batch_that_dies_is_done_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trips = [granted(number) for number in (1, 2, 3)]
    monkeypatch.setattr("checkpoint.surveillance.commuting.BATCH", 2)
    late = NOW + 6 * DAY
    whole, calls = standing.sign_again, 0

    def dies(*given: object) -> int:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise KeyboardInterrupt
        return whole(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(standing, "sign_again", dies)
    with pytest.raises(KeyboardInterrupt):
        morning(late)
    monkeypatch.setattr(standing, "sign_again", whole)
    db.session.expire_all()
    reached = select(func.count()).select_from(Stay).where(Stay.until == TODAY + 6 * DAY)
    assert db.session.scalar(reached) == 2
    assert morning(late).assessed == 1
    assert db.session.scalar(reached) == len(trips)


def test_two_schedulers_at_once_do_each_person_once(app: Flask) -> None:
    listed(ZHUJING)
    for number in range(1, 9):
        granted(number)
    with transaction() as session:
        session.query(Stay).update({"until": TODAY - 40 * DAY})
    put(ZHUJING, FENGJING, at=NOW + DAY)
    follow_up(NOW + DAY)
    db.session.remove()
    found: list[Morning] = []
    start = threading.Barrier(2)

    def work() -> None:
        with app.app_context():
            start.wait()
            found.append(morning(NOW + DAY))
            db.session.remove()

    workers = [threading.Thread(target=work) for _number in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    total = sum(found, morning(NOW + DAY))
    assert (total.assessed, total.changed, total.told) == (8, 8, 8)
    daily = select(func.count()).select_from(Assessment).where(Assessment.cause == "daily")
    assert db.session.scalar(daily) == 8
    assert len(alerts("reassessment")) == 8


def test_the_village_hears_of_the_first_day_and_nobody_waits_at_a_door() -> None:
    listed(ZHUJING)
    tablet = people.tablet()
    trip = granted(origin={"code": FAR_AWAY})
    for day in range(4):
        at = NOW + day * DAY
        confirm(1, at=at)
        follow_up(at)
        morning(at)
        cross(trip, tablet, at)
    assert fresh(trip).state == "inside"
    assert fresh(trip).entered_at == NOW + 3 * DAY
    assert len(alerts("arrival")) == 1
    assert db.session.scalars(select(FollowUp)).all() == []
    seen = db.session.scalars(select(Crossing).where(Crossing.registration_id == trip.id)).all()
    assert len(seen) == 4


def test_who_is_let_in_against_the_verdict_is_told_every_time() -> None:
    listed(FENGJING)
    tablet = people.tablet()
    trip = granted()
    for day in range(2):
        crossing = cross(trip, tablet, NOW + day * HOUR)
        assert crossing.verdict == "hold"
    assert len(alerts("arrival")) == 2


def test_where_the_policy_says_so_the_work_is_planned_once() -> None:
    wanted = default_policy().model_copy(update={"commuter_follow_ups": True})
    publish_policy(wanted, actor=people.operator(), at=NOW)
    tablet = people.tablet()
    trip = granted(origin={"code": FAR_AWAY})
    cross(trip, tablet, NOW)
    first = db.session.scalar(select(func.count()).select_from(FollowUp))
    cross(trip, tablet, NOW + DAY)
    assert first == db.session.scalar(select(func.count()).select_from(FollowUp))
    assert first
    service.revoke(approval_of(trip).id, "疫情变化", actor=people.commander(), at=NOW + DAY)
    open_ = select(FollowUp).where(FollowUp.registration_id == trip.id, FollowUp.state == "open")
    assert db.session.scalars(open_).all() == []


def test_a_negative_test_told_on_the_phone_counts_at_the_gate_and_goes_into_the_same_pass() -> None:
    listed(ZHUJING)
    tablet = people.tablet()
    trip = granted(origin={"code": FAR_AWAY})
    assert cross(trip, tablet, NOW, "tested").verdict == "test"
    serial = pass_of(trip).serial
    given = told(trip, NOW + HOUR)
    for _time in range(2):
        tell_test(**given)
    assert len(db.session.scalars(select(TestResult).where(TestResult.registration_id == trip.id)).all()) == 1
    issued = pass_of(trip)
    claims = pass_keys().read(issued.token, NOW + HOUR).claims
    assert issued.serial == serial
    assert claims is not None
    assert claims.negative_test_at is not None
    assert given["taken_at"] - HOUR <= claims.negative_test_at <= given["taken_at"]
    assert cross(trip, tablet, NOW + 2 * HOUR).verdict == "admit"


def test_a_positive_test_makes_the_pass_red_at_once() -> None:
    listed(ZHUJING)
    trip = granted(origin={"code": FAR_AWAY})
    tell_test(**told(trip, NOW, "positive"))
    assert fresh(trip).tier == "red"
    assert [one.tier for one in alerts("registration")] == ["red"]


def test_a_test_is_told_by_the_holder_only_and_while_the_trip_stands() -> None:
    trip, other = granted(1), granted(2)
    with pytest.raises(NotFound):
        tell_test(**told(trip, NOW) | {"actor": holder(other)})
    with pytest.raises(InvalidInput):
        tell_test(**told(trip, NOW, "unclear"))
    with pytest.raises(InvalidInput):
        tell_test(**told(trip, NOW, hours_ago=24 * 15))
    service.revoke(approval_of(trip).id, "疫情变化", actor=people.commander(), at=NOW)
    with pytest.raises(Conflict):
        tell_test(**told(trip, NOW))
    assert trip_of(approval_of(other)).state == "declared"
    assert db.session.scalar(select(func.count()).select_from(Pass).where(Pass.revoked_at.is_(None))) == 1


def test_the_command_line_does_the_round_and_says_what_it_did(app: Flask, freeze: Callable[[datetime], None]) -> None:
    granted()
    freeze(NOW + DAY)
    said = [json.loads(app.test_cli_runner().invoke(args=["commuters", "assess"]).output) for _time in range(2)]
    assert [one["assessed"] for one in said] == [1, 0]
