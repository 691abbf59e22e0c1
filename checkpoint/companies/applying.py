"""Return to work (复工复产): what a company applies for, for members of its own list; the town answers by the approvals' own way.

Whoever is to be added to something that runs is an application of their own, with the same conditions: nobody is let in by being
put on a list.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flask import current_app
from sqlalchemy import func, select

from checkpoint.accounts.permissions import Actor
from checkpoint.approvals import service as approvals
from checkpoint.approvals.application import Holder, NewApplication
from checkpoint.approvals.conditions import Conditions
from checkpoint.approvals.kinds import application_kind
from checkpoint.approvals.models import Approval, ApprovalHolder, ApprovalKind, ApprovalState
from checkpoint.approvals.queries import holders
from checkpoint.clock import local_date, start_of_day
from checkpoint.companies.granted import LIVE
from checkpoint.companies.models import Company, CompanyMember, MemberKind
from checkpoint.companies.queries import own
from checkpoint.database import db
from checkpoint.errors import FieldError, InvalidInput, NotFound
from checkpoint.risk.service import current_state
from checkpoint.words import _

KINDS = (ApprovalKind.COMPANY.value, ApprovalKind.STAFF.value, ApprovalKind.LORRY.value)
LONGEST_PLAN = 1000
MOST_HOLDERS = 500
MOST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Asked:
    """What the liaison fills in. `days` are ISO weekdays, none meaning every day; `hours` two times HH:MM of the site, or none."""

    id: uuid.UUID
    kind: str
    member_ids: tuple[uuid.UUID, ...]
    plan: str
    first_day: date | None
    last_day: date | None
    days: tuple[int, ...] = ()
    hours: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Running:
    """An application of the company, with how many it names now."""

    approval: Approval
    holders: int


def apply(asked: Asked, *, actor: Actor, at: datetime) -> Approval:
    """Apply for some members; the same `id` again returns the first. InvalidInput names every wrong field."""
    company = own(actor)
    known = db.session.get(Approval, asked.id)
    if known is not None:
        return one(asked.id, actor)
    members = _chosen(company, asked.member_ids)
    errors = _wrong(asked, members, at)
    if errors or asked.first_day is None or asked.last_day is None:
        raise InvalidInput(errors)
    timezone = current_app.extensions["settings"].timezone
    conditions = Conditions.from_json(
        {
            "from": start_of_day(asked.first_day, timezone).isoformat(),
            "until": start_of_day(asked.last_day + timedelta(days=1), timezone).isoformat(),
            "days": sorted(set(asked.days)),
            "hours": list(asked.hours) if asked.hours else None,
        }
    )
    return _send(company, asked.id, asked.kind, members, asked.plan.strip(), conditions, actor, at)


def apply_too(
    approval_id: uuid.UUID, new: uuid.UUID, member_ids: Sequence[uuid.UUID], *, actor: Actor, at: datetime
) -> Approval:
    """Apply for further members under the conditions of something that was granted; it waits for the town like any other."""
    company = own(actor)
    model = one(approval_id, actor)
    if db.session.get(Approval, new) is not None:
        return one(new, actor)
    if model.state != ApprovalState.GRANTED.value or model.conditions is None or model.valid_until <= at:
        raise InvalidInput.one("members", "over", _("This application does not run. Please apply anew."))
    held = {one_held.id_number_hash or one_held.plate_hash for one_held in holders(model.id)}
    members = [
        member for member in _chosen(company, member_ids) if (member.id_number_hash or member.plate_hash) not in held
    ]
    if not members or any(_is_wrong_kind(model.kind, member) for member in members):
        raise InvalidInput.one("members", "missing", _("Choose whom it is for."))
    conditions = Conditions.from_json(model.conditions)
    if conditions.valid_from < at:
        conditions = conditions.model_copy(update={"valid_from": at})
    return _send(company, new, model.kind, members, model.purpose or "", conditions, actor, at)


def _chosen(company: Company, member_ids: Sequence[uuid.UUID]) -> list[CompanyMember]:
    query = select(CompanyMember).where(
        CompanyMember.company_id == company.id,
        CompanyMember.id.in_(member_ids[: MOST_HOLDERS + 1]),
        CompanyMember.removed_at.is_(None),
    )
    return list(db.session.scalars(query.order_by(CompanyMember.added_at, CompanyMember.id)))


def _is_wrong_kind(kind: str, member: CompanyMember) -> bool:
    if kind == ApprovalKind.COMPANY.value:
        return False
    return (member.kind == MemberKind.LORRY.value) != (kind == ApprovalKind.LORRY.value)


def _wrong(asked: Asked, members: Sequence[CompanyMember], at: datetime) -> list[FieldError]:
    errors = []
    if asked.kind not in KINDS:
        errors.append(FieldError("kind", "unknown", _("This is not one of the choices.")))
    if not members:
        errors.append(FieldError("members", "missing", _("Choose whom it is for.")))
    elif len(members) > MOST_HOLDERS:
        errors.append(FieldError("members", "too_many", _("At most %(number)s at once.", number=MOST_HOLDERS)))
    elif any(_is_wrong_kind(asked.kind, member) for member in members):
        errors.append(FieldError("members", "kind", _("Staff and lorries are applied for apart.")))
    if not 10 <= len(asked.plan.strip()) <= LONGEST_PLAN:
        message = _("Describe the plan in 10 to %(number)s characters.", number=LONGEST_PLAN)
        errors.append(FieldError("plan", "length", message))
    errors += _days_wrong(asked, at)
    if asked.hours is not None and (asked.hours[0] == asked.hours[1] or not all(asked.hours)):
        errors.append(FieldError("hours", "format", _("Two different times, or none.")))
    return errors


def _days_wrong(asked: Asked, at: datetime) -> list[FieldError]:
    errors = []
    today = local_date(at, current_app.extensions["settings"].timezone)
    if asked.first_day is None or asked.first_day < today:
        errors.append(FieldError("first_day", "date", _("Write a day that is not over.")))
    if asked.last_day is None or (asked.first_day is not None and asked.last_day < asked.first_day):
        errors.append(FieldError("last_day", "dates", _("The last day is before the first.")))
    elif asked.first_day is not None and asked.kind in KINDS:
        most = current_state(at).policy.longest_days_of(application_kind(asked.kind))
        if (asked.last_day - asked.first_day).days + 1 > most:
            errors.append(FieldError("last_day", "too_long", _("At most %(number)s days.", number=most)))
    return errors


def _send(
    company: Company,
    approval_id: uuid.UUID,
    kind: str,
    members: Sequence[CompanyMember],
    plan: str,
    conditions: Conditions,
    actor: Actor,
    at: datetime,
) -> Approval:
    applied = approvals.apply(
        NewApplication(
            id=approval_id,
            kind=ApprovalKind(kind),
            division_code=company.division_code,
            contact_name=company.contact_name or company.name,
            contact_phone=company.contact_phone,
            purpose=plan,
            conditions=conditions,
            holders=[
                Holder(member.name, member.id_type, member.id_number, member.phone, member.plate) for member in members
            ],
            company_id=company.id,
        ),
        actor=actor,
        at=at,
    )
    return applied.approval


def mine(actor: Actor, *, commuters: bool = False) -> list[Running]:
    """The applications of the actor's company, the newest first: those for staff and lorries, or those of its commuters."""
    company = own(actor)
    is_commuter = Approval.kind == ApprovalKind.COMMUTER.value
    named = (
        select(func.count())
        .where(ApprovalHolder.approval_id == Approval.id, ApprovalHolder.removed_at.is_(None))
        .scalar_subquery()
    )
    query = (
        select(Approval, named)
        .where(Approval.company_id == company.id, is_commuter if commuters else ~is_commuter)
        .order_by(Approval.made_at.desc(), Approval.id.desc())
        .limit(MOST_SHOWN)
    )
    return [Running(approval, int(number)) for approval, number in db.session.execute(query)]


def one(approval_id: uuid.UUID, actor: Actor) -> Approval:
    """One application of the actor's company; NotFound for every other."""
    found = db.session.get(Approval, approval_id, populate_existing=True)
    if found is None or found.company_id != own(actor).id:
        raise NotFound
    return found


def withdraw(approval_id: uuid.UUID, *, actor: Actor, at: datetime) -> Approval:
    """The company takes an application back, or gives up what was granted. Again is harmless."""
    approval = one(approval_id, actor)
    if approval.state in LIVE:
        approvals.withdraw(approval.id, actor=actor, at=at)
    return one(approval_id, actor)


def reply(approval_id: uuid.UUID, text: str, *, actor: Actor, at: datetime) -> Approval:
    """The company answers what it was asked about an application."""
    approval = one(approval_id, actor)
    approvals.reply(approval.id, text, actor=actor, at=at)
    return one(approval_id, actor)
