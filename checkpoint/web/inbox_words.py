"""The words of the inbox: kinds, results, steps and spans of time, in the reader's language."""

from datetime import timedelta

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from checkpoint.alerts import kinds
from checkpoint.followups.alarms import RESULT_WORDS, TASKS
from checkpoint.followups.models import TravellerReport
from checkpoint.web.filters import hour, when

# Each room registers its kinds; what stands here has no room that does.
KINDS = kinds.LABELS
KINDS |= {
    "patrol_missed": _l("Closed crossing not visited in time"),
    "barrier_open": _l("Closed crossing open or damaged"),
}
RESULTS: dict[str, LazyString] = {
    "handled": _l("Taken care of"),
    "no_answer": _l("Could not be reached"),
    "not_here": _l("Is not here"),
    "transferred": _l("Handed over"),
    "false_alarm": _l("False alarm"),
}
STATES: dict[str, LazyString] = {
    "notice": _l("For your information"),
    "open": _l("Not yet acknowledged"),
    "acknowledged": _l("In hand"),
    "resolved": _l("Dealt with"),
    "retracted": _l("Taken back"),
}
TRIPS: dict[str, LazyString] = {
    "applied": _l("Has applied, not yet granted"),
    "declared": _l("On the way"),
    "inside": _l("In the city"),
    "withdrawn": _l("Not coming"),
    "turned_back": _l("Turned back"),
    "left": _l("Released or left"),
}
VERDICTS: dict[str, LazyString] = {
    "admit": _l("may pass"),
    "test": _l("test first"),
    "hold": _l("hold"),
    "refuse": _l("pass not accepted"),
}
DECISIONS: dict[str, LazyString] = {
    "admitted": _l("let in"),
    "tested": _l("tested on the spot"),
    "held": _l("held"),
    "turned_back": _l("turned back"),
    "transferred": _l("taken to quarantine"),
}
FOLLOWUPS: dict[str, LazyString] = TASKS
FOLLOWUP_RESULTS: dict[str, LazyString] = RESULT_WORDS
# What goes on as it should, and may be the button that catches the eye.
GOOD_RESULTS = frozenset({"arrived", "negative", "well", "released"})
STEPS: dict[str, LazyString] = {
    "found_closed": _l("Found closed and whole at a later visit"),
    "found_again": _l("Found so again at a later visit"),
    "acknowledged": _l("Acknowledged"),
    "resolved": _l("Dealt with"),
    "retracted": _l("Taken back: its reason is gone"),
    "note": _l("Note added"),
    "called": _l("Called"),
    "spot_negative": _l("Tested negative at the checkpoint"),
    "relaxed": _l("Milder than thought before"),
    "routed": _l("Nobody on duty there: told to the next level at once"),
    "assigned": _l("Handed to a colleague"),
    "reopened": _l("Opened again"),
    "other_trip": _l("The person has declared another trip to the same place"),
}
LEVELS: dict[int, LazyString] = {5: _l("village"), 4: _l("town"), 3: _l("city")}
TEST_KINDS: dict[str, LazyString] = {"pcr": _l("PCR test"), "antigen": _l("Antigen test")}
SOURCES: dict[str, LazyString] = {
    "declared": _l("as declared"),
    "spot": _l("at the checkpoint"),
    "followup": _l("at a follow-up"),
}
ID_TYPES: dict[str, LazyString] = {
    "resident_id": _l("Resident ID card"),
    "passport": _l("Passport"),
    "hk_macau_permit": _l("Hong Kong or Macao permit"),
    "taiwan_permit": _l("Taiwan permit"),
    "foreign_permit": _l("Foreigner's residence permit"),
}
_SUFFIXES = ("村民委员会", "居民委员会", "村委会", "居委会")


def word(table: dict[str, LazyString], key: str | None) -> str:
    """The word for a stored key; the key itself where a later version wrote one that is not known here."""
    return "" if not key else str(table.get(key, key))


def short_place(name: str) -> str:
    """A village as people call it: 八字村村民委员会 → 八字村, 雅山社区居委会 → 雅山社区."""
    for suffix in _SUFFIXES:
        stem = name.removesuffix(suffix)
        if stem != name and stem:
            return stem if stem.endswith(("村", "社区")) or not suffix.startswith("村") else f"{stem}村"
    return name


def span(delta: timedelta) -> str:
    """A time to go or gone by, without its sign: 09:05 (minutes and seconds), 3 h 20 min, 2 d 4 h."""
    seconds = abs(int(delta.total_seconds()))
    if seconds < 3600:
        return f"{seconds // 60:02d}:{seconds % 60:02d}"
    if seconds < 86400:
        return str(_("%(h)s h %(m)s min", h=seconds // 3600, m=seconds % 3600 // 60))
    return str(_("%(d)s d %(h)s h", d=seconds // 86400, h=seconds % 86400 // 3600))


def due_sentence(state: str, left: timedelta) -> str:
    """What must happen until when: acknowledge within 09:05, close: overdue by 1 h 2 min."""
    return due_words()[f"{state}{'_over' if left < timedelta() else ''}"].replace("{t}", span(left))


def due_words() -> dict[str, str]:
    """The sentences and units with which both the server and the page's script write deadlines; {t} is the span."""
    return {
        "open": str(_("acknowledge within {t}")),
        "open_over": str(_("acknowledgement overdue by {t}")),
        "acknowledged": str(_("close within {t}")),
        "acknowledged_over": str(_("result overdue by {t}")),
        "hours": str(_("%(h)s h %(m)s min", h="{h}", m="{m}")),
        "days": str(_("%(d)s d %(h)s h", d="{d}", h="{h}")),
    }


def word_of_level(level: int) -> str:
    """Who must answer now, after an escalation."""
    return str(LEVELS.get(level, level))


def spoken_phone(phone: str) -> str:
    """A number as people read it out: +8613810000011 → 138 1000 0011; others as they are stored."""
    digits = phone.removeprefix("+86")
    return f"{digits[:3]} {digits[3:7]} {digits[7:]}" if digits != phone and len(digits) == 11 else phone


def claim_sentence(report: TravellerReport) -> str:
    """What a traveller told of a piece of work and nobody has confirmed yet."""
    at = hour(report.reported_at)
    if report.kind == "arrival":
        return str(_("The traveller told at %(time)s: has arrived", time=at))
    return str(
        _(
            "The traveller told at %(time)s: %(result)s, %(kind)s, taken %(taken)s",
            time=at,
            result=word(FOLLOWUP_RESULTS, report.test_result),
            kind=word(TEST_KINDS, report.test_kind),
            taken=when(report.taken_at),
        )
    )
