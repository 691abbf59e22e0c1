"""What became of a synthetic registration: rows of crossings, decisions and follow-up work for those whose day has come."""

import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from checkpoint.alerts.models import AlertState
from checkpoint.alerts.service import alert_row, feed_row
from checkpoint.crossings.verdict import Decision, Presented, judge
from checkpoint.database import new_id
from checkpoint.followups.models import FollowUpState
from checkpoint.followups.planning import plan
from checkpoint.registrations.intake import Context, Prepared
from checkpoint.registrations.models import RegistrationState


@dataclass(frozen=True, slots=True)
class Post:
    """A tablet at a checkpoint."""

    checkpoint_id: uuid.UUID
    device_id: uuid.UUID


@dataclass(slots=True)
class Rows:
    """Everything to be stored for a batch, by table."""

    prepared: list[Prepared] = field(default_factory=list)
    alerts: list[dict[str, Any]] = field(default_factory=list)
    feed: list[dict[str, Any]] = field(default_factory=list)
    crossings: list[dict[str, Any]] = field(default_factory=list)
    decisions: list[dict[str, Any]] = field(default_factory=list)
    followups: list[dict[str, Any]] = field(default_factory=list)


def tell(rows: Rows, one: Prepared, context: Context, now: datetime, rng: random.Random) -> None:
    """Add the alert of a registration; one that is older than its deadline has nearly always been resolved."""
    alert = alert_row(one.alert, context.state.policy, context.at)
    # One insert statement serves all rows, so all have the same columns.
    alert |= dict.fromkeys(("acknowledged_at", "acknowledged_by", "resolved_at", "resolved_by", "result"))
    due = alert["resolve_due"]
    if due is not None and due < now and rng.random() < 0.98:
        acknowledged = context.at + timedelta(minutes=rng.randrange(1, 40))
        alert |= {
            "state": AlertState.RESOLVED.value,
            "acknowledged_at": acknowledged,
            "acknowledged_by": "system",
            "resolved_at": min(acknowledged + timedelta(minutes=rng.randrange(10, 200)), due),
            "resolved_by": "system",
            "result": "handled",
        }
    rows.alerts.append(alert)
    rows.feed.append(feed_row("alert", alert["id"], alert["division_code"], context.at))


def cross(
    rows: Rows, one: Prepared, context: Context, post: Post, scanned_at: datetime, now: datetime, rng: random.Random
) -> None:
    """Let a synthetic traveller stand at the barrier: verdict by the rules, decision as most officers would."""
    negative = [
        test["taken_at"] for test in one.tests if test["result"] == "negative" and test["taken_at"] <= scanned_at
    ]
    tier = one.assessment["tier"]
    judgement = judge(
        Presented(
            None, tier, max(negative) if negative else None, scanned_at, False, context.state.policy.negative_test_hours
        )
    )
    decision = Decision.ADMITTED if tier != "red" else rng.choice((Decision.TRANSFERRED, Decision.TURNED_BACK))
    crossing_id = new_id()
    decided_at = scanned_at + timedelta(seconds=rng.randrange(3, 40))
    rows.crossings.append(
        {
            "id": crossing_id,
            "checkpoint_id": post.checkpoint_id,
            "device_id": post.device_id,
            "pass_serial": one.issued["serial"],
            "registration_id": one.registration["id"],
            "assessment_id": one.assessment["id"],
            "scanned_at": scanned_at,
            "received_at": scanned_at,
            "offline": False,
            "verdict": judgement.verdict.value,
            "tier": tier,
            "problem": None,
            "reasons": [{"rule": rule, "points": 0} for rule in judgement.rules] + one.assessment["reasons"],
            "measures": one.assessment["measures"],
            "decision": decision.value,
            "decided_at": decided_at,
        }
    )
    rows.decisions.append(
        {
            "id": new_id(),
            "crossing_id": crossing_id,
            "decision": decision.value,
            "actor": f"device:{post.device_id}",
            "decided_at": decided_at,
            "received_at": decided_at,
        }
    )
    if decision is Decision.ADMITTED:
        one.registration["state"] = RegistrationState.INSIDE.value
        one.registration["entered_at"] = decided_at
        rows.followups.extend(_work(one, context, decided_at, now, rng))
    elif decision is Decision.TURNED_BACK:
        one.registration["state"] = RegistrationState.TURNED_BACK.value


_GOOD_RESULTS = {
    "arrival_visit": "arrived", "landing_test": "negative", "test": "negative", "health_check": "well", "release": "released",
}  # fmt: skip


def _work(
    one: Prepared, context: Context, entered_at: datetime, now: datetime, rng: random.Random
) -> Sequence[dict[str, Any]]:
    tasks = plan(
        one.assessment["measures"],
        entered_at,
        timezone=context.timezone,
        arrival_hours=context.state.policy.arrival_hours,
    )
    work = []
    for task in tasks:
        done = task.due_at < now and rng.random() < 0.97
        work.append(
            {
                "id": new_id(),
                "registration_id": one.registration["id"],
                "division_code": one.registration["destination_code"],
                "kind": task.kind,
                "day": task.day,
                "from_at": task.from_at,
                "due_at": task.due_at,
                "state": (FollowUpState.DONE if done else FollowUpState.OPEN).value,
                "result": _GOOD_RESULTS[task.kind] if done else None,
                "done_at": task.from_at + (task.due_at - task.from_at) * rng.random() if done else None,
                "done_by": "system" if done else None,
            }
        )
    return work
