"""A company registers; the town asks back, accepts, refuses, closes. Accepting makes the account of its liaison.

No password passes through the town: the link that the company keeps from registering lets its liaison choose one, once.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from stdnum.cn import uscc
from stdnum.exceptions import ValidationError as StdnumError

from checkpoint.accounts import invitations
from checkpoint.accounts import service as accounts
from checkpoint.accounts.models import Role, User
from checkpoint.accounts.permissions import Actor, Permission
from checkpoint.alerts.kinds import Kind, register
from checkpoint.alerts.models import Alert
from checkpoint.alerts.queries import LIVE_STATES
from checkpoint.alerts.service import NewAlert, raise_alerts, resolve
from checkpoint.audit.service import record
from checkpoint.companies import granted
from checkpoint.companies.links import link_handle
from checkpoint.companies.models import (
    Company,
    CompanyImport,
    CompanyMember,
    CompanyNotice,
    CompanyState,
    CompanyStep,
)
from checkpoint.companies.queries import by_link, one
from checkpoint.companies.rows import Wrong, person_name, phone_number
from checkpoint.database import db, new_id, transaction
from checkpoint.disclosure.service import unmasking
from checkpoint.errors import Conflict, FieldError, InvalidInput
from checkpoint.privacy import keyring
from checkpoint.regions.models import at_level
from checkpoint.risk.policy import Deadline, Tier
from checkpoint.risk.service import current_state
from checkpoint.words import _, lazy

KIND = "company"
TOWN_LEVEL = 4
LONGEST_NAME, LONGEST_TEXT = 100, 1000
INVITED = timedelta(days=14)

register(
    Kind(
        KIND,
        lazy("A company registers"),
        tier=Tier.GREEN,
        deadline=Deadline(acknowledge_minutes=120, resolve_minutes=24 * 60),
        permission=Permission.COMPANIES_REVIEW,
    )
)


@dataclass(frozen=True, slots=True)
class NewCompany:
    """A company as its form has it. `id` is the form's own UUID."""

    id: uuid.UUID
    name: str
    credit_code: str
    division_code: str
    address: str
    contact_name: str
    contact_phone: str


def handle_of(company: Company) -> str:
    """The company's own link, as it opens now."""
    return link_handle(keyring(), company.id, company.link_epoch)


def apply(new: NewCompany, *, actor: Actor, at: datetime) -> Company:
    """A company registers; its town is told. The same `id` again returns the first. InvalidInput names every wrong field."""
    known = db.session.get(Company, new.id)
    if known is not None:
        return known
    cleaned = _checked(new, actor)
    company = Company(
        id=new.id,
        name=cleaned.name,
        credit_code=cleaned.credit_code,
        division_code=cleaned.division_code,
        state=CompanyState.APPLIED.value,
        link_epoch=1,
        made_at=at,
    )
    company.address = cleaned.address
    company.contact_name = cleaned.contact_name
    company.contact_phone = cleaned.contact_phone
    try:
        with transaction() as session:
            session.add(company)
            session.flush()
            _record_step(company, "company.applied", None, actor, at)
            _tell(company, at)
    except IntegrityError as error:
        again = db.session.get(Company, new.id, populate_existing=True)
        if again is not None:
            return again
        message = _("A company with this code is registered already. Please call.")
        raise InvalidInput.one("credit_code", "taken", message) from error
    return company


def check(new: NewCompany, *, actor: Actor) -> None:
    """InvalidInput names every wrong field; nothing is stored."""
    _checked(new, actor)


def _checked(new: NewCompany, actor: Actor) -> NewCompany:
    errors = accounts.check_division(actor, new.division_code)
    code = name = phone = ""
    try:
        code = uscc.validate(new.credit_code)
    except StdnumError:
        message = _("This is not a valid unified social credit code: please check each of the 18 characters.")
        errors.append(FieldError("credit_code", "check_digit", message))
    if not errors and at_level(new.division_code, TOWN_LEVEL) == at_level(new.division_code, TOWN_LEVEL - 1):
        errors.append(FieldError("division", "too_wide", _("Choose the town, village or community.")))
    title, address = " ".join(new.name.split()), " ".join(new.address.split())
    if not 2 <= len(title) <= LONGEST_NAME or not title.isprintable():
        errors.append(FieldError("name", "length", _("Write the name as it stands in the licence.")))
    if not 2 <= len(address) <= 200 or not address.isprintable():
        errors.append(FieldError("address", "length", _("Write street and number, at most 200 characters.")))
    try:
        name = person_name(new.contact_name)
    except Wrong:
        errors.append(FieldError("contact_name", "name", _("Write the name as it stands in the document.")))
    try:
        phone = phone_number(new.contact_phone)
    except Wrong:
        errors.append(FieldError("contact_phone", "phone", _("This is not a phone number.")))
    if errors:
        raise InvalidInput(errors)
    return NewCompany(new.id, title, code, new.division_code, address, name, phone)


