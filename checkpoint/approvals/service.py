"""The verbs of an application: applying, replying, taking back, whom it names; and how offices answer it (answering.py).

Each is one transaction and takes `once`, the client's own UUID of the act: a repeat changes nothing.
"""

import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import current_app
from sqlalchemy import select, update

from checkpoint.accounts.permissions import Actor, Permission
from checkpoint.approvals import hooks
from checkpoint.approvals.answering import approve, ask, forward, grant, refuse, revoke
from checkpoint.approvals.application import (
    Holder,
    NewApplication,
    Valid,
    checked,
    clean_pages,
    read_holders,
    read_text,
)
from checkpoint.approvals.kinds import stages
from checkpoint.approvals.models import Approval, ApprovalHolder, ApprovalState
from checkpoint.approvals.queries import UNANSWERED, holders
from checkpoint.approvals.steps import (
    add_pages,
    close_alert,
    decide,
    holder_rows,
    keep_holders,
    key_of,
    locked,
    note,
    repeated,
    tell,
)
from checkpoint.clock import local_date
from checkpoint.database import db, transaction
from checkpoint.errors import Conflict, NotAllowed, NotFound
from checkpoint.privacy import keyring, lookup_hash
from checkpoint.risk.service import current_state
from checkpoint.words import _

__all__ = [
    "Applied",
    "Holder",
    "NewApplication",
    "add_holders",
    "applicant_actor",
    "apply",
    "approve",
    "ask",
    "forward",
    "grant",
    "path_of",
    "refuse",
    "remove_holders",
    "reply",
    "revoke",
    "withdraw",
]

_LETTERS = "ABCDEFGHJKMNPQRSTVWXYZ23456789"  # none that is misread or misheard for another
_LETTER_OF = {"person": "P", "staff": "S", "lorry": "L", "commuter": "C", "company": "F"}


@dataclass(frozen=True, slots=True)
class Applied:
    """A stored application and the key of the applicant's link; `created` is false for a repeat."""

    approval: Approval
    key: str
    created: bool


def applicant_actor(approval_id: uuid.UUID, division: str) -> Actor:
    """Whoever holds the link of an application."""
    return Actor("applicant", approval_id, None, division, frozenset())


def path_of(approval_id: uuid.UUID) -> str:
    """Where the applicant sees how the application stands."""
    return f"/approval/{key_of(keyring(), approval_id)}"


def apply(new: NewApplication, *, actor: Actor, at: datetime) -> Applied:
    """Store an application and tell the first level that answers it. The same `new.id` again returns the first.

    Raises InvalidInput with every wrong field, NotAllowed for a paper by somebody who takes none, Conflict for an
    identifier that stands for somebody else's application.
    """
    if new.on_paper and not actor.may(Permission.APPROVALS_PAPER):
        raise NotAllowed
    policy = current_state(at).policy
    key = key_of(keyring(), new.id)
    with transaction() as session:
        known = session.get(Approval, new.id)
        if known is not None:
            return Applied(_the_same(known, new), key, created=False)
    given = checked(new, policy=policy, at=at)
    with transaction() as session:
        known = session.get(Approval, new.id)
        if known is not None:
            return Applied(_the_same(known, new), key, created=False)
        covers_red = given.conditions.covers == "red"
        first = stages(new.kind, new.division_code, covers_red=covers_red, policy=policy)[0]
        approval = _row(new, given, first, actor, at)
        approval.key_hash = lookup_hash(keyring(), "approval", key)
        session.add(approval)
        session.flush()
        keep_holders(holder_rows(approval.id, given.holders))
        add_pages(approval.id, given.pictures, actor, at)
        step = note(approval, "approval.applied", actor=actor, at=at, data={"on_paper": new.on_paper})
        tell(approval, step.id, policy, at)
    return Applied(approval, key, created=True)


def _row(new: NewApplication, given: Valid, stage: int, actor: Actor, at: datetime) -> Approval:
    approval = Approval(
        id=new.id,
        number=_new_number(new.kind, at),
        kind=new.kind,
        state=ApprovalState.OPEN.value,
        stage=stage,
        division_code=new.division_code,
        origin_code=new.origin_code,
        company_id=new.company_id,
        registration_id=new.registration_id,
        on_paper=new.on_paper,
        made_by=actor.key if actor.kind in ("user", "device") else None,
        asked_conditions=given.conditions.as_json(),
        valid_from=given.conditions.valid_from,
        valid_until=given.conditions.valid_until,
        made_at=at,
        changed_at=at,
    )
    approval.contact_name = given.contact_name
    approval.contact_phone = given.contact_phone
    approval.purpose = given.purpose
    return approval


def _new_number(kind: str, at: datetime) -> str:
    """What people call an application: L220412-7KQ2M. The kind, the day at the site, and letters that can be read out."""
    day = local_date(at, current_app.extensions["settings"].timezone).strftime("%y%m%d")
    while True:
        number = f"{_LETTER_OF[kind]}{day}-{''.join(secrets.choice(_LETTERS) for _number in range(6))}"
        if db.session.scalar(select(Approval.id).where(Approval.number == number)) is None:
            return number


