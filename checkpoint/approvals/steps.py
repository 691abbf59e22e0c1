"""What every act on an application does besides its own: lock the row, write the step, tell the level that answers, close its alert.

All of it in the transaction under way.
"""

import uuid
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update

from checkpoint.accounts.permissions import Actor
from checkpoint.alerts.duty import CITY
from checkpoint.alerts.kinds import deadline_for
from checkpoint.alerts.models import Alert, AlertState
from checkpoint.alerts.queries import LIVE_STATES
from checkpoint.alerts.service import TAKEN_BACK, NewAlert, note_change, raise_alerts
from checkpoint.approvals.application import Holder
from checkpoint.approvals.kinds import ALERT
from checkpoint.approvals.models import Approval, ApprovalHolder, ApprovalPage, ApprovalState, ApprovalStep
from checkpoint.audit.service import record
from checkpoint.database import db, insert_rows, new_id
from checkpoint.errors import Conflict, NotFound
from checkpoint.privacy import Keyring, keyring, lookup_hash, seal, secret_tag
from checkpoint.privacy.pictures import seal_picture
from checkpoint.regions.models import at_level
from checkpoint.risk.policy import PolicyData
from checkpoint.words import _

MOST_KEPT_PAGES = 60
_KEY_BYTES = 16


def key_of(ring: Keyring, approval_id: uuid.UUID) -> str:
    """What the applicant's link carries: a keyed tag of the application, so that a repeat is answered with the same link."""
    return urlsafe_b64encode(secret_tag(ring, "approval-link", approval_id.bytes, _KEY_BYTES)).decode().rstrip("=")


def locked(approval_id: uuid.UUID) -> Approval:
    """An application as it is now, locked for the rest of the transaction; NotFound when there is none."""
    query = select(Approval).where(Approval.id == approval_id).with_for_update()
    found = db.session.scalar(query.execution_options(populate_existing=True))
    if found is None:
        raise NotFound
    return found


def repeated(approval: Approval, once: uuid.UUID | None) -> bool:
    """Whether an act by the client's own UUID `once` was done before; Conflict when it was done to another application."""
    step = db.session.get(ApprovalStep, once) if once is not None else None
    if step is None:
        return False
    if step.approval_id != approval.id:
        raise Conflict
    return True


def unchanged(approval: Approval, seen: datetime | None) -> None:
    """Conflict when something has happened since the page was made on which the actor decided."""
    if seen is not None and approval.changed_at != seen:
        raise Conflict(_("Somebody else has worked on this application since you opened it. Please look at it again."))


def note(
    approval: Approval,
    act: str,
    *,
    actor: Actor,
    at: datetime,
    once: uuid.UUID | None = None,
    text: str = "",
    data: dict[str, Any] | None = None,
) -> ApprovalStep:
    """Write a step of an application and its entry in the audit trail, by the act's name there (`approval.asked`); tablets hear of
    whatever changes here."""
    step = ApprovalStep(
        id=once or new_id(),
        approval_id=approval.id,
        at=at,
        act=act.removeprefix("approval."),
        stage=approval.stage,
        actor=actor.key,
        data=data,
    )
    if text:
        step.text = text
    db.session.add(step)
    approval.changed_at = at
    db.session.flush()
    record(
        at=at,
        actor_kind=actor.kind,
        actor_id=actor.id,
        act=act,
        object_type="approval",
        object_id=approval.id,
        data={"number": approval.number, "kind": approval.kind, "stage": approval.stage, **(data or {})},
    )
    return step


def tell(approval: Approval, cause: uuid.UUID, policy: PolicyData, at: datetime) -> None:
    """Tell the level at which an application stands that it waits there; its time runs from now."""
    deadline = deadline_for(ALERT.name, ALERT.tier.value, policy)
    alert = NewAlert(
        kind=ALERT.name,
        cause=f"approval:{approval.id}:{cause.hex[-12:]}",
        division_code=at_level(approval.division_code, max(CITY, approval.stage)),
        subject_type="approval",
        subject_id=approval.id,
        params={"number": approval.number, "approval_kind": approval.kind, "stage": approval.stage},
    )
    approval.alert_id = alert.id
    approval.due_at = at + timedelta(minutes=deadline.resolve_minutes) if deadline is not None else None
    db.session.flush()
    raise_alerts([alert], policy, at)


