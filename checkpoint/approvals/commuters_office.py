"""The commuters of a jurisdiction as an office sees them: listed by where they live and whom they work for, and withdrawn in one act."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select, update

from checkpoint.accounts.permissions import Actor, Permission
from checkpoint.alerts.duty import level_of
from checkpoint.alerts.queries import in_reach
from checkpoint.approvals import hooks
from checkpoint.approvals.models import Approval, ApprovalKind, ApprovalState, ApprovalStep
from checkpoint.audit.service import record
from checkpoint.database import db, insert_rows, new_id, transaction
from checkpoint.errors import Conflict, InvalidInput, NotAllowed
from checkpoint.privacy import keyring, mask_name, seal
from checkpoint.registrations.models import Pass, Registration
from checkpoint.registrations.standing import GOING

PAGE = 50
COUNTY_DIGITS = 6
LONGEST_WHY = 500
CHUNK = 500  # approvals in one statement
FEW = 20  # trips that are ended in one transaction
AT_ONCE = 200  # trips that are ended before the answer; the scheduler ends the rest
LATEST_FINISH = timedelta(days=2)  # after the last day of an approval its trip ends by itself


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which commuters: those who live in a county (12 digits) and those whom a company has named; None is any."""

    county: str | None = None
    company_id: uuid.UUID | None = None

    @property
    def is_everybody(self) -> bool:
        return self.county is None and self.company_id is None


@dataclass(frozen=True, slots=True)
class Commuter:
    """One commuter in the list: masked, with the colour and the last crossing of the standing trip."""

    approval_id: uuid.UUID
    registration_id: uuid.UUID
    number: str
    name: str
    origin_code: str | None
    division_code: str
    company_id: uuid.UUID | None
    until: datetime
    tier: str
    entered_at: datetime | None


def _standing(actor: Actor, chosen: Chosen, at: datetime) -> list[ColumnElement[bool]]:
    """In force, or to come into force, in the actor's jurisdiction."""
    if not actor.may(Permission.APPROVALS_ANSWER):
        raise NotAllowed
    where = [
        Approval.kind == ApprovalKind.COMMUTER.value,
        Approval.state == ApprovalState.GRANTED.value,
        Approval.valid_until > at,
        in_reach(actor, Approval.division_code),
    ]
    if chosen.county is not None:
        where.append(_county() == chosen.county[:COUNTY_DIGITS])
    if chosen.company_id is not None:
        where.append(Approval.company_id == chosen.company_id)
    return where


def _county() -> Any:
    return func.substr(Approval.origin_code, 1, COUNTY_DIGITS)


def number_of(chosen: Chosen, *, actor: Actor, at: datetime) -> int:
    """How many commuters that is."""
    return db.session.scalar(select(func.count()).where(*_standing(actor, chosen, at))) or 0


def number_in_reach(chosen: Chosen, *, actor: Actor, at: datetime) -> int:
    """How many of them the actor may withdraw: what a higher level has granted, that level takes back."""
    where = [*_standing(actor, chosen, at), _own(actor)]
    return db.session.scalar(select(func.count()).where(*where)) or 0


def _own(actor: Actor) -> ColumnElement[bool]:
    return Approval.stage >= level_of(actor.division)


def counties(*, actor: Actor, at: datetime) -> list[tuple[str, int]]:
    """Where the commuters live: the county (12 digits) and how many, the most first."""
    county, number = _county().label("county"), func.count().label("number")
    rows = db.session.execute(
        select(county, number)
        .where(*_standing(actor, Chosen(), at), Approval.origin_code.is_not(None))
        .group_by(county)
        .order_by(number.desc(), county)
    )
    return [(row.county.ljust(12, "0"), int(row.number)) for row in rows]


def companies(*, actor: Actor, at: datetime) -> list[tuple[uuid.UUID, int]]:
    """Whom the commuters work for, where a company has named them, and how many, the most first."""
    number = func.count().label("number")
    rows = db.session.execute(
        select(Approval.company_id, number)
        .where(*_standing(actor, Chosen(), at), Approval.company_id.is_not(None))
        .group_by(Approval.company_id)
        .order_by(number.desc(), Approval.company_id)
    )
    return [(row.company_id, int(row.number)) for row in rows]


