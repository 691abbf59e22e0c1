"""Who is missing, as screens may show them: masked, with a link to where more may be done."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import url_for

from checkpoint.accounts.permissions import Actor
from checkpoint.alerts import queries as alerts
from checkpoint.alerts.models import Alert
from checkpoint.companies import queries as companies
from checkpoint.coverage.listed import read_rows
from checkpoint.coverage.questions import Missing, Question
from checkpoint.database import db
from checkpoint.privacy import mask_document, mask_name, mask_phone, mask_plate
from checkpoint.registrations import queries as registrations
from checkpoint.web import inbox_words as words
from checkpoint.web.inbox_cards import people_of, place_names


@dataclass(frozen=True, slots=True)
class Absent:
    """Somebody who is missing: `who` and `detail` are masked."""

    place: str
    who: str
    detail: str
    since: datetime | None
    href: str = ""


def absent_people(actor: Actor, question: Question, found: Sequence[Missing]) -> list[Absent]:
    """What a screen shows of those that were found; whoever the actor may not see is left out."""
    places = place_names({one.division for one in found})
    named = {"trip": _trips, "alert": _alerts, "member": _members, "row": _rows}[question.subject](actor, found)
    return [
        Absent(places[one.division], *named[one.subject, one.row][:2], one.since, named[one.subject, one.row][2])
        for one in found
        if (one.subject, one.row) in named
    ]


Named = dict[tuple[object, int | None], tuple[str, str, str]]


def _trips(actor: Actor, found: Sequence[Missing]) -> Named:
    named: Named = {}
    for key, (_registration, traveller) in people_of(actor, (one.subject for one in found)).items():
        shown = registrations.masked(traveller)
        href = url_for("inbox.person", registration_id=key)
        named[key, None] = (shown["name"], " · ".join(filter(None, (shown["id_number"], shown["phone"]))), href)
    return named


def _alerts(actor: Actor, found: Sequence[Missing]) -> Named:
    wanted = alerts.scoped(actor).where(Alert.id.in_([one.subject for one in found]))
    return {
        (alert.id, None): (words.word(words.KINDS, alert.kind), "", url_for("inbox.alert", alert_id=alert.id))
        for alert in db.session.scalars(wanted)
    }


def _members(actor: Actor, found: Sequence[Missing]) -> Named:
    wanted = {one.subject for one in found}
    named: Named = {}
    for company, member in companies.absent(actor):
        if member.id in wanted:
            shown = companies.masked(member)
            href = url_for("companies.one", company_id=company.id)
            named[member.id, None] = (shown.label, " · ".join(filter(None, (shown.document, company.name))), href)
    return named


def _rows(_actor: Actor, found: Sequence[Missing]) -> Named:
    named: Named = {}
    rows = read_rows((one.subject, one.row) for one in found if one.row is not None)
    for (inquiry_id, number), (source, listed) in rows.items():
        masks = ((mask_document, listed.document), (mask_phone, listed.phone), (mask_plate, listed.plate))
        told = (*(mask(text) for mask, text in masks if text), source)
        who = mask_name(listed.name) or "–"
        named[inquiry_id, number] = (who, " · ".join(told), "")
    return named
