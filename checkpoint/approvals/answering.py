"""How an office answers an application: ask back, hand on, grant, refuse, revoke; each one transaction.

Every verb takes `once`, the client's own UUID of the act: a repeat changes nothing. `seen` is the `changed_at` of the page on which the
actor decided: whoever comes second is told (Conflict).
"""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from checkpoint.accounts.permissions import Actor, Permission
from checkpoint.alerts.duty import level_of
from checkpoint.approvals import hooks
from checkpoint.approvals.application import read_conditions, read_text
from checkpoint.approvals.conditions import Conditions
from checkpoint.approvals.kinds import may_answer, next_stage
from checkpoint.approvals.models import Approval, ApprovalState
from checkpoint.approvals.queries import UNANSWERED, escalated_to, proposed
from checkpoint.approvals.steps import close_alert, decide, locked, note, repeated, tell, unchanged
from checkpoint.database import transaction
from checkpoint.errors import Conflict, NotAllowed, NotFound
from checkpoint.risk.service import current_state
from checkpoint.words import _

GivenConditions = Conditions | Mapping[str, Any] | None


def ask(
    approval_id: uuid.UUID,
    text: str,
    *,
    actor: Actor,
    at: datetime,
    once: uuid.UUID | None = None,
    seen: datetime | None = None,
) -> Approval:
    """Ask the applicant something. The clock of the stage stops until they reply; then it starts anew."""
    text = read_text(text, "text", needed=_("Write what you want to know: the applicant reads it."))
    with transaction():
        approval = _at_my_stage(approval_id, actor)
        if repeated(approval, once):
            return approval
        _answerable(approval, actor, seen)
        approval.state = ApprovalState.ASKED.value
        close_alert(approval, actor, at)
        note(approval, "approval.asked", actor=actor, at=at, once=once, text=text)
    return approval


def forward(
    approval_id: uuid.UUID,
    text: str,
    conditions: GivenConditions,
    *,
    actor: Actor,
    at: datetime,
    once: uuid.UUID | None = None,
    seen: datetime | None = None,
) -> Approval:
    """Approve at one's own stage and hand on to the next, with the conditions that are proposed (None: as they stand).

    Raises Conflict when nobody comes after: `grant` it.
    """
    with transaction():
        approval, given, after = _approved(approval_id, conditions, actor, at, once, seen)
        if given is None:
            return approval
        if after is None:
            raise Conflict(_("Nobody comes after you: grant it."))
        _hand_on(approval, given, after, text, actor=actor, at=at, once=once)
    return approval


def grant(
    approval_id: uuid.UUID,
    conditions: GivenConditions = None,
    text: str = "",
    *,
    actor: Actor,
    at: datetime,
    once: uuid.UUID | None = None,
    seen: datetime | None = None,
) -> Approval:
    """Grant at the last stage, under the given conditions (None: as they stand). A second time by the same actor is harmless.

    Raises Conflict when another level comes after: `forward` it.
    """
    with transaction():
        approval, given, after = _approved(approval_id, conditions, actor, at, once, seen)
        if given is None:
            return approval
        if after is not None:
            raise Conflict(_("Another level answers after you: hand it on."))
        _grant(approval, given, text, actor=actor, at=at, once=once)
    return approval


def approve(
    approval_id: uuid.UUID,
    conditions: GivenConditions,
    text: str,
    *,
    actor: Actor,
    at: datetime,
    once: uuid.UUID | None = None,
    seen: datetime | None = None,
) -> Approval:
    """Say yes at one's stage: the next level answers, or it is granted where nobody comes after."""
    with transaction():
        approval, given, after = _approved(approval_id, conditions, actor, at, once, seen)
        if given is None:
            return approval
        if after is None:
            _grant(approval, given, text, actor=actor, at=at, once=once)
        else:
            _hand_on(approval, given, after, text, actor=actor, at=at, once=once)
    return approval


def _approved(
    approval_id: uuid.UUID,
    conditions: GivenConditions,
    actor: Actor,
    at: datetime,
    once: uuid.UUID | None,
    seen: datetime | None,
) -> tuple[Approval, Conditions | None, int | None]:
    """The locked application, the conditions that the actor agrees to, and who answers next; no conditions: it was done before."""
    approval = _at_my_stage(approval_id, actor)
    done = approval.state == ApprovalState.GRANTED.value and approval.decided_by == actor.key
    if done or repeated(approval, once):
        return approval, None, None
    _answerable(approval, actor, seen)
    policy = current_state(at).policy
    wanted = proposed(approval) if conditions is None else conditions
    given = read_conditions(wanted, approval.kind, policy=policy, at=at)
    return approval, given, next_stage(approval, actor, covers_red=given.covers == "red", policy=policy)


