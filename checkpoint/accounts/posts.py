"""Posts on the border (卡口) and the tablets (终端) enrolled for them.

A tablet is enrolled by a code that a person can type or a camera can read; it works once and for a short time, and
turns into a token that only the tablet knows.
"""

import re
import uuid
from datetime import datetime, timedelta
from typing import NamedTuple

from flask_babel import gettext as _
from sqlalchemy import select

from checkpoint.accounts import queries, throttle
from checkpoint.accounts.models import Checkpoint, CheckpointKind, Device
from checkpoint.accounts.passwords import legible
from checkpoint.accounts.permissions import Actor
from checkpoint.accounts.service import check_division
from checkpoint.accounts.tokens import DEVICE_PREFIX, forget_cached, new_token, token_hash
from checkpoint.audit.service import record
from checkpoint.database import new_id, transaction
from checkpoint.errors import Conflict, FieldError, InvalidInput, NotFound
from checkpoint.privacy import keyring, secret_tag

_CODE = re.compile(r"[A-Z0-9][A-Z0-9-]{1,23}")
SHORTEST_ENROLMENT = timedelta(minutes=15)
LONGEST_ENROLMENT = timedelta(hours=24)


class NewDevice(NamedTuple):
    """A tablet waiting to be enrolled, with the code that is shown this once."""

    device: Device
    checkpoint: Checkpoint
    code: str


class Enrolment(NamedTuple):
    """An enrolled tablet with the token that is handed out this once."""

    device: Device
    checkpoint: Checkpoint
    token: str


def create_checkpoint(code: str, name: str, kind: str, division: str, *, actor: Actor, at: datetime) -> Checkpoint:
    """Open a post on the border. InvalidInput names every wrong field."""
    code, name = code.strip().upper(), name.strip()
    errors = check_division(actor, division)
    if not _CODE.fullmatch(code):
        errors.append(FieldError("code", "format", _("2 to 24 letters, digits or hyphens.")))
    elif queries.checkpoint_by_code(code) is not None:
        errors.append(FieldError("code", "taken", _("This code is taken.")))
    if not 1 <= len(name) <= 64 or not name.isprintable():
        errors.append(FieldError("name", "length", _("1 to 64 characters.")))
    if kind not in tuple(CheckpointKind):
        errors.append(FieldError("kind", "unknown", _("Choose one of the kinds.")))
    if errors:
        raise InvalidInput(errors)
    post = Checkpoint(id=new_id(), code=code, name=name, kind=kind, division_code=division, active=True, created_at=at)
    with transaction() as session:
        session.add(post)
        _audit(actor, at, "checkpoint.create", "checkpoint", post.id)
    return post


def set_checkpoint_active(code: str, active: bool, *, actor: Actor, at: datetime) -> Checkpoint:
    """Close a post or open it again; its tablets and its records stay."""
    with transaction():
        post = queries.checkpoint(actor, code)
        if post.active != active:
            post.active = active
            _audit(actor, at, "checkpoint.open" if active else "checkpoint.close", "checkpoint", post.id)
    return post


def create_device(
    checkpoint_code: str,
    *,
    actor: Actor,
    at: datetime,
    label: str = "",
    valid_for: timedelta = LONGEST_ENROLMENT,
) -> NewDevice:
    """Announce a tablet for a post: a one-time code, good for `valid_for` (15 minutes to 24 hours)."""
    if not SHORTEST_ENROLMENT <= valid_for <= LONGEST_ENROLMENT:
        raise InvalidInput.one("valid_for", "range", _("From 15 minutes to 24 hours."))
    if len(label) > 64 or not label.isprintable():
        raise InvalidInput.one("label", "too_long", _("At most 64 characters."))
    post = queries.checkpoint(actor, checkpoint_code)
    if not post.active:
        raise Conflict(_("This checkpoint is deactivated."))
    code = _enrolment_code()
    device = Device(
        id=new_id(),
        checkpoint_id=post.id,
        label=label.strip() or f"{post.code} {at:%m%d-%H%M}",
        enrol_hash=_enrolment_hash(code),
        enrol_until=at + valid_for,
        created_at=at,
    )
    with transaction() as session:
        session.add(device)
        _audit(actor, at, "device.create", "device", device.id)
    return NewDevice(device, post, code)


