"""A traveller's own copy of a trip's data, by the pass and the last four characters of the document: everything in full, it is theirs.

Left out is what names others or belongs to matters of an authority: notes and names of officers, alerts, inquiries. Who opened a name or a
number is told by their office.
"""

import uuid
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from checkpoint.accounts.models import Checkpoint
from checkpoint.accounts.permissions import Actor
from checkpoint.appeals.models import Appeal
from checkpoint.audit.service import record as audit
from checkpoint.crossings.models import Crossing, CrossingDecision
from checkpoint.database import Base, db, transaction
from checkpoint.errors import InvalidInput, NotFound
from checkpoint.followups.models import FollowUp, TravellerReport
from checkpoint.privacy import same
from checkpoint.registrations.models import Pass, Registration, Stay, TestResult, Traveller
from checkpoint.registrations.queries import Record, place_name, visible
from checkpoint.retention.holds import Reason, keeping
from checkpoint.retention.looks import looks_at
from checkpoint.risk.models import Assessment
from checkpoint.risk.service import current_state

SHOWN = 4
OPEN_MATTER = "open_matter"
TOLD = (Reason.INSIDE, Reason.APPEAL, Reason.APPROVAL, Reason.PASS)
"""What a traveller is told by its name; that an inquiry, an alert or a hold is behind it is nobody's business but the authority's."""


def told(holds: Sequence[Reason]) -> list[str]:
    """What holds a trip's data, as its traveller is told."""
    named = [reason.value for reason in holds if reason in TOLD]
    return named + [OPEN_MATTER] * any(reason not in TOLD for reason in holds)


def check_document(traveller: Traveller, typed: str) -> None:
    """Raise InvalidInput unless the last four characters of the document were typed."""
    given, real = typed.strip().upper(), (traveller.id_number or "").upper()[-SHOWN:]
    if not same(given.encode(), real.encode()):
        raise InvalidInput.one("document", "wrong", "These are not the last four characters of the document.")


def own_copy(registration_id: uuid.UUID, typed: str, *, actor: Actor, at: datetime) -> dict[str, Any]:
    """Everything that stands about a trip and its traveller, as plain values; that it was taken is audited.

    Raises InvalidInput when the typed characters are wrong, NotFound for whoever does not hold the pass.
    """
    with transaction():
        if actor.kind != "traveller" or actor.id != registration_id:
            raise NotFound
        record = visible(actor, registration_id)
        check_document(record.traveller, typed)
        audit(
            at=at,
            actor_kind=actor.kind,
            actor_id=actor.id,
            act="data.copy",
            object_type="registration",
            object_id=registration_id,
        )
        return _all(record, at)


def _all(record: Record, at: datetime) -> dict[str, Any]:
    registration, traveller = record.registration, record.traveller
    kept = keeping(registration.id, current_state(at).policy, at)
    return {
        "made_at": _plain(at),
        "person": {
            "name": traveller.name,
            "id_type": traveller.id_type,
            "id_number": traveller.id_number,
            "phone": traveller.phone,
        },
        "trip": {
            "id": str(registration.id),
            "state": registration.state,
            "tier": registration.tier,
            "origin": place_name(registration.origin_code) or registration.origin_text,
            "destination": place_name(registration.destination_code),
            "address": registration.address,
            "arriving_on": _plain(registration.arriving_on),
            "transport": registration.transport,
            "plate": registration.plate,
            "symptoms": list(registration.symptoms),
            "declared_at": _plain(registration.created_at),
            "entered_at": _plain(registration.entered_at),
            "released_at": _plain(registration.released_at),
        },
        "companions": [one.name for one in record.companions],
        "stays": [
            {"place": place_name(one.code) or one.text, "from": _plain(one.since), "to": _plain(one.until)}
            for one in _rows(Stay, registration, Stay.position)
        ],
        "tests": [
            _values(one, "kind", "taken_at", "result", "source")
            for one in _rows(TestResult, registration, TestResult.taken_at)
        ],
        "assessments": [
            _values(one, "made_at", "cause", "tier", "score", "reasons", "measures")
            for one in _rows(Assessment, registration, Assessment.made_at)
        ],
        "passes": [
            _values(one, "short_code", "issued_at", "expires_at", "revoked_at")
            for one in _rows(Pass, registration, Pass.issued_at)
        ],
        "crossings": _crossings(registration),
        "follow_ups": [
            _values(one, "kind", "day", "from_at", "due_at", "state", "result", "done_at")
            for one in _rows(FollowUp, registration, FollowUp.from_at)
        ],
        "reports": [
            _values(
                one, "kind", "reported_at", "state", "temperature", "symptoms", "test_kind", "test_result", "taken_at"
            )
            for one in _rows(TravellerReport, registration, TravellerReport.reported_at)
        ],
        "appeals": [
            _values(one, "made_at", "state", "text", "answered_at", "answer")
            for one in _rows(Appeal, registration, Appeal.made_at)
        ],
        "looks": [
            {
                "opened_at": _plain(one.at),
                "role": one.role,
                "office": place_name(one.division_code),
                "fields": list(one.fields),
                "purpose": one.purpose,
            }
            for one in looks_at(record, with_inquiries=False)
        ],
        "kept": {
            "until": _plain(kept.goes_on) if kept else None,
            "held_by": told(kept.holds) if kept else [],
            "erasure_asked_at": _plain(kept.asked_at) if kept else None,
        },
    }


def _crossings(registration: Registration) -> list[dict[str, Any]]:
    rows = db.session.execute(
        select(Crossing, Checkpoint.name)
        .join(Checkpoint, Checkpoint.id == Crossing.checkpoint_id)
        .where(Crossing.registration_id == registration.id)
        .order_by(Crossing.scanned_at)
    ).all()
    decisions: dict[uuid.UUID, list[dict[str, Any]]] = {crossing.id: [] for crossing, _name in rows}
    made = select(CrossingDecision).where(CrossingDecision.crossing_id.in_(decisions))
    for one in db.session.scalars(made.order_by(CrossingDecision.decided_at)):
        decisions[one.crossing_id].append(_values(one, "decision", "decided_at"))
    return [
        {"checkpoint": name, **_values(crossing, "scanned_at", "verdict", "tier"), "decisions": decisions[crossing.id]}
        for crossing, name in rows
    ]


def _rows(model: Any, registration: Registration, order: Any) -> Sequence[Any]:
    return db.session.scalars(select(model).where(model.registration_id == registration.id).order_by(order)).all()


def _values(row: Base, *names: str) -> dict[str, Any]:
    return {name: _plain(getattr(row, name)) for name in names}


def _plain(value: Any) -> Any:
    """A value as JSON has it: times in RFC 3339, in UTC."""
    return value.isoformat() if isinstance(value, date) else value
