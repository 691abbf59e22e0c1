"""What an approval allows in one short line, for the officer at the barrier and on the traveller's pass page."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from babel.dates import get_day_names
from flask_babel import get_locale
from sqlalchemy import select

from checkpoint.accounts.models import Checkpoint
from checkpoint.approvals.conditions import Conditions, Route
from checkpoint.approvals.in_force import of_registrations
from checkpoint.database import db
from checkpoint.registrations.models import Pass
from checkpoint.registrations.queries import place_name
from checkpoint.web.filters import when
from checkpoint.words import _


@dataclass(frozen=True, slots=True)
class ApprovalLine:
    """An approval on a pass page; `binding` when the pass holds only within it."""

    number: str
    line: str
    binding: bool


def approval_line(conditions: Conditions) -> str:
    """Validity, days, hours, checkpoints, route, test and note, as far as they say something."""
    parts = [_("%(first)s to %(last)s", first=when(conditions.valid_from), last=when(conditions.valid_until))]
    if conditions.days:
        names = get_day_names("abbreviated", locale=get_locale())
        parts.append(_(", ").join(names[day - 1] for day in sorted(conditions.days)))
    if conditions.hours:
        parts.append("–".join(conditions.hours))
    if conditions.checkpoints:
        parts.append(_(", ").join(_posts(conditions.checkpoints)))
    if conditions.route:
        parts.append(_route(conditions.route))
    if conditions.test_hours:
        parts.append(_("negative test of at most %(hours)s hours", hours=conditions.test_hours))
    return " · ".join(part for part in [*parts, conditions.note] if part)


def stored_line(terms: Mapping[str, Any]) -> str:
    """The line of the terms that stand with a crossing's reason."""
    return approval_line(Conditions.from_json(terms))


def lines_of(registration_id: uuid.UUID) -> list[ApprovalLine]:
    """The approvals of a trip's pass, for its pass page."""
    found = of_registrations([registration_id], Pass.revoked_at.is_(None))
    return [
        ApprovalLine(one.number, approval_line(one.conditions), one.conditions.binding)
        for standings in found.values()
        for one in sorted(standings, key=lambda one: one.number)
    ]


def _posts(codes: Iterable[str]) -> list[str]:
    wanted = list(codes)
    names: dict[str, str] = dict(
        db.session.execute(select(Checkpoint.code, Checkpoint.name).where(Checkpoint.code.in_(wanted))).tuples().all()
    )
    return [names.get(code, code) for code in wanted]


def _route(route: Route) -> str:
    start = place_name(route.start) if route.start else ""
    goals = _(", ").join(place_name(code) for code in route.to)
    stops = _(", ").join(place_name(code) for code in route.stops)
    way = f"{start} → {goals}" if start or goals else ""
    return " · ".join(part for part in (way, _("stops: %(places)s", places=stops) if stops else "") if part)
