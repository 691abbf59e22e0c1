"""What the alerts of this room are called, and how they say why."""

from collections.abc import Mapping
from typing import Any

from checkpoint.alerts.kinds import Kind, register
from checkpoint.surveillance.outcome import REASSESSMENT
from checkpoint.words import _, lazy, plural

WITHDRAWAL, FEED_SILENT, LIST_DRAFT = "withdrawal", "feed_silent", "list_draft"
FEED_PROBLEMS = {
    "unreachable": lazy("The address does not answer"),
    "forbidden_address": lazy("The address is not one that may be called"),
    "status": lazy("The address answers with an error"),
    "too_large": lazy("The answer is larger than a list may be"),
    "unreadable_list": lazy("The answer is not a risk list"),
    "wrong_rows": lazy("Some rows of the list are wrong"),
    "failed": lazy("The list could not be stored"),
}


def _why(params: Mapping[str, Any]) -> tuple[str, ...]:
    """Why now: a new list names an area, a policy counts otherwise, or something was taken back."""
    why = params.get("why") or {}
    said = []
    if params.get("because") == "withdraw":
        said.append(
            _("A list was taken back; version %(number)s is in force again", number=params.get("list_id") or "–")
        )
    elif str(params.get("because", "")).startswith("policy"):
        said.append(_("The control policy has changed"))
    elif params.get("because") == "daily":
        said.append(
            _("A commuter, assessed anew for today under list version %(number)s", number=params.get("list_id") or "–")
        )
    elif params.get("list_id"):
        said.append(_("New on list version %(number)s", number=params["list_id"]))
    if why.get("area"):
        said.append(_("“%(area)s”, listed since %(date)s", area=why["area"], date=why.get("listed_on") or "?"))
    return tuple(said)


def _undone(params: Mapping[str, Any]) -> tuple[str, ...]:
    if params.get("policy_id"):
        said = [_("The control policy that was taken back no longer counts")]
    else:
        said = [_("List version %(number)s was taken back", number=params.get("list_id") or "–")]
    if params.get("lowered"):
        said.append(plural("%(num)s person is milder again", "%(num)s people are milder again", int(params["lowered"])))
    if params.get("raised"):
        said.append(
            plural("%(num)s person is stricter again", "%(num)s people are stricter again", int(params["raised"]))
        )
    return tuple(said)


def _silent(params: Mapping[str, Any]) -> tuple[str, ...]:
    said = [
        _(
            "“%(name)s” has given no list for %(hours)s hours",
            name=params.get("name", ""),
            hours=params.get("hours", "?"),
        )
    ]
    problem = FEED_PROBLEMS.get(str(params.get("problem")))
    return (*said, str(problem)) if problem is not None else tuple(said)


def _draft(params: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        _(
            "“%(name)s” has brought version %(number)s; look at it and publish it",
            name=params.get("name", ""),
            number=params.get("list_id", "?"),
        ),
    )


register(Kind(REASSESSMENT, lazy("Assessed anew: stricter than before"), explain=_why))
register(Kind(WITHDRAWAL, lazy("Taken back: people are as they were before"), needs_answer=False, explain=_undone))
register(Kind(FEED_SILENT, lazy("A list source is silent"), explain=_silent))
register(Kind(LIST_DRAFT, lazy("A new risk list waits to be published"), explain=_draft))
