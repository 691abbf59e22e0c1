"""What an inbox card and a piece of follow-up work show, gathered for a whole list at once: a fixed number of queries."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import select

from checkpoint.accounts.models import Checkpoint, User
from checkpoint.accounts.permissions import Actor, Permission
from checkpoint.alerts.duty import level_of
from checkpoint.alerts.kinds import explained
from checkpoint.alerts.models import Alert, AlertState
from checkpoint.alerts.queries import LIVE_STATES
from checkpoint.crossings.models import Crossing
from checkpoint.database import db
from checkpoint.followups.models import FollowUp
from checkpoint.followups.queries import claims, visits
from checkpoint.followups.service import RESULTS as FOLLOWUP_RESULTS
from checkpoint.regions import queries as divisions
from checkpoint.regions.models import at_level
from checkpoint.registrations import queries as registrations
from checkpoint.registrations.models import Registration, Traveller
from checkpoint.risk.models import Assessment
from checkpoint.risk.wording import measure_text, reason_text
from checkpoint.web import inbox_words as words
from checkpoint.web.patrol_words import alert_lines

RANK = {"red": 0, "yellow": 1}
VILLAGE, TOWN, COUNTY = 5, 4, 3


@dataclass(frozen=True, slots=True)
class Happened:
    """One thing that happened at the barrier or with the alert, in words."""

    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Card:
    """An alert as the inbox shows it. `person` is masked, None when the matter is no person or no longer this jurisdiction's.

    `rank` and `due` put it in its place: red first, then the nearest deadline, then the newest. `holder` is the colleague whom it
    was handed to, `visit` the open visit at the door: that the person has arrived can be said on the card.
    """

    alert: Alert
    title: str
    state: str
    place: str
    person: Mapping[str, str] | None
    registration: Registration | None
    origin: str
    trip: str
    reasons: tuple[str, ...]
    measures: tuple[str, ...]
    happened: tuple[Happened, ...]
    due: datetime | None
    due_text: str
    overdue: bool
    rank: int
    escalated: str
    result: str
    holder: str = ""
    visit: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """A piece of follow-up work as the inbox shows it; `choices` are its results with their words, `claim` what the traveller told."""

    followup: FollowUp
    title: str
    place: str
    person: Mapping[str, str] | None
    registration: Registration | None
    overdue: bool
    choices: tuple[tuple[str, str], ...]
    result: str
    claim: str = ""


@dataclass(frozen=True, slots=True)
class _Known:
    """The rows that a list of cards needs, by id."""

    people: Mapping[uuid.UUID, tuple[Registration, Traveller]]
    assessments: Mapping[uuid.UUID, Assessment]
    crossings: Mapping[uuid.UUID, list[tuple[Crossing, str]]]
    places: Mapping[str, str]
    actors: Mapping[str, str]
    visits: Mapping[uuid.UUID, uuid.UUID]


def people_of(actor: Actor, ids: Iterable[uuid.UUID | None]) -> dict[uuid.UUID, tuple[Registration, Traveller]]:
    """Registrations with their travellers, as far as the actor may see them."""
    wanted = {one for one in ids if one is not None}
    if not wanted or not actor.may(Permission.PEOPLE_READ):
        return {}
    scoped = registrations.scoped(actor).where(Registration.id.in_(wanted)).subquery()
    rows = db.session.execute(
        select(Registration, Traveller)
        .join(Traveller, Traveller.id == Registration.traveller_id)
        .where(Registration.id.in_(select(scoped.c.id)))
    )
    return {registration.id: (registration, traveller) for registration, traveller in rows}


def crossings_of(ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[tuple[Crossing, str]]]:
    """The crossings of registrations with the names of their checkpoints, oldest first; the caller has scoped the ids."""
    found: dict[uuid.UUID, list[tuple[Crossing, str]]] = {}
    if ids:
        rows = db.session.execute(
            select(Crossing, Checkpoint.name)
            .join(Checkpoint, Checkpoint.id == Crossing.checkpoint_id)
            .where(Crossing.registration_id.in_(ids))
            .order_by(Crossing.scanned_at)
        )
        for crossing, name in rows:
            if crossing.registration_id is not None:
                found.setdefault(crossing.registration_id, []).append((crossing, name))
    return found


def place_names(codes: Iterable[str]) -> dict[str, str]:
    """Jurisdictions as people call them: town and village (乍浦镇 八字村), or the town alone."""
    every = set(codes)
    names = divisions.names(every | {at_level(code, TOWN) for code in every})
    found = {}
    for code in every:
        town = at_level(code, TOWN)
        parts = [names.get(town, ""), words.short_place(names.get(code, ""))] if town != code else [names.get(code, "")]
        found[code] = " ".join(part for part in parts if part) or code
    return found


def actor_names(keys: Iterable[str | None]) -> dict[str, str]:
    """Who is meant by `user:<uuid>`, for people; tablets, tokens and the system by what they are."""
    found: dict[str, str] = {}
    users: dict[uuid.UUID, str] = {}
    for key in {key for key in keys if key}:
        kind, _colon, raw = key.partition(":")
        found[key] = {
            "device": str(_("the checkpoint")),
            "token": str(_("a connected system")),
            "system": str(_("the system")),
            "traveller": str(_("the traveller")),
            "applicant": str(_("the applicant")),
        }.get(kind, "")
        if kind == "user" and raw:
            users[uuid.UUID(raw)] = key
    if users:
        for user_id, name in db.session.execute(select(User.id, User.display_name).where(User.id.in_(users))):
            found[users[user_id]] = name
    return found


def _gather(actor: Actor, alerts: Sequence[Alert]) -> _Known:
    people = people_of(actor, (alert.subject_id for alert in alerts if alert.subject_type == "registration"))
    ids = [registration.assessment_id for registration, _traveller in people.values()]
    assessments = (
        {row.id: row for row in db.session.scalars(select(Assessment).where(Assessment.id.in_(ids)))} if ids else {}
    )
    keys = [key for alert in alerts for key in (alert.acknowledged_by, alert.resolved_by)]
    keys += [f"user:{alert.assigned_to}" for alert in alerts if alert.assigned_to is not None]
    return _Known(
        people,
        assessments,
        crossings_of(list(people)),
        place_names(alert.division_code for alert in alerts),
        actor_names(keys),
        visits(list(people)),
    )


def cards(actor: Actor, alerts: Sequence[Alert], at: datetime) -> list[Card]:
    """The cards of alerts that the actor was allowed to read, in the same order."""
    known = _gather(actor, alerts)
    return [_card(alert, known, at) for alert in alerts]


def card(actor: Actor, alert: Alert, at: datetime) -> Card:
    """The card of one alert."""
    return cards(actor, [alert], at)[0]


def _card(alert: Alert, known: _Known, at: datetime) -> Card:
    registration, traveller = known.people.get(alert.subject_id, (None, None)) if alert.subject_id else (None, None)
    assessment = known.assessments.get(registration.assessment_id) if registration else None
    due = {AlertState.OPEN.value: alert.ack_due, AlertState.ACKNOWLEDGED.value: alert.resolve_due}.get(alert.state)
    return Card(
        alert=alert,
        title=words.word(words.KINDS, alert.kind),
        state=words.word(words.STATES, alert.state),
        place=known.places.get(alert.division_code, alert.division_code),
        person=registrations.masked(traveller) if traveller else None,
        registration=registration,
        origin=origin_of(registration) if registration else "",
        trip=words.word(words.TRIPS, registration.state) if registration else "",
        reasons=explained(alert.kind, alert.params)
        + (
            tuple(reason_text(reason) for reason in assessment.reasons)
            if assessment
            else tuple(alert_lines(alert.kind, alert.params))
        ),
        measures=tuple(measure_text(measure) for measure in assessment.measures) if assessment else (),
        happened=tuple(_happened(alert, registration, known)),
        due=due,
        due_text=words.due_sentence(alert.state, due - at) if due else "",
        overdue=due is not None and due <= at,
        rank=RANK.get(alert.tier, 2),
        escalated=words.word_of_level(alert.responsible_level)
        if alert.escalated_at or alert.responsible_level < level_of(alert.division_code)
        else "",
        result=words.word(words.RESULTS, alert.result) if alert.state not in LIVE_STATES else "",
        holder=known.actors.get(f"user:{alert.assigned_to}", "") if alert.assigned_to else "",
        visit=known.visits.get(registration.id) if registration else None,
    )


def origin_of(registration: Registration) -> str:
    """Where somebody comes from: the official name as deep as it could be found, else their own words."""
    return registrations.place_name(registration.origin_code) or registration.origin_text or ""


def _happened(alert: Alert, registration: Registration | None, known: _Known) -> Iterable[Happened]:
    steps = []
    if registration is not None:
        steps += [crossing_step(crossing, name) for crossing, name in known.crossings.get(registration.id, [])[-2:]]
    if alert.acknowledged_at is not None:
        who = known.actors.get(alert.acknowledged_by or "", "")
        steps.append(Happened(alert.acknowledged_at, str(_("Acknowledged by %(name)s", name=who))))
    if alert.resolved_at is not None:
        who = known.actors.get(alert.resolved_by or "", "")
        steps.append(Happened(alert.resolved_at, str(_("Dealt with by %(name)s", name=who))))
    return sorted(steps, key=lambda step: step.at)


def crossing_step(crossing: Crossing, checkpoint: str) -> Happened:
    """A scan with its verdict and what the officer decided, in words."""
    verdict = words.word(words.VERDICTS, crossing.verdict)
    text = str(_("Scanned at %(place)s: %(verdict)s", place=checkpoint, verdict=verdict))
    if crossing.decision:
        text = f"{text} → {words.word(words.DECISIONS, crossing.decision)}"
    return Happened(crossing.scanned_at, text)


def tasks(actor: Actor, followups: Sequence[FollowUp], at: datetime) -> list[Task]:
    """Pieces of work that the actor was allowed to read, in the same order."""
    people = people_of(actor, (one.registration_id for one in followups))
    places = place_names(one.division_code for one in followups)
    told = claims([one.id for one in followups])
    found = []
    for one in followups:
        registration, traveller = people.get(one.registration_id, (None, None))
        title = words.word(words.FOLLOWUPS, one.kind)
        found.append(
            Task(
                followup=one,
                title=str(_("%(work)s, day %(day)s", work=title, day=one.day)) if one.day else title,
                place=places.get(one.division_code, one.division_code),
                person=registrations.masked(traveller) if traveller else None,
                registration=registration,
                overdue=one.due_at <= at and one.state == "open",
                choices=tuple(
                    (result, words.word(words.FOLLOWUP_RESULTS, result)) for result in FOLLOWUP_RESULTS[one.kind]
                ),
                result=words.word(words.FOLLOWUP_RESULTS, one.result),
                claim=words.claim_sentence(told[one.id]) if one.id in told else "",
            )
        )
    return found
