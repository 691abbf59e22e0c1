"""The main job's first half: a declaration stored once, assessed, with its pass, and told to its village."""

import threading
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from checkpoint.alerts.models import Alert, FeedEntry
from checkpoint.alerts.queries import inbox
from checkpoint.database import db
from checkpoint.errors import Conflict, InvalidInput, NotFound
from checkpoint.registrations import queries, service
from checkpoint.registrations.declaration import Declaration
from checkpoint.registrations.models import Pass, Registration, Stay, Traveller
from checkpoint.registrations.reassessment import assess_again
from checkpoint.risk.models import Assessment
from checkpoint.risk.service import current_state
from tests.factories import NOW, lists, people
from tests.factories.declarations import companion, declaration, from_far_away, negative_test, stay
from tests.factories.divisions import NEIGHBOUR, NEIGHBOUR_TOWN, OTHER_VILLAGE, SAME_PROVINCE, SITE, VILLAGE


def submit(at: datetime = NOW, **changes: Any) -> service.Receipt:
    return service.submit(Declaration.model_validate(declaration(**changes)), actor=people.operator(), at=at)


def count(model: type[Any]) -> int:
    return int(db.session.scalar(select(func.count()).select_from(model)) or 0)


def test_a_green_registration_is_a_notice() -> None:
    lists.in_force()
    receipt = submit()
    assert (receipt.created, receipt.assessment.tier, receipt.assessment.score) == (True, "green", 0)
    alert = db.session.scalars(select(Alert)).one()
    assert (alert.state, alert.tier, alert.division_code, alert.ack_due) == ("notice", "green", VILLAGE, None)


def test_a_stay_in_a_listed_place_is_red_and_wants_an_answer_in_fifteen_minutes() -> None:
    published = lists.in_force()
    receipt = submit(stays=[stay(NEIGHBOUR_TOWN, text="白牛路151弄12号楼302室")])
    assert (receipt.assessment.tier, receipt.assessment.score) == ("red", 100)
    reason = receipt.assessment.reasons[0]
    assert (reason["rule"], reason["area"], reason["list_id"]) == ("high_area", lists.FENGJING.text, published.id)
    alert = db.session.scalars(select(Alert)).one()
    assert alert.ack_due == NOW + timedelta(minutes=15)
    assert alert.resolve_due == NOW + timedelta(hours=4)


@pytest.mark.parametrize(
    ("origin", "rule", "tier"),
    [
        ({"code": NEIGHBOUR_TOWN}, "high_town", "red"),
        ({"text": "上海市金山区枫泾镇"}, "high_town", "red"),
        ({"code": NEIGHBOUR}, "high_county", "yellow"),
        ({"text": "火星第三大道"}, "place_unresolved", "yellow"),
        ({"code": "110105000000"}, "other_province", "green"),
        ({"code": SAME_PROVINCE}, None, "green"),
    ],
)
def test_where_somebody_comes_from(origin: dict[str, str], rule: str | None, tier: str) -> None:
    lists.in_force()
    assessment = submit(origin=origin).assessment
    assert assessment.tier == tier
    assert ([reason["rule"] for reason in assessment.reasons] or [None])[0] == rule


def test_a_stay_long_before_the_listing_does_not_count() -> None:
    lists.in_force()
    assert submit(stays=[stay(NEIGHBOUR, days_ago=30, nights=2)]).assessment.reasons[0]["rule"] == "other_province"


def test_without_a_list_nobody_is_green() -> None:
    assert submit().assessment.reasons[0]["rule"] == "list_missing"


def test_a_list_that_nobody_confirmed_for_two_days_is_stale() -> None:
    lists.in_force()
    later = NOW + timedelta(hours=49)
    receipt = submit(at=later, arriving_on=later.date().isoformat())
    assert (receipt.assessment.tier, receipt.assessment.reasons[0]["rule"]) == ("yellow", "list_stale")


def test_the_same_client_id_again_changes_nothing() -> None:
    lists.in_force()
    body = Declaration.model_validate(declaration(companions=[companion()]))
    first = service.submit(body, actor=people.operator(), at=NOW)
    again = service.submit(body, actor=people.operator(), at=NOW + timedelta(hours=1))
    assert (first.created, again.created) == (True, False)
    assert again.issued.token == first.issued.token
    assert [one.issued.token for one in again.companions] == [one.issued.token for one in first.companions]
    assert (count(Registration), count(Alert), count(Pass)) == (2, 2, 2)


