"""Storing the results of a batch: assessments, tiers, alerts, follow-up work, each table at once, in the transaction under way."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Self, cast

from sqlalchemy import Table, bindparam, select, update

from checkpoint.accounts.permissions import Actor
from checkpoint.alerts.models import Alert, AlertEvent, AlertState, FeedEntry
from checkpoint.alerts.service import TAKEN_BACK, NewAlert, feed_row, raise_alerts
from checkpoint.database import after_commit, db, insert_rows
from checkpoint.followups.models import FollowUp, FollowUpState
from checkpoint.followups.replanning import replan_many
from checkpoint.live import kick
from checkpoint.registrations.intake import assessment_row, doubt_of
from checkpoint.registrations.models import Registration, RegistrationState
from checkpoint.risk.models import Assessment, ChangeCause, RiskChange
from checkpoint.risk.policy import Tier
from checkpoint.risk.scoring import Result
from checkpoint.risk.service import State
from checkpoint.surveillance.outcome import REASSESSMENT, TIER_KINDS, Move, Standing, move_of, why
from checkpoint.surveillance.people import Person

DAILY = "daily"  # the cause of an assessment that no change has brought but a new day
CAUSES: dict[str, str] = {
    DAILY: DAILY,
    ChangeCause.PUBLISH: "list",
    ChangeCause.WITHDRAW: "withdrawal",
    ChangeCause.POLICY: "policy",
    ChangeCause.POLICY_WITHDRAW: "withdrawal",
    ChangeCause.PLACE: "list",
    ChangeCause.CONFIRM: "list",
}
UNDOING = frozenset({ChangeCause.WITHDRAW.value, ChangeCause.POLICY_WITHDRAW.value})
REPLANNED = "reassessed"
DOUBTS = frozenset({"list_missing", "list_stale"})
_TOLD = frozenset({RegistrationState.DECLARED.value, RegistrationState.INSIDE.value})
_registration = cast(Table, Registration.__table__)
_alert = cast(Table, Alert.__table__)
_followup = cast(Table, FollowUp.__table__)
_NEW_TIER = (
    update(_registration)
    .where(_registration.c.id == bindparam("key"))
    .values(
        tier=bindparam("new_tier"),
        assessment_id=bindparam("new_assessment"),
        state_version=bindparam("new_version"),
        doubt=bindparam("new_doubt"),
        alert_id=bindparam("new_alert"),
        updated_at=bindparam("new_time"),
    )
)


@dataclass(frozen=True, slots=True)
class Occasion:
    """Why people are looked at again: a change of what is in force, or the beginning of a `day` for those who come every day."""

    cause: str
    version: int
    list_id: int | None
    policy_id: int | None
    day: date | None = None

    @classmethod
    def of(cls, change: RiskChange) -> Self:
        """That something in force has changed."""
        return cls(change.cause, change.version, change.list_id, change.policy_id)

    @classmethod
    def daily(cls, state: State, day: date) -> Self:
        """That a day has begun under what is in force."""
        return cls(DAILY, state.version, state.list_id, state.policy_id, day)

    @property
    def mark(self) -> str:
        """What tells it from every other occasion; part of the causes of its alerts."""
        return str(self.version) if self.day is None else f"{self.version}:{self.day.isoformat()}"


@dataclass(slots=True)
class Written:
    """What a batch did, in people and alerts."""

    raised: int = 0
    lowered: int = 0
    alerts: int = 0
    retracted: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """A person with the new result and the row of the assessment that says so."""

    person: Person
    result: Result
    row: dict[str, Any]

    @property
    def change(self) -> int:
        """Above 0 when the tier is worse than before, below when it is better."""
        return self.result.tier.rank - Tier(self.person.tier).rank

    @property
    def measures_changed(self) -> bool:
        """Whether other work is asked for than before."""
        return bool(self.row["measures"] != self.person.measures)


def write(
    people: Sequence[Person],
    results: Mapping[uuid.UUID, Result],
    *,
    state: State,
    change: Occasion,
    actor: Actor,
    at: datetime,
) -> tuple[Written, list[Verdict]]:
    """Store the results of people whose rows the caller has locked. Joins the transaction under way."""
    cause = CAUSES[change.cause]
    verdicts = [
        Verdict(one, results[one.id], assessment_row(one.id, results[one.id], state, cause, at)) for one in people
    ]
    written = Written()
    insert_rows(Assessment, [one.row for one in verdicts])
    alerts = {one.person.id: _alert_for(one, state, change) for one in verdicts if _is_told(one, change)}
    written.raised = sum(one.change > 0 for one in verdicts)
    written.lowered = sum(one.change < 0 for one in verdicts)
    written.alerts = len(alerts)
    kept = _move_alerts(_eased(verdicts, change), change, state, written, actor, at)
    raise_alerts(list(alerts.values()), state.policy, at)
    db.session.connection().execute(
        _NEW_TIER,
        [
            {
                "key": one.person.id,
                "new_tier": one.result.tier.value,
                "new_assessment": one.row["id"],
                "new_version": state.version,
                "new_doubt": doubt_of(one.row["reasons"]),
                "new_alert": alerts[one.person.id].id
                if one.person.id in alerts
                else kept.get(one.person.id, one.person.alert_id),
                "new_time": at,
            }
            for one in verdicts
        ],
    )
    _replan(verdicts, change, state, actor, at)
    return written, verdicts


def _is_told(one: Verdict, change: Occasion) -> bool:
    """Whether the village hears of it: not of a new day's doubt about the list, which is the same for all and known at command."""
    if change.cause == DAILY and one.row["reasons"][0]["rule"] in DOUBTS:
        return False
    return one.change > 0 and one.person.state in _TOLD


