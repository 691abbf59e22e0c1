"""What a tablet did while it had no network, delivered at once: each scan with the decisions made on it, in their order."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from checkpoint.accounts.permissions import Actor
from checkpoint.crossings.deciding import Made, decide
from checkpoint.crossings.models import Crossing
from checkpoint.crossings.queries import Conflict, conflicts
from checkpoint.crossings.service import Scan, record_scan
from checkpoint.database import transaction
from checkpoint.errors import CheckpointError, NotFound

# A commit for each scan would take most of the time; one for all of them would keep the other lanes waiting.
CHUNK = 40


@dataclass(frozen=True, slots=True)
class Delivery:
    """A scan made off line with what the officer did."""

    scan: Scan
    decisions: tuple[Made, ...] = ()


@dataclass(frozen=True, slots=True)
class Delivered:
    """How one delivery ended. `crossing` is None for a scan of another checkpoint, `error` the code of what was not taken."""

    scan_id: uuid.UUID
    crossing: Crossing | None
    error: str | None
    conflicts: Sequence[Conflict] = ()


def deliver(deliveries: Sequence[Delivery], *, actor: Actor, at: datetime) -> list[Delivered]:
    """Store what happened, in order, some dozens in a transaction; a repeat of any of it changes nothing.

    One that cannot be taken is answered with its error and does not stop the others.
    """
    done: list[Delivered] = []
    for start in range(0, len(deliveries), CHUNK):
        with transaction():
            done += [_one(delivery, actor, at) for delivery in deliveries[start : start + CHUNK]]
    found = conflicts([one.crossing for one in done if one.crossing is not None])
    return [Delivered(one.scan_id, one.crossing, one.error, found.get(one.scan_id, ())) for one in done]


def _one(delivery: Delivery, actor: Actor, at: datetime) -> Delivered:
    scan_id = delivery.scan.scan_id
    try:
        crossing = record_scan(delivery.scan, actor=actor, at=at)
    except NotFound as refused:
        return Delivered(scan_id, None, refused.code)
    error = None
    for made in delivery.decisions:
        try:
            # What may be refused is refused before anything is written, so the chunk goes on.
            crossing = decide(
                scan_id,
                made.decision,
                made.note,
                actor=actor,
                at=at,
                decided_at=made.decided_at,
                decision_id=made.decision_id,
                shift_id=made.shift_id,
            )
        except CheckpointError as refused:
            error = refused.code
    return Delivered(scan_id, crossing, error)
