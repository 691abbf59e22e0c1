"""What a pass page says of the time after the barrier: who answers for the traveller, what comes when, what was told, appeals."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import current_app
from sqlalchemy import select

from checkpoint.accounts.models import User
from checkpoint.alerts.duty import chain, on_duty
from checkpoint.appeals import queries as appeals
from checkpoint.appeals.models import Appeal
from checkpoint.appeals.service import MAX_APPEALS, OPEN_TRIPS
from checkpoint.clock import local_date
from checkpoint.database import db
from checkpoint.followups import queries as followups
from checkpoint.followups.alarms import task_words
from checkpoint.followups.models import FollowUp, TravellerReport
from checkpoint.registrations.models import Registration, RegistrationState
from checkpoint.registrations.queries import Record, is_standing
from checkpoint.risk.models import Assessment
from checkpoint.web.filters import day, hour, tier_word, when
from checkpoint.web.inbox_cards import place_names
from checkpoint.words import _

TESTS = ("landing_test", "test")


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that is to come or was done, with its time in words; `tone` is done, late, wait or empty."""

    title: str
    text: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Care:
    """`may` names what can be told from the page now: arrival, health, test, appeal."""

    place: str
    phone: str
    lines: tuple[Line, ...]
    appeals: tuple[Line, ...]
    change: str
    may: tuple[str, ...]


def care(record: Record, at: datetime) -> Care:
    """All of it for one record at an instant."""
    registration = record.registration
    work = followups.of_registration(registration.id)
    told = followups.reports_of(registration.id)
    asked = appeals.of_registration(registration.id)
    inside = registration.state == RegistrationState.INSIDE.value
    return Care(
        place=place_names([registration.destination_code])[registration.destination_code],
        phone=duty_phone(registration.destination_code, at),
        lines=tuple(_lines(work, told, at)) if inside else (),
        appeals=tuple(_appeal_line(one) for one in asked),
        change=_change(registration),
        may=tuple(_may(registration, work, told, asked)),
    )


def duty_phone(division_code: str, at: datetime) -> str:
    """Whom the traveller can call: somebody on duty in the village, else the town, else the number of the site."""
    codes = chain(division_code)
    staff = on_duty(codes, at)
    for code in codes:
        if code not in staff:
            continue
        for user in db.session.scalars(select(User).where(User.id.in_(staff[code])).order_by(User.login)):
            if user.phone:
                return user.phone
    phone: str = current_app.extensions["settings"].site_phone
    return phone


def _may(
    registration: Registration, work: list[FollowUp], told: list[TravellerReport], asked: list[Appeal]
) -> Iterable[str]:
    if registration.state == RegistrationState.INSIDE.value:
        waiting = {one.follow_up_id for one in told if one.state == "waiting"}
        if any(one.kind == "arrival_visit" and one.state == "open" and one.id not in waiting for one in work):
            yield "arrival"
        yield "health"
    if registration.state == RegistrationState.INSIDE.value or (
        registration.state in OPEN_TRIPS and is_standing(registration.id)
    ):
        yield "test"
    is_open = any(one.state == "open" for one in asked)
    if registration.state in OPEN_TRIPS and registration.tier != "green" and not is_open and len(asked) < MAX_APPEALS:
        yield "appeal"


def _lines(work: list[FollowUp], told: list[TravellerReport], at: datetime) -> Iterable[Line]:
    """What was done and what comes, in the order of its time; of the daily health reports only today's and the number left."""
    timezone = current_app.extensions["settings"].timezone
    waiting = {one.follow_up_id: one for one in told if one.state == "waiting"}
    checks = [one for one in work if one.kind == "health_check" and one.state == "open" and one.due_at > at]
    for one in work:
        if one.state == "cancelled" or (one.kind == "health_check" and (one.state == "done" or one.due_at <= at)):
            continue
        if one.kind == "health_check":
            if one is checks[0] and one.from_at <= at:
                yield Line(str(_("Health report of today")), str(_("not told yet")), "wait")
            continue
        yield _line(one, waiting.get(one.id), at)
    if any(one.kind == "health" and _is_today(one.reported_at, at, timezone) for one in told):
        yield Line(str(_("Health report of today")), str(_("told, thank you")), "done")
    if checks:
        last = local_date(checks[-1].from_at, timezone)
        yield Line(str(_("Health report every day")), str(_("until %(day)s", day=day(last))))
    for report in told:
        if report.kind == "test" and report.state == "waiting" and report.follow_up_id is None:
            yield Line(str(_("Test told by you")), _waits(report), "wait")