def _alert_for(one: Verdict, state: State, change: Occasion) -> NewAlert:
    """What the village hears: that the tier is worse now, and which list, area and stay have made it so."""
    return NewAlert(
        kind=REASSESSMENT,
        cause=f"{REASSESSMENT}:{one.person.id}:{_mark(state, change)}",
        division_code=one.person.division_code,
        tier=one.result.tier.value,
        needs_answer=one.result.tier is not Tier.GREEN,
        subject_id=one.person.id,
        group_key=f"{REASSESSMENT}:{change.mark}",
        params={
            "rules": [reason["rule"] for reason in one.row["reasons"]],
            "from": one.person.tier,
            "list_id": state.list_id,
            "policy_id": state.policy_id,
            "because": change.cause,
            "why": why(one.row["reasons"], one.person.reasons),
            "arriving_on": one.person.arriving_on.isoformat(),
        },
    )


def _mark(state: State, change: Occasion) -> str:
    return change.mark if change.day is not None else str(state.version)


def _eased(verdicts: Sequence[Verdict], change: Occasion) -> dict[uuid.UUID, Verdict]:
    """Those whose alerts have to be looked at: the tier is better, or what raised the alert may have been taken back."""
    undoing = change.cause in UNDOING
    return {one.person.id: one for one in verdicts if one.change < 0 or undoing}


def _move_alerts(
    eased: Mapping[uuid.UUID, Verdict],
    change: Occasion,
    state: State,
    written: Written,
    actor: Actor,
    at: datetime,
) -> dict[uuid.UUID, uuid.UUID | None]:
    """Retract, soften or tell; returns the alert that now stands for a person whose newest one was taken back."""
    if not eased:
        return {}
    columns = _alert.c
    rows = db.session.execute(
        select(
            columns.id,
            columns.subject_id,
            columns.kind,
            columns.tier,
            columns.state,
            columns.division_code,
            columns.params,
            columns.created_at,
        )
        .where(columns.subject_id.in_(eased), columns.kind.in_(TIER_KINDS))
        .order_by(columns.created_at, columns.id)
        .with_for_update()
    ).all()
    by_person: dict[uuid.UUID, list[Any]] = {}
    for row in rows:
        by_person.setdefault(row.subject_id, []).append(row)
    moves: list[tuple[Any, Move, Verdict]] = []
    newest: dict[uuid.UUID, uuid.UUID | None] = {}
    for person_id, alerts in by_person.items():
        found = _moves(alerts, eased[person_id], change)
        moves += [(alert, move, eased[person_id]) for alert, move in found]
        gone = {alert.id for alert, move in found if move is Move.RETRACT}
        if eased[person_id].person.alert_id in gone:
            standing = [alert.id for alert in alerts if alert.id not in gone and alert.state != "retracted"]
            newest[person_id] = standing[-1] if standing else None
    _store_moves(moves, change, state, actor, at)
    written.retracted += sum(move is Move.RETRACT for _alert_row, move, _verdict in moves)
    return newest


