"""Sending what is owed: a target is leased, all that waits for it becomes one message, and only the answer of the other side ends it.

A sender that dies leaves a lease that runs out; what it had claimed is sent again then, at least once. Two senders at once never
hold one target.
"""

import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from flask import Flask, current_app
from sqlalchemy import case, func, select, update

from checkpoint.alerts.models import Alert, AlertState
from checkpoint.alerts.receipts import mark_delivered, note_delivered
from checkpoint.alerts.service import TAKEN_BACK
from checkpoint.channels.messages import Message, compose, trial
from checkpoint.channels.models import ChannelTarget, Delivery, DeliveryState
from checkpoint.channels.senders import SendFailed, send
from checkpoint.channels.timing import MOST_ATTEMPTS, Waiting, is_quiet, is_ready, retry_after
from checkpoint.config import Settings
from checkpoint.database import db, new_id, transaction
from checkpoint.privacy import SealBroken

LEASE = timedelta(minutes=3)
AT_ONCE = 50
THREADS = 8
MOST_IN_MESSAGE = 5000
Clock = Callable[[], datetime]
Sender = Callable[[str, str, Message, datetime], None]


@dataclass(frozen=True, slots=True)
class Claimed:
    """One target that this process holds, and the message for it. `told` are the alerts whose receipt this makes."""

    target_id: uuid.UUID
    lease: uuid.UUID
    kind: str
    address: str
    user_id: uuid.UUID | None
    message: Message
    deliveries: tuple[int, ...]
    told: tuple[uuid.UUID, ...]


@dataclass(slots=True)
class Outcome:
    """What happened to one claimed message: `error` is empty when the other side took it."""

    claimed: Claimed
    error: str = ""
    gone: bool = False
    at: datetime | None = field(default=None)


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


def send_due(now: Clock, *, sender: Sender = send) -> int:
    """Send every message whose time has come; returns how many were taken."""
    taken = 0
    while claimed := _claim(now()):
        app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]

        def work(one: Claimed, app: Flask = app) -> Outcome:
            with app.app_context():
                return _try(one, now, sender)

        with ThreadPoolExecutor(max_workers=min(THREADS, len(claimed))) as pool:
            for outcome in pool.map(work, claimed):
                _settle(outcome, now())
                taken += not outcome.error
    return taken


def _try(claimed: Claimed, now: Clock, sender: Sender) -> Outcome:
    try:
        sender(claimed.kind, claimed.address, claimed.message, now())
    except SendFailed as error:
        return Outcome(claimed, error.code[:40], error.gone)
    except Exception as error:  # one broken channel must not hold up the others
        return Outcome(claimed, type(error).__name__[:40])
    return Outcome(claimed)


def _ready(at: datetime) -> list[uuid.UUID]:
    """The targets to which a message should go now. Cost grows with the targets that are owed something."""
    timezone = _settings().timezone
    free = (ChannelTarget.leased_until.is_(None) | (ChannelTarget.leased_until <= at)) & (
        ChannelTarget.retry_at.is_(None) | (ChannelTarget.retry_at <= at)
    )
    owed = (
        select(
            Delivery.target_id.label("target_id"),
            func.min(Delivery.made_at).label("oldest"),
            func.max(Delivery.made_at).label("newest"),
            func.max(case((Delivery.tier == "red", 1), else_=0)).label("red"),
        )
        .where(Delivery.state == DeliveryState.WAITING.value)
        .group_by(Delivery.target_id)
        .subquery()
    )
    rows = db.session.execute(
        select(
            ChannelTarget.id,
            ChannelTarget.sent_at,
            ChannelTarget.quiet_from,
            ChannelTarget.quiet_to,
            owed.c.oldest,
            owed.c.newest,
            owed.c.red,
        )
        .join(owed, owed.c.target_id == ChannelTarget.id)
        .where(ChannelTarget.active.is_(True), free)
        .order_by(owed.c.red.desc(), owed.c.oldest)
    )
    return [
        row.id
        for row in rows
        if is_ready(
            Waiting(row.oldest, row.newest, bool(row.red)),
            at,
            sent_at=row.sent_at,
            quiet=is_quiet(at, row.quiet_from, row.quiet_to, timezone),
        )
    ]


def _claim(at: datetime) -> list[Claimed]:
    """Lease some ready targets and read what they are owed."""
    ready = _ready(at)[:AT_ONCE]
    if not ready:
        return []
    with transaction() as session:
        free = ChannelTarget.leased_until.is_(None) | (ChannelTarget.leased_until <= at)
        targets = session.scalars(
            select(ChannelTarget)
            .where(ChannelTarget.id.in_(ready), free, ChannelTarget.active.is_(True))
            .order_by(ChannelTarget.id)
            .with_for_update(skip_locked=True)
            .execution_options(populate_existing=True)
        ).all()
        found = []
        for target in targets:
            claimed = _message_for(target, at)
            if claimed is not None:
                target.lease, target.leased_until = claimed.lease, at + LEASE
                found.append(claimed)
        session.flush()
    return found