def listed(chosen: Chosen, *, actor: Actor, at: datetime, page: int = 1) -> list[Commuter]:
    """A page of the commuters, those who stand worst first."""
    worst = func.coalesce(func.nullif(Registration.tier, "green"), "z")  # red, yellow, z: as the alphabet has them
    rows = db.session.execute(
        select(Approval, Registration.id, Registration.tier, Registration.entered_at)
        .join(Registration, Registration.id == Approval.registration_id)
        .where(*_standing(actor, chosen, at))
        .order_by(worst, Approval.valid_until, Approval.id)
        .limit(PAGE)
        .offset((max(page, 1) - 1) * PAGE)
    )
    return [
        Commuter(
            approval.id,
            registration_id,
            approval.number,
            mask_name(approval.contact_name or ""),
            approval.origin_code,
            approval.division_code,
            approval.company_id,
            approval.valid_until,
            tier,
            entered_at,
        )
        for approval, registration_id, tier, entered_at in rows
    ]


def withdraw_all(chosen: Chosen, why: str, *, expected: int, actor: Actor, at: datetime) -> int:
    """Revoke the approvals of these commuters in one transaction; each must apply again to come. Returns how many.

    With it every pass is dead, however many there are; what was open about their trips is then taken back in small steps (`finish`),
    which the scheduler ends if this process cannot. Those that a higher level has granted stay (`number_in_reach`). `expected` is
    the number that the person was shown: when it is another one by now nothing is done (Conflict). A second time finds nobody.
    Raises InvalidInput without a reason, and for a choice that leaves nobody out.
    """
    why = why.strip()
    if not why or len(why) > LONGEST_WHY:
        raise InvalidInput.one(
            "why", "missing" if not why else "length", f"Say why, in at most {LONGEST_WHY} characters."
        )
    if chosen.is_everybody:
        raise InvalidInput.one("county", "missing", "Choose a county or a company.")
    with transaction() as session:
        found = session.execute(
            select(Approval.id, Approval.number, Approval.stage, Approval.registration_id)
            .where(*_standing(actor, chosen, at), _own(actor))
            .order_by(Approval.id)
            .with_for_update()
        ).all()
        if len(found) != expected:
            raise Conflict("The number of commuters has changed: look again.")
        for start in range(0, len(found), CHUNK):
            _revoke(found[start : start + CHUNK], why, actor, at)
        record(
            at=at,
            actor_kind=actor.kind,
            actor_id=actor.id,
            act="approval.revoke_all",
            object_type="commuters",
            object_id=chosen.county or chosen.company_id,
            data={
                "county": chosen.county,
                "company": str(chosen.company_id) if chosen.company_id else None,
                "number": len(found),
            },
        )
    finish(actor=actor, at=at, limit=AT_ONCE)
    return len(found)


def _revoke(found: Sequence[Any], why: str, actor: Actor, at: datetime) -> None:
    """What `answering.revoke` does, for many at once, without what hangs on each trip."""
    ids = [row.id for row in found]
    steps = []
    for row in found:
        step = new_id()
        text = seal(keyring(), why, ApprovalStep.__tablename__, "text", step)
        steps.append({"id": step, "approval_id": row.id, "at": at, "act": "revoked", "stage": row.stage})
        steps[-1] |= {"actor": actor.key, "text_sealed": text, "data": None}
        record(
            at=at,
            actor_kind=actor.kind,
            actor_id=actor.id,
            act="approval.revoked",
            object_type="approval",
            object_id=row.id,
            data={"number": row.number, "kind": ApprovalKind.COMMUTER.value, "stage": row.stage},
        )
    insert_rows(ApprovalStep, steps)
    values = {"state": ApprovalState.REVOKED.value, "decided_at": at, "decided_by": actor.key, "changed_at": at}
    for statement in (
        update(Approval).where(Approval.id.in_(ids)).values(values),
        update(Pass)
        .where(Pass.registration_id.in_([row.registration_id for row in found]), Pass.revoked_at.is_(None))
        .values(revoked_at=at, revoked_because="withdrawn"),
    ):
        db.session.execute(statement.execution_options(synchronize_session=False))
    db.session.expire_all()


def finish(*, actor: Actor, at: datetime, limit: int = AT_ONCE) -> int:
    """End up to `limit` trips whose approval was revoked together with many others, a few in each transaction; returns how many.

    Of two processes that do so at once neither does anything twice.
    """
    done = 0
    while done < limit:
        with transaction() as session:
            query = (
                select(Approval)
                .join(Registration, Registration.id == Approval.registration_id)
                .where(
                    Approval.kind == ApprovalKind.COMMUTER.value,
                    Approval.state == ApprovalState.REVOKED.value,
                    Approval.valid_until > at - LATEST_FINISH,
                    Registration.state.in_(GOING),
                )
                .limit(FEW)
            )
            ended = session.scalars(query).all()
            for approval in ended:
                hooks.ended(approval, actor, at)
        done += len(ended)
        if len(ended) < FEW:
            break
    return done
