"""A person's way in one line of time: declared, assessed, scanned, decided, told to the village, acknowledged, visited, released."""

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy import select

from checkpoint.alerts.models import Alert, AlertEvent
from checkpoint.alerts.queries import history
from checkpoint.crossings import queries as crossings
from checkpoint.database import db
from checkpoint.followups import queries as followups
from checkpoint.registrations.models import RegistrationAct
from checkpoint.registrations.queries import Record
from checkpoint.risk.models import Assessment
from checkpoint.web import inbox_words as words
from checkpoint.web.filters import tier_word
from checkpoint.web.inbox_cards import actor_names, place_names


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened; `after` is the time since the step before it, `by` who did it (an actor's key)."""

    at: datetime
    title: str
    text: str = ""
    tone: str = ""
    by: str | None = None
    after: str = ""


def timeline(record: Record, alerts: Iterable[Alert]) -> list[Step]:
    """Everything about a registration, oldest first. The caller has scoped the record; `alerts` are those about it."""
    found = [
        *_declared(record),
        *_assessed(record.registration.id),
        *_crossed(record.registration.id),
        *(step for alert in alerts for step in _told(alert)),
        *_visited(record.registration.id),
    ]
    names = actor_names(step.by for step in found)
    ordered = sorted(found, key=lambda step: step.at)
    return [_told_apart(step, before, names) for step, before in zip(ordered, [None, *ordered], strict=False)]


def _told_apart(step: Step, before: Step | None, names: dict[str, str]) -> Step:
    gap = step.at - before.at if before else timedelta()
    who = names.get(step.by or "", "")
    text = " · ".join(part for part in (step.text, who) if part)
    return Step(step.at, step.title, text, step.tone, step.by, words.span(gap) if gap >= timedelta(minutes=1) else "")


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
    for one in db.session.scalars(rows):
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
    result = (event.data or {}).get("result")
    return words.word(words.RESULTS, str(result)) if result else ""


def _visited(registration_id: uuid.UUID) -> Iterator[Step]:
    for one in followups.of_registration(registration_id):
        if one.state == "done" and one.done_at is not None:
            title = words.word(words.FOLLOWUPS, one.kind)
            text = " · ".join(part for part in (words.word(words.FOLLOWUP_RESULTS, one.result), one.note or "") if part)
            yield Step(one.done_at, title, text, by=one.done_by)
