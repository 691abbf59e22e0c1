"""Counts of crossings without persons: made as the crossings go, so that the two together are always all there were."""

import uuid
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any, cast

from flask import current_app
from sqlalchemy import Table, select
from sqlalchemy.dialects import postgresql, sqlite

from checkpoint.clock import local_date
from checkpoint.crossings.models import Crossing
from checkpoint.database import db
from checkpoint.registrations.models import Registration
from checkpoint.retention.models import DayCount

_KEY = ("day", "checkpoint_id", "verdict", "decision", "tier", "transport")


def count_gone(crossing_ids: Collection[uuid.UUID]) -> int:
    """Add crossings that are about to go to the counts of their days, in the transaction under way; returns how many."""
    if not crossing_ids:
        return 0
    timezone = current_app.extensions["settings"].timezone
    rows = db.session.execute(
        select(
            Crossing.scanned_at,
            Crossing.checkpoint_id,
            Crossing.verdict,
            Crossing.decision,
            Crossing.tier,
            Registration.transport,
        )
        .outerjoin(Registration, Registration.id == Crossing.registration_id)
        .where(Crossing.id.in_(crossing_ids))
    )
    counts = Counter(
        (local_date(scanned_at, timezone), checkpoint_id, verdict, decision or "", tier or "", transport or "")
        for scanned_at, checkpoint_id, verdict, decision, tier, transport in rows
    )
    _add(sorted(counts.items(), key=lambda item: tuple(str(part) for part in item[0])))
    return counts.total()


def _add(counts: Sequence[tuple[tuple[Any, ...], int]]) -> None:
    """In one order always, so that two schedulers that count into the same rows never wait for each other in a ring."""
    connection = db.session.connection()
    maker: Any = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}[connection.dialect.name]
    table = cast(Table, DayCount.__table__)
    for key, number in counts:
        new = maker(table).values(dict(zip(_KEY, key, strict=True)) | {"count": number})
        connection.execute(
            new.on_conflict_do_update(index_elements=list(_KEY), set_={"count": table.c.count + new.excluded.count})
        )
