"""The report of a day (日报): the figures of the page as sheets, written as PDF or XLSX. Counts only, no person."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from flask_babel import force_locale, format_date, format_datetime

from checkpoint.accounts.permissions import Actor
from checkpoint.standing import pdf, xlsx
from checkpoint.standing.figures import Standing
from checkpoint.standing.service import standing
from checkpoint.standing.sheets import Cell, Report, Seconds, Share, Sheet
from checkpoint.standing.wording import seconds
from checkpoint.words import _

KINDS = ("pdf", "xlsx")
MIMETYPES = {"pdf": "application/pdf", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
WRITERS: dict[str, Callable[[Report], bytes]] = {"pdf": pdf.write, "xlsx": xlsx.write}


@dataclass(frozen=True, slots=True)
class Made:
    """A report as a file."""

    name: str
    mimetype: str
    data: bytes


def make(actor: Actor, day: date, kind: str, at: datetime, *, timezone: str, language: str) -> Made:
    """The report of the actor's division for one day of the site, in a language (`zh`, `en`); `kind` is one of KINDS."""
    found = standing(actor, day, at, timezone=timezone)
    with force_locale(language):
        data = WRITERS[kind](lay_out(found, timezone))
    return Made(f"checkpoint-{found.division}-{day.isoformat()}.{kind}", MIMETYPES[kind], data)


def lay_out(found: Standing, timezone: str) -> Report:
    """The report in the language of the moment."""
    made = format_datetime(found.at.astimezone(ZoneInfo(timezone)), "yyyy-MM-dd HH:mm", rebase=False)
    on = format_date(found.day, "full")
    return Report(
        title=_("%(place)s: report of the day", place=found.name),
        subtitle=on,
        note=_("What is still open, and who is in the city, as of %(time)s. All else belongs to the day.", time=made),
        key_figures=_key_figures(found),
        sheets=tuple(_sheets(found)),
    )


def _sheets(found: Standing) -> Iterator[Sheet]:
    """A town without a checkpoint has no crossings to tell of."""
    if found.posts:
        yield _crossings(found)
    yield _door(found)
    if found.posts:
        yield _hours(found)
    yield _people(found)
    yield _alerts(found)
    yield _mismatches(found)


def _key_figures(found: Standing) -> Sequence[tuple[str, Cell, str]]:
    """The figures that stand on top: name, value, what else to know of it."""
    inside, alerts, mismatches = found.inside, found.alerts, found.mismatches
    return (
        (_("Scans"), found.scans, _("%(number)s let in", number=found.admitted)),
        (
            _("Scan to decision"),
            Seconds(found.decision.median),
            _("nine in ten within %(time)s", time=seconds(found.decision.p90)),
        ),
        (
            _("From barrier to door in time"),
            Share(found.door.share),
            _("%(number)s of %(all)s", number=found.door.closed, all=found.door.due),
        ),
        (
            _("In the city"),
            inside.total,
            _(
                "%(red)s red, %(yellow)s yellow, %(green)s green",
                red=inside.red, yellow=inside.yellow, green=inside.green,
            ),
        ),
        (
            _("Alerts not closed"),
            alerts.live,
            _("%(overdue)s overdue, %(escalated)s escalated", overdue=alerts.overdue, escalated=alerts.escalated),
        ),
        (
            _("Needs a person"),
            mismatches.total,
            _(
                "%(arrived)s not arrived, %(found)s not found, %(tests)s tests not done",
                arrived=mismatches.not_arrived, found=mismatches.not_found, tests=mismatches.tests,
            ),
        ),
        (_("Alerts of the day"), found.raised, _("%(number)s dealt with", number=found.closed)),
        (
            _("Appeals of seven days answered the same day"),
            found.appeals[0],
            _("%(number)s of %(all)s", number=found.appeals[0], all=found.appeals[1]),
        ),
    )  # fmt: skip


def _crossings(found: Standing) -> Sheet:
    rows: list[Sequence[Cell]] = [
        (
            post.code,
            post.name,
            post.scans,
            post.admitted,
            Seconds(post.decision.median),
            Seconds(post.decision.p90),
        )
        for post in found.posts
    ]
    total = (
        _("All together"), "", found.scans, found.admitted, Seconds(found.decision.median), Seconds(found.decision.p90)
    )  # fmt: skip
    return Sheet(
        _("Crossings by checkpoint"),
        (_("Checkpoint code"), _("Checkpoint"), _("Scans"), _("Let in"), _("Median"), _("Nine in ten within")),
        rows,
        total,
    )


def _hours(found: Standing) -> Sheet:
    return Sheet(
        _("Crossings by hour"),
        (_("Hour"), _("Scans"), _("Median"), _("Nine in ten within")),
        [(hour.label, hour.scans, Seconds(hour.decision.median), Seconds(hour.decision.p90)) for hour in found.hours],
        (_("All together"), sum(hour.scans for hour in found.hours), "", ""),
        bars=1,
    )


def _door(found: Standing) -> Sheet:
    return Sheet(
        _("From barrier to door in time"),
        (_place(found), _("In time"), _("Due"), _("Share"), _("still running"), _("7 days")),
        [
            (
                one.name,
                one.door.closed,
                one.door.due,
                Share(one.door.share),
                one.door.running,
                Share(one.door_week.share),
            )
            for one in found.places
        ],
        (
            _("All together"),
            found.door.closed,
            found.door.due,
            Share(found.door.share),
            found.door.running,
            Share(found.door_week.share),
        ),
    )


def _people(found: Standing) -> Sheet:
    return Sheet(
        _("People in the city by tier"),
        (_place(found), _("Red"), _("Yellow"), _("Green"), _("All"), _("Coming that day")),
        [
            (one.name, one.inside.red, one.inside.yellow, one.inside.green, one.inside.total, one.coming.total)
            for one in found.places
        ],
        (
            _("All together"),
            found.inside.red,
            found.inside.yellow,
            found.inside.green,
            found.inside.total,
            found.coming.total,
        ),
    )


def _alerts(found: Standing) -> Sheet:
    columns = (_("Not closed"), _("Red"), _("Not acknowledged"), _("Overdue"), _("Escalated"))
    return Sheet(
        _("Alerts not closed"),
        (_place(found), *columns),
        [
            (one.name, one.alerts.live, one.alerts.red, one.alerts.open, one.alerts.overdue, one.alerts.escalated)
            for one in found.places
        ],
        (
            _("All together"),
            found.alerts.live,
            found.alerts.red,
            found.alerts.open,
            found.alerts.overdue,
            found.alerts.escalated,
        ),
    )


def _mismatches(found: Standing) -> Sheet:
    return Sheet(
        _("Needs a person"),
        (_place(found), _("Let in, not arrived"), _("On a list, not found"), _("Tests not done")),
        [
            (one.name, one.mismatches.not_arrived, one.mismatches.not_found, one.mismatches.tests)
            for one in found.places
        ],
        (_("All together"), found.mismatches.not_arrived, found.mismatches.not_found, found.mismatches.tests),
    )


def _place(found: Standing) -> str:
    return _("Town or street") if found.is_city else _("Village or community")
