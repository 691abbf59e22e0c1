"""What people decided while something was in force that is now taken back. It stands; a person looks at it."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Select, Table, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from checkpoint.accounts.permissions import Actor, Permission
from checkpoint.alerts.models import Alert, AlertState
from checkpoint.alerts.queries import in_reach
from checkpoint.crossings.models import Crossing, CrossingDecision
from checkpoint.database import db, transaction
from checkpoint.errors import NotAllowed, NotFound
from checkpoint.followups.models import FollowUp, FollowUpState
from checkpoint.risk.models import Policy, RiskChange, RiskList
from checkpoint.surveillance.models import FindingKind, WithdrawalFinding
from checkpoint.surveillance.outcome import TIER_KINDS
from checkpoint.surveillance.writing import UNDOING, Verdict

_INSERT: Mapping[str, Any] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}
_crossing = cast(Table, Crossing.__table__)
_decision = cast(Table, CrossingDecision.__table__)
_alert = cast(Table, Alert.__table__)
_followup = cast(Table, FollowUp.__table__)


def note_decisions(verdicts: Sequence[Verdict], change: RiskChange) -> int:
    """List what officers and communities decided about people whose tier a withdrawal has changed; returns how many decisions."""
    changed = {one.person.id: one for one in verdicts if one.change}
    since = _in_force_since(change)
    if change.cause not in UNDOING or not changed or since is None:
        return 0
    rows = [*_crossings(changed, since), *_alerts(changed, since), *_work(changed, since)]
    if rows:
        connection = db.session.connection()
        maker = _INSERT[connection.dialect.name]
        statement = maker(cast(Table, WithdrawalFinding.__table__)).on_conflict_do_nothing(
            index_elements=["version", "kind", "object_id"]
        )
        connection.execute(statement, [row | {"version": change.version} for row in rows])
    return len(rows)


def _in_force_since(change: RiskChange) -> datetime | None:
    if change.policy_id is not None:
        return db.session.get_one(Policy, change.policy_id).created_at
    return db.session.get_one(RiskList, change.list_id).activated_at if change.list_id is not None else None


def _row(verdict: Verdict, kind: FindingKind, object_id: uuid.UUID, **more: Any) -> dict[str, Any]:
    return {
        "registration_id": verdict.person.id,
        "kind": kind.value,
        "object_id": object_id,
        "division_code": verdict.person.division_code,
        "tier_before": verdict.person.tier,
        "tier_after": verdict.result.tier.value,
        **more,
    }


def _crossings(changed: Mapping[uuid.UUID, Verdict], since: datetime) -> list[dict[str, Any]]:
    """The officers' last decisions on crossings whose tier is not the one that stands now."""
    columns = _crossing.c
    rows = db.session.execute(
        select(
            columns.id, columns.registration_id, columns.decision, columns.decided_at, columns.tier, _decision.c.actor
        )
        .join(
            _decision,
            (_decision.c.crossing_id == columns.id) & (_decision.c.decision == columns.decision),
            isouter=True,
        )
        .where(columns.registration_id.in_(changed), columns.decision.is_not(None), columns.decided_at >= since)
        .order_by(columns.decided_at)
    )
    found = {}
    for row in rows:
        verdict = changed[row.registration_id]
        if row.tier != verdict.result.tier.value:
            found[row.id] = _row(
                verdict,
                FindingKind.CROSSING,
                row.id,
                decided_at=row.decided_at,
                actor=row.actor,
                decision=row.decision,
            )
    return list(found.values())


def _alerts(changed: Mapping[uuid.UUID, Verdict], since: datetime) -> list[dict[str, Any]]:
    columns = _alert.c
    rows = db.session.execute(
        select(
            columns.id, columns.subject_id, columns.tier, columns.result, columns.resolved_at, columns.resolved_by
        ).where(
            columns.subject_id.in_(changed),
            columns.kind.in_(TIER_KINDS),
            columns.state == AlertState.RESOLVED.value,
            columns.resolved_at >= since,
        )
    )
    return [
        _row(
            changed[row.subject_id],
            FindingKind.ALERT,
            row.id,
            decided_at=row.resolved_at,
            actor=row.resolved_by,
            decision=row.result,
        )
        for row in rows
        if row.tier != changed[row.subject_id].result.tier.value
    ]


def _work(changed: Mapping[uuid.UUID, Verdict], since: datetime) -> list[dict[str, Any]]:
    """Results of work that the measures asked for; the visit at the door is everybody's."""
    columns = _followup.c
    rows = db.session.execute(
        select(columns.id, columns.registration_id, columns.result, columns.done_at, columns.done_by).where(
            columns.registration_id.in_(changed),
            columns.state == FollowUpState.DONE.value,
            columns.kind != "arrival_visit",
            columns.done_at >= since,
        )
    )
    return [
        _row(
            changed[row.registration_id],
            FindingKind.FOLLOW_UP,
            row.id,
            decided_at=row.done_at,
            actor=row.done_by,
            decision=row.result,
        )
        for row in rows
    ]


def scoped(actor: Actor) -> Select[WithdrawalFinding]:
    """Findings about people of the actor's jurisdiction."""
    if not actor.may(Permission.COMMAND_READ):
        raise NotAllowed
    return select(WithdrawalFinding).where(in_reach(actor, WithdrawalFinding.division_code))


def findings(
    actor: Actor, *, version: int | None = None, looked: bool = False, limit: int = 200
) -> list[WithdrawalFinding]:
    """What waits for a look, or with `looked` what was looked at; by person, oldest decision first."""
    query = scoped(actor)
    if version is not None:
        query = query.where(WithdrawalFinding.version == version)
    seen = WithdrawalFinding.looked_at.is_not(None) if looked else WithdrawalFinding.looked_at.is_(None)
    order = (WithdrawalFinding.version.desc(), WithdrawalFinding.registration_id, WithdrawalFinding.decided_at)
    return list(db.session.scalars(query.where(seen).order_by(*order).limit(limit)))


def waiting(actor: Actor) -> int:
    """How many decisions wait for a look."""
    query = scoped(actor).where(WithdrawalFinding.looked_at.is_(None)).with_only_columns(func.count())
    return int(db.session.scalar(query) or 0)


def look_at(finding_id: int, *, actor: Actor, at: datetime) -> None:
    """Somebody has looked at a decision. A second time is harmless. Raises NotFound."""
    with transaction() as session:
        found = session.scalar(scoped(actor).where(WithdrawalFinding.id == finding_id))
        if found is None:
            raise NotFound
        session.execute(
            update(WithdrawalFinding)
            .where(WithdrawalFinding.id == finding_id, WithdrawalFinding.looked_at.is_(None))
            .values(looked_at=at, looked_by=actor.key)
        )
