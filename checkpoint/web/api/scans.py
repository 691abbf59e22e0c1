"""Scans and decisions of the tablets at the barrier."""

import uuid
from datetime import datetime

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from checkpoint import clock
from checkpoint.accounts.permissions import Actor, Permission
from checkpoint.crossings import queries, service
from checkpoint.errors import CheckpointError
from checkpoint.web.api import bodies, views
from checkpoint.web.api.documents import describe, read_body
from checkpoint.web.auth import current_actor, requires

blueprint = Blueprint("api_scans", __name__)
MAX_BATCH = 16 * 1024 * 1024  # bytes: two thousand scans with the longest notes


@blueprint.post("/scans")
@requires(Permission.SCANS_WRITE)
@describe(body=bodies.ScanIn, answers={200: bodies.ScanOut}, problems=(400, 401, 403, 404, 413, 415, 422), tag="gate")
def scan() -> ResponseReturnValue:
    """Scan a pass. A refusal is an answer like any other; the same scan_id again returns the first verdict."""
    body = read_body(bodies.ScanIn)
    given = service.Scan(body.scan_id, body.token, body.scanned_at, shift_id=body.shift_id, vehicle_id=body.vehicle_id)
    crossing = service.record_scan(given, actor=current_actor(), at=clock.now())
    return jsonify(views.scan(queries.gate_view(crossing)).model_dump(mode="json"))


@blueprint.post("/scans/batch")
@requires(Permission.SCANS_WRITE)
@describe(body=bodies.BatchIn, answers={200: bodies.BatchOut}, problems=(400, 401, 403, 413, 415, 422), tag="gate")
def batch() -> ResponseReturnValue:
    """Deliver what was scanned off line. Each scan is stored on its own; a repeat of the whole batch changes nothing."""
    request.max_content_length = MAX_BATCH
    body = read_body(bodies.BatchIn)
    actor, at = current_actor(), clock.now()
    results = [_deliver(one, actor, at) for one in body.scans]
    return jsonify(bodies.BatchOut(results=results).model_dump(mode="json"))


def _deliver(one: bodies.BatchScanIn, actor: Actor, at: datetime) -> bodies.BatchItemOut:
    scan = service.Scan(
        one.scan_id, one.token, one.scanned_at, offline=True, shift_id=one.shift_id, vehicle_id=one.vehicle_id
    )
    crossing = service.record_scan(scan, actor=actor, at=at)
    error = None
    if one.decision is not None:
        made = one.decision
        try:
            crossing = service.decide(
                one.scan_id,
                made.decision,
                made.note,
                actor=actor,
                at=at,
                decided_at=made.decided_at,
                shift_id=made.shift_id,
            )
        except CheckpointError as refused:
            error = refused.code
    return views.batch_item(crossing, error)


@blueprint.post("/scans/<uuid:scan_id>/decision")
@requires(Permission.SCANS_WRITE)
@describe(
    body=bodies.DecisionIn, answers={200: bodies.ScanOut}, problems=(400, 401, 403, 404, 413, 415, 422), tag="gate"
)
def decide(scan_id: uuid.UUID) -> ResponseReturnValue:
    """Say what was done with a scan. The same decision again is harmless."""
    body = read_body(bodies.DecisionIn)
    crossing = service.decide(
        scan_id, body.decision, body.note, actor=current_actor(), at=clock.now(), shift_id=body.shift_id
    )
    return jsonify(views.scan(queries.gate_view(crossing)).model_dump(mode="json"))
