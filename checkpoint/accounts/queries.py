"""Reads of accounts, posts and tablets, within the jurisdiction of whoever asks."""

import uuid
from dataclasses import dataclass

from sqlalchemy import select

from checkpoint.accounts.models import ApiToken, Checkpoint, Device, User
from checkpoint.accounts.permissions import Actor
from checkpoint.accounts.scope import in_reach
from checkpoint.database import db
from checkpoint.errors import NotFound


@dataclass(frozen=True, slots=True)
class PlacedDevice:
    """A tablet and the post it stands at."""

    device: Device
    checkpoint: Checkpoint


def users(actor: Actor) -> list[User]:
    """The accounts of the actor's jurisdiction: those in use first, then by division and login."""
    query = select(User).where(in_reach(actor, User.division_code))
    return list(db.session.scalars(query.order_by(User.active.desc(), User.division_code, User.login)))


def user(actor: Actor, user_id: uuid.UUID) -> User:
    """One account; NotFound outside the jurisdiction."""
    found = db.session.get(User, user_id)
    if found is None or not actor.sees(found.division_code):
        raise NotFound
    return found


def user_by_login(login: str) -> User | None:
    """An account by its login, in any case."""
    return db.session.scalar(select(User).where(User.login == login.strip().casefold()))


def checkpoints(actor: Actor) -> list[Checkpoint]:
    """The posts of the actor's jurisdiction, by code."""
    query = select(Checkpoint).where(in_reach(actor, Checkpoint.division_code))
    return list(db.session.scalars(query.order_by(Checkpoint.active.desc(), Checkpoint.code)))


def checkpoint_by_code(code: str) -> Checkpoint | None:
    """A post by the code on its poster, in any case. Public: the code is printed on the road."""
    code = code.strip().upper()
    return db.session.scalar(select(Checkpoint).where(Checkpoint.code == code)) if code.isprintable() else None


def checkpoint(actor: Actor, code: str) -> Checkpoint:
    """One post; NotFound outside the jurisdiction."""
    found = checkpoint_by_code(code)
    if found is None or not actor.sees(found.division_code):
        raise NotFound
    return found


def devices(actor: Actor) -> list[PlacedDevice]:
    """The tablets of the actor's jurisdiction: those in use first, then by post and label."""
    rows = db.session.execute(
        select(Device, Checkpoint)
        .join(Checkpoint, Checkpoint.id == Device.checkpoint_id)
        .where(in_reach(actor, Checkpoint.division_code))
        .order_by(Device.revoked_at.is_not(None), Checkpoint.code, Device.label, Device.created_at)
    )
    return [PlacedDevice(device, post) for device, post in rows]


def device(actor: Actor, device_id: uuid.UUID) -> PlacedDevice:
    """One tablet; NotFound outside the jurisdiction."""
    found = db.session.get(Device, device_id)
    post = None if found is None else db.session.get(Checkpoint, found.checkpoint_id)
    if found is None or post is None or not actor.sees(post.division_code):
        raise NotFound
    return PlacedDevice(found, post)


def tokens(actor: Actor) -> list[ApiToken]:
    """The integrations' tokens of the actor's jurisdiction, newest first."""
    query = select(ApiToken).where(in_reach(actor, ApiToken.division_code))
    return list(db.session.scalars(query.order_by(ApiToken.revoked_at.is_not(None), ApiToken.created_at.desc())))