def reply(handle: str, text: str, *, actor: Actor, at: datetime) -> Company:
    """The company answers what it was asked. Conflict when nothing is asked: a repeat was taken the first time."""
    with transaction():
        company = _locked(by_link(handle).id)
        if company.state != CompanyState.ASKED.value:
            raise Conflict(_("This was answered before."))
        _record_step(company, "company.replied", _said("text", text), actor, at)
        company.state = CompanyState.APPLIED.value
        _tell(company, at)
    return company


def ask(company_id: uuid.UUID, text: str, *, actor: Actor, at: datetime) -> Company:
    """The town asks back; the company reads it by its link and owes an answer."""
    with transaction():
        company = _open(company_id, actor)
        _record_step(company, "company.asked", _said("why", text), actor, at)
        company.state = CompanyState.ASKED.value
        _answered(company, actor, at)
    return company


def accept(company_id: uuid.UUID, *, actor: Actor, at: datetime) -> Company:
    """The town accepts; the liaison's account is made, and the company's link lets them choose its password. Again is harmless."""
    with transaction() as session:
        company = _reviewed(company_id, actor)
        if company.state == CompanyState.ACTIVE.value:
            return company
        _still_open(company)
        liaison = accounts.add_account(
            _free_login(company.credit_code),
            Role.COMPANY,
            company.division_code,
            actor=actor,
            at=at,
            name=company.name[:64],
            roles=(Role.COMPANY,),
        )
        session.flush()
        invitations.invite(liaison.id, actor=actor, at=at, valid=INVITED)
        company.liaison_id = liaison.id
        company.state = CompanyState.ACTIVE.value
        company.decided_at, company.decided_by = at, actor.key
        session.flush()
        _record_step(company, "company.accepted", None, actor, at)
        _answered(company, actor, at)
    return company


def login_of(company: Company) -> str:
    """What the liaison signs in with; empty while there is no account."""
    user = db.session.get(User, company.liaison_id) if company.liaison_id is not None else None
    return "" if user is None else user.login


def _free_login(credit_code: str) -> str:
    """The code in small letters; a company that was closed and registers again gets a number behind it."""
    login, number = credit_code.casefold(), 1
    while accounts.is_taken(login):
        number += 1
        login = f"{credit_code.casefold()}-{number}"
    return login


def refuse(company_id: uuid.UUID, why: str, *, actor: Actor, at: datetime) -> Company:
    """The town refuses and says why. Again is harmless."""
    why = _said("why", why)
    with transaction():
        company = _reviewed(company_id, actor)
        if company.state == CompanyState.REFUSED.value:
            return company
        _still_open(company)
        company.state = CompanyState.REFUSED.value
        company.decided_at, company.decided_by = at, actor.key
        _record_step(company, "company.refused", why, actor, at)
        _answered(company, actor, at)
    return company


def invite(company_id: uuid.UUID, *, actor: Actor, at: datetime) -> Company:
    """A new link for a company that lost its own or whose liaison changed: the old one and the old sessions end."""
    with transaction() as session:
        company = _reviewed(company_id, actor)
        if company.state != CompanyState.ACTIVE.value or company.liaison_id is None:
            raise Conflict(_("This company is not active."))
        company.link_epoch += 1
        invitations.invite(company.liaison_id, actor=actor, at=at, valid=INVITED)
        session.flush()
        _record_step(company, "company.invited", None, actor, at)
    return company


def choose_password(handle: str, password: str, *, at: datetime) -> Company:
    """The liaison chooses the password of their account by the company's link: once, and within two weeks."""
    with transaction():
        company = _locked(by_link(handle).id)
        if company.state != CompanyState.ACTIVE.value or company.liaison_id is None:
            raise Conflict(_("This company is not active."))
        invitations.accept_for(company.liaison_id, password, at=at)
    return company


