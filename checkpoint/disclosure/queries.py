"""Who opened something of whom, when and what for: read from the audit trail, which is the one place where it stands."""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, or_, select

from checkpoint.accounts.models import User
from checkpoint.accounts.permissions import Actor
from checkpoint.audit.models import AuditEntry
from checkpoint.database import db
from checkpoint.disclosure.service import UNMASK

Objects = Mapping[str, Collection[uuid.UUID]]
FORMER = "company.unmask"  # what opening a company's contact was called before there was one way


@dataclass(frozen=True, slots=True)
class Look:
    """That somebody opened some fields. `role` and `division_code` say which office, as it is now; `by` is an actor's key."""

    at: datetime
    by: str
    name: str
    role: str
    division_code: str
    object_type: str
    fields: tuple[str, ...]
    purpose: str


OPEN_FOR = timedelta(minutes=30)


def is_open(object_type: str, object_id: uuid.UUID, *, actor: Actor, at: datetime) -> bool:
    """Whether somebody has opened something so lately, for a purpose, that its pictures are open to them as well."""
    lately = (
        select(AuditEntry.id)
        .where(
            AuditEntry.object_type == object_type,
            AuditEntry.object_id == str(object_id),
            AuditEntry.act == UNMASK,
            AuditEntry.actor_id == str(actor.id),
            AuditEntry.at > at - OPEN_FOR,
            AuditEntry.at <= at,
        )
        .limit(1)
    )
    return db.session.scalar(lately) is not None


def looks(objects: Objects) -> list[Look]:
    """Every look at some objects (ids by type), the oldest first. The caller has scoped them."""
    wanted = [
        and_(AuditEntry.object_type == kind, AuditEntry.object_id.in_([str(one) for one in ids]))
        for kind, ids in objects.items()
        if ids
    ]
    if not wanted:
        return []
    query = (
        select(AuditEntry)
        .where(AuditEntry.act.in_((UNMASK, FORMER)), or_(*wanted))
        .order_by(AuditEntry.at, AuditEntry.id)
    )
    entries = db.session.scalars(query).all()
    ids = {uuid.UUID(entry.actor_id) for entry in entries if entry.actor_kind == "user" and entry.actor_id}
    users = {str(user.id): user for user in db.session.scalars(select(User).where(User.id.in_(ids)))} if ids else {}
    return [_look(entry, users.get(entry.actor_id or "")) for entry in entries]


def _look(entry: AuditEntry, user: User | None) -> Look:
    return Look(
        at=entry.at,
        by=f"{entry.actor_kind}:{entry.actor_id}" if entry.actor_id else entry.actor_kind,
        name=user.display_name if user is not None else "",
        role=user.role if user is not None else "",
        division_code=user.division_code if user is not None else "",
        object_type=entry.object_type or "",
        fields=tuple((entry.data or {}).get("fields", ())),
        purpose=entry.purpose or "",
    )
