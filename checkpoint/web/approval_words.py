"""Applications in words: what they are called, what happened, and what is allowed, for offices and for applicants."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString
from sqlalchemy import select

from checkpoint.accounts.models import Checkpoint
from checkpoint.approvals.conditions import Conditions
from checkpoint.approvals.kinds import KINDS
from checkpoint.approvals.models import Approval, ApprovalHolder, ApprovalStep
from checkpoint.database import db
from checkpoint.privacy import mask_document, mask_name, mask_plate
from checkpoint.regions import queries as divisions
from checkpoint.web.filters import when
from checkpoint.words import _

DAYS: tuple[tuple[str, LazyString], ...] = (
    ("1", _l("Mon")),
    ("2", _l("Tue")),
    ("3", _l("Wed")),
    ("4", _l("Thu")),
    ("5", _l("Fri")),
    ("6", _l("Sat")),
    ("7", _l("Sun")),
)
STATES: dict[str, LazyString] = {
    "open": _l("Being looked into"),
    "asked": _l("Waiting for the applicant's reply"),
    "granted": _l("Granted"),
    "refused": _l("Not granted"),
    "withdrawn": _l("Withdrawn"),
    "revoked": _l("Revoked"),
}
TONES = {"granted": "success", "refused": "error", "revoked": "error", "asked": "warning"}
LEVELS: dict[int, LazyString] = {5: _l("village or community"), 4: _l("town or street"), 3: _l("city command")}
COVERS: tuple[tuple[str, LazyString], ...] = (
    ("green", _l("Green only: the approval lets nobody in who would not pass anyway")),
    ("yellow", _l("Green and yellow")),
    ("red", _l("Red too: let in after a negative test at the checkpoint, never with symptoms or a positive test")),
)
PURPOSES: tuple[tuple[str, LazyString], ...] = (
    ("call", _l("To call them")),
    ("identify", _l("To check who they are")),
    ("visit", _l("To prepare their stay")),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One step on a timeline, as components/display.html draws it."""

    at: datetime
    title: str
    text: str
    tone: str = ""


def kind_word(kind: str) -> str:
    """What is applied for."""
    return str(KINDS.get(kind, kind))


def state_word(approval: Approval, at: datetime) -> str:
    """How it stands; a granted one that is over says so."""
    if approval.state == "granted" and approval.valid_until <= at:
        return _("Granted; the time is over")
    return str(STATES.get(approval.state, approval.state))


def level_word(level: int | None) -> str:
    """The office of a level."""
    return str(LEVELS.get(level or 0, ""))


def holder_name(holder: ApprovalHolder) -> str:
    """A person or vehicle, masked."""
    parts = [mask_name(holder.name or ""), mask_document(holder.id_number) if holder.id_number else ""]
    parts.append(mask_plate(holder.plate) if holder.plate else "")
    return " ".join(part for part in parts if part)


def step_title(step: ApprovalStep, *, for_applicant: bool) -> str:
    """What happened, with the office that did it."""
    office = level_word(step.stage)
    if step.act == "forwarded":
        onward = level_word((step.data or {}).get("to"))
        return _("Agreed by the %(office)s; now with the %(next)s", office=office, next=onward)
    if step.act == "refused" and (step.data or {}).get("reason") == "lapsed":
        return _("Closed: the time applied for is over and nobody had answered")
    people = (step.data or {}).get("people", 0)
    titles = {
        "applied": _("Application sent"),
        "asked": _("The %(office)s asks", office=office),
        "replied": _("You replied") if for_applicant else _("The applicant replied"),
        "granted": _("Granted by the %(office)s", office=office),
        "refused": _("Not granted by the %(office)s", office=office),
        "withdrawn": _("Withdrawn"),
        "revoked": _("Revoked by the %(office)s", office=office),
        "joined": _("Added: %(number)d", number=people),
        "removed": _("Taken off: %(number)d", number=people),
    }
    return str(titles.get(step.act, step.act))


_STEP_TONES = {"granted": "green", "refused": "red", "revoked": "red", "asked": "yellow"}
_INTERNAL = frozenset({"forwarded"})  # what one office writes to the next is not for the applicant


def lines(steps: Iterable[ApprovalStep], *, for_applicant: bool, names: Mapping[str, str] | None = None) -> list[Line]:
    """The timeline; offices see who acted, the applicant only which office."""
    found = []
    for step in steps:
        text = "" if for_applicant and step.act in _INTERNAL else step.text or ""
        who = (names or {}).get(step.actor, "")
        title = step_title(step, for_applicant=for_applicant)
        found.append(Line(step.at, f"{title} · {who}" if who else title, text, _STEP_TONES.get(step.act, "")))
    return found


def post_names(codes: Iterable[str]) -> dict[str, str]:
    """The checkpoints as people call them."""
    wanted = set(codes)
    rows = db.session.execute(select(Checkpoint.code, Checkpoint.name).where(Checkpoint.code.in_(wanted)))
    return {code: name for code, name in rows}


def validity(conditions: Conditions) -> str:
    """From when until when; an end at midnight is the end of the day before."""
    last = conditions.valid_until
    return _("%(first)s to %(last)s", first=when(conditions.valid_from), last=when(last - timedelta(minutes=1)))


def condition_lines(conditions: Conditions) -> list[tuple[str, str]]:
    """What is allowed, as name and value; what is not limited is left out."""
    found = [(_("Valid"), validity(conditions))]
    if conditions.days:
        words = dict(DAYS)
        found.append((_("Days"), _(", ").join(str(words[str(number)]) for number in sorted(conditions.days))))
    if conditions.hours:
        found.append((_("Hours"), _("%(first)s to %(last)s", first=conditions.hours[0], last=conditions.hours[1])))
    if conditions.checkpoints:
        names = post_names(conditions.checkpoints)
        found.append((_("Checkpoints"), _(", ").join(names.get(code, code) for code in conditions.checkpoints)))
    found += _route_lines(conditions)
    if conditions.test_hours:
        found.append((_("Negative test"), _("not older than %(hours)d hours", hours=conditions.test_hours)))
    if conditions.binding:
        found.append((_("Only so"), _("Outside these days, hours, posts and places the pass does not hold.")))
    if conditions.note:
        found.append((_("Note"), conditions.note))
    return found


def _route_lines(conditions: Conditions) -> list[tuple[str, str]]:
    route = conditions.route
    if route is None:
        return []
    codes = [code for code in (route.start, *route.to, *route.stops) if code]
    names = divisions.full_names(codes)
    found = []
    if route.start:
        found.append((_("From"), names.get(route.start, route.start)))
    if route.to:
        found.append((_("To"), _("; ").join(names.get(code, code) for code in route.to)))
    if route.stops:
        found.append((_("Stops"), _("; ").join(names.get(code, code) for code in route.stops)))
    return found
