"""Versions of the policy: put one in force, take one back. A version is never edited; taking back leaves it where it stands."""

import json
from collections.abc import Iterator, Mapping, Sequence
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
from checkpoint.risk.policy import MeasureRule, PolicyData, Tier, default_policy
from checkpoint.risk.policy_form import KEY, Rows, form_of
from checkpoint.risk.publishing import locked_state

MOST_POINTS = 100
MOST_DAYS = 60
MOST_REASON = 300
MOST_PURPOSE = 200


class LastPolicy(Conflict):
    """This is the only policy there is. Publish another one instead."""

    code = "last_policy"


class AlreadyWithdrawn(Conflict):
    """This policy was taken back before."""

    code = "already_withdrawn"


class PolicyMoved(Conflict):
    """Somebody has published another version since this one was begun. Look at the differences again."""

    code = "policy_moved"


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
    wrong = list(_impossible(data))
    if wrong:
        raise InvalidInput(wrong)
    return data


def _impossible(data: PolicyData) -> Iterator[FieldError]:
    """What no single field says: rules without points, red below yellow, results before answers, measures that nobody gets."""
    for rule in sorted(default_policy().points.keys() - data.points.keys()):
        yield FieldError(f"points.{rule}", "missing", "every rule has points")
    for rule, points in data.points.items():
        if not 0 <= points <= MOST_POINTS:
            yield FieldError(f"points.{rule}", "range", "points are from 0 to 100")
    if data.red_from <= data.yellow_from:
        yield FieldError("red_from", "order", "red begins above yellow")
    yield from _impossible_deadlines(data)
    for number, measure in enumerate(data.measures):
        yield from _impossible_measure(measure, f"measures.{number}", data)


def _impossible_deadlines(data: PolicyData) -> Iterator[FieldError]:
    for tier in (Tier.RED, Tier.YELLOW):
        if tier not in data.deadlines:
            yield FieldError(
                f"deadlines.{tier.value}.acknowledge_minutes", "missing", "without it silence never escalates"
            )
    for name, deadlines in (("deadlines", data.deadlines), ("kind_deadlines", data.kind_deadlines)):
        for key, deadline in deadlines.items():
            if deadline.resolve_minutes < deadline.acknowledge_minutes:
                yield FieldError(f"{name}.{key}.resolve_minutes", "hasty", "a result comes after the acknowledgement")


def _impossible_measure(measure: MeasureRule, name: str, data: PolicyData) -> Iterator[FieldError]:
    if measure.tier is None and not measure.any_rule:
        yield FieldError(f"{name}.tier", "for_nobody", "a measure is for a tier or for some rules")
    if any(rule not in data.points for rule in measure.any_rule):
        yield FieldError(f"{name}.any_rule", "unknown", "this rule has no points")
    if any(not 1 <= day <= MOST_DAYS for day in measure.test_days):
        yield FieldError(f"{name}.test_days", "range", "days are from 1 to 60")


def read_form(document: Mapping[str, Any]) -> PolicyData:
    """A policy from what a form holds (`policy_form.typed`). Raises InvalidInput with the names of the form's own fields."""
    plain = dict(document)
    keys: dict[str, list[str]] = {}
    wrong: list[FieldError] = []
    for part in form_of():
        if isinstance(part, Rows) and part.keyed:
            plain[part.name] = {}
            keys[part.name] = []
            for number, row in enumerate(document.get(part.name) or []):
                key = str(row.get(KEY) or "")
                if not key or key in plain[part.name]:
                    wrong.append(
                        FieldError(f"{part.name}.{number}.{KEY}", "twice" if key else "missing", "a key of its own")
                    )
                keys[part.name].append(key)
                plain[part.name][key] = {name: value for name, value in row.items() if name != KEY}
    try:
        data = read_policy(json.dumps(plain).encode())
    except InvalidInput as error:
        found = [_as_row(one, keys) for one in error.errors if _row_known(one, keys)]
        named = {one.field for one in found}
        far = [
            one for one in _far_points(document) if one.field not in named
        ]  # everything at once, not one after the other
        raise InvalidInput([*wrong, *found, *far]) from error
    if wrong:
        raise InvalidInput(wrong)
    return data


def _far_points(document: Mapping[str, Any]) -> Iterator[FieldError]:
    for rule, points in (document.get("points") or {}).items():
        if isinstance(points, int) and not 0 <= points <= MOST_POINTS:
            yield FieldError(f"points.{rule}", "range", "points are from 0 to 100")


def _as_row(error: FieldError, keys: Mapping[str, list[str]]) -> FieldError:
    first, _dot, rest = error.field.partition(".")
    if first not in keys:
        return error
    key, _dot, last = rest.partition(".")
    return FieldError(f"{first}.{keys[first].index(key)}.{last}", error.code, error.message)


def _row_known(error: FieldError, keys: Mapping[str, list[str]]) -> bool:
    first, _dot, rest = error.field.partition(".")
    return first not in keys or rest.partition(".")[0] in keys[first]


def policy_version(policy_id: int) -> Policy:
    """A version by its id. Raises NotFound."""
    found = db.session.get(Policy, policy_id)
    if found is None:
        raise NotFound("There is no policy with this number.")
    return found


def policies() -> Sequence[Policy]:
    """The versions, the newest first."""
    return db.session.scalars(select(Policy).order_by(Policy.version.desc())).all()


def policy_in_force() -> Policy | None:
    """The version in force, None before the first use."""
    return db.session.scalar(select(Policy).join(RiskState, RiskState.policy_id == Policy.id))


def publish_policy(
    data: PolicyData, *, actor: Actor, at: datetime, reason: str | None = None, base_id: int | None = None
) -> Policy:
    """Store a version and put it in force. Everybody is assessed again; one equal to the version in force changes nothing.

    With `base_id`, the version that it was begun from: raises PolicyMoved when that one is no longer in force.
    """
    with transaction() as session:
        state = locked_state(session, at)
        if base_id is not None and state.policy_id != base_id:
            raise PolicyMoved
        stored: dict[str, Any] = data.model_dump(mode="json")
        current = session.get_one(Policy, state.policy_id)
        if PolicyData.model_validate(current.data) == data:
            return current
        newest = session.scalar(select(func.max(Policy.version))) or 0
        new = Policy(version=newest + 1, data=stored, created_at=at, created_by=actor.key, reason=reason)
        session.add(new)
        session.flush()
        state.policy_id = new.id
        record_change(session, state, ChangeCause.POLICY, actor=actor.key, at=at, policy_id=new.id, everyone=True)
        _record("policy.publish", new, actor, at, reason)
    return new


def withdraw_policy(policy_id: int, *, actor: Actor, at: datetime, reason: str | None = None) -> Policy:
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
        _record("policy.withdraw", gone, actor, at, reason)
        return session.get_one(Policy, state.policy_id)


def _newest_standing(session: Session, *, besides: int) -> Policy | None:
    return session.scalar(
        select(Policy)
        .where(Policy.withdrawn_at.is_(None), Policy.id != besides)
        .order_by(Policy.version.desc())
        .limit(1)
    )


def _record(act: str, policy: Policy, actor: Actor, at: datetime, reason: str | None) -> None:
    audit.record(
        at=at,
        actor_kind=actor.kind,
        actor_id=actor.id,
        act=act,
        object_type="policy",
        object_id=policy.id,
        purpose=reason[:MOST_PURPOSE] if reason else None,
        data={"version": policy.version},
    )
