"""The words of patrols: what was found, where a point of a round stands, the days of the week; and what an alert about one says."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from checkpoint.web.filters import hour, when

FOUND: dict[str, LazyString] = {
    "closed": _l("Closed and whole"),
    "damaged": _l("Damaged"),
    "open": _l("Standing open"),
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
    return when(datetime.fromisoformat(raw))


def _hour(raw: str) -> str:
    return hour(datetime.fromisoformat(raw))


def tablet_words() -> dict[str, str]:
    """What the tablet's script says of rounds and visits, by its keys; `{name}` marks what it fills in."""
    return {
        "patrol.none": str(_("No more rounds to walk today")),
        "patrol.coming": str(_("Next round {time}: {route}")),
        "patrol.next": str(_("Patrol until {time}, next: {point}")),
        "patrol.done": str(_("All points visited: {route}")),
        "patrol.window": str(_("{opens} to {closes}, {phase}")),
        "patrol.phase.open": str(_("under way")),
        "patrol.phase.coming": str(_("to come")),
        "patrol.phase.over": str(_("over")),
        "patrol.task.next": str(_("Next")),
        "patrol.task.unsent": str(_("not sent yet")),
        "patrol.age": str(_("Rounds as of {time}")),
        "patrol.noplan": str(_("This tablet has not received its rounds yet.")),
        "patrol.unsent": str(_("{count} visits are kept here until there is a network.")),
        "patrol.unknown": str(_("A point that this tablet does not know")),
        "patrol.unknown.say": str(_("It is kept and sent; the server will say whether it counts.")),
        "patrol.forged": str(_("This is not the code of a patrol point of this system.")),
        "patrol.found.missing": str(_("Say what you found first.")),
        "patrol.photo.wrong": str(_("No picture could be made of this. Take or choose another one.")),
        "patrol.photo.no_key": str(
            _("This tablet cannot keep a photo safely yet. Connect it once, or save without a photo.")
        ),
        "patrol.save": str(_("Save the visit")),
        "patrol.save.without": str(_("Save without a photo")),
        "patrol.saved": str(_("{point}: {found}. Saved.")),
        "patrol.outside": str(_("{point} is outside of every round now; the visit is recorded all the same.")),
        "patrol.refused": str(_("A visit was not recorded: {cause}")),
        **{f"patrol.task.{state}": str(words) for state, words in TASKS.items()},
        **{f"patrol.found.{found}": str(words) for found, words in FOUND.items()},
    }
