"""Tests on the spot: a result entered later gives the verdict anew, and a positive one reaches the destination."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from checkpoint.alerts.models import Alert
from checkpoint.crossings import service
from checkpoint.crossings.lane import lane
from checkpoint.crossings.lane_models import SpotTest
from checkpoint.crossings.models import Crossing
from checkpoint.crossings.service import Scan
from checkpoint.crossings.spot_tests import Outcome, Reading, record_test
from checkpoint.database import db
from checkpoint.errors import InvalidInput, NotFound
from checkpoint.registrations import service as registrations
from checkpoint.registrations.declaration import Declaration
from checkpoint.registrations.models import Registration, TestResult
from tests.factories import NOW, declarations, lists, people
from tests.factories.declarations import companion, negative_test
from tests.factories.divisions import TOWN, VILLAGE
from tests.factories.people import Tablet

LATER = NOW + timedelta(minutes=16)


def register(number: int = 1, **changes: Any) -> registrations.Receipt:
    body = declarations.declaration(number, **changes)
    return registrations.submit(Declaration.model_validate(body), actor=people.operator(), at=NOW)


def sent_to_test(tablet: Tablet, token: str) -> Crossing:
    crossing = service.record_scan(Scan(uuid.uuid4(), token, NOW), actor=tablet.actor, at=NOW)
    return service.decide(crossing.id, "tested", None, actor=tablet.actor, at=NOW)


def read(tablet: Tablet, crossing: Crossing, result: str, test_id: uuid.UUID | None = None) -> Outcome:
    reading = Reading(test_id or uuid.uuid4(), crossing.id, result, NOW, LATER)
    return record_test(reading, actor=tablet.actor, at=LATER)


def alerts() -> list[Alert]:
    return list(db.session.scalars(select(Alert).order_by(Alert.created_at)))


def test_negative_lets_a_green_traveller_pass_and_counts_as_evidence() -> None:
    lists.in_force()
    tablet, receipt = people.tablet(), register()
    crossing = sent_to_test(tablet, receipt.issued.token)
    outcome = read(tablet, crossing, "negative")
    assert (crossing.verdict, outcome.after.verdict, outcome.after.rule) == ("test", "admit", "spot_test_negative")
    result = db.session.scalars(select(TestResult)).one()
    assert (result.kind, result.result, result.source, result.taken_at) == ("antigen", "negative", "spot", NOW)
    again = service.record_scan(Scan(uuid.uuid4(), receipt.issued.token, LATER), actor=tablet.actor, at=LATER)
    assert again.verdict == "admit"
    done = service.decide(crossing.id, "admitted", None, actor=tablet.actor, at=LATER)
    assert done.decision == "admitted"


def test_positive_makes_red_and_tells_the_destination_once() -> None:
    lists.in_force()
    tablet, receipt = people.tablet(), register()
    crossing, test_id = sent_to_test(tablet, receipt.issued.token), uuid.uuid4()
    before = len(alerts())
    for _again in range(2):
        assert read(tablet, crossing, "positive", test_id).after.verdict == "hold"
    registration = db.session.get_one(Registration, receipt.registration.id, populate_existing=True)
    assert registration.tier == "red"
    raised = alerts()[before:]
    assert [(one.tier, one.state, one.division_code) for one in raised] == [("red", "open", VILLAGE)]
    assert db.session.scalar(select(func.count()).select_from(SpotTest)) == 1
    assert db.session.scalar(select(func.count()).select_from(TestResult)) == 1


def test_positive_on_somebody_who_was_red_before_is_news_all_the_same() -> None:
    lists.in_force()
    tablet = people.tablet()
    receipt = register(tests=[negative_test(hours_ago=2, result="positive")])
    read(tablet, sent_to_test(tablet, receipt.issued.token), "positive")
    assert [one.kind for one in alerts()] == ["registration", "spot_positive"]


def test_positive_on_somebody_unknown_reaches_the_town_of_the_checkpoint() -> None:
    lists.in_force()
    tablet = people.tablet()
    outcome = read(tablet, sent_to_test(tablet, "CP1:NOBODY"), "positive")
    assert outcome.after.verdict == "hold"
    alert = alerts()[0]
    assert (alert.kind, alert.subject_type, alert.division_code) == ("spot_positive", "crossing", TOWN)
    assert read(tablet, sent_to_test(tablet, "CP1:NOBODY"), "negative").after.verdict == "refuse"


def test_negative_does_not_let_a_red_traveller_pass() -> None:
    lists.in_force()
    tablet = people.tablet()
    receipt = register(tests=[negative_test(hours_ago=2, result="positive")])
    assert read(tablet, sent_to_test(tablet, receipt.issued.token), "negative").after.verdict == "hold"


def test_a_result_needs_its_scan_and_its_checkpoint() -> None:
    lists.in_force()
    tablet, other = people.tablet(), people.tablet(people.checkpoint("S11"))
    crossing = sent_to_test(tablet, register().issued.token)
    with pytest.raises(NotFound):
        read(other, crossing, "negative")
    with pytest.raises(NotFound):
        record_test(Reading(uuid.uuid4(), uuid.uuid4(), "negative", NOW, LATER), actor=tablet.actor, at=LATER)
    with pytest.raises(InvalidInput):
        read(tablet, crossing, "unclear")
    outcome = read(tablet, crossing, "negative")
    with pytest.raises(NotFound):
        record_test(Reading(outcome.test.id, crossing.id, "negative", NOW, LATER), actor=other.actor, at=LATER)


def test_the_lane_shows_who_waits_for_a_result() -> None:
    lists.in_force()
    tablet = people.tablet()
    crossing = sent_to_test(tablet, register().issued.token)
    waiting = lane(actor=tablet.actor, at=NOW).tests
    assert [(one.scan_id, one.due_at - one.started_at) for one in waiting] == [(crossing.id, timedelta(minutes=15))]
    read(tablet, crossing, "negative")
    assert lane(actor=tablet.actor, at=LATER).tests == ()


def test_the_lane_counts_today_and_lines_up_who_registered_here() -> None:
    lists.in_force()
    tablet, elsewhere = people.tablet(), people.tablet(people.checkpoint("S11"))
    post = tablet.checkpoint.code
    group = register(1, checkpoint=post, companions=[companion(2)])
    other = register(3, checkpoint="S11")
    register(4)
    seen = lane(actor=tablet.actor, at=NOW)
    assert {(one.registration_id, one.companions) for one in seen.queue} == {
        (group.registration.id, 1),
        (group.companions[0].registration.id, 0),
    }
    assert all("*" in one.name and "*" in one.id_number for one in seen.queue)
    assert [one.registration_id for one in lane(actor=elsewhere.actor, at=NOW).queue] == [other.registration.id]
    crossing = service.record_scan(Scan(uuid.uuid4(), group.issued.token, NOW), actor=tablet.actor, at=NOW)
    service.decide(crossing.id, "tested", None, actor=tablet.actor, at=NOW)
    service.record_scan(Scan(uuid.uuid4(), "CP1:NOBODY", NOW), actor=tablet.actor, at=NOW)
    old = NOW - timedelta(days=1)
    service.record_scan(Scan(uuid.uuid4(), "CP1:NOBODY", old, offline=True), actor=tablet.actor, at=NOW)
    seen = lane(actor=tablet.actor, at=NOW)
    assert (seen.scans, seen.verdicts, seen.decisions) == (2, {"test": 1, "refuse": 1}, {"tested": 1})
    assert len(seen.queue) == 1
    assert lane(actor=tablet.actor, at=NOW + timedelta(hours=2)).queue == ()


def test_the_lane_shows_its_tablets() -> None:
    tablet = people.tablet()
    people.tablet(tablet.checkpoint)
    people.tablet(people.checkpoint("S11"))
    seen = lane(actor=tablet.actor, at=NOW).tablets
    assert sorted(one.is_this for one in seen) == [False, True]