def close_alert(approval: Approval, actor: Actor, at: datetime, *, answered: bool = True) -> None:
    """Close the alert of the stage, if it still stands: dealt with, or taken back when nobody needs to answer any more."""
    approval.due_at = None
    state = AlertState.RESOLVED if answered else AlertState.RETRACTED
    values: dict[str, Any] = {"state": state.value}
    if answered:
        values |= {
            "resolved_at": at,
            "resolved_by": actor.key,
            "result": "handled",
            "acknowledged_at": func.coalesce(Alert.acknowledged_at, at),
            "acknowledged_by": func.coalesce(Alert.acknowledged_by, actor.key),
        }
    division = db.session.scalar(
        update(Alert)
        .where(Alert.id == approval.alert_id, Alert.state.in_(LIVE_STATES))
        .values(values)
        .returning(Alert.division_code)
        .execution_options(synchronize_session=False)
    )
    if division is not None and approval.alert_id is not None:
        data = {"result": "handled"} if answered else None
        note_change(approval.alert_id, division, state.value, actor, at, data, wave=None if answered else TAKEN_BACK)


def add_pages(approval_id: uuid.UUID, pictures: Sequence[bytes], actor: Actor, at: datetime) -> None:
    """Seal and keep pages that were made anew, after those that are there. Raises Conflict when there are too many."""
    if not pictures:
        return
    last = db.session.scalar(select(func.max(ApprovalPage.position)).where(ApprovalPage.approval_id == approval_id))
    first = 0 if last is None else last + 1
    if first + len(pictures) > MOST_KEPT_PAGES:
        raise Conflict(_("No more pictures can be kept with this application."))
    rows = []
    for position, picture in enumerate(pictures, first):
        page_id = new_id()
        rows.append(
            {
                "id": page_id,
                "approval_id": approval_id,
                "position": position,
                "picture_sealed": seal_picture(keyring(), picture, "approval_page", "picture", page_id),
                "picture_bytes": len(picture),
                "added_at": at,
                "added_by": actor.key,
            }
        )
    insert_rows(ApprovalPage, rows)


def holder_rows(approval_id: uuid.UUID, holders: Iterable[Holder]) -> list[dict[str, Any]]:
    """The rows of holders: sealed, and found by the keyed hash of document or plate."""
    ring = keyring()
    rows = []
    for holder in holders:
        row_id = new_id()

        def sealed(value: str | None, column: str, row_id: uuid.UUID = row_id) -> bytes | None:
            return seal(ring, value, "approval_holder", column, row_id) if value else None

        document = f"{holder.id_type}:{holder.id_number}" if holder.id_number else None
        rows.append(
            {
                "id": row_id,
                "approval_id": approval_id,
                "name_sealed": sealed(holder.name, "name"),
                "id_type": holder.id_type,
                "id_number_sealed": sealed(holder.id_number, "id_number"),
                "id_number_hash": lookup_hash(ring, "document", document) if document else None,
                "phone_sealed": sealed(holder.phone, "phone"),
                "plate_sealed": sealed(holder.plate, "plate"),
                "plate_hash": lookup_hash(ring, "plate", holder.plate) if holder.plate else None,
                "removed_at": None,
            }
        )
    return rows


def keep_holders(rows: Sequence[dict[str, Any]]) -> None:
    """Store the rows of holders."""
    insert_rows(ApprovalHolder, rows)


def decide(approval: Approval, state: ApprovalState, actor: Actor, at: datetime) -> None:
    """Give an application the state in which it stays."""
    approval.state = state.value
    approval.decided_at, approval.decided_by = at, actor.key
    approval.due_at = None
    db.session.flush()
