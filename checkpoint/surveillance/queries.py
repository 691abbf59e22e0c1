"""Reads for command: how far the work is, and what each change did."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from checkpoint.accounts.permissions import Actor, Permission
from checkpoint.alerts.queries import in_reach
from checkpoint.database import db
from checkpoint.errors import NotAllowed
from checkpoint.risk.models import RiskChange
from checkpoint.surveillance.models import ReassessBatch, ReassessItem, ReassessJob


@dataclass(frozen=True, slots=True)
class Work:
    """One change of what is in force and what became of it. Counts are of people, `alerts` and `retracted` of alerts.

    `planned` is false until the scheduler has found whom it touches.
    """

    version: int
    cause: str
    list_id: int | None
    policy_id: int | None
    at: datetime
    planned: bool
    total: int
    done: int
    raised: int
    lowered: int
    alerts: int
    retracted: int
    last_at: datetime | None

    @property
    def running(self) -> bool:
        """Whether somebody is still to be looked at."""
        return not self.planned or self.done < self.total

    @property
    def percent(self) -> int:
        """How far it is, 0 to 100."""
        if not self.planned:
            return 0
        return 100 if not self.total else 100 * self.done // self.total


def works(actor: Actor, *, limit: int = 20, running: bool = False) -> list[Work]:
    """The changes, the newest first; with `running` only those with work left."""
    if not actor.may(Permission.COMMAND_READ):
        raise NotAllowed
    changes = db.session.execute(
        select(RiskChange, ReassessJob)
        .outerjoin(ReassessJob, ReassessJob.version == RiskChange.version)
        .order_by(RiskChange.version.desc())
        .limit(limit)
    ).all()
    counts = _counts([change.version for change, _job in changes])
    found = [
        Work(
            change.version,
            change.cause,
            change.list_id,
            change.policy_id,
            change.at,
            job is not None,
            job.total if job is not None else 0,
            *counts.get(change.version, (0, 0, 0, 0, 0, None)),
        )
        for change, job in changes
    ]
    return [one for one in found if one.running] if running else found


def _counts(versions: list[int]) -> Mapping[int, tuple[int, int, int, int, int, datetime | None]]:
    rows = db.session.execute(
        select(
            ReassessBatch.version,
            func.sum(ReassessBatch.size),
            func.sum(ReassessBatch.raised),
            func.sum(ReassessBatch.lowered),
            func.sum(ReassessBatch.alerts),
            func.sum(ReassessBatch.retracted),
            func.max(ReassessBatch.done_at),
        )
        .where(ReassessBatch.version.in_(versions), ReassessBatch.done_at.is_not(None))
        .group_by(ReassessBatch.version)
    )
    return {
        version: (int(done), int(raised), int(lowered), int(alerts), int(retracted), last)
        for version, done, raised, lowered, alerts, retracted, last in rows
    }


def by_village(actor: Actor, version: int) -> list[tuple[str, str, str, int]]:
    """Whose tier a change has moved: (village, tier before, tier after, people), as far as the actor may see."""
    if not actor.may(Permission.COMMAND_READ):
        raise NotAllowed
    moved = (
        ReassessItem.version == version,
        ReassessItem.tier_after.is_not(None),
        ReassessItem.tier_after != ReassessItem.tier_before,
        in_reach(actor, ReassessItem.division_code),
    )
    columns = (ReassessItem.division_code, ReassessItem.tier_before, ReassessItem.tier_after)
    rows = db.session.execute(select(*columns, func.count()).where(*moved).group_by(*columns).order_by(*columns))
    return [(code, before, after or "", number) for code, before, after, number in rows]