def test_a_replay_returns_the_first_result_even_after_a_new_assessment() -> None:
    body = Declaration.model_validate(declaration())
    first = service.submit(body, actor=people.operator(), at=NOW)
    lists.in_force()
    registration = db.session.get_one(Registration, first.registration.id)
    assess_again(registration, state=current_state(NOW), cause="list", actor=people.operator(), at=NOW)
    again = service.submit(body, actor=people.operator(), at=NOW)
    assert (first.assessment.tier, again.assessment.tier, registration.tier) == ("yellow", "yellow", "green")
    assert again.assessment.id == first.assessment.id


def test_two_copies_at_once_make_one_record(app: Flask) -> None:
    lists.in_force()
    db.session.remove()
    body = declaration()
    barrier = threading.Barrier(6)
    results: list[tuple[bool, str]] = []

    def send() -> None:
        with app.app_context():
            parsed = Declaration.model_validate(body)
            operator = people.operator()
            barrier.wait(10)
            receipt = service.submit(parsed, actor=operator, at=NOW)
            results.append((receipt.created, receipt.issued.token))
            db.session.remove()

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(results) == 6
    assert sum(created for created, _token in results) == 1
    assert len({token for _created, token in results}) == 1
    assert (count(Registration), count(Alert), count(FeedEntry)) == (1, 1, 1)


def test_companions_are_people_of_their_own() -> None:
    lists.in_force()
    receipt = submit(companions=[companion(2), companion(3)], symptoms=["fever"])
    assert [one.assessment.tier for one in receipt.companions] == ["green", "green"]
    assert receipt.assessment.tier == "yellow"
    assert {one.registration.lead_id for one in receipt.companions} == {receipt.registration.id}
    assert len({one.issued.token for one in (receipt, *receipt.companions)}) == 3
    assert count(Traveller) == 3


