"""Handing an alert to a colleague, handing over everything at the end of a shift, and opening a closed alert again."""

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import or_, select

from checkpoint.accounts.models import User
from checkpoint.accounts.permissions import PERMISSIONS, Actor, Permission
from checkpoint.alerts.duty import ANSWERING_ROLES, chain, level_of, routes
from checkpoint.alerts.escalation import wait_again
from checkpoint.alerts.kinds import kind_of
from checkpoint.alerts.models import Alert, AlertState
from checkpoint.alerts.queries import LIVE_STATES, scoped
from checkpoint.alerts.receipts import seen_by
from checkpoint.alerts.service import locked, note_change
from checkpoint.database import db, transaction
from checkpoint.errors import Conflict, InvalidInput, NotAllowed
from checkpoint.risk.policy import PolicyData
from checkpoint.words import _

MOST = 200


def may_have(user: User, alert: Alert) -> bool:
    """Whether somebody may be given an alert: they answer alerts, and see its place, its person and its kind."""
    kind = kind_of(alert.kind)
    permissions = PERMISSIONS.get(user.role, frozenset())
    return (
        user.active
        and user.role in ANSWERING_ROLES
        and Permission.PEOPLE_READ in permissions
        and user.division_code in chain(alert.division_code)
        and (kind is None or kind.permission is None or kind.permission in permissions)
    )


def colleagues(actor: Actor, alerts: Collection[Alert]) -> list[User]:
    """Everybody else who may see every one of some alerts; nobody else is ever offered. The nearest come first."""
    if not alerts:
        return []
    codes = set.intersection(*(set(chain(alert.division_code)) for alert in alerts))
    query = select(User).where(
        User.division_code.in_(codes), User.active.is_(True), User.role.in_(ANSWERING_ROLES), User.id != actor.id
    )
    found = db.session.scalars(query.order_by(User.division_code.desc(), User.display_name)).all()
    return [user for user in found if all(may_have(user, alert) for alert in alerts)]


def in_hand(actor: Actor, *, limit: int = MOST) -> list[Alert]:
    """The live alerts that a person has taken on or was handed, the nearest deadline first."""
    given = Alert.assigned_to == actor.id
    taken = (
        (Alert.acknowledged_by == actor.key)
        & (Alert.state == AlertState.ACKNOWLEDGED.value)
        & or_(Alert.assigned_to.is_(None), given)
    )
    query = scoped(actor).where(Alert.state.in_(LIVE_STATES), given | taken)
    return list(db.session.scalars(query.order_by(Alert.resolve_due).limit(limit)))


def assign(alert_id: uuid.UUID, user_id: uuid.UUID, *, actor: Actor, at: datetime, policy: PolicyData) -> Alert:
    """Hand an alert to a colleague, who must acknowledge it; the time for a result does not start again.

    Handing it to the same person a second time is harmless. Raises InvalidInput for somebody who may not see it, Conflict for one
    that is closed.
    """
    if not actor.may(Permission.ALERTS_ACT):
        raise NotAllowed
    with transaction():
        alert = locked(actor, alert_id)
        _hand(alert, _receiver(user_id, [alert]), actor, at, policy)
    return alert


def hand_over(
    alert_ids: Sequence[uuid.UUID], user_id: uuid.UUID, *, actor: Actor, at: datetime, policy: PolicyData
) -> int:
    """Hand several alerts to one colleague in one act, as at the end of a shift; all or none. Closed ones are left out."""
    if not actor.may(Permission.ALERTS_ACT):
        raise NotAllowed
    with transaction():
        alerts = [locked(actor, one) for one in sorted(set(alert_ids))[:MOST]]
        live = [alert for alert in alerts if alert.state in LIVE_STATES]
        receiver = _receiver(user_id, live)
        for alert in live:
            _hand(alert, receiver, actor, at, policy)
    return len(live)


def _receiver(user_id: uuid.UUID, alerts: Collection[Alert]) -> User:
    user = db.session.get(User, user_id)
    if user is None or not all(may_have(user, alert) for alert in alerts):
        raise InvalidInput.one("to", "unknown", _("Choose somebody who may see this person."))
    return user


def _hand(alert: Alert, receiver: User, actor: Actor, at: datetime, policy: PolicyData) -> None:
    if alert.state not in LIVE_STATES:
        raise Conflict(_("This alert is closed."))
    if alert.assigned_to == receiver.id:
        return
    result_due = alert.resolve_due  # stays, unless it is over
    alert.assigned_to, alert.assigned_at = receiver.id, at
    alert.responsible_level = level_of(receiver.division_code)
    wait_again(alert, policy, at)
    if result_due is not None and result_due > at and alert.ack_due is not None:
        alert.ack_due = min(alert.ack_due, result_due)
    db.session.flush()
    data = {"to": str(receiver.id), "level": alert.responsible_level}
    note_change(alert.id, alert.division_code, "assigned", actor, at, data, wave=alert.wave)


def reopen(alert_id: uuid.UUID, reason: str, *, actor: Actor, at: datetime, policy: PolicyData) -> Alert:
    """Open a resolved alert again, with a reason that is kept among its notes; it waits for an acknowledgement with new deadlines.

    One that is open already stays as it is. Raises InvalidInput without a reason, Conflict for a notice or a retracted one.
    """
    if not actor.may(Permission.ALERTS_ACT):
        raise NotAllowed
    if not reason.strip():
        raise InvalidInput.one("note", "missing", _("Say why it is opened again."))
    with transaction() as session:
        alert = locked(actor, alert_id)
        if alert.state in LIVE_STATES:
            return alert
        if alert.state != AlertState.RESOLVED.value:
            raise Conflict(_("Only what was closed with a result can be opened again."))
        before = alert.result
        alert.note = f"{alert.note}\n{reason.strip()}" if alert.note else reason.strip()
        alert.result = alert.resolved_at = alert.resolved_by = None
        alert.acknowledged_at = alert.acknowledged_by = None
        alert.assigned_to = alert.assigned_at = None
        alert.responsible_level = routes([alert.division_code], at)[alert.division_code]
        alert.resolve_due = None
        wait_again(alert, policy, at)
        session.flush()
        seen_by(actor, [alert.id], at)
        note_change(alert.id, alert.division_code, "reopened", actor, at, {"result": before}, wave=alert.wave)
    return alert
