"""The one door for messages of other instances: verified, opened, taken once, and answered with a signed receipt.

What is refused is counted and written to the audit trail with its cause; the sender hears no cause, and nothing else is changed.
"""

from datetime import datetime, timedelta

from pydantic import ValidationError
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from checkpoint.accounts.permissions import Actor, system_actor
from checkpoint.database import db, insert_unless_there, transaction
from checkpoint.errors import NotAllowed
from checkpoint.joint import envelope
from checkpoint.joint.answering import take_ask
from checkpoint.joint.asking import take_answer, take_close
from checkpoint.joint.contents import Answer, Ask, Content, Receipt, read_content
from checkpoint.joint.envelope import Opened, Refused
from checkpoint.joint.identity import own, own_by_id
from checkpoint.joint.models import JointTaken, Peer, PeerNonce, PeerRefusal
from checkpoint.joint.peers import keys_of
from checkpoint.joint.records import note, peer_actor, settings
from checkpoint.risk.service import current_state

KEPT = timedelta(days=90)
"""How long counts of refused messages are kept."""


def take(raw: bytes, *, method: str, path: str, at: datetime) -> bytes:
    """Take one message and return its receipt.

    The same message again, in a new envelope, gets the first receipt's time and changes nothing. Raises NotAllowed for whatever is
    refused.
    """
    try:
        peer, opened, content = _read(raw, method, path, at)
        with transaction() as session:
            received_at = _take(session, peer, opened, content, at)
    except Refused as error:
        refuse(error.cause, error.kid, at=at)
        raise NotAllowed from error
    receipt = Receipt(id=content.id, received_at=received_at)
    return envelope.write(receipt.model_dump_json().encode(), own(), keys_of(peer), at, use=envelope.RECEIPT)


def _read(raw: bytes, method: str, path: str, at: datetime) -> tuple[Peer, Opened, Content]:
    if len(raw) > envelope.LARGEST:
        raise Refused("too_large")
    kid = envelope.sender_of(raw)
    peer = db.session.scalars(
        select(Peer).where(Peer.kid == kid[:32]).execution_options(populate_existing=True)
    ).first()
    if peer is None:
        raise Refused("unknown_peer")
    if peer.revoked_at is not None:
        raise Refused("revoked", peer.kid)
    opened = envelope.read(raw, own_by_id(), keys_of(peer), at, method=method, path=path)
    try:
        return peer, opened, read_content(opened.content)
    except ValidationError as error:
        raise Refused("malformed", peer.kid) from error


def _take(session: Session, peer: Peer, opened: Opened, content: Content, at: datetime) -> datetime:
    """Take a message in the transaction under way; returns when it was taken first."""
    kid = peer.kid
    query = select(Peer).where(Peer.id == peer.id).with_for_update().execution_options(populate_existing=True)
    still = session.scalars(query).one()  # messages of one peer are taken one after another
    if still.revoked_at is not None or still.kid != kid:
        raise Refused("revoked", kid)
    nonce = {"kid": kid, "nonce": opened.nonce, "expires_at": opened.expires_at + envelope.LASTS}
    if not insert_unless_there(PeerNonce, nonce, "kid", "nonce"):
        raise Refused("replayed", kid)
    still.heard_at = at
    taken = {"peer_id": still.id, "message_id": content.id, "taken_at": at}
    if not insert_unless_there(JointTaken, taken, "peer_id", "message_id"):
        return session.get_one(JointTaken, (still.id, content.id)).taken_at
    policy = current_state(at).policy
    if isinstance(content, Ask):
        take_ask(still, content, policy, at)
    elif isinstance(content, Answer):
        take_answer(still, content, policy, at)
    else:
        take_close(still, content, policy, at)
    return at


def refuse(cause: str, kid: str = "", *, at: datetime) -> None:
    """Count a refused message; `kid` only if it is that of a peer whom we know."""
    hour = at.replace(minute=0, second=0, microsecond=0)
    with transaction() as session:
        known = session.scalars(select(Peer).where(Peer.kid == kid)).first() if kid else None
        key = {"hour": hour, "cause": cause, "kid": known.kid if known else ""}
        insert_unless_there(PeerRefusal, {**key, "count": 0, "last_at": at}, "hour", "cause", "kid")
        row = session.scalars(select(PeerRefusal).filter_by(**key).with_for_update()).one()
        row.count, row.last_at = row.count + 1, at
        actor: Actor = peer_actor(known) if known else system_actor(settings().site_division)
        note("joint.refused", "peer", known.id if known else None, actor=actor, at=at, data={"cause": cause})


def forget(at: datetime) -> None:
    """Remove nonces whose messages can pass no more, and old counts of refusals."""
    with transaction() as session:
        session.execute(delete(PeerNonce).where(PeerNonce.expires_at < at))
        session.execute(delete(PeerRefusal).where(PeerRefusal.last_at < at - KEPT))