def _message_for(target: ChannelTarget, at: datetime) -> Claimed | None:
    """The message to a target that is locked; what was answered meanwhile is settled as needless. None when nothing is left."""
    settings = _settings()
    rows = db.session.execute(
        select(Delivery.id, Delivery.alert_id, Delivery.wave, Delivery.tier, Alert.state, Alert.wave.label("now"))
        .join(Alert, Alert.id == Delivery.alert_id)
        .where(Delivery.target_id == target.id, Delivery.state == DeliveryState.WAITING.value)
        .order_by(Delivery.id)
        .limit(MOST_IN_MESSAGE)
    ).all()
    needless = [
        row.id
        for row in rows
        if (row.wave == TAKEN_BACK and row.state != AlertState.RETRACTED.value)
        or (row.wave != TAKEN_BACK and (row.state != AlertState.OPEN.value or row.wave != row.now))
    ]
    _close(needless, DeliveryState.NEEDLESS, at)
    quiet = is_quiet(at, target.quiet_from, target.quiet_to, settings.timezone)
    left = set(needless)
    said = [row for row in rows if row.id not in left and (row.tier == "red" or not quiet)]
    if not said:
        return None
    try:
        address = target.address or ""
    except SealBroken:
        address = ""  # the sender says so, and command sees it among the dead letters
    waiting = [row for row in said if row.wave != TAKEN_BACK]
    deliveries = tuple(int(row.id) for row in said)
    message = compose(
        deliveries,
        red=sum(row.tier == "red" for row in waiting),
        yellow=sum(row.tier == "yellow" for row in waiting),
        green=sum(row.tier == "green" for row in waiting),
        taken_back=len(said) - len(waiting),
        url=f"{settings.public_url}/inbox",
        language=target.language,
    )
    told = tuple(row.alert_id for row in waiting)
    return Claimed(target.id, new_id(), target.kind, address, target.user_id, message, deliveries, told)


def _close(delivery_ids: Sequence[int], state: DeliveryState, at: datetime, error: str | None = None) -> None:
    if delivery_ids:
        db.session.execute(
            update(Delivery)
            .where(Delivery.id.in_(delivery_ids), Delivery.state == DeliveryState.WAITING.value)
            .values(state=state.value, done_at=at, error=error)
            .execution_options(synchronize_session=False)
        )


def _settle(outcome: Outcome, at: datetime) -> None:
    """Write down what became of a message, if the lease is still this sender's."""
    claimed = outcome.claimed
    with transaction() as session:
        target = session.scalars(
            select(ChannelTarget)
            .where(ChannelTarget.id == claimed.target_id, ChannelTarget.lease == claimed.lease)
            .with_for_update()
            .execution_options(populate_existing=True)
        ).first()
        if target is None:
            return  # the target was removed, or the lease ran out and another sender has it
        target.lease = target.leased_until = None
        if outcome.error:
            _failed(target, outcome, at)
            return
        target.sent_at, target.failures, target.retry_at, target.error = at, 0, None, None
        _close(claimed.deliveries, DeliveryState.SENT, at)
        session.flush()
        if claimed.user_id is not None:
            mark_delivered([(alert, claimed.user_id) for alert in claimed.told], claimed.kind, at)
        elif claimed.told:
            note_delivered(claimed.told, at)


def _failed(target: ChannelTarget, outcome: Outcome, at: datetime) -> None:
    target.failures = min(target.failures + 1, 999)
    target.error = outcome.error
    target.retry_at = at + retry_after(target.failures)
    ids = outcome.claimed.deliveries
    db.session.execute(
        update(Delivery)
        .where(Delivery.id.in_(ids))
        .values(attempts=Delivery.attempts + 1, error=outcome.error)
        .execution_options(synchronize_session=False)
    )
    given_up = select(Delivery.id).where(Delivery.id.in_(ids))
    if outcome.gone:
        target.active = False
    else:
        given_up = given_up.where(Delivery.attempts >= MOST_ATTEMPTS)
    _close(db.session.scalars(given_up).all(), DeliveryState.DEAD, at, outcome.error)


def try_out(target: ChannelTarget, at: datetime, *, sender: Sender = send) -> None:
    """Send a trial message to a channel now; SendFailed when it is not taken. Nothing is stored."""
    sender(target.kind, target.address or "", trial(f"{_settings().public_url}/inbox", target.language), at)