def enrol_device(code: str, address: str, *, at: datetime) -> Enrolment:
    """Turn an enrolment code into a token, once. A wrong, used or expired code is NotFound; guessing is slowed down."""
    throttle.check_enrolment(address)
    with transaction() as session:
        device = session.scalar(
            select(Device)
            .where(Device.enrol_hash == _enrolment_hash(code), Device.enrol_until > at, Device.revoked_at.is_(None))
            .with_for_update()  # of two tablets with one code, one wins
        )
        post = None if device is None else session.get(Checkpoint, device.checkpoint_id)
        if device is not None and post is not None:
            token = new_token(DEVICE_PREFIX)
            device.token_hash = token_hash(token)
            device.enrol_hash = device.enrol_until = None
            device.enrolled_at = device.last_seen_at = at
            record(at=at, actor_kind="device", actor_id=device.id, act="device.enrol")
            return Enrolment(device, post, token)
    throttle.failed_enrolment(address)
    raise NotFound(_("This code is wrong, was used before, or has run out. Ask for a new one."))


def renew_device(
    device_id: uuid.UUID, *, actor: Actor, at: datetime, valid_for: timedelta = LONGEST_ENROLMENT
) -> NewDevice:
    """Roll a tablet: its old token dies now, and a new one-time code is shown."""
    code = _enrolment_code()
    with transaction():
        device, post = _placed(actor, device_id)
        device.token_hash = None
        device.next_token_hash = None
        device.revoked_at = None
        device.enrolled_at = None
        device.enrol_hash = _enrolment_hash(code)
        device.enrol_until = at + valid_for
        _audit(actor, at, "device.renew", "device", device.id)
    forget_cached()
    return NewDevice(device, post, code)


def revoke_device(device_id: uuid.UUID, *, actor: Actor, at: datetime) -> Device:
    """End a tablet's token; a second time is harmless."""
    with transaction():
        device, _ = _placed(actor, device_id)
        if device.revoked_at is None:
            device.revoked_at = at
            device.revoked_token_hash = device.token_hash or device.revoked_token_hash
            device.enrol_hash = None
            device.enrol_until = None
            _audit(actor, at, "device.revoke", "device", device.id)
    forget_cached()
    return device


def roll_token(*, actor: Actor, at: datetime) -> str:
    """A new token for the tablet that asks, handed out this once. The one it has now works until the new one is used."""
    token = new_token(DEVICE_PREFIX)
    with transaction() as session:
        device = session.get(Device, actor.id, with_for_update=True) if actor.kind == "device" else None
        if device is None or device.revoked_at is not None:
            raise NotFound
        device.next_token_hash = token_hash(token)
        record(
            at=at,
            actor_kind=actor.kind,
            actor_id=device.id,
            act="device.roll",
            object_type="device",
            object_id=device.id,
        )
    return token


def enrolment_url(public_url: str, code: str) -> str:
    """Where a tablet enrols itself. The code stands behind the #, so that no log ever sees it in an address."""
    return f"{public_url}/gate#enrol={code}"


def _placed(actor: Actor, device_id: uuid.UUID) -> tuple[Device, Checkpoint]:
    placed = queries.device(actor, device_id)
    return placed.device, placed.checkpoint


def _enrolment_code() -> str:
    return f"{legible(5)}-{legible(5)}".upper()


def _enrolment_hash(code: str) -> bytes:
    """Keyed, since 49 bits alone could be tried out from a stolen copy of the database."""
    plain = re.sub(r"[^A-Z0-9]", "", code.upper())
    return secret_tag(keyring(), "enrolment", plain.encode(), 32)


def _audit(actor: Actor, at: datetime, act: str, object_type: str, object_id: uuid.UUID) -> None:
    record(at=at, actor_kind=actor.kind, actor_id=actor.id, act=act, object_type=object_type, object_id=object_id)
