"""Versions of the policy: put one in force, take one back. A version is never edited; taking back leaves it where it stands."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from checkpoint.accounts.permissions import Actor
from checkpoint.audit import service as audit
from checkpoint.database import db, transaction
from checkpoint.errors import Conflict, FieldError, InvalidInput, NotFound
from checkpoint.risk.changes import record_change
from checkpoint.risk.models import ChangeCause, Policy, RiskState
from checkpoint.risk.policy import PolicyData, default_policy
from checkpoint.risk.publishing import locked_state


class LastPolicy(Conflict):
    """This is the only policy there is. Publish another one instead."""

    code = "last_policy"


class AlreadyWithdrawn(Conflict):
    """This policy was taken back before."""

    code = "already_withdrawn"


def read_policy(raw: bytes) -> PolicyData:
    """A policy from JSON. Raises InvalidInput that names every wrong field; a rule without points is wrong too."""
    try:
        data = PolicyData.model_validate_json(raw)
    except ValidationError as error:
        raise InvalidInput(
            [
                FieldError(".".join(str(part) for part in one["loc"]) or "policy", one["type"], one["msg"])
                for one in error.errors()
            ]
        ) from error
    missing = sorted(default_policy().points.keys() - data.points.keys())
    wrong = [FieldError(f"points.{rule}", "missing", "every rule has points") for rule in missing]
    if data.red_from <= data.yellow_from:
        wrong.append(FieldError("red_from", "order", "red begins above yellow"))
    if wrong:
        raise InvalidInput(wrong)
    return data


def policies() -> Sequence[Policy]:
    """The versions, the newest first."""
    return db.session.scalars(select(Policy).order_by(Policy.version.desc())).all()


def policy_in_force() -> Policy | None:
    """The version in force, None before the first use."""
    return db.session.scalar(select(Policy).join(RiskState, RiskState.policy_id == Policy.id))


def publish_policy(data: PolicyData, *, actor: Actor, at: datetime) -> Policy:
    """Store a version and put it in force. Everybody is assessed again; one equal to the version in force changes nothing."""
    with transaction() as session:
        state = locked_state(session, at)
        stored: dict[str, Any] = data.model_dump(mode="json")
        current = session.get_one(Policy, state.policy_id)
        if PolicyData.model_validate(current.data) == data:
            return current
        newest = session.scalar(select(func.max(Policy.version))) or 0
        new = Policy(version=newest + 1, data=stored, created_at=at, created_by=actor.key)
        session.add(new)
        session.flush()
        state.policy_id = new.id
        record_change(session, state, ChangeCause.POLICY, actor=actor.key, at=at, policy_id=new.id, everyone=True)
        _record("policy.publish", new, actor, at)
    return new


def withdraw_policy(policy_id: int, *, actor: Actor, at: datetime) -> Policy:
    """Take a version back; returns the one in force then, the newest that stands. Raises NotFound, AlreadyWithdrawn, LastPolicy."""
    with transaction() as session:
        state = locked_state(session, at)
        gone = session.get(Policy, policy_id, populate_existing=True)
        if gone is None:
            raise NotFound("There is no policy with this number.")
        if gone.withdrawn_at is not None:
            raise AlreadyWithdrawn
        standing = _newest_standing(session, besides=policy_id)
        if standing is None:
            raise LastPolicy
        gone.withdrawn_at = at
        if state.policy_id == gone.id:
            state.policy_id = standing.id
            record_change(
                session, state, ChangeCause.POLICY_WITHDRAW, actor=actor.key, at=at, policy_id=gone.id, everyone=True
            )
        _record("policy.withdraw", gone, actor, at)
        return session.get_one(Policy, state.policy_id)


def _newest_standing(session: Session, *, besides: int) -> Policy | None:
    return session.scalar(
        select(Policy)
        .where(Policy.withdrawn_at.is_(None), Policy.id != besides)
        .order_by(Policy.version.desc())
        .limit(1)
    )


def _record(act: str, policy: Policy, actor: Actor, at: datetime) -> None:
    audit.record(
        at=at,
        actor_kind=actor.kind,
        actor_id=actor.id,
        act=act,
        object_type="policy",
        object_id=policy.id,
        data={"version": policy.version},
    )
