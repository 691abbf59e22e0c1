"""Looking by the clock, changing a rule, and trying one out over the past. Each cause makes one alert, whoever looks and how often."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from flask import current_app
from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from checkpoint.accounts.permissions import Actor, Permission
from checkpoint.alerts.kinds import Kind, register
from checkpoint.alerts.models import Alert
from checkpoint.alerts.service import NewAlert, raise_alerts
from checkpoint.audit.service import record
from checkpoint.config import Settings
from checkpoint.database import db, transaction
from checkpoint.errors import FieldError, InvalidInput, NotAllowed, NotFound
from checkpoint.risk.policy import PolicyData, Tier
from checkpoint.watch.models import WatchRule
from checkpoint.watch.queries import QUERIES
from checkpoint.watch.readers import BULK, note_unusual
from checkpoint.watch.rules import RULES, Finding, Rule, Span, cause_of
from checkpoint.watch.wording import LABELS, explain
from checkpoint.words import _

LONGEST_CATCH_UP = timedelta(hours=24)
MOST_DAYS = 30
EXAMPLES = 12
_CHUNK = 500

ASKING = {"bulk_reading": Permission.AUDIT_READ}
"""What somebody needs besides reading alerts to see those of a rule: who reads too much may sit at command."""

for _rule in RULES.values():
    register(
        Kind(
            _rule.kind,
            LABELS[_rule.name],
            tier=Tier(_rule.tier),
            permission=ASKING.get(_rule.name),
            explain=partial(explain, _rule.name),
        )
    )


@dataclass(frozen=True, slots=True)
class Standing:
    """A rule as it stands: command's own values where there are any, else the project's."""

    rule: Rule
    enabled: bool
    tier: str
    limits: Mapping[str, int]
    updated_at: datetime | None
    updated_by: str | None
    looked_at: datetime | None


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a rule would have found: how many in all and by day (of the site), and some examples, the newest first."""

    days: int
    total: int
    by_day: tuple[tuple[date, int], ...]
    examples: tuple[Finding, ...]
    known: int


def _site() -> tuple[str, str]:
    settings: Settings = current_app.extensions["settings"]
    return settings.site_division, settings.timezone


def _standing(rule: Rule, row: WatchRule | None) -> Standing:
    if row is None:
        return Standing(rule, True, rule.tier, rule.defaults(), None, None, None)
    limits = rule.defaults() | {name: int(value) for name, value in row.params.items() if name in rule.defaults()}
    return Standing(rule, row.enabled, row.tier, limits, row.updated_at, row.updated_by, row.looked_at)


def standings() -> list[Standing]:
    """Every rule as it stands."""
    rows = {row.name: row for row in db.session.scalars(select(WatchRule).execution_options(populate_existing=True))}
    return [_standing(rule, rows.get(rule.name)) for rule in RULES.values()]


def standing(name: str) -> Standing:
    """One rule as it stands; NotFound for a name that is none."""
    if name not in RULES:
        raise NotFound
    return _standing(RULES[name], db.session.get(WatchRule, name, populate_existing=True))


def checked_limits(rule: Rule, given: Mapping[str, Any]) -> dict[str, int]:
    """Every limit of a rule as a number within its bounds; InvalidInput names each that is not."""
    errors, found = [], {}
    for limit in rule.limits:
        raw = str(given.get(limit.name, limit.default)).strip()
        if not (raw.isascii() and raw.isdecimal() and len(raw) <= 6 and limit.low <= int(raw) <= limit.high):
            message = _("From %(low)s to %(high)s.", low=limit.low, high=limit.high)
            errors.append(FieldError(limit.name, "range", message))
        else:
            found[limit.name] = int(raw)
    if errors:
        raise InvalidInput(errors)
    return found


def may_change(name: str, actor: Actor) -> bool:
    """Whether somebody sets a rule: command, but for the one that may be about command; that one is the auditor's."""
    return actor.may(ASKING.get(name, Permission.WATCH_WRITE))


def _locked(name: str) -> WatchRule:
    """The row of a rule, made now if there is none, locked for the rest of the transaction."""
    rule = RULES[name]
    session = db.session
    maker = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    session.execute(
        maker(WatchRule)
        .values(name=name, enabled=True, tier=rule.tier, params=rule.defaults())
        .on_conflict_do_nothing(index_elements=["name"])
    )
    query = select(WatchRule).where(WatchRule.name == name).with_for_update()
    return session.scalars(query.execution_options(populate_existing=True)).one()


