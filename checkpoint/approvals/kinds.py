"""What the kinds of application are called, which levels answer each, and the alert by which a level hears of one."""

from collections.abc import Mapping
from typing import Any

from flask_babel.speaklater import LazyString

from checkpoint.accounts.permissions import Actor, Permission
from checkpoint.alerts.duty import CITY, TOWN, VILLAGE, level_of
from checkpoint.alerts.kinds import Kind, register
from checkpoint.approvals.models import Approval, ApprovalKind
from checkpoint.risk.policy import Application, Deadline, PolicyData, Tier
from checkpoint.words import _, lazy

KINDS: dict[str, LazyString] = {
    ApprovalKind.PERSON.value: lazy("Entry of a person"),
    ApprovalKind.STAFF.value: lazy("Entry of a company's staff"),
    ApprovalKind.LORRY.value: lazy("Closed-loop lorry"),
    ApprovalKind.COMMUTER.value: lazy("Commuter across the province line"),
    ApprovalKind.COMPANY.value: lazy("Return to work"),
}
_LEVELS = {"village": VILLAGE, "town": TOWN, "command": CITY}


def _explain(params: Mapping[str, Any]) -> list[str]:
    kind = KINDS.get(str(params.get("approval_kind")), "")
    return [str(_("Application %(number)s: %(kind)s", number=params.get("number", ""), kind=kind))]


ALERT = register(
    Kind(
        "approval",
        lazy("Application to enter"),
        tier=Tier.YELLOW,
        deadline=Deadline(acknowledge_minutes=120, resolve_minutes=1440),
        permission=Permission.APPROVALS_ANSWER,
        explain=_explain,
    )
)


def application_kind(kind: str) -> Application:
    """A stored kind as the policy names it."""
    return ApprovalKind(kind).value


def stages(kind: str, division_code: str, *, covers_red: bool, policy: PolicyData) -> tuple[int, ...]:
    """The levels that answer an application, the nearest first: 5 village, 4 town, 3 command.

    Only those that the division has: an application for a town as a whole begins there. What lets red people in goes to command.
    """
    named = {_LEVELS[stage] for stage in policy.stages_of(application_kind(kind))}
    if covers_red and policy.approval_command_for_red:
        named.add(CITY)
    nearest = level_of(division_code)
    return tuple(sorted((level for level in named if level <= nearest), reverse=True)) or (nearest,)


def next_stage(approval: Approval, actor: Actor, *, covers_red: bool, policy: PolicyData) -> int | None:
    """The level that answers after the actor; None when theirs is the last word. Who answers for a silent level below answers for
    their own as well."""
    answered = min(approval.stage, level_of(actor.division))
    every = stages(approval.kind, approval.division_code, covers_red=covers_red, policy=policy)
    return next((level for level in every if level < answered), None)


def may_answer(actor: Actor, approval: Approval, escalated_to: int | None) -> bool:
    """Whether the actor may answer at the stage where an application stands.

    That level itself; command always; a level between them once the alert has gone up to it (`escalated_to`).
    """
    if not actor.may(Permission.APPROVALS_ANSWER) or not actor.sees(approval.division_code):
        return False
    level = level_of(actor.division)
    if level > approval.stage:
        return False
    return level in (approval.stage, CITY) or (escalated_to is not None and escalated_to <= level)