def _moves(alerts: Sequence[Any], verdict: Verdict, change: Occasion) -> list[tuple[Any, Move]]:
    withdrawn = change.list_id if change.cause == ChangeCause.WITHDRAW.value else None
    live = [alert for alert in alerts if alert.state in ("open", "acknowledged")]
    found = []
    for alert in live:
        standing = Standing(alert.kind, alert.tier, alert.state, alert.params.get("list_id"))
        others = any(
            other.id != alert.id
            and other.params.get("list_id") != withdrawn
            and other.tier == verdict.result.tier.value
            for other in live
        )
        move = move_of(standing, verdict.result.tier, withdrawn_list=withdrawn, others=others)
        if move is not None:
            found.append((alert, move))
    return found


_EVENTS = {Move.RETRACT: "retracted"}


def _store_moves(
    moves: Sequence[tuple[Any, Move, Verdict]], change: Occasion, state: State, actor: Actor, at: datetime
) -> None:
    if not moves:
        return
    connection = db.session.connection()
    for move in Move:
        for tier in Tier:
            ids = [alert.id for alert, made, verdict in moves if made is move and verdict.result.tier is tier]
            values = _values(move, tier, state, at) if ids else {}
            if values:
                connection.execute(update(_alert).where(_alert.c.id.in_(ids)).values(values))
    insert_rows(
        AlertEvent,
        [
            {
                "alert_id": alert.id,
                "at": at,
                "event": _EVENTS.get(move, "relaxed"),
                "actor": actor.key,
                "data": {
                    "from": verdict.person.tier,
                    "to": verdict.result.tier.value,
                    "because": change.cause,
                    "list_id": change.list_id,
                    "policy_id": change.policy_id,
                },
            }
            for alert, move, verdict in moves
        ],
    )
    waves = {alert.id: TAKEN_BACK if move is Move.RETRACT else None for alert, move, _verdict in moves}
    feed = [feed_row("change", alert.id, alert.division_code, at, waves[alert.id]) for alert, _move, _verdict in moves]
    insert_rows(FeedEntry, feed)
    after_commit(kick)


def _values(move: Move, tier: Tier, state: State, at: datetime) -> dict[str, Any]:
    if move is Move.RETRACT:
        return {"state": AlertState.RETRACTED.value}
    if move is Move.NOTICE:
        return {"state": AlertState.NOTICE.value, "tier": tier.value, "ack_due": None, "resolve_due": None}
    if move is Move.SOFTEN:
        deadline = state.policy.deadlines[tier]
        return {
            "tier": tier.value,
            "ack_due": at + timedelta(minutes=deadline.acknowledge_minutes),
            "resolve_due": at + timedelta(minutes=deadline.resolve_minutes),
        }
    return {}


def _replan(verdicts: Sequence[Verdict], change: Occasion, state: State, actor: Actor, at: datetime) -> None:
    """The work follows the measures. Taking back opens again what the taken-back list had cancelled, overdue or not."""
    wanted: dict[uuid.UUID, Sequence[Mapping[str, Any]]] = {
        one.person.id: one.row["measures"] if _has_work(one, state) else ()
        for one in verdicts
        if one.person.state == RegistrationState.INSIDE.value and one.measures_changed
    }
    if not wanted:
        return
    if change.cause in UNDOING:
        _reopen(list(wanted))
    replan_many(wanted, actor=actor, at=at, because=REPLANNED)


def _has_work(one: Verdict, state: State) -> bool:
    """Whether somebody calls on the person: on a commuter only where the policy says so, or when they are red."""
    return not one.person.standing or state.policy.commuter_follow_ups or one.result.tier is Tier.RED


def _reopen(ids: Sequence[uuid.UUID]) -> None:
    columns = _followup.c
    rows = db.session.execute(
        select(columns.id, columns.registration_id, columns.kind, columns.due_at, columns.state, columns.because)
        .where(columns.registration_id.in_(ids))
        .order_by(columns.id)
    ).all()
    standing = {
        (row.registration_id, row.kind, row.due_at) for row in rows if row.state != FollowUpState.CANCELLED.value
    }
    again = []
    for row in rows:
        key = (row.registration_id, row.kind, row.due_at)
        if row.state == FollowUpState.CANCELLED.value and row.because == REPLANNED and key not in standing:
            standing.add(key)
            again.append(row.id)
    if again:
        db.session.connection().execute(
            update(_followup)
            .where(columns.id.in_(again))
            .values(state=FollowUpState.OPEN.value, done_at=None, done_by=None, because=None)
        )