def _the_same(known: Approval, new: NewApplication) -> Approval:
    """The stored application, for whoever made it: others may know its identifier, and must not come to its link by it."""
    same_name = "".join((known.contact_name or "").split()) == "".join(new.contact_name.split())
    if known.kind != new.kind or known.division_code != new.division_code or not same_name:
        raise Conflict(_("This form was sent before with other details. Please open a new one."))
    return known


def reply(
    approval_id: uuid.UUID,
    text: str,
    pictures: Sequence[bytes] = (),
    *,
    actor: Actor,
    at: datetime,
    once: uuid.UUID | None = None,
) -> Approval:
    """The applicant answers a question, with pictures if there are any; the office has its time again."""
    text = read_text(text, "text", needed="" if pictures else _("Write an answer, or add a picture."))
    pages = clean_pages(pictures)
    policy = current_state(at).policy
    with transaction():
        approval = _spoken_for(approval_id, actor)
        if repeated(approval, once):
            return approval
        if approval.state != ApprovalState.ASKED.value:
            raise Conflict(_("Nothing is being asked at the moment."))
        approval.state = ApprovalState.OPEN.value
        add_pages(approval.id, pages, actor, at)
        step = note(
            approval, "approval.replied", actor=actor, at=at, once=once, text=text, data={"pictures": len(pages)}
        )
        tell(approval, step.id, policy, at)
    return approval


def withdraw(approval_id: uuid.UUID, *, actor: Actor, at: datetime, once: uuid.UUID | None = None) -> Approval:
    """The applicant takes it back, also after it was granted. A second time is harmless."""
    with transaction():
        approval = _spoken_for(approval_id, actor)
        if approval.state == ApprovalState.WITHDRAWN.value or repeated(approval, once):
            return approval
        if approval.state not in (*UNANSWERED, ApprovalState.GRANTED.value):
            raise Conflict(_("This application has ended already."))
        close_alert(approval, actor, at, answered=False)
        decide(approval, ApprovalState.WITHDRAWN, actor, at)
        note(approval, "approval.withdrawn", actor=actor, at=at, once=once)
        hooks.ended(approval, actor, at)
    return approval


def add_holders(
    approval_id: uuid.UUID, new: Sequence[Holder], *, actor: Actor, at: datetime, once: uuid.UUID | None = None
) -> list[ApprovalHolder]:
    """Name further people or vehicles; those who stand there already stay as they are. Returns everybody who is named now.

    The applicant may while nothing is decided; afterwards it is for the offices.
    """
    given = read_holders(new)
    with transaction():
        approval = _spoken_for(approval_id, actor, granted=False)
        _standing(approval)
        if not repeated(approval, once):
            live = {(one.id_number_hash, one.plate_hash) for one in holders(approval.id)}
            rows = holder_rows(approval.id, given)
            rows = [row for row in rows if (row["id_number_hash"], row["plate_hash"]) not in live]
            keep_holders(rows)
            note(approval, "approval.joined", actor=actor, at=at, once=once, data={"people": len(rows)})
        found = holders(approval.id)
    return found


def remove_holders(
    approval_id: uuid.UUID, ids: Sequence[uuid.UUID], *, actor: Actor, at: datetime, once: uuid.UUID | None = None
) -> int:
    """Take people or vehicles off; what was granted does not hold for them from now on. Returns how many; others are left alone."""
    with transaction() as session:
        approval = _spoken_for(approval_id, actor)
        _standing(approval)
        if not ids or repeated(approval, once):
            return 0
        moved: Any = session.execute(
            update(ApprovalHolder)
            .where(
                ApprovalHolder.approval_id == approval.id,
                ApprovalHolder.id.in_(ids),
                ApprovalHolder.removed_at.is_(None),
            )
            .values(removed_at=at)
            .execution_options(synchronize_session="fetch")
        )
        if moved.rowcount:
            note(approval, "approval.removed", actor=actor, at=at, once=once, data={"people": moved.rowcount})
    return int(moved.rowcount)


def _spoken_for(approval_id: uuid.UUID, actor: Actor, *, granted: bool = True) -> Approval:
    """The locked application, for whoever may speak for the applicant: the holder of its link, the liaison of its company (whose
    room has looked that it is theirs), an office; with `granted` false the applicant only while nothing is decided."""
    approval = locked(approval_id)
    own = actor.kind == "applicant" and actor.id == approval.id
    own = own or (actor.may(Permission.COMPANY_OWN) and approval.company_id is not None)
    if actor.may(Permission.APPROVALS_ANSWER) and actor.sees(approval.division_code):
        return approval
    if not own:
        raise NotFound
    if not granted and approval.state == ApprovalState.GRANTED.value:
        raise Conflict(_("This was granted as it is: apply for what is new."))
    return approval


def _standing(approval: Approval) -> None:
    if approval.state not in (*UNANSWERED, ApprovalState.GRANTED.value):
        raise Conflict(_("This application has ended already."))
