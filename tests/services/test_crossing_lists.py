"""Whoever stands at a barrier is held against the lists in force, in the same request: a list may count from a later day."""

import uuid
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import event, select

from checkpoint.alerts.models import Alert
from checkpoint.crossings import service as crossings
from checkpoint.crossings.batches import Delivery, deliver
from checkpoint.crossings.service import Scan
from checkpoint.database import db, transaction
from checkpoint.inquiries.lookup import shelf
from checkpoint.inquiries.models import Inquiry, InquiryHit
from tests.factories import NOW, TODAY, inquiries, people
from tests.factories.declarations import companion, phone, resident_id
from tests.factories.divisions import VILLAGE
from tests.factories.inside import register

TOMORROW = NOW + timedelta(days=1)


@pytest.fixture(autouse=True)
def _in_application(context: Flask) -> None:
    """Every test acts inside the application."""


def from_tomorrow(folder: Path, *rows: str) -> Inquiry:
    """A list that came before anybody registered, and counts from tomorrow."""
    inquiry = inquiries.read(inquiries.write(folder, rows))
    with transaction():
        db.session.get_one(Inquiry, inquiry.id).valid_from = TODAY + timedelta(days=1)
    anew()
    return inquiry


def anew() -> None:
    books = shelf()
    books.forget()
    books._open.clear()


def scan(tablet: people.Tablet, token: str, at: datetime, *, scan_id: uuid.UUID | None = None) -> None:
    crossings.record_scan(Scan(scan_id or uuid.uuid4(), token, at), actor=tablet.actor, at=at)


def hits() -> dict[uuid.UUID, tuple[str, str]]:
    db.session.expire_all()
    return {row.registration_id: (row.outcome, row.found_by) for row in db.session.scalars(select(InquiryHit))}


def alarms() -> list[Alert]:
    return list(db.session.scalars(select(Alert).where(Alert.kind == "inquiry")))


def test_a_list_that_counts_from_a_later_day_finds_them_at_the_barrier(tmp_path: Path) -> None:
    from_tomorrow(tmp_path, f",{resident_id(1)},,,", f",,{phone(2)},,")
    named, held, stranger = register(1), register(2), register(3)
    assert hits() == {}
    tablet, scan_id = people.tablet(), uuid.uuid4()
    for trip in (named, named, held, stranger):
        scan(tablet, f"ID:{trip.id}", TOMORROW)
    for _ in range(2):  # a request that is sent again
        scan(tablet, f"ID:{named.id}", TOMORROW, scan_id=scan_id)
    assert hits() == {named.id: ("alert", "crossing"), held.id: ("alert", "crossing")}
    assert {(alarm.subject_id, alarm.division_code, alarm.tier) for alarm in alarms()} == {
        (named.id, VILLAGE, "red"),
        (held.id, VILLAGE, "red"),
    }
    assert len(alarms()) == 2


def test_a_companion_is_found_when_they_cross(tmp_path: Path) -> None:
    from_tomorrow(tmp_path, f",{resident_id(12)},,,")
    lead = register(1, companions=[companion(11), companion(12)])
    tablet = people.tablet()
    for token in (f"ID:{lead.id}", f"ID:{lead.id}.1"):
        scan(tablet, token, TOMORROW)
    assert hits() == {}
    scan(tablet, f"ID:{lead.id}.2", TOMORROW)
    assert len(hits()) == len(alarms()) == 1


def test_scans_of_a_day_off_line_are_held_against_the_lists_when_they_come(tmp_path: Path) -> None:
    from_tomorrow(tmp_path, f",{resident_id(1)},,,")
    trip = register(1)
    tablet = people.tablet()
    offline = Scan(uuid.uuid4(), f"ID:{trip.id}", NOW + timedelta(hours=1), offline=True)
    deliver([Delivery(offline)], actor=tablet.actor, at=TOMORROW)
    assert hits() == {trip.id: ("alert", "crossing")}


def test_nothing_is_opened_where_no_list_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from_tomorrow(tmp_path, f",{resident_id(1)},,,")
    trip = register(1)
    tablet = people.tablet()
    monkeypatch.setattr("checkpoint.crossings.listed.unseal", lambda *_: pytest.fail("opened"))
    seen: list[str] = []
    listen = lambda _c, _cursor, statement, *_rest: seen.append(statement)  # noqa: E731 - the event wants a function
    event.listen(db.engine, "before_cursor_execute", listen)
    try:
        scan(tablet, f"ID:{trip.id}", NOW)
    finally:
        event.remove(db.engine, "before_cursor_execute", listen)
    assert hits() == {}
    assert not [statement for statement in seen if "inquiry" in statement]
