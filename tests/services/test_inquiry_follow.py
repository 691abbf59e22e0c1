"""The alert of a list follows the person: amended, registered again, withdrawn, turned back, let in; never lost and never doubled."""

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from checkpoint.alerts import service as alerts
from checkpoint.alerts.models import Alert, AlertEvent
from checkpoint.crossings import service as crossings
from checkpoint.crossings.service import Scan
from checkpoint.database import db, transaction
from checkpoint.inquiries import service
from checkpoint.inquiries.lookup import shelf
from checkpoint.inquiries.models import Inquiry, InquiryHit
from checkpoint.registrations import listed
from checkpoint.registrations import service as registrations
from checkpoint.registrations.declaration import Declaration
from checkpoint.registrations.models import Pass, Registration
from checkpoint.registrations.service import Receipt
from checkpoint.risk.service import current_state
from tests.factories import NOW, inquiries, people
from tests.factories.declarations import companion, declaration, resident_id
from tests.factories.divisions import OTHER_VILLAGE, SECOND_VILLAGE, VILLAGE
from tests.factories.inside import let_in, register

ELSEWHERE = {"code": OTHER_VILLAGE, "address": "2 组"}


@pytest.fixture(autouse=True)
def _in_application(context: Flask) -> None:
    """Every test acts inside the application."""


def in_force(folder: Path, *numbers: int, name: str = "list.csv") -> Inquiry:
    """A list that names some people by their documents."""
    inquiry = inquiries.read(inquiries.write(folder, [f",{resident_id(number)},,," for number in numbers], name=name))
    shelf().forget()
    return inquiry


def amend(trip: Registration, number: int = 1, **changes: object) -> Receipt:
    body = Declaration.model_validate(declaration(number, **changes))
    return registrations.amend(trip.id, body, actor=people.operator(), at=NOW)


def told() -> list[tuple[str, str, uuid.UUID | None]]:
    """(village, state, trip) of every alert of a list, in the order in which they were raised."""
    db.session.expire_all()
    rows = db.session.scalars(select(Alert).where(Alert.kind == "inquiry").order_by(Alert.id))
    return [(row.division_code, row.state, row.subject_id) for row in rows]


def hit() -> InquiryHit:
    return db.session.scalars(select(InquiryHit).execution_options(populate_existing=True)).one()


@pytest.mark.parametrize("list_first", [True, False], ids=["list before", "list after"])
def test_an_amendment_takes_the_alert_to_the_new_village(tmp_path: Path, list_first: bool) -> None:
    if list_first:
        in_force(tmp_path, 1)
    trip = register(1)
    if not list_first:
        in_force(tmp_path, 1)
    assert told() == [(VILLAGE, "open", trip.id)]
    amend(trip, destination=ELSEWHERE)
    assert told() == [(VILLAGE, "retracted", trip.id), (OTHER_VILLAGE, "open", trip.id)]
    assert hit().division_code == OTHER_VILLAGE
    amend(trip)
    amend(trip, destination=ELSEWHERE)
    assert [state for _village, state, _trip in told()] == ["retracted"] * 3 + ["open"]
    assert told()[-1][0] == OTHER_VILLAGE


def test_an_amendment_within_the_village_disturbs_nobody(tmp_path: Path) -> None:
    in_force(tmp_path, 1)
    trip = register(1)
    worker = people.village_worker()
    (alert,) = db.session.scalars(select(Alert).where(Alert.kind == "inquiry"))
    alerts.acknowledge(alert.id, actor=worker, at=NOW)
    amend(trip, plate="浙F99999")
    assert told() == [(VILLAGE, "acknowledged", trip.id)]


def test_a_replayed_amendment_moves_nothing_twice(tmp_path: Path) -> None:
    in_force(tmp_path, 1)
    trip = register(1)
    body = Declaration.model_validate(declaration(1, destination=ELSEWHERE))
    for _time in range(3):
        registrations.amend(trip.id, body, actor=people.operator(), at=NOW)
    assert [state for _village, state, _trip in told()] == ["retracted", "open"]


def test_a_second_trip_takes_the_alert_along(tmp_path: Path) -> None:
    in_force(tmp_path, 1)
    first = register(1)
    second = register(1, destination=ELSEWHERE)
    assert told() == [(VILLAGE, "retracted", first.id), (OTHER_VILLAGE, "open", second.id)]
    registrations.withdraw(second.id, uuid.uuid4(), actor=people.operator(), at=NOW)
    assert told()[1:] == [(OTHER_VILLAGE, "retracted", second.id), (VILLAGE, "open", first.id)]


def test_a_second_trip_to_the_same_village_keeps_the_alert_that_is_in_hand(tmp_path: Path) -> None:
    in_force(tmp_path, 1)
    register(1)
    (alert,) = db.session.scalars(select(Alert).where(Alert.kind == "inquiry"))
    alerts.acknowledge(alert.id, actor=people.village_worker(), at=NOW)
    second = register(1)
    assert told() == [(VILLAGE, "acknowledged", second.id)]
    steps = db.session.scalars(select(AlertEvent.event).where(AlertEvent.alert_id == alert.id)).all()
    assert "other_trip" in steps