def _hand_on(
    approval: Approval,
    given: Conditions,
    after: int,
    text: str,
    *,
    actor: Actor,
    at: datetime,
    once: uuid.UUID | None,
) -> None:
    text = read_text(text, "text")
    close_alert(approval, actor, at)
    data = {"to": after, "conditions": given.as_json()}
    step = note(approval, "approval.forwarded", actor=actor, at=at, once=once, text=text, data=data)
    approval.stage = after
    tell(approval, step.id, current_state(at).policy, at)


def _grant(
    approval: Approval, given: Conditions, text: str, *, actor: Actor, at: datetime, once: uuid.UUID | None
) -> None:
    text = read_text(text, "text")
    close_alert(approval, actor, at)
    approval.conditions = given.as_json()
    approval.valid_from, approval.valid_until = given.valid_from, given.valid_until
    decide(approval, ApprovalState.GRANTED, actor, at)
    approval.stage = min(approval.stage, level_of(actor.division))
    note(approval, "approval.granted", actor=actor, at=at, once=once, text=text, data={"conditions": given.as_json()})
    hooks.granted(approval, actor, at)


def refuse(
    approval_id: uuid.UUID,
    why: str,
    *,
    actor: Actor,
    at: datetime,
    once: uuid.UUID | None = None,
    seen: datetime | None = None,
) -> Approval:
    """The application is not granted; the applicant reads why. A second time by the same actor is harmless."""
    why = read_text(why, "why", needed=_("Say why: the applicant reads it."))
    with transaction():
        approval = _at_my_stage(approval_id, actor)
        done = approval.state == ApprovalState.REFUSED.value and approval.decided_by == actor.key
        if done or repeated(approval, once):
            return approval
        _answerable(approval, actor, seen, asked_too=True)
        close_alert(approval, actor, at)
        decide(approval, ApprovalState.REFUSED, actor, at)
        note(approval, "approval.refused", actor=actor, at=at, once=once, text=why)
        hooks.ended(approval, actor, at)
    return approval


def revoke(
    approval_id: uuid.UUID,
    why: str,
    *,
    actor: Actor,
    at: datetime,
    once: uuid.UUID | None = None,
) -> Approval:
    """What was granted holds no more; the applicant reads why. For the level that granted it, and those above."""
    why = read_text(why, "why", needed=_("Say why: the applicant reads it."))
    with transaction():
        approval = _at_my_stage(approval_id, actor)
        if approval.state == ApprovalState.REVOKED.value or repeated(approval, once):
            return approval
        if approval.state != ApprovalState.GRANTED.value:
            raise Conflict(_("Only what was granted can be revoked."))
        if level_of(actor.division) > approval.stage:
            raise NotAllowed
        decide(approval, ApprovalState.REVOKED, actor, at)
        note(approval, "approval.revoked", actor=actor, at=at, once=once, text=why)
        hooks.ended(approval, actor, at)
    return approval


def _at_my_stage(approval_id: uuid.UUID, actor: Actor) -> Approval:
    """The locked application, for somebody who answers applications; NotFound outside their jurisdiction."""
    if not actor.may(Permission.APPROVALS_ANSWER):
        raise NotAllowed
    approval = locked(approval_id)
    if not actor.sees(approval.division_code):
        raise NotFound
    return approval


def _answerable(approval: Approval, actor: Actor, seen: datetime | None, *, asked_too: bool = False) -> None:
    """Conflict when it was answered before, NotAllowed when it stands at a level that the actor does not answer for."""
    unchanged(approval, seen)
    if approval.state not in UNANSWERED:
        raise Conflict(_("This application was answered before."))
    if approval.state == ApprovalState.ASKED.value and not asked_too:
        raise Conflict(_("The applicant has been asked and has not replied yet."))
    if actor.kind != "system" and not may_answer(actor, approval, escalated_to(approval)):
        raise NotAllowed(_("This application is being answered at another level."))
