"""The main job's second half: a scan with its verdict, a decision with its effect, and the work that follows."""

import threading
import uuid
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from checkpoint.alerts import service as alerts
from checkpoint.alerts.escalation import escalate_overdue
from checkpoint.alerts.models import Alert, AlertEvent
from checkpoint.alerts.queries import inbox
from checkpoint.crossings import queries, service
from checkpoint.crossings.models import Crossing, CrossingDecision
from checkpoint.crossings.service import Scan
from checkpoint.database import db
from checkpoint.errors import Conflict, InvalidInput, NotAllowed, NotFound
from checkpoint.followups import queries as work
from checkpoint.followups import service as followups
from checkpoint.registrations import service as registrations
from checkpoint.registrations.declaration import Declaration
from checkpoint.registrations.models import Registration, TestResult
from tests.factories import NOW, lists, people
from tests.factories.declarations import declaration, from_far_away, negative_test
from tests.factories.divisions import NEIGHBOUR_TOWN, OTHER_VILLAGE, VILLAGE


def register(**changes: Any) -> registrations.Receipt:
    return registrations.submit(Declaration.model_validate(declaration(**changes)), actor=people.operator(), at=NOW)


def scan(token: str, tablet: people.Tablet, **more: Any) -> Crossing:
    return service.record_scan(Scan(uuid.uuid4(), token, NOW, **more), actor=tablet.actor, at=NOW)


@pytest.mark.parametrize(
    ("changes", "verdict", "rule"),
    [
        ({"tests": [negative_test(hours_ago=12)]}, "admit", "negative_test_valid"),
        ({"tests": [negative_test(hours_ago=49)]}, "test", "negative_test_missing"),
        ({}, "test", "negative_test_missing"),
        ({"tests": [negative_test(hours_ago=2, result="positive")]}, "hold", "positive_test"),
        ({"symptoms": ["fever"], "tests": [negative_test()]}, "test", "symptoms"),
        ({"origin": {"code": NEIGHBOUR_TOWN}, "tests": [negative_test()]}, "hold", "high_town"),
    ],
)
def test_verdicts_say_why(changes: dict[str, Any], verdict: str, rule: str) -> None:
    lists.in_force()
    crossing = scan(register(**changes).issued.token, people.tablet())
    assert crossing.verdict == verdict
    assert crossing.reasons[0]["rule"] == rule


def test_a_refusal_is_a_stored_result() -> None:
    lists.in_force()
    receipt, tablet = register(), people.tablet()
    body = receipt.issued.token
    forged = body[:20] + ("A" if body[20] != "A" else "B") + body[21:]
    for token in ("hello", "", "CP1:", forged):
        crossing = scan(token, tablet)
        assert (crossing.verdict, crossing.registration_id) == ("refuse", None)
        assert crossing.reasons
    late = NOW + timedelta(days=30)
    expired = service.record_scan(Scan(uuid.uuid4(), body, late), actor=tablet.actor, at=late)
    registrations.withdraw(receipt.registration.id, uuid.uuid4(), actor=people.operator(), at=NOW)
    withdrawn = scan(body, tablet)
    assert (expired.problem, withdrawn.problem) == ("expired", "withdrawn")
    assert db.session.scalar(select(func.count()).select_from(Crossing)) == 6


def test_the_short_code_is_as_good_as_the_picture() -> None:
    lists.in_force()
    receipt = register(tests=[negative_test()])
    crossing = scan(receipt.issued.short_code.lower(), people.tablet())
    assert (crossing.verdict, crossing.registration_id) == ("admit", receipt.registration.id)


def test_a_scan_repeated_is_one_crossing_and_another_tablet_cannot_read_it() -> None:
    lists.in_force()
    receipt, tablet = register(), people.tablet()
    request = Scan(uuid.uuid4(), receipt.issued.token, NOW)
    first = service.record_scan(request, actor=tablet.actor, at=NOW)
    again = service.record_scan(request, actor=tablet.actor, at=NOW + timedelta(minutes=5))
    assert (first.id, first.received_at) == (again.id, again.received_at)
    assert db.session.scalar(select(func.count()).select_from(Crossing)) == 1
    elsewhere = people.tablet(people.checkpoint("ELSEWHERE"))
    with pytest.raises(NotFound):
        service.record_scan(request, actor=elsewhere.actor, at=NOW)