def test_who_is_in_the_city_is_answered_for_there_until_they_come_in_again(tmp_path: Path) -> None:
    in_force(tmp_path, 1)
    tablet = people.tablet()
    first = let_in(tablet, 1)
    second = register(1, destination=ELSEWHERE)
    assert told() == [(VILLAGE, "open", first.id)]
    token = db.session.scalars(select(Pass).where(Pass.registration_id == second.id)).one().token
    scan = uuid.uuid4()
    crossings.record_scan(Scan(scan, token, NOW), actor=tablet.actor, at=NOW)
    crossings.decide(scan, "admitted", "核对过证件", actor=tablet.actor, at=NOW)
    assert told() == [(VILLAGE, "retracted", first.id), (OTHER_VILLAGE, "open", second.id)]


def test_who_withdrew_and_comes_again_is_told_again(tmp_path: Path) -> None:
    in_force(tmp_path, 1)
    first = register(1)
    registrations.withdraw(first.id, uuid.uuid4(), actor=people.operator(), at=NOW)
    assert told() == [(VILLAGE, "retracted", first.id)]
    second = register(1, destination=ELSEWHERE)
    assert told()[1:] == [(OTHER_VILLAGE, "open", second.id)]


def test_who_was_turned_back_and_comes_again_is_told_again(tmp_path: Path) -> None:
    in_force(tmp_path, 1)
    trip = let_in(people.tablet(), 1, decision="turned_back")
    assert told() == [(VILLAGE, "retracted", trip.id)]
    amend(trip, destination=ELSEWHERE)
    assert told()[1:] == [(OTHER_VILLAGE, "open", trip.id)]


@pytest.mark.parametrize(("result", "again"), [("handled", 0), ("false_alarm", 0), ("not_here", 1), ("no_answer", 1)])
def test_what_was_resolved_stays_and_who_was_not_found_is_looked_for_elsewhere(
    tmp_path: Path, result: str, again: int
) -> None:
    in_force(tmp_path, 1)
    trip = register(1)
    (alert,) = db.session.scalars(select(Alert).where(Alert.kind == "inquiry"))
    alerts.resolve(alert.id, result, None, actor=people.village_worker(), at=NOW)
    amend(trip, destination=ELSEWHERE)
    assert told() == [(VILLAGE, "resolved", trip.id)] + [(OTHER_VILLAGE, "open", trip.id)] * again


def test_a_companion_moves_as_well_and_every_list_has_one_alert(tmp_path: Path) -> None:
    in_force(tmp_path, 2)
    in_force(tmp_path, 1, 2, name="second.csv")
    trip = register(1, companions=[companion(2)])
    assert [village for village, _state, _trip in told()] == [VILLAGE] * 3
    amend(trip, companions=[companion(2)], destination={"code": SECOND_VILLAGE, "address": "1 组"})
    standing = [(village, subject) for village, state, subject in told() if state == "open"]
    assert [village for village, _subject in standing] == [SECOND_VILLAGE] * 3
    assert len({subject for _village, subject in standing}) == 2
    assert [state for _village, state, _trip in told()].count("retracted") == 3


def test_a_list_that_has_ended_raises_nothing_and_its_standing_alert_still_moves(tmp_path: Path) -> None:
    withdrawn = in_force(tmp_path, 1)
    trip = register(1)
    service.withdraw(withdrawn.id, actor=people.operator(), at=NOW)
    amend(trip, destination=ELSEWHERE)
    assert told() == [(VILLAGE, "retracted", trip.id)]
    expired = in_force(tmp_path, 2, name="second.csv")
    other = register(2)
    service.expire(expired.valid_until.replace(year=expired.valid_until.year + 1), actor=people.operator(), at=NOW)
    amend(other, 2, destination=ELSEWHERE)
    assert told()[1:] == [(VILLAGE, "retracted", other.id), (OTHER_VILLAGE, "open", other.id)]


def test_a_trip_amended_while_a_list_is_read_is_caught_up_with(tmp_path: Path) -> None:
    trip = register(1)
    inquiry = in_force(tmp_path, 1)
    with transaction():  # as the reader of the list leaves it who had the old place in hand
        db.session.get_one(Registration, trip.id).destination_code = OTHER_VILLAGE
    catch_up: Callable[[], int] = lambda: listed.catch_up(  # noqa: E731
        inquiry.id, policy=current_state(NOW).policy, actor=people.operator(), at=NOW
    )
    assert catch_up() == 1
    assert catch_up() == 0
    assert told() == [(VILLAGE, "retracted", trip.id), (OTHER_VILLAGE, "open", trip.id)]


def test_a_trip_that_turns_out_to_be_somebody_elses_is_not_told_of_any_more(tmp_path: Path) -> None:
    in_force(tmp_path, 1)
    trip = register(1)
    amend(trip, 5)  # another document: the first one was a mistake
    assert told() == [(VILLAGE, "retracted", trip.id)]
    again = register(1, destination=ELSEWHERE)
    assert told()[1:] == [(OTHER_VILLAGE, "open", again.id)]
    amend(again, 6)
    third = register(1)
    assert told()[2:] == [(VILLAGE, "open", third.id)]
