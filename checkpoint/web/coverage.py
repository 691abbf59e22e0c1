"""Who of A is not in B: shares by village for today and any day that was counted, names on demand, and both as a file."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from flask import Blueprint, Response, make_response, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from checkpoint import clock
from checkpoint.accounts.permissions import Permission
from checkpoint.coverage import service
from checkpoint.coverage.questions import Question
from checkpoint.coverage.reckoning import Share, by_town
from checkpoint.coverage.service import Answer
from checkpoint.errors import NotFound
from checkpoint.web.auth import current_actor, requires
from checkpoint.web.coverage_people import Absent, absent_people
from checkpoint.web.inbox_cards import place_names
from checkpoint.web.sheets import FORMATS, Cell, sheet
from checkpoint.words import _

blueprint = Blueprint("coverage", __name__, url_prefix="/command/coverage")

Page = str | Response | BaseResponse


@dataclass(frozen=True, slots=True)
class Town:
    """A row of the table: a town with its sum and its villages, each by code and name."""

    code: str
    name: str
    share: Share
    villages: tuple[tuple[str, str, Share], ...]


def _day() -> date:
    """The day that is asked about; today when none is."""
    raw = request.args.get("day", "")
    try:
        return date.fromisoformat(raw) if raw else service.today(clock.now())
    except ValueError:
        raise NotFound from None


def _neighbours(day: date) -> dict[str, date | None]:
    today = service.today(clock.now())
    return {"earlier": day - timedelta(days=1), "later": day + timedelta(days=1) if day < today else None}


def percent(share: Share) -> str:
    """A share as people say it: 90.5 %, or a dash while nobody is asked for."""
    if share.percent is None:
        return "–"
    return f"{share.percent:.0f} %" if share.percent == int(share.percent) else f"{share.percent:.1f} %"


def _towns(answer: Answer) -> list[Town]:
    names = place_names({*answer.shown, *(town for town in by_town(answer.shown))})
    return [
        Town(
            code,
            names[code],
            sum_,
            tuple(
                (one, names[one].removeprefix(names[code]).strip() or names[one], share)
                for one, share in villages.items()
            ),
        )
        for code, (sum_, villages) in by_town(answer.shown).items()
    ]


@blueprint.get("", strict_slashes=False)
@requires(Permission.COVERAGE_READ)
def index() -> Page:
    """Every question for a day."""
    day, at = _day(), clock.now()
    return render_template(
        "command/coverage.html",
        answers=service.ask_all(current_actor(), day, at),
        checked=service.check(day),
        day=day,
        today=service.today(at),
        kept=service.days_kept(),
        percent=percent,
        page="coverage",
        **_neighbours(day),
    )


@blueprint.get("/<name>")
@requires(Permission.COVERAGE_READ)
def one(name: str) -> Page:
    """One question by town and village."""
    actor, day, at = current_actor(), _day(), clock.now()
    answer = service.ask(actor, name, day, at)
    return render_template(
        "command/coverage_one.html",
        answer=answer,
        towns=_towns(answer),
        checked=service.check(day).get(name),
        may_see=actor.may(Permission.PEOPLE_READ)
        and actor.may(answer.question.permission)
        and (answer.question.of_day or day == service.today(at)),
        day=day,
        today=service.today(at),
        percent=percent,
        formats=FORMATS,
        page="coverage",
        **_neighbours(day),
    )


@blueprint.get("/<name>/counts.<form>")
@requires(Permission.COVERAGE_READ)
def counts_file(name: str, form: str) -> Page:
    """The counts of a question by village, as a file."""
    day = _day()
    answer = service.ask(current_actor(), name, day, clock.now())
    return sheet(_count_lines(answer), f"coverage-{answer.question.name}-{day.isoformat()}", _form(form))


def _form(form: str) -> str:
    if form not in FORMATS:
        raise NotFound
    return form


def _count_lines(answer: Answer) -> Iterator[tuple[Cell, ...]]:
    yield (_("Town or street"), _("Place"), _("Division code"), _("Of"), _("there"), _("missing"), _("Share"))
    for town in _towns(answer):
        for code, place, share in town.villages:
            yield (town.name, place, code, share.asked, share.met, share.missing, percent(share))
    total = answer.total
    yield (_("All together"), "", "", total.asked, total.met, total.missing, percent(total))


@blueprint.get("/<name>/people")
@requires(Permission.PEOPLE_READ)
def people(name: str) -> Page:
    """Who is missing in one division, masked; that somebody looked is written down."""
    question, day, division, found = _absent(name, "screen")
    page = render_template(
        "command/coverage_people.html",
        question=question,
        people=found,
        place=place_names([division])[division],
        division=division,
        day=day,
        most=service.MOST_NAMES,
        formats=FORMATS,
        page="coverage",
    )
    answer = make_response(page)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@blueprint.get("/<name>/people.<form>")
@requires(Permission.PEOPLE_READ)
def people_file(name: str, form: str) -> Page:
    """The same as a file."""
    question, day, division, found = _absent(name, _form(form))
    lines: list[tuple[Cell, ...]] = [(_("Place"), _("Who or what"), _("Document or phone"), _("Expected since"))]
    lines += [(one.place, one.who, one.detail, one.since.isoformat() if one.since else "") for one in found]
    return sheet(lines, f"missing-{question.name}-{day.isoformat()}-{division}", form)


def _absent(name: str, how: str) -> tuple[Question, date, str, list[Absent]]:
    actor, day, at = current_actor(), _day(), clock.now()
    division = request.args.get("division", "") or actor.division
    question = service.question_named(name)
    found = absent_people(actor, question, service.who(actor, name, day, division, at))
    service.note_read(actor, question.name, day, division, len(found), how=how, at=at)
    return question, day, division, found
