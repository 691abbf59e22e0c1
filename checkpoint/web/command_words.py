"""The words of the command pages."""

from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

LIST_STATES: dict[str, LazyString] = {
    "draft": _l("Draft"),
    "published": _l("In force"),
    "superseded": _l("Replaced by a later list"),
    "withdrawn": _l("Taken back"),
}
LEVELS: dict[str, LazyString] = {"high": _l("High risk"), "middle": _l("Medium risk"), "low": _l("Low risk")}
DEPTHS: dict[str, LazyString] = {
    "area": _l("The place itself is listed"),
    "town": _l("A place in the same town is listed"),
    "county": _l("A place in the same county is listed"),
}
CAUSES: dict[str, LazyString] = {
    "publish": _l("List published, version"),
    "withdraw": _l("List taken back, version"),
    "policy": _l("Policy published"),
    "policy_withdraw": _l("Policy taken back"),
    "place": _l("Listed places found by new aliases"),
    "confirm": _l("List confirmed after a long silence"),
}
FINDINGS: dict[str, LazyString] = {
    "crossing": _l("At the barrier"),
    "alert": _l("Alert closed"),
    "follow_up": _l("Follow-up work"),
}
