"""Other instances: making them known after their fingerprint was compared, giving them new keys, revoking them."""

import re
import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update

from checkpoint.accounts.permissions import Actor
from checkpoint.database import db, new_id, transaction
from checkpoint.errors import InvalidInput, NotFound
from checkpoint.joint.envelope import TheirKeys
from checkpoint.joint.identity import BadIntroduction, Introduction, fingerprint, own_by_id, read_introduction
from checkpoint.joint.models import JointMessage, JointRecord, MessageState, Peer
from checkpoint.joint.records import note, settings, shut
from checkpoint.outbound import ForbiddenAddress, split
from checkpoint.words import _

_NAME, _URL = 80, 300
_COUNTY = re.compile(r"[1-9]\d{5}0{6}|[1-9]\d{3}0{8}")


@dataclass(frozen=True, slots=True)
class Offer:
    """An introduction that was looked at: its fingerprint, and the peer of the same division whose keys it would replace."""

    introduction: Introduction
    fingerprint: str
    replaces: Peer | None


def keys_of(peer: Peer) -> TheirKeys:
    """The public keys of a peer."""
    return TheirKeys(peer.kid, peer.sign_key, peer.seal_key)


def offer(text: str) -> Offer:
    """Look at an introduction without storing anything. Raises InvalidInput for one that cannot be accepted."""
    try:
        found = read_introduction(text)
    except BadIntroduction as error:
        raise _wrong("unreadable", _("This is no introduction, or a part of it was lost on the way.")) from error
    if found.keys.kid in own_by_id():
        raise _wrong("own", _("This is our own introduction. Paste that of the other place."))
    name = found.name.strip()
    if not name or len(name) > _NAME or not name.isprintable() or not _COUNTY.fullmatch(found.division_code):
        raise _wrong("unreadable", _("This introduction does not say who it is from."))
    try:
        if len(found.url) > _URL:
            raise ForbiddenAddress
        split(found.url, allow_private=settings().allow_private_targets)
    except ForbiddenAddress as error:
        raise _wrong("address", _("Its address is not one that may be called. It must begin with https://.")) from error
    query = select(Peer).where(
        Peer.division_code == found.division_code, Peer.revoked_at.is_(None), Peer.kid != found.keys.kid
    )
    return Offer(found, fingerprint(found.keys), db.session.scalars(query).first())


def _wrong(code: str, message: str) -> InvalidInput:
    return InvalidInput.one("introduction", code, message)


def add(text: str, shown: str, *, actor: Actor, at: datetime) -> Peer:
    """Make another instance known, or give a known one the name, address and keys of its newest introduction.

    `shown` is the fingerprint that the person has compared: it must be the introduction's, so that nothing else is stored than what they
    saw. A revoked peer with the same keys is accepted again. A second time is harmless.
    """
    looked = offer(text)
    if re.sub(r"\D", "", shown) != looked.fingerprint.replace(" ", ""):
        raise InvalidInput.one(
            "fingerprint", "differs", _("The fingerprint is not that of this introduction. Do not accept it; ask the other place again.")
        )  # fmt: skip
    said = looked.introduction
    with transaction() as session:
        by_key = select(Peer).where(Peer.kid == said.keys.kid)
        peer = session.scalars(by_key.with_for_update().execution_options(populate_existing=True)).first()
        if peer is None and looked.replaces is not None:
            peer = locked(looked.replaces.id)
        if peer is None:
            peer = Peer(id=new_id(), added_at=at, added_by=actor.key)
            session.add(peer)
        peer.name, peer.division_code, peer.url = said.name.strip(), said.division_code, said.url.rstrip("/")
        peer.kid, peer.sign_key, peer.seal_key = said.keys.kid, said.keys.sign, said.keys.seal
        peer.revoked_at = peer.revoked_by = None
        session.flush()
        note("peer.add", "peer", peer.id, actor=actor, at=at, data={"kid": peer.kid, "division": peer.division_code})
    return peer


def locked(peer_id: uuid.UUID) -> Peer:
    """A peer as it is now, locked for the rest of the transaction. Raises NotFound."""
    query = select(Peer).where(Peer.id == peer_id).with_for_update().execution_options(populate_existing=True)
    peer = db.session.scalars(query).first()
    if peer is None:
        raise NotFound
    return peer


def revoke(peer_id: uuid.UUID, *, actor: Actor, at: datetime) -> Peer:
    """Trust an instance no more: its messages are refused, what is owed to it is dropped, and every open record with it is closed.

    A second time is harmless.
    """
    with transaction() as session:
        peer = locked(peer_id)
        if peer.revoked_at is not None:
            return peer
        peer.revoked_at, peer.revoked_by = at, actor.key
        session.execute(
            update(JointMessage)
            .where(JointMessage.peer_id == peer.id, JointMessage.state == MessageState.WAITING.value)
            .values(state=MessageState.DEAD.value, error="revoked", body_sealed=None)
        )
        records = select(JointRecord).where(JointRecord.peer_id == peer.id, JointRecord.closed_at.is_(None))
        for record in session.scalars(records.order_by(JointRecord.id).with_for_update()).all():
            shut(session, record, "revoked", actor=actor, at=at)
        note("peer.revoke", "peer", peer.id, actor=actor, at=at)
    return peer
