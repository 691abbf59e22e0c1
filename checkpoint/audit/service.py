"""Writing to the audit trail, inside the transaction of the act itself."""

from datetime import datetime
from typing import Any

from checkpoint.audit.models import AuditEntry, Heartbeat
from checkpoint.database import db


def record(
    *,
    at: datetime,
    actor_kind: str,
    actor_id: object | None,
    act: str,
    object_type: str | None = None,
    object_id: object | None = None,
    purpose: str | None = None,
    data: dict[str, Any] | None = None,
) -> None:
    """Append one entry; the caller's transaction commits it together with the act."""
    db.session.add(
        AuditEntry(
            at=at,
            actor_kind=actor_kind,
            actor_id=None if actor_id is None else str(actor_id),
            act=act,
            object_type=object_type,
            object_id=None if object_id is None else str(object_id),
            purpose=purpose,
            data=data,
        )
    )


def beat(name: str, at: datetime) -> None:
    """Note that the background process `name` is alive."""
    db.session.merge(Heartbeat(name=name, at=at))
