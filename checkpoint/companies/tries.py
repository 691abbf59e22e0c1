"""A staff list is not a way to ask about strangers: how many a company may put on in a day, and when command hears of it.

That somebody may come or may not is an answer about them. Whoever was taken off again still counts, and so does whoever is put on
twice. What is refused is kept in the audit trail, like what was allowed.
"""

import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from sqlalchemy import func, select

from checkpoint.accounts.permissions import Actor
from checkpoint.alerts.kinds import Kind, register
from checkpoint.alerts.models import Alert
from checkpoint.alerts.service import NewAlert, raise_alerts
from checkpoint.audit.service import record
from checkpoint.clock import local_date, start_of_day
from checkpoint.companies.models import Company, CompanyMember
from checkpoint.config import Settings
from checkpoint.database import db
from checkpoint.errors import InvalidInput
from checkpoint.risk.policy import StaffLists, Tier
from checkpoint.risk.service import current_state
from checkpoint.words import _, lazy

KIND = "company_tries"


def _explain(params: Mapping[str, Any]) -> Sequence[str]:
    number, company = int(params.get("number", 0)), str(params.get("name", ""))
    if params.get("why") == "too_many":
        return (
            _(
                "%(company)s wanted to put %(number)s people on its staff list in a day.",
                company=company,
                number=number,
            ),
        )
    return (
        _(
            "%(company)s took %(number)s people off its staff list on the day they were put on.",
            company=company,
            number=number,
        ),
    )


register(Kind(KIND, lazy("A company asks about unusually many people"), tier=Tier.YELLOW, explain=_explain))


def refused(company: Company, new: int, *, actor: Actor, at: datetime) -> InvalidInput | None:
    """What to say when a company may not put so many on today, for the caller to raise after the commit; command is told of it.

    None when it may. Runs in the transaction under way, which has locked the company.
    """
    limits = current_state(at).policy.staff_lists
    today = _added_today(company.id, at)
    most = limits.first_per_day if _is_young(company, limits, at) else limits.per_day
    if new == 0 or today + new <= most:
        return None
    record(
        at=at,
        actor_kind=actor.kind,
        actor_id=actor.id,
        act="company.too_many",
        object_type="company",
        object_id=company.id,
        data={"today": today, "wanted": new, "most": most},
    )
    _tell(company, "too_many", today + new, at)
    message = _(
        "At most %(most)s people and lorries can be put on a list in a day, and today there is room for %(room)s more. "
        "Command is told when a company wants more; if you have hired so many, please call your town.",
        most=most,
        room=max(0, most - today),
    )
    return InvalidInput.one("name", "too_many_today", message)


def taken_off(company: Company, members: Collection[CompanyMember], at: datetime) -> None:
    """Tell command when a company puts people on and takes them off again the same day. Runs in the transaction under way."""
    since = _midnight(at)
    if not any(member.added_at >= since for member in members):
        return
    query = select(func.count()).where(
        CompanyMember.company_id == company.id, CompanyMember.added_at >= since, CompanyMember.removed_at.is_not(None)
    )
    number = int(db.session.scalar(query) or 0)
    if number >= current_state(at).policy.staff_lists.taken_off_same_day:
        _tell(company, "taken_off", number, at)


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


def _midnight(at: datetime) -> datetime:
    timezone = _settings().timezone
    return start_of_day(local_date(at, timezone), timezone)


def _is_young(company: Company, limits: StaffLists, at: datetime) -> bool:
    """Whether the town has accepted the company so lately that its whole list is still to come."""
    return company.decided_at is not None and at < company.decided_at + timedelta(days=limits.first_days)


def _added_today(company_id: uuid.UUID, at: datetime) -> int:
    query = select(func.count()).where(CompanyMember.company_id == company_id, CompanyMember.added_at >= _midnight(at))
    return int(db.session.scalar(query) or 0)


def _tell(company: Company, why: str, number: int, at: datetime) -> None:
    """One alert for a company, cause and day, for command."""
    day = local_date(at, _settings().timezone)
    cause = f"{KIND}:{why}:{company.id.hex}:{day:%Y%m%d}"
    if db.session.scalar(select(Alert.id).where(Alert.cause == cause)) is not None:
        return
    alert = NewAlert(
        kind=KIND,
        cause=cause,
        division_code=_settings().site_division,
        subject_type="company",
        subject_id=company.id,
        params={"company": str(company.id), "name": company.name, "why": why, "number": number},
    )
    raise_alerts([alert], current_state(at).policy, at)
