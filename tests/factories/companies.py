"""Companies, their liaisons and their lists; all inside an app context, but for `credit_code`."""

import uuid
from datetime import datetime
from typing import Any

from stdnum.cn import uscc

from checkpoint.accounts.models import User
from checkpoint.accounts.permissions import Actor
from checkpoint.companies import members, service
from checkpoint.companies.models import Company, CompanyMember
from checkpoint.companies.rows import lorry, person
from checkpoint.companies.service import NewCompany
from checkpoint.database import db
from tests.factories import NOW, people
from tests.factories.declarations import name, resident_id
from tests.factories.divisions import SITE, VILLAGE

PASSWORD = "three-words-of-ours"
VISITOR = Actor("traveller", None, None, SITE, frozenset())


def credit_code(number: int = 1) -> str:
    """A unified social credit code with a right check character."""
    body = f"91330482MA{number:07d}"
    return body + str(uscc.calc_check_digit(body))


def new_company(number: int = 1, **changes: Any) -> NewCompany:
    """A company as its form has it."""
    values: dict[str, Any] = {
        "id": uuid.uuid4(),
        "name": f"平湖第{number}机械有限公司",
        "credit_code": credit_code(number),
        "division_code": VILLAGE,
        "address": "乍浦镇外环西路 88 号",
        "contact_name": "陈明",
        "contact_phone": "13905730001",
    }
    return NewCompany(**{**values, **changes})


def active(number: int = 1, *, town: Actor, at: datetime = NOW, **changes: Any) -> tuple[Company, Actor]:
    """A company that the town accepted and whose liaison chose a password, and the liaison."""
    company = service.apply(new_company(number, **changes), actor=VISITOR, at=at)
    service.accept(company.id, actor=town, at=at)
    company = service.choose_password(service.handle_of(company), PASSWORD, at=at)
    return company, people.actor_of(db.session.get_one(User, company.liaison_id))


def listed(liaison: Actor, number: int = 1, at: datetime = NOW) -> CompanyMember:
    """Somebody on the liaison's list: the traveller of `declaration(number)`."""
    return members.add(uuid.uuid4(), person(name(number), resident_id(number)), actor=liaison, at=at)


def listed_lorry(liaison: Actor, plate: str = "浙F12345", at: datetime = NOW) -> CompanyMember:
    """A lorry on the liaison's list."""
    return members.add(uuid.uuid4(), lorry(plate), actor=liaison, at=at)
