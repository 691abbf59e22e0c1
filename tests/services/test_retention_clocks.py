"""What does not go with a trip goes by its own clock, and an inquiry or an application holds the trip that it is about."""

import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from checkpoint.approvals.models import Approval, ApprovalHolder
from checkpoint.crossings.lane_models import VehicleCrossing
from checkpoint.database import db, transaction
from checkpoint.inquiries.models import Inquiry, InquiryHit
from checkpoint.registrations.models import Registration, Traveller
from tests.factories import NOW, people
from tests.factories.divisions import VILLAGE
from tests.factories.travelling import admitted
from tests.services.test_retention import DAY, LATER, count, released, run


def inquiry(state: str, *, ended_at: datetime | None = None) -> Inquiry:
    """A stored inquiry with a case."""
    row = Inquiry(
        id=uuid.uuid4(),
        source="嘉善县公安局",
        level="red",
        legal_basis="传染病防治法",
        valid_from=NOW.date(),
        valid_until=NOW.date() + timedelta(days=365),
        state=state,
        file_format="csv",
        size=1,
        sha256=bytes(32),
        rows=1,
        bad_rows=0,
        created_at=NOW,
        ended_at=ended_at,
    )
    row.case = "案情：某人"
    with transaction() as session:
        session.add(row)
    return row


def hit(of: Inquiry, registration_id: uuid.UUID, decision: str | None) -> None:
    with transaction() as session:
        session.add(
            InquiryHit(
                inquiry_id=of.id,
                person_hash=uuid.uuid4().bytes,
                registration_id=registration_id,
                division_code=VILLAGE,
                row_number=0,
                listed_hash=bytes(16),
                outcome="review",
                score=1.0,
                holders=1,
                levels={},
                weights=[],
                found_by="list",
                found_at=NOW,
                decision=decision,
            )
        )


@pytest.mark.parametrize(
    ("state", "decision", "is_held"),
    [
        ("in_force", None, True),
        ("in_force", "same", True),
        ("matching", None, True),
        ("in_force", "other", False),
        ("expired", "same", False),
        ("withdrawn", None, False),
    ],
)
@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_an_inquiry_in_force_holds_whom_it_found(state: str, decision: str | None, is_held: bool) -> None:
    person = released(admitted())
    hit(inquiry(state), person.id, decision)
    done = run()
    assert done.held == ({"inquiry": 1} if is_held else {})
    assert count(Registration) == int(is_held)


def approval(state: str, valid_until: datetime, **more: Any) -> Approval:
    """A stored application."""
    row = Approval(
        id=uuid.uuid4(),
        number=uuid.uuid4().hex[:16],
        kind="person",
        state=state,
        stage=5,
        division_code=VILLAGE,
        on_paper=True,
        key_hash=uuid.uuid4().bytes,
        asked_conditions={},
        valid_from=NOW,
        valid_until=valid_until,
        made_at=NOW,
        changed_at=NOW,
        **more,
    )
    row.contact_name, row.purpose = "某人", "探亲"
    with transaction() as session:
        session.add(row)
    return row


def test_an_open_application_holds_whom_it_names_and_a_standing_one_its_trip() -> None:
    tablet = people.tablet()
    named, standing, free = (released(admitted(tablet, number=number)) for number in (1, 2, 3))
    asked = approval("open", LATER + DAY)
    document = db.session.get_one(Traveller, named.row.traveller_id).id_number_hash
    with transaction() as session:
        session.add(ApprovalHolder(approval_id=asked.id, id_number_hash=document))
    approval("granted", LATER + DAY, registration_id=standing.id)
    approval("granted", LATER - DAY, registration_id=free.id)
    assert run().held == {"approval": 2}
    assert db.session.get(Registration, free.id) is None


def test_applications_go_thirty_days_after_their_end_with_whom_they_name() -> None:
    over = approval("refused", NOW + 300 * DAY, decided_at=NOW)
    with transaction() as session:
        session.add(ApprovalHolder(approval_id=over.id, id_number_hash=bytes(16)))
    kept = approval("granted", NOW + 20 * DAY)
    assert run(NOW + 29 * DAY).counts["approval"] == 0
    assert run(NOW + 31 * DAY).counts["approval"] == 1
    assert count(ApprovalHolder) == 0
    assert db.session.scalars(select(Approval.id)).one() == kept.id
    assert run(NOW + 51 * DAY).counts["approval"] == 1


def test_an_ended_inquiry_forgets_its_case_and_whom_it_found() -> None:
    person = admitted()
    ended = inquiry("expired", ended_at=NOW)
    hit(ended, person.id, "same")
    run(NOW + 29 * DAY)
    assert count(InquiryHit) == 1
    run(NOW + 31 * DAY)
    assert count(InquiryHit) == 0
    row = db.session.get_one(Inquiry, ended.id)
    assert (row.case_sealed, row.source) == (None, "嘉善县公安局")


def test_a_vehicle_goes_when_nobody_came_in_it_any_more() -> None:
    tablet = people.tablet()
    row = VehicleCrossing(
        id=uuid.uuid4(),
        checkpoint_id=tablet.checkpoint.id,
        device_id=tablet.device.id,
        kind="car",
        opened_at=NOW,
        received_at=NOW,
    )
    row.plate = "浙F12345"
    with transaction() as session:
        session.add(row)
    run(NOW + 29 * DAY)
    assert count(VehicleCrossing) == 1
    assert run(NOW + 31 * DAY).counts["vehicle_crossing"] == 1
    assert db.session.scalar(select(func.count(VehicleCrossing.id))) == 0
