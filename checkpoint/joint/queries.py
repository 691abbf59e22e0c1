"""Reading peers and joint inquiries. They belong to the city's command alone: routes ask for `inquiries.joint`."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from checkpoint.database import db
from checkpoint.errors import NotFound
from checkpoint.joint.models import JointMessage, JointPerson, JointRecord, JointStep, Peer, PeerRefusal


@dataclass(frozen=True, slots=True)
class Whole:
    """A record with its peer, its people in the order asked, its history, and the message that waits longest."""

    record: JointRecord
    peer: Peer
    people: Sequence[JointPerson]
    steps: Sequence[JointStep]
    waiting: JointMessage | None


def peers() -> Sequence[Peer]:
    """Every peer, those in use first."""
    return db.session.scalars(select(Peer).order_by(Peer.revoked_at.is_not(None), Peer.name, Peer.id)).all()


def peer(peer_id: uuid.UUID) -> Peer:
    """One peer. Raises NotFound."""
    found = db.session.get(Peer, peer_id)
    if found is None:
        raise NotFound
    return found


def trusted() -> Sequence[Peer]:
    """The peers that may be asked."""
    return db.session.scalars(select(Peer).where(Peer.revoked_at.is_(None)).order_by(Peer.name, Peer.id)).all()


def refusals(limit: int = 50) -> Sequence[tuple[PeerRefusal, str | None]]:
    """Refused messages by cause and hour, the newest first, with the name of the peer where one is known."""
    query = select(PeerRefusal, Peer.name).outerjoin(Peer, Peer.kid == PeerRefusal.kid)
    return db.session.execute(query.order_by(PeerRefusal.last_at.desc()).limit(limit)).all()


def records(limit: int = 200) -> Sequence[tuple[JointRecord, Peer]]:
    """Joint inquiries in both directions: the open ones first, then the newest."""
    query = select(JointRecord, Peer).join(Peer, Peer.id == JointRecord.peer_id)
    order = query.order_by(JointRecord.closed_at.is_not(None), JointRecord.changed_at.desc())
    return db.session.execute(order.limit(limit)).all()


def whole(record_id: uuid.UUID) -> Whole:
    """One record with all that belongs to it. Raises NotFound."""
    record = db.session.get(JointRecord, record_id, populate_existing=True)
    if record is None:
        raise NotFound
    waiting = select(JointMessage).where(JointMessage.record_id == record.id, JointMessage.state == "waiting")
    return Whole(
        record,
        peer(record.peer_id),
        db.session.scalars(
            select(JointPerson).where(JointPerson.record_id == record.id).order_by(JointPerson.number)
        ).all(),
        db.session.scalars(
            select(JointStep).where(JointStep.record_id == record.id).order_by(JointStep.at, JointStep.id)
        ).all(),
        db.session.scalars(waiting.order_by(JointMessage.number).limit(1)).first(),
    )
