"""What happened while a tablet had no network: delivered once, recorded as it happened, told where it should not have."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from flask_babel import force_locale
from sqlalchemy import func, select

from checkpoint.alerts.kinds import explained
from checkpoint.alerts.models import Alert
from checkpoint.crossings import queries, service
from checkpoint.crossings.batches import CHUNK, Delivered, Delivery, deliver
from checkpoint.crossings.deciding import Made
from checkpoint.crossings.models import Crossing, CrossingDecision
from checkpoint.crossings.service import Scan
from checkpoint.database import db
from checkpoint.errors import Conflict
from checkpoint.registrations import service as registrations
from checkpoint.registrations.declaration import Declaration
from checkpoint.registrations.models import Registration
from checkpoint.registrations.reassessment import assess_again, locked
from checkpoint.risk.service import current_state
from tests.factories import NOW, lists, people
from tests.factories.declarations import declaration, negative_test
from tests.factories.divisions import NEIGHBOUR_TOWN, TOWN, VILLAGE

SHOWN = {"verdict": "admit", "rules": [{"rule": "negative_test_valid", "points": 0}]}
M = timedelta(minutes=1)


def register(number: int = 1, **changes: Any) -> registrations.Receipt:
    body = Declaration.model_validate(declaration(number, **changes))
    return registrations.submit(body, actor=people.operator(), at=NOW)


def delivery(token: str, *made: Made, minutes: int = 60, **more: Any) -> Delivery:
    given = {"shown": SHOWN, "snapshot_version": "1-2-3", "skew_seconds": 4} | more
    return Delivery(Scan(uuid.uuid4(), token, NOW - minutes * M, offline=True, **given), made)


def made(decision: str, minutes: int = 59, **more: Any) -> Made:
    return Made(decision, decided_at=NOW - minutes * M, decision_id=uuid.uuid4(), **more)


def sent(tablet: people.Tablet, *deliveries: Delivery) -> list[Delivered]:
    return deliver(deliveries, actor=tablet.actor, at=NOW)


def against() -> list[Alert]:
    return list(db.session.scalars(select(Alert).where(Alert.kind == "crossed_against_rules")))


def counted(model: Any) -> int:
    return int(db.session.scalar(select(func.count()).select_from(model)) or 0)


def test_what_the_tablet_showed_stays_with_the_crossing() -> None:
    lists.in_force()
    token = register(tests=[negative_test()]).issued.token
    (done,) = sent(people.tablet(), delivery(token, made("admitted")))
    assert done.crossing is not None
    kept = db.session.get_one(Crossing, done.scan_id)
    assert (kept.shown, kept.snapshot_version, kept.skew_seconds, kept.offline) == (SHOWN, "1-2-3", 4, True)
    assert (kept.verdict, kept.decision, kept.decided_at) == ("admit", "admitted", NOW - 59 * M)
    assert against() == []


@pytest.mark.parametrize(
    ("changes", "verdict", "tier"),
    [
        ({"tests": [negative_test(result="positive")]}, "hold", "red"),
        ({"origin": {"code": NEIGHBOUR_TOWN}, "tests": [negative_test()]}, "hold", "red"),
    ],
)
def test_somebody_let_in_against_the_rules_is_told_where_they_sleep(
    changes: dict[str, Any], verdict: str, tier: str
) -> None:
    lists.in_force()
    receipt, tablet = register(**changes), people.tablet()
    item = delivery(receipt.issued.token, made("admitted"))
    for _ in range(2):
        (done,) = sent(tablet, item)
        assert done.crossing is not None
        assert (done.error, done.crossing.verdict, done.crossing.decision) == (None, verdict, "admitted")
    (alert,) = against()
    assert (alert.division_code, alert.tier, alert.state) == (VILLAGE, tier, "open")
    assert (alert.subject_id, alert.params["shown"]) == (receipt.registration.id, "admit")
    assert db.session.get_one(Registration, receipt.registration.id).state == "inside"


def test_somebody_let_in_with_a_withdrawn_pass() -> None:
    lists.in_force()
    receipt = register(tests=[negative_test()])
    registrations.withdraw(receipt.registration.id, uuid.uuid4(), actor=people.operator(), at=NOW - 90 * M)
    (done,) = sent(people.tablet(), delivery(receipt.issued.token, made("admitted")))
    assert done.crossing is not None
    assert (done.crossing.verdict, done.crossing.problem, done.crossing.decision) == ("refuse", "withdrawn", "admitted")
    assert [(alert.division_code, alert.tier) for alert in against()] == [(VILLAGE, "yellow")]


def test_somebody_whom_nobody_knows_is_told_to_the_town_of_the_checkpoint() -> None:
    lists.in_force()
    (done,) = sent(people.tablet(), delivery("ZZZZ2345", made("admitted")))
    (alert,) = against()
    assert (alert.division_code, alert.tier, alert.subject_type) == (TOWN, "red", "crossing")
    assert alert.subject_id == done.scan_id


@pytest.mark.parametrize("decision", ["tested", "held", "turned_back", "transferred"])
def test_whoever_was_not_let_in_is_no_alert(decision: str) -> None:
    lists.in_force()
    token = register(tests=[negative_test(result="positive")]).issued.token
    sent(people.tablet(), delivery(token, made(decision)), delivery("ZZZZ2345", made(decision)))
    assert against() == []


def test_several_decisions_in_their_order_and_once() -> None:
    lists.in_force()
    tablet = people.tablet()
    item = delivery(
        register().issued.token, made("tested", 59), made("held", 50), made("tested", 45), made("admitted", 40)
    )
    for _ in range(2):
        (done,) = sent(tablet, item)
        assert done.crossing is not None
        assert done.crossing.decision == "admitted"
    kept = queries.decisions(done.scan_id)
    assert [one.decision for one in kept] == ["tested", "held", "tested", "admitted"]
    assert [one.id for one in kept] == [one.decision_id for one in item.decisions]


def test_decisions_without_an_id_are_known_by_their_time() -> None:
    lists.in_force()
    tablet = people.tablet()
    steps = (Made("tested", decided_at=NOW - 50 * M), Made("admitted", decided_at=NOW - 40 * M))
    item = delivery(register().issued.token, *steps)
    for _ in range(3):
        sent(tablet, item)
    assert counted(CrossingDecision) == 2


def test_more_than_a_chunk_keeps_its_order_and_one_of_another_post_does_not_stop_it() -> None:
    lists.in_force()
    token, here, there = (
        register(tests=[negative_test()]).issued.token,
        people.tablet(),
        people.tablet(people.checkpoint("S11")),
    )
    foreign = delivery(token)
    sent(there, foreign)
    items = [delivery("ZZZZ2345", made("turned_back"), minutes=200 - n) for n in range(CHUNK + 5)]
    items.insert(3, foreign)
    done = sent(here, *items)
    assert [one.scan_id for one in done] == [one.scan.scan_id for one in items]
    assert (done[3].crossing, done[3].error) == (None, "not_found")
    assert all(one.error is None for one in done[:3] + done[4:])
    assert counted(Crossing) == len(items)


def test_two_lanes_that_decided_otherwise_both_stand() -> None:
    lists.in_force()
    token, first = register(tests=[negative_test()]).issued.token, people.tablet()
    second = people.tablet(people.checkpoint("S11"))
    (one,) = sent(first, delivery(token, made("admitted", 59), minutes=60))
    (other,) = sent(second, delivery(token, made("turned_back", 55), minutes=56))
    assert one.conflicts == ()
    assert [(found.scan_id, found.checkpoint, found.decision) for found in other.conflicts] == [
        (one.scan_id, "G60 出口", "admitted")
    ]
    seen = queries.gate_view(db.session.get_one(Crossing, one.scan_id))
    assert [found.decision for found in seen.conflicts] == ["turned_back"]
    assert counted(Crossing) == 2


@pytest.mark.parametrize(
    ("minutes", "decision"),
    [(45, "turned_back"), (56, "admitted")],
)
def test_what_is_no_conflict(minutes: int, decision: str) -> None:
    """A quarter of an hour apart, or the same decision."""
    lists.in_force()
    token, first = register(tests=[negative_test()]).issued.token, people.tablet()
    sent(first, delivery(token, made("admitted", 59), minutes=60))
    second = people.tablet(people.checkpoint("S11"))
    (other,) = sent(second, delivery(token, made(decision, minutes - 1), minutes=minutes))
    assert other.conflicts == ()


def test_a_clock_that_was_hours_off_neither_expires_a_pass_nor_makes_it_green() -> None:
    lists.in_force()
    receipt, tablet = register(tests=[negative_test()]), people.tablet()
    late = receipt.issued.expires_at - 60 * M
    ahead = Scan(uuid.uuid4(), receipt.issued.token, late + 180 * M, offline=True, skew_seconds=3 * 3600)
    crossing = service.record_scan(ahead, actor=tablet.actor, at=late + 200 * M)
    assert (crossing.problem, crossing.verdict) == (None, "test")
    assert crossing.reasons[0]["rule"] == "clock_skew"
    assert crossing.scanned_at == late + 180 * M  # as the tablet wrote it


def test_a_person_in_the_queue_is_scanned_by_the_id() -> None:
    lists.in_force()
    receipt, tablet = register(tests=[negative_test()]), people.tablet()
    for number, key in enumerate((receipt.registration.id, receipt.registration.client_id)):
        scan = Scan(uuid.uuid4(), f"ID:{key}", NOW)
        crossing = service.record_scan(scan, actor=tablet.actor, at=NOW)
        assert (crossing.verdict, crossing.registration_id) == ("admit", receipt.registration.id), number
        assert crossing.pass_serial == receipt.issued.serial
    for token, problem in ((f"ID:{uuid.uuid4()}", "unknown"), ("ID:somebody", "unreadable")):
        crossing = service.record_scan(Scan(uuid.uuid4(), token, NOW), actor=tablet.actor, at=NOW)
        assert (crossing.verdict, crossing.problem) == ("refuse", problem)
    registrations.withdraw(receipt.registration.id, uuid.uuid4(), actor=people.operator(), at=NOW)
    gone = service.record_scan(Scan(uuid.uuid4(), f"ID:{receipt.registration.id}", NOW), actor=tablet.actor, at=NOW)
    assert (gone.verdict, gone.problem) == ("refuse", "withdrawn")


def test_an_override_is_final_and_no_later_assessment_touches_it() -> None:
    lists.in_force()
    receipt, tablet = register(origin={"code": NEIGHBOUR_TOWN}), people.tablet()
    crossing = service.record_scan(Scan(uuid.uuid4(), receipt.issued.token, NOW), actor=tablet.actor, at=NOW)
    service.decide(crossing.id, "admitted", "医生随车转运", actor=tablet.actor, at=NOW)
    with pytest.raises(Conflict):
        service.decide(crossing.id, "held", None, actor=tablet.actor, at=NOW)
    lists.in_force(lists.JIASHAN_LOW, at=NOW + M, source="next")
    state = current_state(NOW + M)
    assess_again(locked(receipt.registration.id), state=state, cause="list", actor=people.operator(), at=NOW + M)
    db.session.commit()
    kept = db.session.get_one(Crossing, crossing.id, populate_existing=True)
    assert (kept.verdict, kept.tier, kept.decision) == ("hold", "red", "admitted")
    assert queries.decisions(crossing.id)[0].note == "医生随车转运"


def test_an_arrival_takes_the_place_of_the_declaration() -> None:
    lists.in_force()
    receipt, tablet = register(symptoms=["fever"]), people.tablet()
    crossing = service.record_scan(Scan(uuid.uuid4(), receipt.issued.token, NOW), actor=tablet.actor, at=NOW)
    service.decide(crossing.id, "admitted", None, actor=tablet.actor, at=NOW)
    states = {kind: state for kind, state in db.session.execute(select(Alert.kind, Alert.state))}
    assert states == {"registration": "retracted", "arrival": "open"}


def test_the_alert_says_what_was_shown_and_what_is_known() -> None:
    lists.in_force()
    token = register(tests=[negative_test(result="positive")]).issued.token
    sent(people.tablet(), delivery(token, made("admitted")))
    (alert,) = against()
    with force_locale("en"):
        said = explained(alert.kind, alert.params)
    assert said == ("With no network the tablet said: may pass", "The register says: hold")
