"""Sending what is owed: oldest first for each record, again and again with longer waits, until the other side proves that it has it.

What proves it is not the status of the answer but the receipt in it, signed by the peer: whoever sits in between cannot swallow a
message. A sender that dies leaves a lease that runs out; the message then goes again under its own UUID, and the receiver takes it once.
"""

import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import ValidationError
from sqlalchemy import select, update
from sqlalchemy.orm import aliased

from checkpoint.channels.timing import retry_after
from checkpoint.database import db, new_id, transaction
from checkpoint.joint import envelope
from checkpoint.joint.contents import Receipt
from checkpoint.joint.envelope import Refused, TheirKeys
from checkpoint.joint.identity import own, own_by_id
from checkpoint.joint.models import JointMessage, JointPerson, MessageState, Peer, PersonState
from checkpoint.joint.peers import keys_of
from checkpoint.joint.records import add_step, locked, settings
from checkpoint.outbound import ForbiddenAddress, Reply, Unreachable, call

LEASE = timedelta(minutes=2)
AT_ONCE = 20
THREADS = 8
TIMEOUT = 10.0  # seconds
Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that this process sends now."""

    message_id: uuid.UUID
    lease: uuid.UUID
    url: str
    keys: TheirKeys
    content: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it: when the other side received it, or why that is not known."""

    claimed: Claimed
    received_at: datetime | None
    error: str = ""


def send_due(now: Clock) -> int:
    """Send every message whose time has come; returns how many were received."""
    received = 0
    while claimed := claim(now()):
        keys, allow = (own(), own_by_id()), settings().allow_private_targets

        def work(one: Claimed, keys: tuple[envelope.OwnKeys, object] = keys, allow: bool = allow) -> Reply | str:
            return _call(one, keys[0], now(), allow)

        with ThreadPoolExecutor(max_workers=min(THREADS, len(claimed))) as pool:
            for one, reply in zip(claimed, pool.map(work, claimed), strict=True):
                received += settle(judged(one, reply, now()), now())
    return received


def claim(at: datetime) -> list[Claimed]:
    """Lease the messages whose turn it is: of each record the oldest that waits."""
    other = aliased(JointMessage)
    earlier = select(other.id).where(
        other.record_id == JointMessage.record_id,
        other.state == MessageState.WAITING.value,
        other.number < JointMessage.number,
    )
    free = JointMessage.leased_until.is_(None) | (JointMessage.leased_until <= at)
    due = (
        select(JointMessage.id)
        .where(JointMessage.state == MessageState.WAITING.value, JointMessage.next_at <= at, free, ~earlier.exists())
        .order_by(JointMessage.next_at)
        .limit(AT_ONCE)
    )
    ids = db.session.scalars(due).all()
    db.session.rollback()
    if not ids:
        return []
    found = []
    with transaction() as session:
        rows = session.execute(
            select(JointMessage, Peer)
            .join(Peer, Peer.id == JointMessage.peer_id)
            .where(JointMessage.id.in_(ids), JointMessage.state == MessageState.WAITING.value, free)
            .order_by(JointMessage.id)
            .with_for_update(of=JointMessage, skip_locked=True)
            .execution_options(populate_existing=True)
        )
        for message, peer in rows:
            message.lease, message.leased_until = new_id(), at + LEASE
            content = (message.body or "").encode()
            found.append(Claimed(message.id, message.lease, peer.url, keys_of(peer), content))
        session.flush()
    return found


def _call(one: Claimed, keys: envelope.OwnKeys, at: datetime, allow_private: bool) -> Reply | str:
    """Send a message; what was answered, or why nothing was."""
    try:
        return call(
            envelope.METHOD,
            one.url + envelope.PATH,
            body=envelope.write(one.content, keys, one.keys, at),
            headers={"Content-Type": "application/cose", "Accept": "application/cose"},
            allow_private=allow_private,
            timeout=TIMEOUT,
            most=envelope.LARGEST,
        )
    except (ForbiddenAddress, Unreachable) as error:
        return error.code


def judged(one: Claimed, reply: Reply | str, at: datetime) -> Outcome:
    """Whether an answer proves that the peer has the message."""
    if isinstance(reply, str):
        return Outcome(one, None, reply)
    if reply.status != 200:
        return Outcome(one, None, f"status_{reply.status}")
    try:
        opened = envelope.read(reply.body, own_by_id(), one.keys, at, use=envelope.RECEIPT)
        receipt = Receipt.model_validate_json(opened.content)
    except (Refused, ValidationError):
        return Outcome(one, None, "no_receipt")
    if receipt.id != one.message_id:
        return Outcome(one, None, "no_receipt")
    return Outcome(one, receipt.received_at)


def settle(outcome: Outcome, at: datetime) -> bool:
    """Write down what became of a message, if the lease is still this sender's; returns whether it was received."""
    with transaction() as session:
        message = session.scalars(
            select(JointMessage)
            .where(JointMessage.id == outcome.claimed.message_id, JointMessage.lease == outcome.claimed.lease)
            .with_for_update()
            .execution_options(populate_existing=True)
        ).first()
        if message is None or message.state != MessageState.WAITING.value:
            return False
        message.lease = message.leased_until = None
        message.attempts = min(message.attempts + 1, 30_000)
        if outcome.received_at is None:
            message.error, message.next_at = outcome.error[:40], at + retry_after(message.attempts)
            return False
        message.state, message.sent_at, message.error, message.body_sealed = MessageState.SENT.value, at, None, None
        session.flush()
        if message.kind == "ask":
            _received(message.record_id, outcome.received_at)
    return True


def _received(record_id: uuid.UUID, at: datetime) -> None:
    """The other place has our request. An answer may have come first."""
    session = db.session()
    record = locked(session, record_id)
    record.received_at, record.changed_at = at, max(at, record.changed_at)
    add_step(record, "received", at, theirs=True)
    session.execute(
        update(JointPerson)
        .where(JointPerson.record_id == record_id, JointPerson.state == PersonState.ASKED.value)
        .values(state=PersonState.RECEIVED.value)
    )


def waiting_for(peers: Sequence[uuid.UUID]) -> dict[uuid.UUID, tuple[int, str | None]]:
    """Of some peers: how many messages wait for them, and what went wrong last."""
    rows = db.session.execute(
        select(JointMessage.peer_id, JointMessage.error)
        .where(JointMessage.peer_id.in_(peers), JointMessage.state == MessageState.WAITING.value)
        .order_by(JointMessage.attempts)
    )
    found: dict[uuid.UUID, tuple[int, str | None]] = {}
    for peer, error in rows:
        count, last = found.get(peer, (0, None))
        found[peer] = count + 1, error or last
    return found
