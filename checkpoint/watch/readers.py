"""Unusual reading as the auditor alone sees it: what the rule has found, and what the auditor says of it. The one may sit at command."""

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select

from checkpoint.accounts.permissions import Actor, Permission
from checkpoint.alerts.models import Alert, AlertState
from checkpoint.alerts.queries import in_reach
from checkpoint.alerts.service import NewAlert, resolve
from checkpoint.audit.service import record
from checkpoint.database import db, transaction
from checkpoint.errors import InvalidInput, NotAllowed, NotFound
from checkpoint.words import _

BULK = "bulk_reading"
KIND = f"watch_{BULK}"
LONGEST_ANSWER = 500
_SHOWN = 50


def note_unusual(new: Sequence[NewAlert], at: datetime) -> None:
    """Write down whose reading the rule has found unusual, inside the transaction that raises the alerts."""
    for one in new:
        record(
            at=at,
            actor_kind="system",
            actor_id=None,
            act="reading.unusual",
            object_type=one.subject_type,
            object_id=one.subject_id,
            data={name: one.params[name] for name in ("what", "number", "limit")},
        )


def unusual(actor: Actor, *, limit: int = _SHOWN) -> list[Alert]:
    """What was found, what waits for an answer first, then the newest."""
    if not actor.may(Permission.AUDIT_READ):
        raise NotAllowed
    query = select(Alert).where(Alert.kind == KIND, in_reach(actor, Alert.division_code))
    newest = query.order_by((Alert.state == AlertState.RESOLVED.value), Alert.created_at.desc())
    return list(db.session.scalars(newest.limit(limit)))


def settle(alert_id: uuid.UUID, answer: str, *, actor: Actor, at: datetime) -> Alert:
    """The auditor says what came of it; the first answer stands. Raises NotAllowed, NotFound, InvalidInput."""
    if not actor.may(Permission.AUDIT_READ):
        raise NotAllowed
    said = answer.strip()
    if not 2 <= len(said) <= LONGEST_ANSWER:
        message = _("Write what came of it, at most %(number)s characters.", number=LONGEST_ANSWER)
        raise InvalidInput.one("answer", "length", message)
    found = db.session.scalar(
        select(Alert.state).where(Alert.id == alert_id, Alert.kind == KIND, in_reach(actor, Alert.division_code))
    )
    if found is None:
        raise NotFound
    answering = replace(actor, permissions=actor.permissions | {Permission.ALERTS_READ})  # of this one kind
    with transaction():
        alert = resolve(alert_id, "handled", said, actor=answering, at=at)
        if found != AlertState.RESOLVED.value:
            record(
                at=at,
                actor_kind=actor.kind,
                actor_id=actor.id,
                act="reading.answered",
                object_type="alert",
                object_id=alert_id,
            )
    return alert
