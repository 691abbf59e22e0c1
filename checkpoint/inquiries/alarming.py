"""The alerts of an inquiry: raised where the person is, moved with them, taken back when nothing stands behind them any more.

An inquiry finds a person once (`inquiry_hit`), and at most one of its alerts about them is live at any time. `align` is the one place that
compares what a hit calls for with the alert that there is; it is called whenever one of the two may have changed: another trip, an
amendment, the barrier, a reviewer. What somebody has resolved stays.
"""

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkpoint.accounts.permissions import Actor
from checkpoint.alerts.models import Alert, AlertState
from checkpoint.alerts.queries import LIVE_STATES
from checkpoint.alerts.service import TAKEN_BACK, NewAlert, note_change, raise_alerts
from checkpoint.database import new_id, transaction
from checkpoint.inquiries.evidence import Outcome
from checkpoint.inquiries.kinds import INQUIRY
from checkpoint.inquiries.models import HitDecision, Inquiry, InquiryHit, InquiryState
from checkpoint.risk.policy import PolicyData

_STANDING = (*LIVE_STATES, AlertState.NOTICE.value)
# Results after which the matter is closed wherever the person goes next; whom one village did not find, the next one must look for.
_SETTLED = ("handled", "false_alarm")


def group_key(inquiry_id: uuid.UUID) -> str:
    """What the alerts of one inquiry share."""
    return f"inquiry:{inquiry_id.hex}"


def alarm(
    hit_id: uuid.UUID,
    inquiry_id: uuid.UUID,
    registration_id: uuid.UUID,
    division_code: str,
    alert_id: uuid.UUID,
    *,
    source: str,
    level: str,
    rule: str | None,
    is_first: bool,
) -> NewAlert:
    """The alert to the village about a person whom an inquiry names; a later one of the same hit has a cause of its own."""
    cause = f"inquiry:{hit_id.hex}"
    return NewAlert(
        kind=INQUIRY.name,
        cause=cause if is_first else f"{cause}:{alert_id.hex[-16:]}",
        division_code=division_code,
        tier=level,
        subject_id=registration_id,
        params={"inquiry_id": inquiry_id.hex, "source": source, "rule": rule},
        id=alert_id,
        group_key=group_key(inquiry_id),
    )


def calls_for_alert(hit: InquiryHit) -> bool:
    """Whether the village must know: the evidence says so and nobody the contrary, or a reviewer has confirmed it."""
    if hit.decision is not None:
        return hit.decision == HitDecision.SAME.value
    return hit.outcome == Outcome.ALERT.value


def align(
    hits: Sequence[InquiryHit], here: Collection[uuid.UUID], *, policy: PolicyData, actor: Actor, at: datetime
) -> int:
    """Bring the alerts of some locked hits in line with them; returns how many were raised.

    `here` are the trips among theirs whose travellers are in the city or on their way: nobody is alarmed about anybody else.
    """
    if not hits:
        return 0
    with transaction() as session:
        session.flush()
        alerts = _locked_alerts(session, hits)
        inquiries = _inquiries(session, hits)
        raised = []
        for hit in hits:
            alert = alerts.get(hit.alert_id) if hit.alert_id is not None else None
            if not calls_for_alert(hit):
                _retract(session, alert, actor, at)
                hit.alert_id = None
            elif alert is not None and alert.state in _STANDING and alert.division_code == hit.division_code:
                _same_place(session, hit, alert, actor, at)
            elif hit.registration_id in here and _is_due(hit, alert, inquiries[hit.inquiry_id]):
                _retract(session, alert, actor, at)
                hit.alert_id = new_id()
                raised.append(_again(hit, inquiries[hit.inquiry_id]))
        session.flush()
        raise_alerts(raised, policy, at)
    return len(raised)


def _locked_alerts(session: Session, hits: Sequence[InquiryHit]) -> dict[uuid.UUID, Alert]:
    ids = [hit.alert_id for hit in hits if hit.alert_id is not None]
    if not ids:
        return {}
    query = select(Alert).where(Alert.id.in_(ids)).order_by(Alert.id).with_for_update()
    return {alert.id: alert for alert in session.scalars(query.execution_options(populate_existing=True))}


def _inquiries(session: Session, hits: Sequence[InquiryHit]) -> dict[uuid.UUID, Inquiry]:
    query = select(Inquiry).where(Inquiry.id.in_({hit.inquiry_id for hit in hits}))
    return {one.id: one for one in session.scalars(query.execution_options(populate_existing=True))}


def _retract(session: Session, alert: Alert | None, actor: Actor, at: datetime) -> None:
    if alert is None or alert.state not in _STANDING:
        return
    alert.state = AlertState.RETRACTED.value
    session.flush()
    note_change(alert.id, alert.division_code, "retracted", actor, at, wave=TAKEN_BACK)


def retract_of(hit: InquiryHit, *, actor: Actor, at: datetime) -> None:
    """Take the standing alert of a locked hit back; the hit stays, and another trip of the person raises a new one."""
    with transaction() as session:
        session.flush()
        for alert in _locked_alerts(session, [hit]).values():
            _retract(session, alert, actor, at)
        hit.alert_id = None
        session.flush()


def _same_place(session: Session, hit: InquiryHit, alert: Alert, actor: Actor, at: datetime) -> None:
    """Another trip to the same village: those who have it in hand keep it."""
    if alert.subject_id != hit.registration_id:
        alert.subject_id = hit.registration_id
        session.flush()
        note_change(alert.id, alert.division_code, "other_trip", actor, at)


def _is_due(hit: InquiryHit, alert: Alert | None, inquiry: Inquiry) -> bool:
    """Whether an alert must be raised. A standing one elsewhere moves even when its inquiry has expired since."""
    if alert is not None and alert.state in _STANDING:
        return True
    if inquiry.state not in (InquiryState.IN_FORCE.value, InquiryState.MATCHING.value):
        return False
    if alert is None or alert.state == AlertState.RETRACTED.value:
        return True
    return alert.division_code != hit.division_code and alert.result not in _SETTLED


def _again(hit: InquiryHit, inquiry: Inquiry) -> NewAlert:
    rule = "reviewed" if hit.decision == HitDecision.SAME.value else hit.rule
    alert_id = hit.alert_id or new_id()
    return alarm(
        hit.id, hit.inquiry_id, hit.registration_id, hit.division_code, alert_id,
        source=inquiry.source, level=inquiry.level, rule=rule, is_first=False,
    )  # fmt: skip
