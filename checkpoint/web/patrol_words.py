"""The words of patrols: what was found, where a point of a round stands, the days of the week; and what an alert about one says."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask_babel import format_datetime, format_time, get_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

FOUND: dict[str, LazyString] = {
    "closed": _l("Closed and whole"),
    "damaged": _l("Damaged"),
    "open": _l("Open"),
    "crossing": _l("People are crossing"),
}
TASKS: dict[str, LazyString] = {
    "due": _l("To be visited"),
    "done": _l("Visited"),
    "missed": _l("Missed"),
    "dropped": _l("Taken off the round"),
}
WEEKDAYS: tuple[LazyString, ...] = (
    _l("Mon"),
    _l("Tue"),
    _l("Wed"),
    _l("Thu"),
    _l("Fri"),
    _l("Sat"),
    _l("Sun"),
)
EVERY_DAY = 0b1111111


def weekdays_text(mask: int) -> str:
    """The days of a timetable line: `every day`, or `Mon, Wed`."""
    if mask == EVERY_DAY:
        return str(_("every day"))
    return str(_(", ")).join(str(word) for number, word in enumerate(WEEKDAYS) if mask >> number & 1)


def weekday_options() -> list[tuple[str, LazyString]]:
    """The days of the week as a form offers them, by number from 0 for Monday."""
    return [(str(number), word) for number, word in enumerate(WEEKDAYS)]


def clock_text(minute: int) -> str:
    """Minutes after midnight as a time of day: 390 is 06:30."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def alert_lines(kind: str, params: Mapping[str, Any]) -> tuple[str, ...]:
    """What an alert of a patrol says, in sentences; nothing for other kinds."""
    if kind == "patrol_missed":
        window = {"opens": _moment(params["opens_at"]), "closes": _hour(params["closes_at"])}
        return (str(_("%(point)s: nobody came between %(opens)s and %(closes)s.", point=params["name"], **window)),)
    if kind == "barrier_open":
        found = str(FOUND.get(params["found"], params["found"]))
        at = _moment(params["found_at"])
        return (str(_("%(point)s: %(found)s, seen %(at)s.", point=params["name"], found=found, at=at)),)
    return ()


def _moment(raw: str) -> str:
    at = datetime.fromisoformat(raw)
    chinese = str(get_locale() or "zh").startswith("zh")
    return str(format_datetime(at, "M月d日 HH:mm" if chinese else "d MMM HH:mm"))


def _hour(raw: str) -> str:
    return str(format_time(datetime.fromisoformat(raw), "HH:mm"))
