"""Reading applications, always through the reader's jurisdiction or by the applicant's own link."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, and_, func, or_, select

from checkpoint.accounts.permissions import Actor, Permission
from checkpoint.alerts.duty import level_of
from checkpoint.alerts.models import Alert
from checkpoint.alerts.queries import in_reach
from checkpoint.approvals.conditions import Conditions
from checkpoint.approvals.models import Approval, ApprovalHolder, ApprovalPage, ApprovalState, ApprovalStep
from checkpoint.database import db
from checkpoint.errors import NotAllowed, NotFound
from checkpoint.privacy import keyring, lookup_hash
from checkpoint.privacy.pictures import open_picture

PAGE = 100
UNANSWERED = (ApprovalState.OPEN.value, ApprovalState.ASKED.value)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What the actor must answer now, and what stands elsewhere or waits for the applicant."""

    mine: list[Approval]
    others: list[Approval]


def scoped(actor: Actor) -> Select[Approval]:
    """Applications to the actor's jurisdiction."""
    if not actor.may(Permission.APPROVALS_ANSWER):
        raise NotAllowed
    return select(Approval).where(in_reach(actor, Approval.division_code))


def one(actor: Actor, approval_id: uuid.UUID) -> Approval:
    """One application; NotFound when it is outside the actor's jurisdiction."""
    found = db.session.scalar(scoped(actor).where(Approval.id == approval_id))
    if found is None:
        raise NotFound
    return found


def by_key(key: str) -> Approval:
    """The application that an applicant's link stands for; NotFound when we did not make the link."""
    key_hash = lookup_hash(keyring(), "approval", key)
    found = db.session.scalar(select(Approval).where(Approval.key_hash == key_hash))
    if found is None:
        raise NotFound
    return found


def waiting(actor: Actor, *, limit: int = PAGE) -> Waiting:
    """What is not decided: first what the actor's level must answer, the nearest deadline first, then the rest."""
    level = level_of(actor.division)
    mine = and_(
        Approval.state == ApprovalState.OPEN.value,
        or_(Approval.stage == level, and_(Approval.stage > level, Alert.responsible_level <= level)),
    )
    base = scoped(actor).join(Alert, Alert.id == Approval.alert_id, isouter=True)
    elsewhere = and_(Approval.state.in_(UNANSWERED), func.coalesce(mine, False).is_(False))
    return Waiting(
        list(db.session.scalars(base.where(mine).order_by(Approval.due_at, Approval.made_at).limit(limit))),
        list(db.session.scalars(base.where(elsewhere).order_by(Approval.made_at.desc()).limit(limit))),
    )


def decided(actor: Actor, *, limit: int = PAGE) -> list[Approval]:
    """What was granted, refused, withdrawn or revoked, the newest first."""
    query = scoped(actor).where(Approval.state.not_in(UNANSWERED)).order_by(Approval.decided_at.desc())
    return list(db.session.scalars(query.limit(limit)))


def escalated_to(approval: Approval) -> int | None:
    """The level that the alert of an application has gone to; None without an alert."""
    if approval.alert_id is None:
        return None
    return db.session.scalar(select(Alert.responsible_level).where(Alert.id == approval.alert_id))


def holders(approval_id: uuid.UUID, *, removed: bool = False) -> list[ApprovalHolder]:
    """Whom an application names, in the order in which they were added; the caller has scoped it."""
    query = select(ApprovalHolder).where(ApprovalHolder.approval_id == approval_id)
    if not removed:
        query = query.where(ApprovalHolder.removed_at.is_(None))
    return list(db.session.scalars(query.order_by(ApprovalHolder.id)))


def steps(approval_id: uuid.UUID) -> list[ApprovalStep]:
    """What happened, oldest first; the caller has scoped the application."""
    query = select(ApprovalStep).where(ApprovalStep.approval_id == approval_id)
    return list(db.session.scalars(query.order_by(ApprovalStep.at, ApprovalStep.id)))


def pages(approval_id: uuid.UUID) -> list[ApprovalPage]:
    """The pages and pictures without their content, in order; the caller has scoped the application."""
    query = select(ApprovalPage).where(ApprovalPage.approval_id == approval_id)
    return list(db.session.scalars(query.order_by(ApprovalPage.position)))


def picture(actor: Actor, approval_id: uuid.UUID, page_id: uuid.UUID) -> bytes:
    """A page or picture as a JPEG; NotFound when there is none, or not for this actor."""
    approval = one(actor, approval_id)
    page = db.session.get(ApprovalPage, page_id)
    if page is None or page.approval_id != approval.id:
        raise NotFound
    return open_picture(keyring(), page.picture_sealed, "approval_page", "picture", page.id)


def proposed(approval: Approval) -> Conditions:
    """What would be granted as things stand: what was granted, what the last level proposed, or what was asked for."""
    if approval.conditions is not None:
        return Conditions.from_json(approval.conditions)
    newest = [step.data["conditions"] for step in steps(approval.id) if step.data and "conditions" in step.data]
    return Conditions.from_json(newest[-1] if newest else approval.asked_conditions)


def same_people(actor: Actor, approval: Approval, *, limit: int = 10) -> list[Approval]:
    """Earlier applications that name one of the same documents or plates, within the actor's jurisdiction, the newest first."""
    named = holders(approval.id)[:limit]
    documents = [one.id_number_hash for one in named if one.id_number_hash]
    plates = [one.plate_hash for one in named if one.plate_hash]
    if not documents and not plates:
        return []
    alike = select(ApprovalHolder.approval_id).where(
        or_(ApprovalHolder.id_number_hash.in_(documents), ApprovalHolder.plate_hash.in_(plates))
    )
    query = scoped(actor).where(Approval.id.in_(alike), Approval.id != approval.id)
    return list(db.session.scalars(query.order_by(Approval.made_at.desc()).limit(limit)))


def overdue(approval: Approval, at: datetime) -> bool:
    """Whether somebody should have answered by now."""
    return approval.state == ApprovalState.OPEN.value and approval.due_at is not None and approval.due_at <= at