def test_a_person_who_comes_again_is_known_and_never_overwritten() -> None:
    first, second = submit(), submit()
    assert first.registration.traveller_id == second.registration.traveller_id
    stranger = submit(phone="13999999999")
    assert stranger.registration.traveller_id != first.registration.traveller_id
    assert db.session.get_one(Traveller, first.registration.traveller_id).phone != "+8613999999999"


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"origin": {"code": "999999000000"}}, "origin.code", "unknown_division"),
        ({"stays": [stay("123456789012")]}, "stays.0.code", "unknown_division"),
        ({"destination": {"code": NEIGHBOUR_TOWN}}, "destination.code", "outside_site"),
        ({"destination": {"code": SITE}}, "destination.code", "destination_level"),
        ({"destination": {"code": "330482999999"}}, "destination.code", "unknown_division"),
        ({"checkpoint": "NOWHERE"}, "checkpoint", "unknown_checkpoint"),
        ({"arriving_on": "2022-04-01"}, "arriving_on", "arrival_past"),
    ],
)
def test_what_the_register_refuses_is_named_and_nothing_is_stored(
    changes: dict[str, Any], field: str, code: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        submit(**changes)
    assert (field, code) in {(error.field, error.code) for error in caught.value.errors}
    assert (count(Registration), count(Traveller), count(Alert)) == (0, 0, 0)


def test_nothing_personal_is_readable_in_the_database() -> None:
    receipt = submit(origin={"text": "上海市金山区枫泾镇秘密路7号"})
    raw = db.session.connection().exec_driver_sql("SELECT * FROM traveller").all()
    raw += db.session.connection().exec_driver_sql("SELECT * FROM registration").all()
    raw += db.session.connection().exec_driver_sql("SELECT * FROM stay").all()
    dump = b"\n".join(
        bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode() for row in raw for value in row
    )
    record = queries.record(db.session.get_one(Registration, receipt.registration.id))
    for secret in (
        record.traveller.name,
        record.traveller.id_number,
        record.traveller.phone,
        record.registration.address,
        "秘密路",
    ):
        assert secret
        assert secret.encode() not in dump


def test_who_may_see_a_record() -> None:
    receipt = submit()
    own, neighbour = people.village_worker(), people.village_worker(OTHER_VILLAGE, "neighbour")
    town, command, auditor_like = people.town_worker(), people.commander(), people.stranger()
    for actor in (own, town, command):
        assert queries.visible(actor, receipt.registration.id).registration.id == receipt.registration.id
    for actor in (neighbour, auditor_like):
        with pytest.raises(NotFound):
            queries.visible(actor, receipt.registration.id)


def test_an_amendment_replaces_the_pass_and_the_alert() -> None:
    lists.in_force()
    first = submit(companions=[companion(2)])
    body = Declaration.model_validate(from_far_away(companions=[companion(2), companion(3)], tests=[negative_test()]))
    amended = service.amend(first.registration.id, body, actor=people.operator(), at=NOW)
    assert amended.registration.id == first.registration.id
    assert amended.assessment.reasons[0]["rule"] == "other_province"
    assert len(amended.companions) == 2
    old = db.session.get_one(Pass, first.issued.serial)
    assert (old.revoked_because, amended.issued.revoked_at) == ("replaced", None)
    assert [alert.state for alert in db.session.scalars(select(Alert).order_by(Alert.created_at, Alert.id))].count(
        "retracted"
    ) == 2
    again = service.amend(first.registration.id, body, actor=people.operator(), at=NOW)
    assert (again.created, again.issued.token) == (False, amended.issued.token)
    record = queries.record(db.session.get_one(Registration, first.registration.id))
    assert len(record.stays) == 1
    assert record.registration.address


def test_companions_are_paired_by_document_and_never_by_their_place_in_the_list() -> None:
    lists.in_force()
    first = submit(companions=[companion(2), companion(3), companion(4)])
    second, third, fourth = first.companions
    service.withdraw(fourth.registration.id, uuid.uuid4(), actor=people.operator(), at=NOW)
    body = Declaration.model_validate(declaration(companions=[companion(4), companion(3)]))
    amended = service.amend(first.registration.id, body, actor=people.operator(), at=NOW)
    renewed, kept = amended.companions
    assert kept.registration.id == third.registration.id
    assert renewed.registration.id not in {one.registration.id for one in first.companions}
    states = {one.id: one.state for one in db.session.scalars(select(Registration))}
    assert (states[second.registration.id], states[fourth.registration.id]) == ("withdrawn", "withdrawn")
    assert states[kept.registration.id] == "declared"
    people_now = queries.people([kept.registration.id, renewed.registration.id])
    assert people_now[kept.registration.id][1].id_number == companion(3)["id_number"]
    assert people_now[renewed.registration.id][1].id_number == companion(4)["id_number"]


def test_a_withdrawal_takes_everything_back_once() -> None:
    receipt = submit(companions=[companion(2)])
    mine = uuid.uuid4()
    for _ in range(2):
        service.withdraw(receipt.registration.id, mine, actor=people.operator(), at=NOW)
    assert {one.state for one in db.session.scalars(select(Registration))} == {"withdrawn"}
    assert {one.revoked_because for one in db.session.scalars(select(Pass))} == {"withdrawn"}
    assert {one.state for one in db.session.scalars(select(Alert))} == {"retracted"}
    with pytest.raises(Conflict):
        service.amend(
            receipt.registration.id, Declaration.model_validate(declaration()), actor=people.operator(), at=NOW
        )
    with pytest.raises(NotFound):
        service.withdraw(uuid.uuid4(), uuid.uuid4(), actor=people.operator(), at=NOW)


def test_a_worse_list_raises_one_alert_and_a_better_one_is_told() -> None:
    lists.in_force(lists.ZHUJING)
    receipt = submit(origin={"code": NEIGHBOUR_TOWN})
    assert receipt.assessment.tier == "green"
    lists.in_force(lists.FENGJING, at=NOW + timedelta(hours=1))
    registration = db.session.get_one(Registration, receipt.registration.id)
    operator, later = people.operator(), NOW + timedelta(hours=1)
    worse = assess_again(registration, state=current_state(later), cause="list", actor=operator, at=later)
    assert (worse.tier, registration.tier) == ("red", "red")
    assert [alert.tier for alert in inbox(people.village_worker())] == ["red"]
    assert count(Assessment) == 2
    assert db.session.scalar(select(func.count()).select_from(Stay)) == 1


def test_a_rolled_back_submission_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError("the power went")

    target: Callable[..., None] = broken
    monkeypatch.setattr(service, "raise_alerts", target)
    with pytest.raises(RuntimeError):
        submit()
    assert (count(Registration), count(Traveller), count(Pass)) == (0, 0, 0)
