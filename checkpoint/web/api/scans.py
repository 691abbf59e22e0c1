"""Scans and decisions of the tablets at the barrier."""

import uuid

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from checkpoint import clock
from checkpoint.accounts.permissions import Permission
from checkpoint.crossings import queries, service
from checkpoint.crossings.batches import Delivery, deliver
from checkpoint.crossings.deciding import Made
from checkpoint.extensions import limiter
from checkpoint.web.api import bodies, views
from checkpoint.web.api.documents import describe, read_body
from checkpoint.web.auth import current_actor, requires
from checkpoint.web.limits import device_key, device_limit

blueprint = Blueprint("api_scans", __name__)
limiter.limit(device_limit, key_func=device_key)(blueprint)
MAX_BATCH = 16 * 1024 * 1024  # bytes: two thousand scans with the longest notes


@blueprint.post("/scans")
@requires(Permission.SCANS_WRITE)
@describe(body=bodies.ScanIn, answers={200: bodies.ScanOut}, problems=(400, 401, 403, 404, 413, 415, 422), tag="gate")
def scan() -> ResponseReturnValue:
    """Scan a pass. A refusal is an answer like any other; the same scan_id again returns the first verdict."""
    body = read_body(bodies.ScanIn)
    recorded = service.record(_scan(body), actor=current_actor(), at=clock.now())
    return jsonify(views.scan(queries.gate_view(recorded.crossing, recorded.found)).model_dump(mode="json"))


@blueprint.post("/scans/batch")
@requires(Permission.SCANS_WRITE)
@describe(body=bodies.BatchIn, answers={200: bodies.BatchOut}, problems=(400, 401, 403, 413, 415, 422), tag="gate")
def batch() -> ResponseReturnValue:
    """Deliver what was scanned and decided off line. One that cannot be taken does not stop the others; a repeat changes nothing."""
    request.max_content_length = MAX_BATCH
    body = read_body(bodies.BatchIn)
    done = deliver([_delivery(one) for one in body.scans], actor=current_actor(), at=clock.now())
    return jsonify(bodies.BatchOut(results=[views.batch_item(one) for one in done]).model_dump(mode="json"))


def _scan(body: bodies.ScanIn, *, offline: bool = False) -> service.Scan:
    return service.Scan(
        body.scan_id,
        body.token,
        body.scanned_at,
        offline=offline,
        shift_id=body.shift_id,
        vehicle_id=body.vehicle_id,
        shown=body.shown.model_dump(mode="json", exclude_none=True) if body.shown else None,
        snapshot_version=body.snapshot_version,
        skew_seconds=body.skew_seconds,
    )


def _delivery(body: bodies.BatchScanIn) -> Delivery:
    made = ([body.decision] if body.decision is not None else []) + body.decisions
    decisions = [Made(one.decision, one.note, one.decided_at, one.decision_id, one.shift_id) for one in made]
    return Delivery(_scan(body, offline=True), tuple(decisions))


@blueprint.post("/scans/<uuid:scan_id>/decision")
@requires(Permission.SCANS_WRITE)
@describe(
    body=bodies.DecisionIn, answers={200: bodies.ScanOut}, problems=(400, 401, 403, 404, 409, 413, 415, 422), tag="gate"
)
def decide(scan_id: uuid.UUID) -> ResponseReturnValue:
    """Say what was done with a scan. The same decision again is harmless."""
    body = read_body(bodies.DecisionIn)
    crossing = service.decide(
        scan_id,
        body.decision,
        body.note,
        actor=current_actor(),
        at=clock.now(),
        decision_id=body.decision_id,
        shift_id=body.shift_id,
    )
    return jsonify(views.scan(queries.gate_view(crossing)).model_dump(mode="json"))