def _is_today(then: datetime, at: datetime, timezone: str) -> bool:
    return local_date(then, timezone) == local_date(at, timezone)


def _line(one: FollowUp, claim: TravellerReport | None, at: datetime) -> Line:
    name = str(_("Arrival at the door")) if one.kind == "arrival_visit" else task_words(one.kind, one.day)
    if one.state == "done":
        done = {
            "arrived": _("confirmed %(time)s", time=when(one.done_at)),
            "not_here": _("nobody was met %(time)s", time=when(one.done_at)),
            "negative": _("negative, %(time)s", time=when(one.done_at)),
            "positive": _("positive, %(time)s", time=when(one.done_at)),
            "refused": _("not taken, %(time)s", time=when(one.done_at)),
        }
        good = one.result in ("arrived", "negative", "released")
        return Line(name, str(done.get(one.result or "", when(one.done_at))), "done" if good else "late")
    if claim is not None:
        return Line(name, _waits(claim), "wait")
    if one.due_at <= at:
        return Line(name, str(_("should have been done by %(time)s", time=when(one.due_at))), "late")
    if one.due_at - one.from_at == timedelta(days=1):
        timezone = current_app.extensions["settings"].timezone
        return Line(name, str(_("on %(day)s", day=day(local_date(one.from_at, timezone)))))
    return Line(name, str(_("until %(time)s", time=when(one.due_at))))


def _waits(claim: TravellerReport) -> str:
    return str(_("told at %(time)s; your village or community will confirm it", time=hour(claim.reported_at)))


def _appeal_line(one: Appeal) -> Line:
    made = str(_("Appeal of %(time)s", time=when(one.made_at)))
    if one.state == "open":
        return Line(made, str(_("You will have an answer by %(time)s.", time=when(one.due_at))), "wait")
    if one.state == "void":
        return Line(made, str(_("Not needed any more.")))
    answer = one.answer or ""
    if one.state == "granted":
        return Line(made, str(_("Granted: %(why)s", why=answer)), "done")
    return Line(made, str(_("Not granted: %(why)s", why=answer)), "late")


def _change(registration: Registration) -> str:
    """That the colour is another one than before, since when and why; empty when nothing has changed since the declaration."""
    newest = db.session.get(Assessment, registration.assessment_id)
    if newest is None or newest.cause in ("submit", "amend"):
        return ""
    before = _before(registration.id, newest)
    if before is None or before == newest.tier:
        return ""
    because = {
        "appeal": _("your appeal was granted"),
        "withdrawal": _("a wrong list or policy was taken back"),
        "test": _("of a test result"),
        "spot_test": _("of a test result"),
        "daily": _("the place where you live was looked at again today"),
        "policy": _("the control policy has changed"),
        "health": _("of the symptoms you told"),
        "override_end": _("what had been set aside counts again"),
    }.get(newest.cause, _("the risk list has changed"))
    return str(
        _(
            "Your colour changed from %(before)s to %(now)s on %(time)s, because %(why)s.",
            before=tier_word(before),
            now=tier_word(newest.tier),
            time=when(newest.made_at),
            why=because,
        )
    )


def _before(registration_id: uuid.UUID, newest: Assessment) -> str | None:
    query = select(Assessment.tier).where(
        Assessment.registration_id == registration_id,
        Assessment.id != newest.id,
        Assessment.made_at <= newest.made_at,
    )
    return db.session.scalars(query.order_by(Assessment.made_at.desc()).limit(1)).first()
