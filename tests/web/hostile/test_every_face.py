"""Marks in every stored text, then every page, call, file and message as everybody: escaped wherever they stand, no formula in any
table, and in clear only on the pages that are named here."""

import csv
import io
import logging
import unicodedata
from collections.abc import Iterator
from typing import Any

import openpyxl
import pytest
from werkzeug.test import TestResponse

from checkpoint.channels.collecting import collect
from checkpoint.channels.sending import send_due
from checkpoint.companies import telling
from checkpoint.database import Base
from checkpoint.privacy import Sealed
from tests.factories.outboxes import Outbox
from tests.web.access.row import Row, expected
from tests.web.access.rows import rows
from tests.web.access.test_matrix import address
from tests.web.access.world import LATER, Asker, World
from tests.web.hostile.spoiled import Columns, Faults, found, spoil

_PERSON = {"traveller.name", "traveller.id_number", "traveller.phone"}
_TRIP = _PERSON | {"registration.address", "registration.plate", "registration.origin_text", "stay.text"}
_HOLDERS = {f"approval_holder.{name}" for name in ("name", "id_number", "phone", "plate")}
_APPLICATION = _HOLDERS | {"approval.contact_name", "approval.contact_phone", "approval.purpose", "approval_step.text"}
CLEAR = {
    # Whoever holds the link, of what they typed themselves.
    "GET traveller.amend": _TRIP,
    "POST own_data.copy": _TRIP,
    "GET traveller.board": {"vehicle_crossing.plate"},
    "GET applying.show": {"approval_step.text"},
    # Offices, of what was written to them to be answered, and what they wrote of it.
    "GET approvals.show": {"approval.purpose", "approval_step.text"},
    "GET company.application": {"approval.purpose", "approval_step.text"},
    "GET care.appeal": {"appeal.text", "appeal.answer"},
    "GET inbox.person": {"crossing_decision.note", "follow_up.note", "alert.note", "legal_hold.why"},
    "GET inbox.alert": {"alert.note"},
    "GET inquiries.one": {"inquiry.case"},
    "GET joint.one": {"joint_record.case", "joint_record.question"},
    "GET companies.one": {"company_step.text"},
    "GET companies.application": {"company_step.text"},
    "GET patrols.point": {"patrol_visit.note"},
    # The company, of the wrong rows of its own file.
    "GET company.wrong_rows": {"company_import.bad"},
    # The barrier: the plate is on the car.
    "GET api_lane.show_vehicle": {"vehicle_crossing.plate"},
    "GET api_lane.show_lane": {"vehicle_crossing.plate"},
    # Shown for a purpose, and written down.
    "POST inbox.unmask": {"traveller.phone", "traveller.name", "registration.address"},
    "POST approvals.reveal": _APPLICATION,
    "POST companies.unmask": {"company.contact_name", "company.contact_phone", "company.address", "company_step.text"},
    "POST reviews.reveal": {"inquiry_hit.listed", "registration.plate", *_PERSON},
    "POST carried.open_form": {"carried_refusal.declaration"},
}
"""By page, the sealed texts that it shows in clear to those who get in; every other page shows none."""
REVEALS = {one.removeprefix("POST ") for one in CLEAR if one.startswith("POST ")}