def change(name: str, *, enabled: bool, tier: str, limits: Mapping[str, Any], actor: Actor, at: datetime) -> Standing:
    """Set a rule. Raises NotAllowed, NotFound, InvalidInput."""
    if name not in RULES:
        raise NotFound
    if not may_change(name, actor):
        raise NotAllowed
    numbers = checked_limits(RULES[name], limits)
    if tier not in (Tier.RED.value, Tier.YELLOW.value):
        raise InvalidInput.one("tier", "unknown", _("Choose one of the tiers."))
    with transaction() as session:
        row = _locked(name)
        row.enabled, row.tier, row.params = enabled, tier, numbers
        row.updated_at, row.updated_by = at, actor.key
        record(
            at=at,
            actor_kind=actor.kind,
            actor_id=actor.id,
            act="watch.change",
            object_type="watch_rule",
            object_id=name,
            data={"enabled": enabled, "tier": tier, **numbers},
        )
        session.flush()
    return standing(name)


def look_all(at: datetime, policy: PolicyData) -> int:
    """Let every rule look whose time has come; returns how many alerts were raised."""
    return sum(look(one, at, policy) for one in standings() if one.enabled and _is_due(one, at))


def _is_due(one: Standing, at: datetime) -> bool:
    return one.looked_at is None or at - one.looked_at >= one.rule.every


def look(one: Standing, at: datetime, policy: PolicyData) -> int:
    """Let one rule look at what has happened since it last did, and a little before; returns how many alerts were raised.

    Looking is a read. The alerts are written under the lock of the rule's row, and only if nobody else has looked meanwhile.
    """
    since = (one.looked_at or at) - one.rule.overlap
    site, timezone = _site()
    span = Span(max(since, at - LONGEST_CATCH_UP), at, site, timezone)
    findings = [finding for finding in QUERIES[one.rule.name](span, one.limits) if span.holds(finding.at)]
    with transaction() as session:
        row = _locked(one.rule.name)
        if row.looked_at != one.looked_at or not row.enabled:
            return 0
        row.looked_at = at
        session.flush()
        new = _new(one, findings)
        raise_alerts(new, policy, at)
        if one.rule.name == BULK:
            note_unusual(new, at)
    return len(new)


def _new(one: Standing, findings: Sequence[Finding]) -> list[NewAlert]:
    by_cause = {cause_of(one.rule, finding): finding for finding in findings}
    known = _known(list(by_cause))
    return [
        NewAlert(
            kind=one.rule.kind,
            cause=cause,
            division_code=finding.division_code,
            tier=one.tier,
            needs_answer=one.rule.needs_answer,
            subject_type=finding.subject_type,
            subject_id=finding.subject_id,
            params=dict(finding.params),
        )
        for cause, finding in by_cause.items()
        if cause not in known
    ]


def _known(causes: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for start in range(0, len(causes), _CHUNK):
        found |= set(db.session.scalars(select(Alert.cause).where(Alert.cause.in_(causes[start : start + _CHUNK]))))
    return found


def dry_run(name: str, limits: Mapping[str, Any], days: int, *, actor: Actor, at: datetime) -> DryRun:
    """What a rule with these limits would have found in the last days. Nothing is written. Raises NotAllowed, InvalidInput."""
    if not actor.may(Permission.COMMAND_READ):
        raise NotAllowed
    if name not in RULES:
        raise NotFound
    if not 1 <= days <= MOST_DAYS:
        raise InvalidInput.one("days", "range", _("From %(low)s to %(high)s.", low=1, high=MOST_DAYS))
    rule = RULES[name]
    site, timezone = _site()
    span = Span(at - timedelta(days=days), at, site, timezone)
    found = {
        cause_of(rule, one): one for one in QUERIES[name](span, checked_limits(rule, limits)) if span.holds(one.at)
    }
    ordered = sorted(found.values(), key=lambda one: one.at, reverse=True)
    by_day = Counter(span.local(one.at).date() for one in ordered)
    known = len(_known(list(found)))
    return DryRun(days, len(ordered), tuple(sorted(by_day.items(), reverse=True)), tuple(ordered[:EXAMPLES]), known)
