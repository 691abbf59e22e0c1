"""Everybody new against the lists in force, in the same request: found once, and nobody who only shares a name."""

import uuid
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import event, select

from checkpoint.alerts.models import Alert
from checkpoint.database import db
from checkpoint.inquiries import service
from checkpoint.inquiries.lookup import shelf
from checkpoint.inquiries.models import Inquiry, InquiryHit
from checkpoint.registrations import service as registrations
from checkpoint.registrations.declaration import Declaration
from tests.factories import NOW, inquiries, people
from tests.factories.declarations import companion, declaration, name, phone, resident_id
from tests.factories.divisions import VILLAGE
from tests.factories.inside import register


@pytest.fixture(autouse=True)
def _in_application(context: Flask) -> None:
    """Every test acts inside the application."""


def in_force(folder: Path, *rows: str) -> Inquiry:
    inquiry = inquiries.read(inquiries.write(folder, rows))
    shelf().forget()
    return inquiry


def hits(inquiry: Inquiry) -> dict[uuid.UUID, tuple[str, str | None, str]]:
    rows = db.session.scalars(select(InquiryHit).where(InquiryHit.inquiry_id == inquiry.id))
    return {row.registration_id: (row.outcome, row.rule, row.found_by) for row in rows}


def alarms() -> list[Alert]:
    db.session.expire_all()
    return list(db.session.scalars(select(Alert).where(Alert.kind == "inquiry").order_by(Alert.id)))


def test_somebody_named_on_a_list_is_found_when_they_register(tmp_path: Path) -> None:
    inquiry = in_force(tmp_path, f",{resident_id(1)},,,", f",,{phone(2)},,")
    named, held, stranger = register(1), register(2), register(3)
    assert hits(inquiry) == {
        named.id: ("alert", "whole_document", "registration"),
        held.id: ("alert", "sole_holder", "registration"),
    }
    assert stranger.id not in hits(inquiry)
    assert {(alarm.subject_id, alarm.division_code, alarm.tier) for alarm in alarms()} == {
        (named.id, VILLAGE, "red"),
        (held.id, VILLAGE, "red"),
    }


def test_a_slip_in_the_document_is_found_by_its_neighbours(tmp_path: Path) -> None:
    wrong = resident_id(1)[:8] + "9" + resident_id(1)[9:]
    inquiry = in_force(tmp_path, f"{name(1)},{wrong},,,")
    named = register(1)
    assert hits(inquiry)[named.id][0] == "alert"


def test_who_shares_a_name_and_a_birth_date_alarms_nobody(tmp_path: Path) -> None:
    inquiry = in_force(tmp_path, f"{name(1)},,,{inquiries.birth(resident_id(1)).isoformat()},")
    register(1)
    assert hits(inquiry) == {}
    assert alarms() == []


def test_a_phone_that_several_hold_is_looked_at_by_a_person(tmp_path: Path) -> None:
    inquiry = in_force(tmp_path, f",,{phone(1)},,")
    first = register(1)
    second = register(2, phone=phone(1))
    assert hits(inquiry)[first.id][:2] == ("alert", "sole_holder")
    assert hits(inquiry)[second.id][:2] == ("review", "shared_phone")


def test_companions_are_held_against_the_lists_as_well(tmp_path: Path) -> None:
    inquiry = in_force(tmp_path, f",{resident_id(12)},,,")
    register(1, companions=[companion(11), companion(12)])
    (found,) = hits(inquiry)
    assert len(alarms()) == 1
    assert alarms()[0].subject_id == found


def test_the_same_submission_twice_alarms_once(tmp_path: Path) -> None:
    in_force(tmp_path, f",{resident_id(1)},,,")
    body = declaration(1)
    for _ in range(2):
        registrations.submit(Declaration.model_validate(body), actor=people.operator(), at=NOW)
    assert len(alarms()) == 1


def test_a_name_that_is_corrected_is_held_against_the_lists_anew(tmp_path: Path) -> None:
    inquiry = in_force(tmp_path, f",{resident_id(5)},,,")
    trip = register(1)
    assert hits(inquiry) == {}
    registrations.amend(trip.id, Declaration.model_validate(declaration(5)), actor=people.operator(), at=NOW)
    assert hits(inquiry)[trip.id][:2] == ("alert", "whole_document")


def test_a_list_that_was_taken_back_finds_nobody(tmp_path: Path) -> None:
    inquiry = in_force(tmp_path, f",{resident_id(1)},,,")
    register(9)  # the list is open now
    service.withdraw(inquiry.id, actor=people.operator(), at=NOW)
    register(1)  # within the two seconds for which the shelf is trusted
    assert hits(inquiry) == {}
    assert alarms() == []


def test_without_a_list_it_is_asked_once_whether_one_has_found_them_before(context: Flask) -> None:
    register(1)
    seen: list[str] = []
    listen = lambda _c, _cursor, statement, *_rest: seen.append(statement)  # noqa: E731 - the event wants a function
    event.listen(db.engine, "before_cursor_execute", listen)
    try:
        register(2)
    finally:
        event.remove(db.engine, "before_cursor_execute", listen)
    assert [statement.count("inquiry_hit.id") > 0 for statement in seen if "inquiry" in statement] == [True]
