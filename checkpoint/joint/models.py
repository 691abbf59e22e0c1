"""Other instances that we know (peers), the joint inquiries between us, and the messages that carry them.

One record stands on each side, under the request's own UUID: the asker's (`out`) and the answerer's (`in`). What the
answerer finds comes from an ordinary inquiry of theirs, which ends with the record.
"""

import enum
import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.orm import Mapped, mapped_column

from checkpoint.database import Base, BigId, Document, UtcDateTime, new_id
from checkpoint.privacy import Sealed


class Direction(enum.StrEnum):
    """`out`: we ask; `in`: they ask."""

    OUT = "out"
    IN = "in"


class PersonState(enum.StrEnum):
    """What is known of one person. `received` also while somebody there still looks; `not_found` may become `found` later."""

    ASKED = "asked"
    RECEIVED = "received"
    NOT_FOUND = "not_found"
    FOUND = "found"
    HANDLED = "handled"


class MessageState(enum.StrEnum):
    """`dead`: given up, because the record is closed or the peer revoked; `error` says why."""

    WAITING = "waiting"
    SENT = "sent"
    DEAD = "dead"


class Peer(Base):
    """Another instance: what it is called, which division it answers for, where it is reached, and its two public keys.

    `kid` is the key id that its messages carry, derived from both keys (`identity.py`). Keys are uncompressed P-256 points. A
    revoked peer stays, so that what was asked keeps its name. `heard_at` is the last message of theirs that was accepted.
    """

    __tablename__ = "peer"

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(80))
    division_code: Mapped[str] = mapped_column(String(12))
    url: Mapped[str] = mapped_column(String(300))
    kid: Mapped[str] = mapped_column(String(16), unique=True)
    sign_key: Mapped[bytes] = mapped_column(LargeBinary(65))
    seal_key: Mapped[bytes] = mapped_column(LargeBinary(65))
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)
    added_by: Mapped[str] = mapped_column(String(60))
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_by: Mapped[str | None] = mapped_column(String(60))
    heard_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class PeerNonce(Base):
    """A nonce that a peer has used, kept as long as the message could still pass by its time."""

    __tablename__ = "peer_nonce"
    __table_args__ = (Index("ix_peer_nonce_expires", "expires_at"),)

    kid: Mapped[str] = mapped_column(String(16), primary_key=True)
    nonce: Mapped[bytes] = mapped_column(LargeBinary(16), primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)


class PeerRefusal(Base):
    """Messages that were refused for one cause in one hour, from one peer or from nobody that we know: how many, and when last.

    Counted by the hour, so that a stranger cannot fill the disk.
    """

    __tablename__ = "peer_refusal"
    __table_args__ = (
        UniqueConstraint("hour", "cause", "kid", name="uq_peer_refusal_hour_cause_kid"),
        Index("ix_peer_refusal_last", "last_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    hour: Mapped[datetime] = mapped_column(UtcDateTime)
    cause: Mapped[str] = mapped_column(String(20))
    kid: Mapped[str] = mapped_column(String(16))
    count: Mapped[int] = mapped_column(Integer)
    last_at: Mapped[datetime] = mapped_column(UtcDateTime)


class JointRecord(Base):
    """One joint inquiry as one side keeps it. `request_id` is the asker's own UUID, the same on both sides.

    `level` is the tier of the alerts it raises. `valid_until` is the last day on which is looked and answered. `serial` counts the
    answers given (`in`) or taken (`out`). `inquiry_id` (`in` alone) is the list that was made of it. `answered_at`: something is
    known of everybody; `handled_at`: everybody who was found is dealt with. `close_reason`: finished, ended, expired, revoked.
    """

    __tablename__ = "joint_record"
    __table_args__ = (
        UniqueConstraint("peer_id", "direction", "request_id", name="uq_joint_record_peer_direction_request"),
        Index("ix_joint_record_open", "direction", "closed_at"),
        Index("ix_joint_record_changed", "changed_at"),
        Index("ix_joint_record_inquiry", "inquiry_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    direction: Mapped[str] = mapped_column(String(4))
    peer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("peer.id"))
    request_id: Mapped[uuid.UUID] = mapped_column(Uuid)
    level: Mapped[str] = mapped_column(String(8))
    legal_basis: Mapped[str] = mapped_column(String(200))
    case_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    question_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    valid_until: Mapped[date] = mapped_column(Date)
    people: Mapped[int] = mapped_column(SmallInteger)
    serial: Mapped[int] = mapped_column(Integer)
    inquiry_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("inquiry.id", ondelete="SET NULL"))
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    asked_by: Mapped[str | None] = mapped_column(String(60))
    received_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    handled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    close_reason: Mapped[str | None] = mapped_column(String(12))
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)

    case = Sealed()
    question = Sealed()


class JointPerson(Base):
    """One person of a joint inquiry: `number` from 0 in the order asked.

    `listed` is what was asked by, as JSON; on the answering side it is destroyed when the record closes. `answer` is what was told
    last: state and place of the stay, nothing that names the person.
    """

    __tablename__ = "joint_person"
    __table_args__ = (UniqueConstraint("record_id", "number", name="uq_joint_person_record_number"),)

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    record_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("joint_record.id", ondelete="CASCADE"))
    number: Mapped[int] = mapped_column(SmallInteger)
    listed_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(String(12))
    answer: Mapped[dict[str, Any] | None] = mapped_column(Document)
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    found_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    handled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    listed = Sealed()


class JointStep(Base):
    """One step of a record, append-only: `at` is when it happened, on whichever side; `data` holds numbers and words, nobody's name."""

    __tablename__ = "joint_step"
    __table_args__ = (Index("ix_joint_step_record", "record_id", "at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    record_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("joint_record.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    step: Mapped[str] = mapped_column(String(12))
    is_theirs: Mapped[bool] = mapped_column(Boolean)
    actor: Mapped[str | None] = mapped_column(String(60))
    data: Mapped[dict[str, Any] | None] = mapped_column(Document)


class JointMessage(Base):
    """A message that is owed to a peer. `id` is the message's own UUID: whatever is sent twice has one effect.

    `body` is its content as JSON, forgotten once the peer has proved that it has it. A sender holds a `lease` for as long as a call
    may take.
    """

    __tablename__ = "joint_message"
    __table_args__ = (
        Index("ix_joint_message_due", "state", "next_at"),
        Index("ix_joint_message_record", "record_id", "number"),
    )

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    record_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("joint_record.id", ondelete="CASCADE"))
    peer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("peer.id"))
    number: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(String(8))
    body_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(String(8))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    next_at: Mapped[datetime] = mapped_column(UtcDateTime)
    attempts: Mapped[int] = mapped_column(SmallInteger)
    error: Mapped[str | None] = mapped_column(String(40))
    lease: Mapped[uuid.UUID | None] = mapped_column(Uuid)
    leased_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    body = Sealed()


class JointTaken(Base):
    """A message that we took from a peer, so that a second copy gets the first one's receipt and changes nothing."""

    __tablename__ = "joint_taken"

    peer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("peer.id"), primary_key=True)
    message_id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    taken_at: Mapped[datetime] = mapped_column(UtcDateTime)
