"""Telling a liaison by their own channels what the page tells: one message for all that waits, after it has settled.

The lease of a channel is the one that messages about alerts take, so that two senders never hold one target.
"""

import hashlib
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import current_app
from flask_babel import force_locale
from sqlalchemy import func, select, update

from checkpoint.channels.messages import Message
from checkpoint.channels.models import ChannelTarget, DeliveryState
from checkpoint.channels.senders import SendFailed, send
from checkpoint.channels.timing import MOST_ATTEMPTS, Waiting, is_quiet, is_ready, retry_after
from checkpoint.companies.models import Company, CompanyDelivery, CompanyMember, CompanyNotice
from checkpoint.companies.queries import masked
from checkpoint.companies.wording import notice_text
from checkpoint.database import db, insert_rows, new_id, transaction
from checkpoint.privacy import SealBroken
from checkpoint.words import _, plural

LEASE = timedelta(minutes=3)
NAMED = 5  # how many members a message names; of more it says how many
Sender = Callable[[str, str, Message, datetime], None]


@dataclass(frozen=True, slots=True)
class Claimed:
    """A channel that this process holds, and the message for it."""

    target_id: uuid.UUID
    lease: uuid.UUID
    kind: str
    address: str
    message: Message
    deliveries: tuple[int, ...]


def owe(notices: Sequence[CompanyNotice], at: datetime) -> None:
    """That the liaisons' channels are to hear of some notices, in the transaction under way."""
    if not notices:
        return
    rows = db.session.execute(
        select(Company.id, ChannelTarget.id.label("target_id"))
        .join(ChannelTarget, ChannelTarget.user_id == Company.liaison_id)
        .where(Company.id.in_({notice.company_id for notice in notices}), ChannelTarget.active.is_(True))
    ).all()
    targets: dict[uuid.UUID, list[uuid.UUID]] = {}
    for row in rows:
        targets.setdefault(row.id, []).append(row.target_id)
    insert_rows(
        CompanyDelivery,
        [
            {
                "notice_id": notice.id,
                "target_id": target,
                "state": DeliveryState.WAITING.value,
                "made_at": at,
                "attempts": 0,
            }
            for notice in notices
            for target in targets.get(notice.company_id, ())
        ],
    )


def send_notices(now: Callable[[], datetime], *, sender: Sender = send) -> int:
    """Send every message whose time has come; returns how many were taken."""
    taken = 0
    for target_id in _ready(now()):
        claimed = _claim(target_id, now())
        if claimed is None:
            continue
        error = ""
        gone = False
        try:
            sender(claimed.kind, claimed.address, claimed.message, now())
        except SendFailed as failed:
            error, gone = failed.code[:40], failed.gone
        except Exception as failed:  # one broken channel must not hold up the others
            error = type(failed).__name__[:40]
        _settle(claimed, error, gone, now())
        taken += not error
    return taken


def _free(at: datetime) -> tuple[object, ...]:
    return (
        ChannelTarget.active.is_(True),
        ChannelTarget.leased_until.is_(None) | (ChannelTarget.leased_until <= at),
        ChannelTarget.retry_at.is_(None) | (ChannelTarget.retry_at <= at),
    )


def _quiet(target: ChannelTarget, at: datetime) -> bool:
    return is_quiet(at, target.quiet_from, target.quiet_to, current_app.extensions["settings"].timezone)


def _ready(at: datetime) -> list[uuid.UUID]:
    owed = (
        select(
            CompanyDelivery.target_id.label("target_id"),
            func.min(CompanyDelivery.made_at).label("oldest"),
            func.max(CompanyDelivery.made_at).label("newest"),
        )
        .where(CompanyDelivery.state == DeliveryState.WAITING.value)
        .group_by(CompanyDelivery.target_id)
        .subquery()
    )
    rows = db.session.execute(
        select(ChannelTarget, owed.c.oldest, owed.c.newest)
        .join(owed, owed.c.target_id == ChannelTarget.id)
        .where(*_free(at))  # type: ignore[arg-type]
        .order_by(owed.c.oldest)
    )
    return [
        target.id
        for target, oldest, newest in rows
        if is_ready(Waiting(oldest, newest, red=False), at, sent_at=target.sent_at, quiet=_quiet(target, at))
    ]


