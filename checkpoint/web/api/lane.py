"""What a tablet asks and tells besides scans: who is on duty, tests on the spot, vehicles, and the lane on one screen."""

import uuid
from typing import Any

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from checkpoint import clock
from checkpoint.accounts import pins
from checkpoint.accounts.permissions import Permission
from checkpoint.crossings import documents, lane, newcomers, shifts, spot_tests, vehicle_views, vehicles
from checkpoint.registrations import queries
from checkpoint.registrations import service as registrations
from checkpoint.registrations.declaration import Declaration, outline_of
from checkpoint.web.api import bodies, lane_bodies, views
from checkpoint.web.api.documents import describe, read_body
from checkpoint.web.auth import current_actor, requires

blueprint = Blueprint("api_lane", __name__)
_PROBLEMS = (400, 401, 403, 404, 413, 415, 422)


@blueprint.get("/gate/lane")
@requires(Permission.SCANS_WRITE)
@describe(answers={200: lane_bodies.LaneOut}, problems=(401, 403), tag="gate")
def show_lane() -> ResponseReturnValue:
    """The lane on one screen: counts of today, the queue, running tests, vehicles, and the tablets of this checkpoint."""
    at = clock.now()
    seen = lane.lane(actor=current_actor(), at=at)
    rows = {name: [views.vars_of(one) for one in getattr(seen, name)] for name in _ROWS}
    rows["tests"] = [_with_reasons(one) for one in seen.tests]
    officers = [{"id": id_, "name": name, "stamp": stamp} for id_, name, stamp in seen.officers]
    counts = {"scans": seen.scans, "verdicts": seen.verdicts, "decisions": seen.decisions}
    return _answer(lane_bodies.LaneOut, {"now": at, **counts, **rows, "officers": officers})


def _with_reasons(one: lane.Waiting | vehicle_views.Seated) -> dict[str, Any]:
    return (views.vars_of(one) or {}) | {"reasons": views.reasons(one.reasons)}


_ROWS = ("queue", "tests", "vehicles", "tablets")


@blueprint.post("/gate/shifts")
@requires(Permission.SCANS_WRITE)
@describe(body=lane_bodies.ShiftIn, answers={200: lane_bodies.ShiftOut}, problems=_PROBLEMS, tag="gate")
def open_shift() -> ResponseReturnValue:
    """Sign in on the tablet; whoever was on duty there is relieved. The same shift_id again changes nothing."""
    body = read_body(lane_bodies.ShiftIn)
    opening = shifts.Opening(body.shift_id, body.officer_id, body.pin, body.started_at)
    return _shift(shifts.open_shift(opening, actor=current_actor(), at=clock.now()))


@blueprint.post("/gate/shifts/<uuid:shift_id>/end")
@requires(Permission.SCANS_WRITE)
@describe(body=lane_bodies.ShiftEndIn, answers={200: lane_bodies.ShiftOut}, problems=_PROBLEMS, tag="gate")
def end_shift(shift_id: uuid.UUID) -> ResponseReturnValue:
    """Sign out. A second time is harmless."""
    body = read_body(lane_bodies.ShiftEndIn)
    return _shift(shifts.end_shift(shift_id, body.ended_at, actor=current_actor(), at=clock.now()))


