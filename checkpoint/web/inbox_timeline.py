"""A person's way in one line of time: declared, scanned, decided, told, delivered, seen, acknowledged, arrived, tested, released."""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from checkpoint.accounts.permissions import Actor, Permission
from checkpoint.alerts.models import Alert, AlertEvent, AlertReceipt
from checkpoint.alerts.queries import history
from checkpoint.alerts.receipts import of_alerts
from checkpoint.appeals import queries as appeals
from checkpoint.crossings import queries as crossings
from checkpoint.database import db
from checkpoint.followups import queries as followups
from checkpoint.followups.alarms import task_words
from checkpoint.followups.finishing import PLAN_COMPLETE
from checkpoint.followups.models import FollowUp
from checkpoint.registrations.models import RegistrationAct
from checkpoint.registrations.queries import Record
from checkpoint.retention.looks import looks_at
from checkpoint.risk.models import Assessment
from checkpoint.risk.wording import SYMPTOMS
from checkpoint.surveillance.people import BULK_CAUSES
from checkpoint.web import inbox_words as words
from checkpoint.web.filters import tier_word
from checkpoint.web.inbox_cards import actor_names, place_names
from checkpoint.web.purpose_words import FIELDS, office_word, purpose_word
from checkpoint.words import _, lazy, plural


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened; `after` is the time since the step before it, `by` who did it (an actor's key)."""

    at: datetime
    title: str
    text: str = ""
    tone: str = ""
    by: str | None = None
    after: str = ""


def timeline(record: Record, alerts: Iterable[Alert], reader: Actor) -> list[Step]:
    """Everything about a registration, oldest first. The caller has scoped the record; `alerts` are those about it.

    Whoever opened a number or an address is named to those who would find their account, and to others by their office alone.
    """
    known = list(alerts)
    found = [
        *_declared(record),
        *_assessed(record.registration.id),
        *_crossed(record.registration.id),
        *(step for alert in known for step in _told(alert)),
        *_reached(known),
        *_visited(record),
        *_reported(record),
        *_appealed(record.registration.id),
        *_opened(record, reader),
    ]
    names = actor_names(step.by for step in found)
    ordered = sorted(found, key=lambda step: step.at)
    return [_told_apart(step, before, names) for step, before in zip(ordered, [None, *ordered], strict=False)]


def _told_apart(step: Step, before: Step | None, names: dict[str, str]) -> Step:
    gap = step.at - before.at if before else timedelta()
    who = names.get(step.by or "", "")
    text = " · ".join(part for part in (step.text, who) if part)
    return Step(step.at, step.title, text, step.tone, step.by, words.span(gap) if before else "")


def _declared(record: Record) -> Iterator[Step]:
    registration = record.registration
    place = place_names([registration.destination_code])[registration.destination_code]
    yield Step(registration.created_at, str(_("Declared")), str(_("Destination: %(place)s", place=place)))
    acts = select(RegistrationAct).where(RegistrationAct.registration_id == registration.id)
    for act in db.session.scalars(acts.order_by(RegistrationAct.at)):
        if act.act == "amend":
            yield Step(act.at, str(_("Declaration changed by the traveller")))
        elif act.act == "withdraw":
            yield Step(act.at, str(_("Withdrawn by the traveller")))


def _assessed(registration_id: uuid.UUID) -> Iterator[Step]:
    rows = select(Assessment).where(Assessment.registration_id == registration_id).order_by(Assessment.made_at)
    before: Assessment | None = None
    for one in db.session.scalars(rows):
        same = before is not None and (one.tier, one.score) == (before.tier, before.score)
        before = one
        if same and one.cause in BULK_CAUSES:
            continue  # another list looked at this person again and found nothing new
        version = str(_("list version %(number)s", number=one.list_id)) if one.list_id else str(_("no list in force"))
        title = str(_("Assessed: %(tier)s, %(score)s points", tier=tier_word(one.tier), score=one.score))
        yield Step(one.made_at, title, version, one.tier)


def _crossed(registration_id: uuid.UUID) -> Iterator[Step]:
    found = crossings.of_registration(registration_id)
    conflicts = crossings.conflicts([crossing for crossing, _place in found])
    for crossing, place in found:
        verdict = words.word(words.VERDICTS, crossing.verdict)
        against = "; ".join(_other_lane(one) for one in conflicts.get(crossing.id, ()))
        title = str(_("Scanned at %(place)s: %(verdict)s", place=place, verdict=verdict))
        yield Step(crossing.scanned_at, title, against)
        for decision in crossings.decisions(crossing.id):
            word = words.word(words.DECISIONS, decision.decision)
            title = str(_("The officer decided: %(decision)s", decision=word))
            yield Step(decision.decided_at, title, decision.note or "")


def _other_lane(other: crossings.Conflict) -> str:
    decision = words.word(words.DECISIONS, other.decision)
    return str(_("Another lane decided otherwise: %(place)s, %(decision)s", place=other.checkpoint, decision=decision))


def _told(alert: Alert) -> Iterator[Step]:
    place = place_names([alert.division_code])[alert.division_code]
    kind = words.word(words.KINDS, alert.kind)
    yield Step(alert.created_at, str(_("Alert to %(place)s", place=place)), kind, alert.tier)
    for event in history(alert.id):
        title = _step_title(event)
        if title:
            yield Step(event.at, title, _step_text(event), by=event.actor)


def _step_title(event: AlertEvent) -> str:
    if event.event == "escalated":
        level = words.word_of_level(int((event.data or {}).get("to", 3)))
        return str(_("Not answered in time: now with the %(level)s", level=level))
    # What the checkpoint did stands in the timeline by itself.
    return str(words.STEPS[event.event]) if event.event in words.STEPS else ""


def _step_text(event: AlertEvent) -> str:
    data = event.data or {}
    if data.get("because") == "withdraw":
        return str(_("List version %(number)s was taken back", number=data.get("list_id") or "–"))
    if data.get("because") == "policy_withdraw":
        return str(_("The control policy that was taken back no longer counts"))
    result = data.get("result")
    return words.word(words.RESULTS, str(result)) if result else ""


def _reached(alerts: Sequence[Alert]) -> Iterator[Step]:
    """When an alert first came to somebody's screen or phone, and when somebody first saw it."""
    first: dict[uuid.UUID, AlertReceipt] = {}
    for receipt in of_alerts([alert.id for alert in alerts]) if alerts else ():
        first.setdefault(receipt.alert_id, receipt)
    for alert in alerts:
        reached = first.get(alert.id)
        kind = words.word(words.KINDS, alert.kind)
        if reached is not None:
            yield Step(reached.delivered_at, str(_("Delivered")), kind, by=f"user:{reached.user_id}")
        if alert.seen_at is not None:
            yield Step(alert.seen_at, str(_("Seen")), kind, by=alert.seen_by)


_ENDED = {
    "replanned": lazy("the measures have changed"),
    "reassessed": lazy("assessed anew under another list"),
    "turned_back": lazy("turned back at the checkpoint"),
    "entered_again": lazy("let in once more"),
    "released": lazy("released"),
    "not_inside": lazy("not in the city any more"),
    "lapsed": lazy("the commuter's approval is over"),
    "approval_ended": lazy("the commuter's approval was withdrawn"),
}


def _visited(record: Record) -> Iterator[Step]:
    gone: dict[tuple[datetime, str, str | None], int] = {}
    for one in followups.of_registration(record.registration.id):
        if one.done_at is None:
            continue
        if one.state == "cancelled":
            key = (one.done_at, one.because or "", one.done_by)
            gone[key] = gone.get(key, 0) + 1
        elif one.state == "done":
            yield _done(one, record)
    for (at, because, who), number in gone.items():
        title = plural(
            "%(num)s piece of follow-up work cancelled", "%(num)s pieces of follow-up work cancelled", number
        )
        yield Step(at, title, words.word(_ENDED, because), by=who)


def _done(one: FollowUp, record: Record) -> Step:
    title = task_words(one.kind, one.day)
    parts = [words.word(words.FOLLOWUP_RESULTS, one.result)]
    entered = record.registration.entered_at
    if one.result == "arrived" and entered is not None and one.done_at is not None:
        parts.append(str(_("%(span)s from barrier to door", span=words.span(one.done_at - entered))))
    if one.because == PLAN_COMPLETE:
        parts.append(str(_("by itself: everything planned was done, and nothing was amiss")))
    parts.append(one.note or "")
    return Step(one.done_at or one.due_at, title, " · ".join(part for part in parts if part), by=one.done_by)


def _reported(record: Record) -> Iterator[Step]:
    """What the traveller told, and the tests that were taken at the checkpoint."""
    for one in followups.reports_of(record.registration.id):
        if one.kind == "arrival":
            text = str(_("by the poster at the door")) if one.place_code else ""
            yield Step(one.reported_at, str(_("The traveller tells: has arrived")), text)
        elif one.kind == "health":
            parts = [f"{one.temperature / 10:.1f} °C"] if one.temperature is not None else []
            parts += [str(SYMPTOMS.get(symptom, symptom)) for symptom in one.symptoms]
            well = str(_("no symptoms"))
            yield Step(one.reported_at, str(_("The traveller tells: health")), " · ".join(parts) or well)
        else:
            kind, result = (
                words.word(words.TEST_KINDS, one.test_kind),
                words.word(words.FOLLOWUP_RESULTS, one.test_result),
            )
            yield Step(one.reported_at, str(_("The traveller tells: test")), f"{kind}: {result}")
    for test in record.tests:
        if test.source not in ("declared", "followup"):
            title = str(_("Tested at the checkpoint"))
            text = f"{words.word(words.TEST_KINDS, test.kind)}: {words.word(words.FOLLOWUP_RESULTS, test.result)}"
            yield Step(test.taken_at, title, text)


def _appealed(registration_id: uuid.UUID) -> Iterator[Step]:
    for one in appeals.of_registration(registration_id):
        yield Step(one.made_at, str(_("The traveller appeals")))
        if one.answered_at is not None:
            title = _("Appeal granted") if one.state == "granted" else _("Appeal not granted")
            yield Step(one.answered_at, str(title), one.answer or "", by=one.answered_by)


def _opened(record: Record, reader: Actor) -> Iterator[Step]:
    """Who opened what is sealed, and what for; never what they saw."""
    found = looks_at(record, with_inquiries=reader.may(Permission.INQUIRIES_REVIEW))
    places = place_names({one.division_code for one in found if one.division_code})
    for one in found:
        shown = "; ".join(str(FIELDS[field]) for field in one.fields if field in FIELDS)
        office = office_word(one.role, places.get(one.division_code, ""))
        is_named = bool(one.division_code) and reader.sees(one.division_code)
        text = " · ".join(part for part in (purpose_word(one.purpose), office) if part)
        title = str(_("Shown in full: %(fields)s", fields=shown)) if shown else str(_("Personal data opened"))
        yield Step(one.at, title, text, by=one.by if is_named else None)