def _claim(target_id: uuid.UUID, at: datetime) -> Claimed | None:
    """Lease a channel and read what it is owed; None when another process was first."""
    with transaction() as session:
        target = session.scalars(
            select(ChannelTarget)
            .where(ChannelTarget.id == target_id, *_free(at))  # type: ignore[arg-type]
            .with_for_update(skip_locked=True)
            .execution_options(populate_existing=True)
        ).first()
        if target is None:
            return None
        rows = session.execute(
            select(CompanyDelivery.id, CompanyNotice, CompanyMember)
            .join(CompanyNotice, CompanyNotice.id == CompanyDelivery.notice_id)
            .join(CompanyMember, CompanyMember.id == CompanyNotice.member_id)
            .where(CompanyDelivery.target_id == target_id, CompanyDelivery.state == DeliveryState.WAITING.value)
            .order_by(CompanyNotice.made_at, CompanyNotice.id)
        ).all()
        if not rows:
            return None
        deliveries = tuple(int(row[0]) for row in rows)
        newest = {member.id: (notice, member) for _delivery, notice, member in rows if member.removed_at is None}
        if not newest:
            _close(deliveries, DeliveryState.NEEDLESS, at)
            return None
        target.lease, target.leased_until = new_id(), at + LEASE
        try:
            address = target.address or ""
        except SealBroken:
            address = ""  # the sender says so, and the channel shows its error
        message = _message(deliveries, newest.values(), target.language)
        session.flush()
        return Claimed(target.id, target.lease, target.kind, address, message, deliveries)


def _message(deliveries: Sequence[int], told: Iterable[tuple[CompanyNotice, CompanyMember]], language: str) -> Message:
    """The newest of each member, in the receiver's language; the same deliveries give the same id."""
    name = ",".join(str(one) for one in sorted(deliveries))
    digest = hashlib.blake2b(f"company:{name}".encode(), digest_size=16).hexdigest()
    found = list(told)
    with force_locale(language):
        said = [notice_text(member.kind, masked(member).label, notice.standing) for notice, member in found[:NAMED]]
        if len(found) > NAMED:
            more = len(found) - NAMED
            said.append(plural("and %(num)s more", "and %(num)s more", more))
        title, text = _("Border Checkpoint"), _("; ").join(said)
    url = f"{current_app.extensions['settings'].public_url}/company"
    return Message(digest, title, text, url, 0, 0, 0, 0)


def _close(deliveries: Sequence[int], state: DeliveryState, at: datetime) -> None:
    db.session.execute(
        update(CompanyDelivery)
        .where(CompanyDelivery.id.in_(deliveries), CompanyDelivery.state == DeliveryState.WAITING.value)
        .values(state=state.value, done_at=at)
        .execution_options(synchronize_session=False)
    )


def _settle(claimed: Claimed, error: str, gone: bool, at: datetime) -> None:
    """Write down what became of a message, if the lease is still ours."""
    with transaction() as session:
        target = session.scalars(
            select(ChannelTarget)
            .where(ChannelTarget.id == claimed.target_id, ChannelTarget.lease == claimed.lease)
            .with_for_update()
            .execution_options(populate_existing=True)
        ).first()
        if target is None:
            return
        target.lease = target.leased_until = None
        if not error:
            target.sent_at, target.failures, target.retry_at, target.error = at, 0, None, None
            _close(claimed.deliveries, DeliveryState.SENT, at)
            return
        target.failures = min(target.failures + 1, 999)
        target.error, target.retry_at = error, at + retry_after(target.failures)
        target.active = target.active and not gone
        session.execute(
            update(CompanyDelivery)
            .where(CompanyDelivery.id.in_(claimed.deliveries))
            .values(attempts=CompanyDelivery.attempts + 1)
            .execution_options(synchronize_session=False)
        )
        given_up = select(CompanyDelivery.id).where(CompanyDelivery.id.in_(claimed.deliveries))
        if not gone:
            given_up = given_up.where(CompanyDelivery.attempts >= MOST_ATTEMPTS)
        _close(list(session.scalars(given_up)), DeliveryState.DEAD, at)