def test_two_copies_of_one_scan_at_once(app: Flask) -> None:
    lists.in_force()
    token, actor = register().issued.token, people.tablet().actor
    db.session.remove()
    request = Scan(uuid.uuid4(), token, NOW)
    barrier, verdicts = threading.Barrier(5), []

    def send() -> None:
        with app.app_context():
            barrier.wait(10)
            verdicts.append(service.record_scan(request, actor=actor, at=NOW).verdict)
            db.session.remove()

    threads = [threading.Thread(target=send) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert verdicts == ["test"] * 5
    assert db.session.scalar(select(func.count()).select_from(Crossing)) == 1
    assert db.session.scalar(select(func.count()).select_from(AlertEvent).where(AlertEvent.event == "scanned")) == 1


def test_a_list_published_since_changes_the_verdict_at_the_barrier() -> None:
    lists.in_force(lists.ZHUJING)
    receipt = register(origin={"code": NEIGHBOUR_TOWN}, tests=[negative_test()])
    assert receipt.assessment.tier == "green"
    lists.in_force(lists.FENGJING, at=NOW + timedelta(minutes=1))
    crossing = scan(receipt.issued.token, people.tablet())
    assert (crossing.verdict, crossing.tier) == ("hold", "red")
    assert [alert.tier for alert in inbox(people.village_worker())] == ["red"]


def test_a_wrong_clock_is_never_green() -> None:
    lists.in_force()
    token = register(tests=[negative_test()]).issued.token
    request = Scan(uuid.uuid4(), token, NOW + timedelta(hours=3))
    crossing = service.record_scan(request, actor=people.tablet().actor, at=NOW)
    assert (crossing.verdict, crossing.reasons[0]["rule"]) == ("test", "clock_skew")


def test_admission_starts_the_work_and_tells_the_village() -> None:
    lists.in_force()
    body = Declaration.model_validate(from_far_away(tests=[negative_test()]))
    receipt = registrations.submit(body, actor=people.operator(), at=NOW)
    tablet = people.tablet()
    crossing = scan(receipt.issued.token, tablet)
    for _ in range(2):
        service.decide(crossing.id, "admitted", None, actor=tablet.actor, at=NOW)
    registration = db.session.get_one(Registration, receipt.registration.id)
    assert (registration.state, registration.entered_at) == ("inside", NOW)
    tasks = work.of_registration(registration.id)
    assert [task.kind for task in tasks] == ["arrival_visit", "landing_test", "test", "test", "test"]
    kinds = db.session.scalars(select(Alert.kind).order_by(Alert.kind)).all()
    assert kinds == ["arrival", "registration"]
    assert db.session.scalar(select(func.count()).select_from(CrossingDecision)) == 1
    seen = queries.gate_view(scan(receipt.issued.token, tablet))
    assert seen.previous is not None
    assert seen.previous.decision == "admitted"


def test_an_override_needs_a_reason_and_is_kept() -> None:
    lists.in_force()
    tablet = people.tablet()
    crossing = scan(register(origin={"code": NEIGHBOUR_TOWN}).issued.token, tablet)
    with pytest.raises(InvalidInput):
        service.decide(crossing.id, "admitted", "  ", actor=tablet.actor, at=NOW)
    service.decide(crossing.id, "admitted", "医生随车转运", actor=tablet.actor, at=NOW)
    assert queries.decisions(crossing.id)[0].note == "医生随车转运"
    arrival = db.session.scalars(select(Alert).where(Alert.kind == "arrival")).one()
    assert arrival.params["overridden"] is True


def test_turned_back_ends_the_trip_until_somebody_decides_otherwise() -> None:
    lists.in_force()
    tablet = people.tablet()
    receipt = register(symptoms=["fever"])
    crossing = scan(receipt.issued.token, tablet)
    service.decide(crossing.id, "turned_back", None, actor=tablet.actor, at=NOW)
    registration = db.session.get_one(Registration, receipt.registration.id)
    assert registration.state == "turned_back"
    assert inbox(people.village_worker()) == []
    later = scan(receipt.issued.token, tablet)
    service.decide(later.id, "admitted", None, actor=tablet.actor, at=NOW)
    assert registration.state == "inside"
    assert {task.state for task in work.of_registration(registration.id)} == {"open"}


def test_sending_an_old_picture_away_leaves_the_trip_alone() -> None:
    lists.in_force()
    tablet = people.tablet()
    old = register(tests=[negative_test()])
    body = Declaration.model_validate(declaration(tests=[negative_test()]))
    new = registrations.amend(old.registration.id, body, actor=people.operator(), at=NOW)
    service.decide(scan(new.issued.token, tablet).id, "admitted", None, actor=tablet.actor, at=NOW)
    replaced = scan(old.issued.token, tablet)
    assert replaced.problem == "replaced"
    service.decide(replaced.id, "turned_back", None, actor=tablet.actor, at=NOW)
    assert db.session.get_one(Registration, old.registration.id).state == "inside"
    assert {task.state for task in work.of_registration(old.registration.id)} == {"open"}


def test_only_a_tablet_of_the_checkpoint_decides() -> None:
    lists.in_force()
    crossing = scan(register().issued.token, people.tablet())
    with pytest.raises(NotFound):
        service.decide(crossing.id, "held", None, actor=people.tablet(people.checkpoint("X")).actor, at=NOW)
    with pytest.raises(NotAllowed):
        service.decide(crossing.id, "held", None, actor=people.village_worker(), at=NOW)
    with pytest.raises(InvalidInput):
        service.decide(crossing.id, "hugged", None, actor=people.tablet(people.checkpoint("Y")).actor, at=NOW)


def test_the_village_does_its_work_and_a_test_becomes_evidence() -> None:
    lists.in_force()
    tablet = people.tablet()
    crossing = scan(
        registrations.submit(Declaration.model_validate(from_far_away()), actor=people.operator(), at=NOW).issued.token,
        tablet,
    )
    service.decide(crossing.id, "admitted", None, actor=tablet.actor, at=NOW)
    worker, other = people.village_worker(), people.village_worker(OTHER_VILLAGE, "other")
    today = work.due(worker, NOW + timedelta(hours=14))
    assert [task.kind for task in today] == ["arrival_visit", "landing_test"]
    assert work.due(other, NOW + timedelta(hours=14)) == []
    for _ in range(2):
        followups.complete(today[1].id, "negative", None, actor=worker, at=NOW)
    assert db.session.scalar(select(func.count()).select_from(TestResult).where(TestResult.source == "followup")) == 1
    with pytest.raises(Conflict):
        followups.complete(today[1].id, "positive", None, actor=worker, at=NOW)
    with pytest.raises(InvalidInput):
        followups.complete(today[0].id, "negative", None, actor=worker, at=NOW)
    with pytest.raises(NotFound):
        followups.complete(today[0].id, "arrived", None, actor=other, at=NOW)


def test_silence_escalates_to_the_town_and_the_city_and_a_stalled_answer_too() -> None:
    lists.in_force()
    register(symptoms=["fever"])
    policy = registrations.current_state(NOW).policy
    worker, operator = people.village_worker(), people.operator()
    alert = inbox(worker)[0]
    moved = [
        escalate_overdue(actor=operator, at=NOW + timedelta(minutes=minutes), policy=policy) for minutes in (59, 60, 61)
    ]
    assert moved == [0, 1, 0]
    db.session.refresh(alert)
    assert (alert.responsible_level, alert.state, alert.ack_due) == (4, "open", NOW + timedelta(minutes=120))
    alerts.acknowledge(alert.id, actor=people.town_worker(), at=NOW + timedelta(minutes=70))
    assert escalate_overdue(actor=operator, at=NOW + timedelta(hours=24), policy=policy) == 1
    db.session.refresh(alert)
    assert (alert.responsible_level, alert.state) == (3, "open")
    assert escalate_overdue(actor=operator, at=NOW + timedelta(days=9), policy=policy) == 0


def test_acknowledge_and_resolve_are_harmless_twice_and_end_resolved() -> None:
    lists.in_force()
    register(symptoms=["fever"])
    worker = people.village_worker()
    alert = inbox(worker)[0]
    assert alert.division_code == VILLAGE
    alerts.resolve(alert.id, "handled", "已联系", actor=worker, at=NOW)
    alerts.acknowledge(alert.id, actor=worker, at=NOW)
    again = alerts.resolve(alert.id, "no_answer", None, actor=worker, at=NOW)
    assert (again.state, again.result, again.note) == ("resolved", "handled", "已联系")
    with pytest.raises(NotFound):
        alerts.acknowledge(alert.id, actor=people.village_worker(OTHER_VILLAGE, "other"), at=NOW)