def _shift(found: shifts.OnDuty) -> ResponseReturnValue:
    shift, officer = found.shift, found.officer
    return _answer(
        lane_bodies.ShiftOut,
        {
            "shift_id": shift.id,
            "officer": {"id": officer.id, "name": officer.display_name, "stamp": pins.stamp(officer)},
            "started_at": shift.started_at,
            "ended_at": shift.ended_at,
            "proven": shift.proven,
            "offline_hours": int(shifts.OFFLINE_FOR.total_seconds() // 3600),
        },
    )


@blueprint.post("/gate/tests")
@requires(Permission.SCANS_WRITE)
@describe(body=lane_bodies.SpotTestIn, answers={200: lane_bodies.SpotTestOut}, problems=_PROBLEMS, tag="gate")
def record_test() -> ResponseReturnValue:
    """The result of a test on the spot, and the verdict anew. The same test_id again returns the first result."""
    body = read_body(lane_bodies.SpotTestIn)
    reading = spot_tests.Reading(
        body.test_id, body.scan_id, body.result, body.taken_at, body.read_at, shift_id=body.shift_id
    )
    outcome = spot_tests.record_test(reading, actor=current_actor(), at=clock.now())
    crossing = outcome.crossing
    spoken = [{"rule": outcome.after.rule, "points": 0}]
    kept = [reason for reason in crossing.reasons if reason["rule"] != "negative_test_missing"]
    return _answer(
        lane_bodies.SpotTestOut,
        {
            "test_id": outcome.test.id,
            "scan_id": crossing.id,
            "result": outcome.test.result,
            "verdict": outcome.after.verdict.value,
            "tier": "red" if outcome.test.result == "positive" else crossing.tier,
            "reasons": views.reasons(spoken + kept),
            "measures": views.measures(crossing.measures),
        },
    )


@blueprint.post("/gate/vehicles")
@requires(Permission.SCANS_WRITE)
@describe(body=lane_bodies.VehicleIn, answers={200: lane_bodies.VehicleOut}, problems=_PROBLEMS, tag="gate")
def tell_vehicle() -> ResponseReturnValue:
    """Open a vehicle, name its plate, seat people in it, or let it drive on. Told again, it changes nothing."""
    body = read_body(lane_bodies.VehicleIn)
    told = vehicles.Vehicle(
        body.vehicle_id,
        body.kind,
        body.plate,
        body.opened_at,
        scans=tuple(body.scans),
        dropped=tuple(body.dropped),
        closed_at=body.closed_at,
        shift_id=body.shift_id,
    )
    vehicles.tell(told, actor=current_actor(), at=clock.now())
    return show_vehicle_of(body.vehicle_id)


@blueprint.get("/gate/vehicles/<uuid:vehicle_id>")
@requires(Permission.SCANS_WRITE)
@describe(answers={200: lane_bodies.VehicleOut}, problems=(401, 403, 404), tag="gate")
def show_vehicle(vehicle_id: uuid.UUID) -> ResponseReturnValue:
    """A vehicle with those who sit in it and those who are expected; for the tablets of the whole city."""
    return show_vehicle_of(vehicle_id)


def show_vehicle_of(vehicle_id: uuid.UUID) -> ResponseReturnValue:
    """The answer that shows a vehicle."""
    seen = vehicle_views.vehicle_view(vehicle_id, actor=current_actor(), at=clock.now())
    vehicle = seen.vehicle
    return _answer(
        lane_bodies.VehicleOut,
        {
            "vehicle_id": vehicle.id,
            "kind": vehicle.kind,
            "plate": seen.plate,
            "checkpoint": seen.checkpoint,
            "opened_at": vehicle.opened_at,
            "closed_at": vehicle.closed_at,
            "tier": seen.tier,
            "seated": [_with_reasons(one) for one in seen.seated],
            "expected": [views.vars_of(one) for one in seen.expected],
            "url": seen.url,
        },
    )


@blueprint.post("/gate/registrations")
@requires(Permission.SCANS_WRITE)
@describe(
    body=Declaration,
    answers={201: bodies.RegistrationOut, 200: bodies.RegistrationOut},
    problems=_PROBLEMS,
    tag="gate",
)
def register() -> ResponseReturnValue:
    """Register somebody without a phone, as the officer filled it in on the tablet. The same client_id again answers 200."""
    at = clock.now()
    declaration = read_body(Declaration, lambda error, raw: registrations.refusal(error, outline_of(raw), at))
    receipt = newcomers.register(declaration, actor=current_actor(), at=at)
    names = queries.masked_names([one.registration.traveller_id for one in receipt.companions])
    body = views.receipt(receipt, names).model_dump(mode="json", by_alias=True)
    return jsonify(body), 201 if receipt.created else 200


@blueprint.post("/gate/documents")
@requires(Permission.SCANS_WRITE)
@describe(body=lane_bodies.DocumentIn, answers={200: lane_bodies.DocumentOut}, problems=_PROBLEMS, tag="gate")
def check_document() -> ResponseReturnValue:
    """Whether the document in the officer's hand is the one that was declared."""
    body = read_body(lane_bodies.DocumentIn)
    fits = documents.document_fits(body.scan_id, body.id_number, actor=current_actor())
    return _answer(lane_bodies.DocumentOut, {"match": fits})


def _answer(model: Any, values: dict[str, Any]) -> ResponseReturnValue:
    return jsonify(model.model_validate(values).model_dump(mode="json"))
