"""When a trip's time is over, and what holds it nevertheless: conditions in SQL, the same for purge, pages and a traveller's request.

A trip is over when the person was released, withdrew, or can no longer come by its pass. Whoever is inside is never purged.
"""

import enum
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flask import current_app
from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from checkpoint.alerts.models import Alert
from checkpoint.alerts.queries import LIVE_STATES
from checkpoint.appeals.models import Appeal, AppealState
from checkpoint.approvals.models import Approval, ApprovalHolder, ApprovalState
from checkpoint.clock import local_date
from checkpoint.database import db
from checkpoint.inquiries.models import HitDecision, Inquiry, InquiryHit, InquiryState
from checkpoint.registrations.models import Pass, Registration, RegistrationState, Traveller
from checkpoint.retention.models import ErasureRequest, LegalHold
from checkpoint.risk.policy import PolicyData

_OPEN_APPROVAL = (ApprovalState.OPEN.value, ApprovalState.ASKED.value)
_OVER_AT_ONCE = (RegistrationState.WITHDRAWN.value, RegistrationState.APPLIED.value)
_NEVER_CAME = (RegistrationState.DECLARED.value, RegistrationState.TURNED_BACK.value)


class Reason(enum.StrEnum):
    """What holds a trip's data: the strongest first, as people are told."""

    INSIDE = "inside"
    LEGAL = "legal"
    INQUIRY = "inquiry"
    ALERT = "alert"
    APPEAL = "appeal"
    APPROVAL = "approval"
    PASS = "pass"  # noqa: S105 - tablets without network must be able to know that it is withdrawn


@dataclass(frozen=True, slots=True)
class Keeping:
    """How a trip's data stands: what holds it, from which day on it goes by itself (None while somebody is inside), and since when
    the traveller has asked for its erasure."""

    holds: tuple[Reason, ...]
    goes_on: date | None
    asked_at: datetime | None


def _today(at: datetime) -> date:
    return local_date(at, current_app.extensions["settings"].timezone)


def over(policy: PolicyData, at: datetime) -> ColumnElement[bool]:
    """Trips whose time is over, held or not."""
    days = timedelta(days=policy.retention.trips)
    last_arrival = _today(at) - timedelta(days=policy.pass_valid_days) - days
    state = Registration.state
    return or_(
        and_(
            state == RegistrationState.LEFT.value,
            func.coalesce(Registration.released_at, Registration.updated_at) <= at - days,
        ),
        and_(state.in_(_OVER_AT_ONCE), Registration.updated_at <= at - days),
        and_(state.in_(_NEVER_CAME), Registration.arriving_on <= last_arrival),
    )


def asked() -> ColumnElement[bool]:
    """Trips whose traveller has asked for erasure."""
    return exists().where(ErasureRequest.registration_id == Registration.id)


def due(policy: PolicyData, at: datetime) -> ColumnElement[bool]:
    """Trips that go as soon as nothing holds them."""
    return or_(over(policy, at), asked())


def conditions(at: datetime) -> dict[Reason, ColumnElement[bool]]:
    """For each reason whether it holds a registration."""
    named = (
        select(ApprovalHolder.id)
        .join(Approval, Approval.id == ApprovalHolder.approval_id)
        .join(Traveller, Traveller.id_number_hash == ApprovalHolder.id_number_hash)
        .where(
            Traveller.id == Registration.traveller_id,
            ApprovalHolder.removed_at.is_(None),
            Approval.state.in_(_OPEN_APPROVAL),
        )
        .exists()
    )
    granted = and_(Approval.state == ApprovalState.GRANTED.value, Approval.valid_until > at)
    standing = exists().where(
        Approval.registration_id == Registration.id, or_(Approval.state.in_(_OPEN_APPROVAL), granted)
    )
    inquiry = (
        select(InquiryHit.id)
        .join(Inquiry, Inquiry.id == InquiryHit.inquiry_id)
        .where(
            InquiryHit.registration_id == Registration.id,
            Inquiry.state.in_((InquiryState.MATCHING.value, InquiryState.IN_FORCE.value)),
            func.coalesce(InquiryHit.decision, "") != HitDecision.OTHER.value,
        )
        .exists()
    )
    return {
        Reason.INSIDE: Registration.state == RegistrationState.INSIDE.value,
        Reason.LEGAL: exists().where(LegalHold.registration_id == Registration.id, LegalHold.ended_at.is_(None)),
        Reason.INQUIRY: inquiry,
        Reason.ALERT: exists().where(Alert.subject_id == Registration.id, Alert.state.in_(LIVE_STATES)),
        Reason.APPEAL: _has(Appeal.registration_id, Appeal.state == AppealState.OPEN.value),
        Reason.APPROVAL: or_(standing, named),
        Reason.PASS: _has(Pass.registration_id, Pass.expires_at > at),
    }


def _has(column: InstrumentedAttribute[uuid.UUID], condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(column == Registration.id, condition)


def held(at: datetime) -> ColumnElement[bool]:
    """Whether anything holds a registration."""
    return or_(*conditions(at).values())


def keeping(registration_id: uuid.UUID, policy: PolicyData, at: datetime) -> Keeping | None:
    """How the data of one trip stands; None when there is no such trip. The caller has scoped it."""
    reasons = conditions(at)
    row = db.session.execute(
        select(Registration, ErasureRequest.asked_at, *reasons.values())
        .outerjoin(ErasureRequest, ErasureRequest.registration_id == Registration.id)
        .where(Registration.id == registration_id)
    ).first()
    if row is None:
        return None
    holds = tuple(reason for reason, is_held in zip(reasons, row[2:], strict=True) if is_held)
    return Keeping(holds, goes_on(row[0], policy), row[1])


def goes_on(registration: Registration, policy: PolicyData) -> date | None:
    """The first day on which a trip's data goes if nothing holds it; None while the person is inside."""
    days = timedelta(days=policy.retention.trips)
    if registration.state == RegistrationState.INSIDE.value:
        return None
    if registration.state in _NEVER_CAME:
        return registration.arriving_on + timedelta(days=policy.pass_valid_days) + days
    ended = registration.released_at if registration.state == RegistrationState.LEFT.value else None
    return _today((ended or registration.updated_at) + days)


def reasons_of(registration_ids: Collection[uuid.UUID], at: datetime) -> dict[uuid.UUID, tuple[Reason, ...]]:
    """What holds each of some registrations."""
    reasons = conditions(at)
    rows: Sequence[tuple[object, ...]] = [
        tuple(row)
        for row in db.session.execute(
            select(Registration.id, *reasons.values()).where(Registration.id.in_(registration_ids))
        )
    ]
    return {
        uuid.UUID(str(row[0])): tuple(reason for reason, is_held in zip(reasons, row[1:], strict=True) if is_held)
        for row in rows
    }