class Heard(logging.Handler):
    """Whatever any logger says."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(logging.Formatter("%(name)s %(message)s").format(record))


@pytest.fixture(scope="module")
def columns(world: World) -> Columns:
    return spoil(world)


@pytest.fixture(scope="module")
def answers(world: World, columns: Columns) -> Iterator[tuple[list[tuple[Row, Asker, TestResponse]], list[str]]]:
    """Every page to whom it is shown, and what was logged meanwhile. Of public pages two see all that there is."""
    heard, root = Heard(), logging.getLogger()
    root.addHandler(heard)
    level, _set = root.level, root.setLevel(logging.DEBUG)
    found_: list[tuple[Row, Asker, TestResponse]] = []
    for row in rows():
        if row.endpoint in ("static", "stream.stream") or (row.method == "POST" and row.endpoint not in REVEALS):
            continue
        for asker in world.askers.values():
            if expected(row, asker) != "in" or (
                row.needs is None and asker.name not in ("nobody", "traveller", "village")
            ):
                continue
            given: dict[str, Any] = dict(row.body(world)) if row.method == "POST" else {}
            found_.append((row, asker, world.ask(asker, row.method, address(world, row), **given)))
    world.restore()
    yield found_, heard.lines
    root.removeHandler(heard)
    root.setLevel(level)


def text_of(answer: TestResponse) -> str:
    return answer.get_data().decode("utf-8", "replace")


def test_no_page_breaks_and_none_makes_anything_of_a_mark(answers: Any) -> None:
    faults, pages = [], 0
    for row, asker, answer in answers[0]:
        if answer.status_code >= 500:
            faults.append(f"{row.id} as {asker.name}: {answer.status_code}")
        if answer.mimetype in ("text/html", "image/svg+xml"):
            pages += 1
            faults += [f"{row.id} as {asker.name}: {fault}" for fault in Faults(text_of(answer)).faults]
        elif "xsscp" in text_of(answer):  # a browser must not take anything else for a page
            assert answer.headers["X-Content-Type-Options"] == "nosniff", row.id
    assert faults == []
    assert pages > 200


def test_marks_are_there_to_be_escaped(columns: Columns, answers: Any) -> None:
    seen = {one for row, asker, answer in answers[0] for one in columns.of(found(text_of(answer)))}
    assert len(seen) > 40, sorted(seen)
    assert {"user_account.display_name", "risk_area.text", "appeal.text", "traveller.name", "patrol_point.name"} <= seen


def test_sealed_texts_stand_in_clear_where_the_table_says_and_nowhere_else(columns: Columns, answers: Any) -> None:
    sealed = {
        f"{mapper.class_.__tablename__}.{name}"
        for mapper in Base.registry.mappers
        for name, value in vars(mapper.class_).items()
        if isinstance(value, Sealed)
    }
    wrong = set()
    for row, asker, answer in answers[0]:
        shown = {".".join(one.split(".")[:2]) for one in columns.of(found(text_of(answer)))} & sealed
        wrong |= {f"{row.id} shows {one} to {asker.name}" for one in shown - CLEAR.get(row.id, set())}
        assert columns.of(found(f"{answer.headers}")) == set(), row.id
    assert sorted(wrong) == []


def test_no_table_has_a_formula(answers: Any) -> None:
    formulas, tables = [], 0
    for row, _asker, answer in answers[0]:
        if answer.mimetype == "text/csv":
            lines: list[list[Any]] = list(csv.reader(io.StringIO(text_of(answer).lstrip("\ufeff"))))
        elif "spreadsheetml" in answer.mimetype:
            book = openpyxl.load_workbook(io.BytesIO(answer.get_data()))
            lines = [
                [f"={cell.value}" if cell.data_type == "f" else cell.value for cell in line]
                for line in book.active.iter_rows()
            ]
        else:
            continue
        tables += 1
        cells = [str(cell or "") for line in lines for cell in line]
        starts = {cell: unicodedata.normalize("NFKC", cell.strip())[:1] for cell in cells if cell.strip() != "-"}
        formulas += [f"{row.id}: {cell[:40]}" for cell, first in starts.items() if first in tuple("=+-@")]
    assert formulas == []
    assert tables >= 4


def test_no_log_has_a_mark(answers: Any) -> None:
    assert [line for line in answers[1] if "xsscp" in line] == []


def test_messages_and_events_have_no_mark(world: World, columns: Columns) -> None:
    box = Outbox()
    with world.app.app_context():
        collect(LATER)
        send_due(lambda: LATER, sender=box)
        telling.send_notices(lambda: LATER, sender=box)
    assert [message for _address, message in box.sent if "xsscp" in repr(message)] == []
    client = world.app.test_client(use_cookies=False)
    answer = client.get("/api/v1/stream?after=0", headers=world.askers["command"].headers)
    events = b""
    for piece in answer.response:  # what has happened comes at once; then the stream waits for more
        events += piece
        if events.count(b"data:") >= 4:
            break
    answer.close()
    world.restore()
    assert events.count(b"data:") >= 4
    assert b"xsscp" not in events