def invited_until(company: Company, at: datetime) -> datetime | None:
    """Until when the company's link lets somebody choose the password; None when it does not."""
    if company.state != CompanyState.ACTIVE.value or company.liaison_id is None:
        return None
    found = invitations.open_ones([company.liaison_id], at=at).get(company.liaison_id)
    return None if found is None else found.expires_at


def close(company_id: uuid.UUID, why: str, *, actor: Actor, at: datetime) -> Company:
    """The company stops, or is stopped: what was granted to it ends, its account is closed, its staff list destroyed. Again is harmless."""
    why = _said("why", why)
    with transaction() as session:
        company = _reviewed(company_id, actor)
        if company.state == CompanyState.CLOSED.value:
            return company
        if company.state != CompanyState.ACTIVE.value or company.liaison_id is None:
            raise Conflict(_("This company is not active."))
        granted.end_all(company, why, actor=actor, at=at)
        accounts.deactivate(company.liaison_id, actor=actor, at=at)
        for table in (CompanyNotice, CompanyImport, CompanyMember):
            session.execute(delete(table).where(table.company_id == company_id))
        company.state = CompanyState.CLOSED.value
        company.closed_at = at
        _record_step(company, "company.closed", why, actor, at)
    return company


def unmask(company_id: uuid.UUID, purpose: str, *, actor: Actor, at: datetime) -> dict[str, str]:
    """The contact and the address of a company in clear, and who looked is written down, and what for.

    Raises InvalidInput, NotAllowed, TooManyOpened, NotFound.
    """
    fields = ("contact_name", "contact_phone", "address")
    with unmasking("company", company_id, purpose, actor=actor, at=at) as note:
        company = one(actor, company_id)
        note(fields)
        return {name: getattr(company, name) or "" for name in fields}


def _said(field: str, text: str) -> str:
    text = text.strip()
    if not text:
        raise InvalidInput.one(field, "missing", _("Say it in a sentence: the other side reads it."))
    if len(text) > LONGEST_TEXT:
        raise InvalidInput.one(field, "length", _("At most %(number)s characters.", number=LONGEST_TEXT))
    return text


def _locked(company_id: uuid.UUID) -> Company:
    query = select(Company).where(Company.id == company_id).with_for_update()
    return db.session.scalars(query.execution_options(populate_existing=True)).one()


def _reviewed(company_id: uuid.UUID, actor: Actor) -> Company:
    """A company of the actor's jurisdiction, locked for the rest of the transaction."""
    return _locked(one(actor, company_id).id)


def _open(company_id: uuid.UUID, actor: Actor) -> Company:
    company = _reviewed(company_id, actor)
    _still_open(company)
    return company


def _still_open(company: Company) -> None:
    if company.state not in (CompanyState.APPLIED.value, CompanyState.ASKED.value):
        raise Conflict(_("This company was answered before."))


def _tell(company: Company, at: datetime) -> None:
    """Tell the town; each round of asking back is an alert of its own."""
    alert_id = new_id()
    alert = NewAlert(
        id=alert_id,
        kind=KIND,
        cause=f"{KIND}:{company.id}:{alert_id.hex[-12:]}",
        division_code=at_level(company.division_code, TOWN_LEVEL),
        subject_type="company",
        subject_id=company.id,
        params={"company": str(company.id)},
    )
    company.alert_id = alert.id
    db.session.flush()
    raise_alerts([alert], current_state(at).policy, at)


def _answered(company: Company, actor: Actor, at: datetime) -> None:
    """The alert of a company that was answered is dealt with, whoever it had escalated to."""
    db.session.flush()
    alert = db.session.get(Alert, company.alert_id) if company.alert_id else None
    if alert is not None and alert.state in LIVE_STATES:
        resolve(alert.id, "handled", None, actor=actor, at=at)


def _record_step(company: Company, act: str, text: str | None, actor: Actor, at: datetime) -> None:
    step = CompanyStep(id=new_id(), company_id=company.id, at=at, act=act.removeprefix("company."), actor=actor.key)
    step.text = text
    db.session.add(step)
    _audit(act, company, actor, at)


def _audit(act: str, company: Company, actor: Actor, at: datetime) -> None:
    record(
        at=at,
        actor_kind=actor.kind,
        actor_id=actor.id,
        act=act,
        object_type="company",
        object_id=company.id,
    )
