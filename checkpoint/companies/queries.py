"""Reading companies: the town those of its jurisdiction, a liaison their own, the holder of a link the one that it names."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, case, func, select

from checkpoint.accounts.permissions import Actor, Permission
from checkpoint.alerts.queries import in_reach
from checkpoint.companies.links import named_by, opens
from checkpoint.companies.models import (
    Company,
    CompanyMember,
    CompanyNotice,
    CompanyState,
    CompanyStep,
    MemberKind,
    Standing,
)
from checkpoint.database import db
from checkpoint.errors import NotAllowed, NotFound
from checkpoint.privacy import keyring, mask_document, mask_name, mask_plate

MOST_LISTED = 500
NOTICES_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of a company's list: how many there are, how many of them are not registered, and how many may not come now."""

    people: int = 0
    lorries: int = 0
    absent: int = 0
    stopped: int = 0

    @property
    def listed(self) -> int:
        return self.people + self.lorries


@dataclass(frozen=True, slots=True)
class Shown:
    """A member as screens show one: masked."""

    id: uuid.UUID
    kind: str
    label: str
    document: str
    standing: str
    since: datetime


def masked(member: CompanyMember) -> Shown:
    """A member, masked."""
    is_lorry = member.kind == MemberKind.LORRY.value
    label = mask_plate(member.plate or "") if is_lorry else mask_name(member.name or "")
    document = "" if is_lorry else mask_document(member.id_number or "")
    return Shown(member.id, member.kind, label, document, member.standing, member.standing_since)


def scoped(actor: Actor) -> Select[Company]:
    """The companies of the actor's jurisdiction, for those who review them."""
    if not actor.may(Permission.COMPANIES_REVIEW):
        raise NotAllowed
    return select(Company).where(in_reach(actor, Company.division_code))


def one(actor: Actor, company_id: uuid.UUID) -> Company:
    """One company of the jurisdiction; NotFound outside of it."""
    found = db.session.scalar(scoped(actor).where(Company.id == company_id))
    if found is None:
        raise NotFound
    return found


def reviewed(actor: Actor) -> list[Company]:
    """The companies of the jurisdiction: those that wait first, then those at work, then the others."""
    order = {CompanyState.APPLIED.value: 0, CompanyState.ASKED.value: 1, CompanyState.ACTIVE.value: 2}
    query = scoped(actor).order_by(case(order, value=Company.state, else_=3), Company.made_at.desc())
    return list(db.session.scalars(query.limit(MOST_LISTED)))


def own(actor: Actor) -> Company:
    """The company whose liaison the actor is; NotFound for everybody else."""
    if not actor.may(Permission.COMPANY_OWN):
        raise NotAllowed
    active = Company.state == CompanyState.ACTIVE.value
    found = (
        db.session.scalar(select(Company).where(Company.liaison_id == actor.id, active))
        if actor.kind == "user" and actor.id is not None
        else None
    )
    if found is None:
        raise NotFound
    return found


def by_link(handle: str) -> Company:
    """The company whose newest link this is; NotFound for any other text."""
    named = named_by(handle)
    found = db.session.get(Company, named[0]) if named is not None else None
    if named is None or found is None or not opens(keyring(), found.id, found.link_epoch, named[1]):
        raise NotFound
    return found


def steps(company_id: uuid.UUID) -> list[CompanyStep]:
    """What happened to a registration, oldest first; the caller has scoped the company."""
    query = select(CompanyStep).where(CompanyStep.company_id == company_id)
    return list(db.session.scalars(query.order_by(CompanyStep.at, CompanyStep.id)))


def coverage(company_ids: Sequence[uuid.UUID]) -> Mapping[uuid.UUID, Coverage]:
    """How far each company's list is registered; the caller has scoped the companies."""

    def number(condition: ColumnElement[bool]) -> ColumnElement[int]:
        return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)

    rows = db.session.execute(
        select(
            CompanyMember.company_id,
            number(CompanyMember.kind == MemberKind.PERSON.value),
            number(CompanyMember.kind == MemberKind.LORRY.value),
            number(CompanyMember.standing == Standing.ABSENT.value),
            number(CompanyMember.standing == Standing.MAY_NOT_COME.value),
        )
        .where(CompanyMember.company_id.in_(company_ids), CompanyMember.removed_at.is_(None))
        .group_by(CompanyMember.company_id)
    )
    return {row[0]: Coverage(*(int(value) for value in row[1:])) for row in rows}


def listed(company_id: uuid.UUID, *, limit: int | None = None, offset: int = 0) -> list[CompanyMember]:
    """The members of a company's list: those who may not come first, then by kind and day of adding; the caller has scoped it."""
    order = {Standing.MAY_NOT_COME.value: 0, Standing.NEEDS_TEST.value: 1, Standing.ABSENT.value: 2}
    query = select(CompanyMember).where(CompanyMember.company_id == company_id, CompanyMember.removed_at.is_(None))
    return list(
        db.session.scalars(
            query.order_by(
                case(order, value=CompanyMember.standing, else_=3),
                CompanyMember.kind.desc(),
                CompanyMember.added_at,
                CompanyMember.id,
            )
            .limit(limit)
            .offset(offset)
        )
    )


def absent(actor: Actor, company_id: uuid.UUID | None = None) -> list[tuple[Company, CompanyMember]]:
    """Who stands on a list and is not registered, by company; of the actor's jurisdiction, or of one company in it."""
    query = (
        select(Company, CompanyMember)
        .join(CompanyMember, CompanyMember.company_id == Company.id)
        .where(
            in_reach(actor, Company.division_code),
            Company.state == CompanyState.ACTIVE.value,
            CompanyMember.removed_at.is_(None),
            CompanyMember.standing == Standing.ABSENT.value,
        )
        .order_by(Company.division_code, Company.name, CompanyMember.added_at, CompanyMember.id)
    )
    if not actor.may(Permission.COMPANIES_REVIEW):
        raise NotAllowed
    if company_id is not None:
        query = query.where(Company.id == one(actor, company_id).id)
    return [(company, member) for company, member in db.session.execute(query)]


def notices(company_id: uuid.UUID) -> list[tuple[CompanyNotice, CompanyMember]]:
    """The newest notices with whom they are about; the caller has scoped the company."""
    query = (
        select(CompanyNotice, CompanyMember)
        .join(CompanyMember, CompanyMember.id == CompanyNotice.member_id)
        .where(CompanyNotice.company_id == company_id)
        .order_by(CompanyNotice.made_at.desc(), CompanyNotice.id.desc())
        .limit(NOTICES_SHOWN)
    )
    return [(notice, member) for notice, member in db.session.execute(query)]


def unread(company_id: uuid.UUID) -> int:
    """How many notices nobody has seen yet."""
    query = select(func.count()).where(CompanyNotice.company_id == company_id, CompanyNotice.seen_at.is_(None))
    return int(db.session.scalar(query) or 0)


def names(company_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, str]:
    """What companies are called, for lists whose rows the caller has scoped."""
    rows = db.session.execute(select(Company.id, Company.name).where(Company.id.in_(company_ids)))
    return {row.id: row.name for row in rows}


def active_id(credit_code: str) -> uuid.UUID | None:
    """The active company of a credit code, as its staff write it; None when there is none."""
    return db.session.scalar(
        select(Company.id).where(
            Company.credit_code == credit_code.strip().upper(), Company.state == CompanyState.ACTIVE.value
        )
    )
