"""What does not go with a trip goes by a clock of its own: for each such table, one short step at a time.

A step is one transaction's work: it takes away at most `limit` rows and says how many it took; it is repeated until it takes none.
"""

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, delete, exists, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute

from checkpoint.alerts.models import Alert, AlertState, FeedEntry
from checkpoint.alerts.queries import LIVE_STATES
from checkpoint.approvals.models import Approval, ApprovalState
from checkpoint.companies.models import Company, CompanyMember, CompanyState
from checkpoint.crossings.lane_models import VehicleCrossing
from checkpoint.crossings.models import Crossing
from checkpoint.database import Base, db
from checkpoint.disclosure.models import PeopleShown
from checkpoint.inquiries.models import ENDED, Inquiry, InquiryHit, InquiryState
from checkpoint.joint.models import JointRecord
from checkpoint.patrols.models import PatrolPhoto, PatrolVisit
from checkpoint.registrations.carried_models import CarriedRefusal
from checkpoint.retention.counting import count_gone
from checkpoint.risk.policy import Retention
from checkpoint.surveillance.models import ReassessItem, ReassessJob

Step = Callable[[Retention, datetime, int], int]
PURGED = "purged"  # the subject of an alert that leads to nobody any more
_APPROVAL_OVER = (ApprovalState.REFUSED.value, ApprovalState.WITHDRAWN.value, ApprovalState.REVOKED.value)
_COMPANY_OVER = (CompanyState.REFUSED.value, CompanyState.CLOSED.value)


def _before(at: datetime, days: int) -> datetime:
    return at - timedelta(days=days)


def _chosen(query: Select[Any], limit: int) -> list[Any]:
    """The keys of some rows, locked; those that another scheduler has taken are left to it."""
    return list(db.session.scalars(query.limit(limit).with_for_update(skip_locked=True)))


def _remove(model: type[Base], key: InstrumentedAttribute[Any], condition: ColumnElement[bool], limit: int) -> int:
    keys = _chosen(select(key).where(condition).order_by(key), limit)
    if keys:
        db.session.execute(delete(model).where(key.in_(keys)), execution_options={"synchronize_session": False})
    return len(keys)


def remove_alerts(alert_ids: Sequence[uuid.UUID]) -> int:
    """Take away alerts with their history. The one that the newest number of the feed belongs to stays, leading to nobody, until a
    newer one has come: numbers are counted on from it, and none may be given twice."""
    if not alert_ids:
        return 0
    newest = select(FeedEntry.alert_id).where(FeedEntry.seq.is_not(None)).order_by(FeedEntry.seq.desc()).limit(1)
    last = db.session.scalar(newest)
    going = [one for one in alert_ids if one != last]
    options = {"synchronize_session": False}
    if going:
        db.session.execute(delete(Alert).where(Alert.id.in_(going)), execution_options=options)
    if last in alert_ids:
        blank: dict[str, Any] = {
            "subject_type": PURGED,
            "subject_id": None,
            "cause": f"{PURGED}:{last}",
            "params": {},
            "group_key": None,
            "note_sealed": None,
            "state": AlertState.RETRACTED.value,
        }
        db.session.execute(update(Alert).where(Alert.id == last).values(blank), execution_options=options)
    return len(alert_ids)


def _alerts_of(subjects: Sequence[uuid.UUID]) -> None:
    remove_alerts(list(db.session.scalars(select(Alert.id).where(Alert.subject_id.in_(subjects)))))


def _open_alert(subject: InstrumentedAttribute[uuid.UUID]) -> ColumnElement[bool]:
    return exists().where(Alert.subject_id == subject, Alert.state.in_(LIVE_STATES))


def old_alerts(kept: Retention, at: datetime, limit: int) -> int:
    """Alerts about anything but a trip that nobody has to answer any more, and those whose trip is gone."""
    newest = select(func.max(FeedEntry.seq)).scalar_subquery()
    numbered = exists().where(FeedEntry.alert_id == Alert.id, FeedEntry.seq == newest)
    over = and_(
        Alert.subject_type != "registration",
        Alert.state.not_in(LIVE_STATES),
        or_(Alert.created_at <= _before(at, kept.alerts), Alert.subject_type == PURGED),
        ~numbered,
    )
    return remove_alerts(_chosen(select(Alert.id).where(over).order_by(Alert.id), limit))


def nobodys_crossings(kept: Retention, at: datetime, limit: int) -> int:
    """Scans that led to nobody: what was shown was forged, unknown or not readable. They stay as counts."""
    over = and_(Crossing.registration_id.is_(None), Crossing.received_at <= _before(at, kept.barrier))
    keys = _chosen(select(Crossing.id).where(over, ~_open_alert(Crossing.id)).order_by(Crossing.id), limit)
    if keys:
        count_gone(keys)
        _alerts_of(keys)
        db.session.execute(delete(Crossing).where(Crossing.id.in_(keys)))
    return len(keys)


def _reassess_item(kept: Retention, at: datetime, limit: int) -> int:
    done = select(ReassessJob.version).where(ReassessJob.finished_at <= _before(at, kept.changes))
    there = exists().where(ReassessItem.version == ReassessJob.version)
    version = db.session.scalar(done.where(there).order_by(ReassessJob.version).limit(1))
    if version is None:
        return 0
    some = select(ReassessItem.registration_id).where(ReassessItem.version == version)
    keys = _chosen(some.order_by(ReassessItem.registration_id), limit)
    gone = delete(ReassessItem).where(ReassessItem.version == version, ReassessItem.registration_id.in_(keys))
    db.session.execute(gone, execution_options={"synchronize_session": False})
    return len(keys)


