"""Reasons and measures in words that an officer can read out, in the reader's language."""

from collections.abc import Mapping
from typing import Any

from checkpoint.words import _, lazy, plural

_LEVELS = {"high": lazy("high-risk"), "middle": lazy("medium-risk"), "low": lazy("low-risk")}

SYMPTOMS = {
    "fever": lazy("Fever"),
    "cough": lazy("Cough"),
    "sore_throat": lazy("Sore throat"),
    "fatigue": lazy("Fatigue"),
    "loss_of_smell": lazy("Loss of smell or taste"),
    "diarrhoea": lazy("Diarrhoea"),
    "breathless": lazy("Short of breath"),
    "other": lazy("Other"),
}

MEASURES = {
    "central_quarantine": lazy("Central quarantine"),
    "home_observation": lazy("Home observation"),
    "landing_test": lazy("Landing test"),
}


_PLAIN = {
    "place_unresolved": lazy("A place could not be found in the official register"),
    "list_missing": lazy("No risk list is in force"),
    "pass_forged": lazy("The signature of this pass is not ours"),
    "pass_expired": lazy("This pass has expired"),
    "pass_withdrawn": lazy("This pass was withdrawn"),
    "pass_replaced": lazy("This pass was replaced by a newer one"),
    "pass_unknown": lazy("This pass is not in the register"),
    "pass_unreadable": lazy("This code is not a pass of ours, or it is damaged"),
    "pass_other_key": lazy("This pass was signed with a key we do not know"),
    "clock_skew": lazy("The clock of this tablet is wrong"),
    "negative_test_valid": lazy("Negative test within the allowed time"),
    "negative_test_missing": lazy("No negative test within the allowed time"),
    "spot_test_negative": lazy("The test on the spot is negative"),
    "spot_test_positive": lazy("The test on the spot is positive"),
}

BREACHES = {
    "not_yet": lazy("it has not begun"),
    "over": lazy("it is over"),
    "days": lazy("not on this day"),
    "hours": lazy("not at this hour"),
    "checkpoint": lazy("not at this checkpoint"),
    "route": lazy("not on this trip"),
    "test": lazy("no negative test as new as it asks for"),
}


def approval_text(number: str, broken: str | None) -> str:
    """One sentence for an approval at the barrier, kept or broken."""
    if broken is None:
        return _("Approval %(number)s in force and kept", number=number)
    return _("Approval %(number)s: %(why)s", number=number, why=BREACHES.get(broken, broken))


def _listed(reason: Mapping[str, Any]) -> str:
    level, _sep, depth = str(reason["rule"]).partition("_")
    words = {
        "level": str(_LEVELS[level]),
        "place": reason.get("place") or "",
        "area": reason.get("area") or "",
        "date": reason.get("listed_on") or "",
    }
    if level == "low":
        return _("%(place)s has a low-risk area on the list since %(date)s: %(area)s", **words)
    if depth == "area":
        return _("%(place)s: stayed in the %(level)s area “%(area)s”, on the list since %(date)s", **words)
    if depth == "town":
        return _("%(place)s: same town as the %(level)s area “%(area)s”, on the list since %(date)s", **words)
    return _("%(place)s: same county as the %(level)s area “%(area)s”, on the list since %(date)s", **words)


def reason_text(reason: Mapping[str, Any]) -> str:
    """One sentence for a stored reason."""
    rule = str(reason["rule"])
    detail = [str(part) for part in reason.get("detail", ())]
    if rule.startswith(("high_", "middle_", "low_")):
        return _listed(reason)
    if rule == "positive_test":
        return _("A positive test on %(date)s", date=detail[0] if detail else "")
    if rule == "symptoms":
        return _("Symptoms declared: %(list)s", list=_(", ").join(str(SYMPTOMS.get(one, one)) for one in detail))
    if rule == "list_stale":
        return _("The risk list was confirmed %(hours)s hours ago", hours=detail[0] if detail else "?")
    if rule == "other_province":
        return _("Comes from another province: %(place)s", place=reason.get("place") or "")
    if rule in ("approval_granted", "approval_broken") and detail:
        return approval_text(detail[0], detail[1] if len(detail) > 1 else None)
    if rule == "set_aside":
        return plural(
            "%(num)s reason no longer counts: the community looked into it",
            "%(num)s reasons no longer count: the community looked into them",
            int(detail[0]) if detail else 1,
        )
    known = _PLAIN.get(rule)
    return rule if known is None else str(known)


def measure_text(measure: Mapping[str, Any]) -> str:
    """One sentence for a stored measure."""
    parts = [str(MEASURES.get(str(measure["kind"]), measure["kind"]))]
    if measure.get("days"):
        parts.append(plural("%(num)s day", "%(num)s days", int(measure["days"])))
    if measure.get("within_hours"):
        parts.append(_("first test within %(hours)s hours", hours=measure["within_hours"]))
    if measure.get("test_days"):
        parts.append(_("tests on days %(days)s", days=_(", ").join(str(day) for day in measure["test_days"])))
    return _("; ").join(parts)