def _carried_refusal(kept: Retention, at: datetime, limit: int) -> int:
    over = and_(CarriedRefusal.received_at <= _before(at, kept.barrier), ~_open_alert(CarriedRefusal.id))
    keys = _chosen(select(CarriedRefusal.id).where(over).order_by(CarriedRefusal.id), limit)
    _alerts_of(keys)
    db.session.execute(delete(CarriedRefusal).where(CarriedRefusal.id.in_(keys)))
    return len(keys)


def _vehicle_crossing(kept: Retention, at: datetime, limit: int) -> int:
    used = exists().where(Crossing.vehicle_id == VehicleCrossing.id)
    over = and_(VehicleCrossing.opened_at <= _before(at, kept.barrier), ~used)
    return _remove(VehicleCrossing, VehicleCrossing.id, over, limit)


def _approval(kept: Retention, at: datetime, limit: int) -> int:
    before = _before(at, kept.approvals)
    ended = and_(Approval.state.in_(_APPROVAL_OVER), func.coalesce(Approval.decided_at, Approval.changed_at) <= before)
    expired = and_(Approval.valid_until <= before, Approval.changed_at <= before)
    over = and_(or_(ended, expired), ~_open_alert(Approval.id))
    keys = _chosen(select(Approval.id).where(over).order_by(Approval.id), limit)
    if keys:
        _alerts_of(keys)
        db.session.execute(
            delete(Approval).where(Approval.id.in_(keys)), execution_options={"synchronize_session": False}
        )
    return len(keys)


def _company(kept: Retention, at: datetime, limit: int) -> int:
    ended = func.coalesce(Company.closed_at, Company.decided_at) <= _before(at, kept.companies)
    named = exists().where(Approval.company_id == Company.id)
    over = and_(Company.state.in_(_COMPANY_OVER), ended, ~named, ~_open_alert(Company.id))
    keys = _chosen(select(Company.id).where(over).order_by(Company.id), limit)
    if keys:
        _alerts_of(keys)
        db.session.execute(
            delete(Company).where(Company.id.in_(keys)), execution_options={"synchronize_session": False}
        )
    return len(keys)


def _company_member(kept: Retention, at: datetime, limit: int) -> int:
    over = CompanyMember.removed_at <= _before(at, kept.companies)
    return _remove(CompanyMember, CompanyMember.id, over, limit)


def _inquiry(kept: Retention, at: datetime, limit: int) -> int:
    over = and_(
        Inquiry.state.in_((*ENDED, InquiryState.FAILED.value)),
        func.coalesce(Inquiry.ended_at, Inquiry.created_at) <= _before(at, kept.inquiries),
    )
    found = exists().where(InquiryHit.inquiry_id == Inquiry.id)
    inquiry_id = db.session.scalar(
        select(Inquiry.id).where(over, or_(Inquiry.case_sealed.is_not(None), found)).order_by(Inquiry.id).limit(1)
    )
    if inquiry_id is None:
        return 0
    hits = _remove(InquiryHit, InquiryHit.id, InquiryHit.inquiry_id == inquiry_id, limit)
    if hits < limit:
        forget = update(Inquiry).where(Inquiry.id == inquiry_id).values(case_sealed=None)
        db.session.execute(forget, execution_options={"synchronize_session": False})
    return hits + 1


def _joint_record(kept: Retention, at: datetime, limit: int) -> int:
    over = and_(JointRecord.closed_at <= _before(at, kept.joint), ~_open_alert(JointRecord.id))
    keys = _chosen(select(JointRecord.id).where(over).order_by(JointRecord.id), limit)
    if keys:
        _alerts_of(keys)
        gone = delete(JointRecord).where(JointRecord.id.in_(keys))
        db.session.execute(gone, execution_options={"synchronize_session": False})
    return len(keys)


def _patrol_visit(kept: Retention, at: datetime, limit: int) -> int:
    told = or_(PatrolVisit.note_sealed.is_not(None), PatrolVisit.has_photo)
    over = and_(PatrolVisit.received_at <= _before(at, kept.patrols), told)
    keys = _chosen(select(PatrolVisit.id).where(over).order_by(PatrolVisit.id), limit)
    if keys:
        options = {"synchronize_session": False}
        db.session.execute(delete(PatrolPhoto).where(PatrolPhoto.id.in_(keys)), execution_options=options)
        forget = update(PatrolVisit).where(PatrolVisit.id.in_(keys)).values(note_sealed=None, has_photo=False)
        db.session.execute(forget, execution_options=options)
    return len(keys)


def _people_shown(kept: Retention, at: datetime, limit: int) -> int:
    return _remove(PeopleShown, PeopleShown.id, PeopleShown.starts_at <= _before(at, kept.alerts), limit)


CLOCKS: dict[str, Step] = {
    "reassess_item": _reassess_item,
    "carried_refusal": _carried_refusal,
    "vehicle_crossing": _vehicle_crossing,
    "approval": _approval,
    "company": _company,
    "company_member": _company_member,
    "inquiry": _inquiry,
    "joint_record": _joint_record,
    "patrol_visit": _patrol_visit,
    "people_shown": _people_shown,
}
BESIDES: dict[str, Step] = {"crossing": nobodys_crossings, "alert": old_alerts}
"""What else stands in tables that go with trips, and belongs to none."""
