"""The addresses to which messages go: a person's own, and those of a jurisdiction. What is wrong is named field by field."""

import re
import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select

from checkpoint.accounts.models import User
from checkpoint.accounts.permissions import Actor, Permission
from checkpoint.accounts.scope import in_reach
from checkpoint.accounts.service import check_division
from checkpoint.audit.service import record
from checkpoint.channels.models import ChannelTarget, Delivery, DeliveryState, TargetKind
from checkpoint.channels.senders import checked
from checkpoint.channels.timing import clock_minutes
from checkpoint.database import db, new_id, transaction
from checkpoint.errors import Conflict, FieldError, InvalidInput, NotAllowed, NotFound
from checkpoint.privacy import keyring, lookup_hash
from checkpoint.risk.policy import Tier
from checkpoint.words import _

MOST_OWN = 10
MOST_OF_DIVISION = 20
LANGUAGES = ("zh", "en")
_BROWSER = re.compile(r"[^\w ()./-]")


@dataclass(frozen=True, slots=True)
class NewTarget:
    """A channel as somebody enters it. Without a `division_code` it is the actor's own. Quiet hours are HH:MM, or empty for none."""

    kind: str
    address: str
    label: str = ""
    division_code: str | None = None
    lowest_tier: str = "yellow"
    language: str = "zh"
    quiet_from: str = ""
    quiet_to: str = ""


def _may_write(actor: Actor, division_code: str | None) -> None:
    wanted = Permission.CHANNELS_OWN if division_code is None else Permission.CHANNELS_WRITE
    if not actor.may(wanted) or (division_code is None and actor.kind != "user"):
        raise NotAllowed


def _errors(new: NewTarget, actor: Actor) -> list[FieldError]:
    errors = check_division(actor, new.division_code) if new.division_code is not None else []
    if new.kind == TargetKind.WEBPUSH and new.division_code is not None:
        errors.append(FieldError("kind", "unknown", _("A browser belongs to a person, not to a division.")))
    if len(new.label) > 64 or not new.label.isprintable():
        errors.append(FieldError("label", "too_long", _("At most 64 characters.")))
    if new.lowest_tier not in tuple(Tier):
        errors.append(FieldError("lowest_tier", "unknown", _("Choose one of the tiers.")))
    if new.language not in LANGUAGES:
        errors.append(FieldError("language", "unknown", _("Choose a language.")))
    for name, value in (("quiet_from", new.quiet_from), ("quiet_to", new.quiet_to)):
        other = new.quiet_to if name == "quiet_from" else new.quiet_from
        if (value or other) and clock_minutes(value) is None:
            errors.append(FieldError(name, "format", _("A time like 22:00; leave both empty for none.")))
    return errors


def add(new: NewTarget, *, actor: Actor, at: datetime) -> ChannelTarget:
    """Store a channel. The same address of the same owner again changes the one that is there. InvalidInput names what is wrong."""
    _may_write(actor, new.division_code)
    errors = _errors(new, actor)
    address = ""
    try:
        address = checked(new.kind, new.address)
    except InvalidInput as error:
        errors += error.errors
    if errors:
        raise InvalidInput(errors)
    user_id = actor.id if new.division_code is None else None
    digest = lookup_hash(keyring(), "channel", address)
    with transaction() as session:
        owned = select(ChannelTarget).where(
            ChannelTarget.user_id == user_id
            if user_id is not None
            else ChannelTarget.division_code == new.division_code
        )
        row = session.scalar(owned.where(ChannelTarget.address_hash == digest))
        if row is None:
            most = MOST_OWN if user_id is not None else MOST_OF_DIVISION
            if len(session.scalars(owned).all()) >= most:
                raise Conflict(_("There are %(most)s channels already; remove one first.", most=most))
            row = ChannelTarget(
                id=new_id(),
                user_id=user_id,
                division_code=new.division_code,
                kind=new.kind,
                address_hash=digest,
                created_at=at,
                created_by=actor.key,
                failures=0,
            )
            row.address = address
            session.add(row)
        row.label = new.label.strip() or str(new.kind)
        row.lowest_tier, row.language = new.lowest_tier, new.language
        row.quiet_from, row.quiet_to = new.quiet_from.strip() or None, new.quiet_to.strip() or None
        row.active, row.failures, row.retry_at, row.error = True, 0, None, None
        _audit(actor, at, "channel.add", row)
    return row


def remove(target_id: uuid.UUID, *, actor: Actor, at: datetime) -> None:
    """Take a channel away, with the messages that it still owed."""
    with transaction() as session:
        row = one(actor, target_id)
        _audit(actor, at, "channel.remove", row)
        session.execute(delete(ChannelTarget).where(ChannelTarget.id == row.id))


def set_active(target_id: uuid.UUID, active: bool, *, actor: Actor, at: datetime) -> ChannelTarget:
    """Silence a channel, or let it speak again."""
    with transaction():
        row = one(actor, target_id)
        row.active, row.failures, row.retry_at, row.error = active, 0, None, None
        _audit(actor, at, "channel.open" if active else "channel.close", row)
    return row


def one(actor: Actor, target_id: uuid.UUID) -> ChannelTarget:
    """A channel that the actor may change: their own, or one of their jurisdiction's divisions; else NotFound."""
    row = db.session.get(ChannelTarget, target_id)
    if row is None:
        raise NotFound
    own = row.user_id is not None and row.user_id == actor.id and actor.kind == "user"
    of_division = (
        row.division_code is not None and actor.sees(row.division_code) and actor.may(Permission.CHANNELS_WRITE)
    )
    if not own and not of_division:
        raise NotFound
    return row


def own(actor: Actor) -> list[ChannelTarget]:
    """The channels of the actor."""
    query = select(ChannelTarget).where(ChannelTarget.user_id == actor.id)
    return list(db.session.scalars(query.order_by(ChannelTarget.created_at)))


def of_jurisdiction(actor: Actor) -> list[ChannelTarget]:
    """The channels of the divisions in the actor's jurisdiction."""
    if not actor.may(Permission.CHANNELS_WRITE):
        raise NotAllowed
    query = select(ChannelTarget).where(in_reach(actor, ChannelTarget.division_code))
    return list(db.session.scalars(query.order_by(ChannelTarget.division_code, ChannelTarget.created_at)))


def forget_subscription(address_hash: bytes, *, actor: Actor, at: datetime) -> None:
    """A browser no longer wants messages. What is not there is no mistake."""
    with transaction() as session:
        row = session.scalar(
            select(ChannelTarget).where(ChannelTarget.user_id == actor.id, ChannelTarget.address_hash == address_hash)
        )
        if row is not None:
            _audit(actor, at, "channel.remove", row)
            session.delete(row)


@dataclass(frozen=True, slots=True)
class Dead:
    """The messages to one target that were given up. `owner` is the person's name, empty for a division's."""

    target: ChannelTarget
    owner: str
    number: int
    error: str
    newest: datetime


def dead_letters(actor: Actor, *, limit: int = 200) -> list[Dead]:
    """What could not be delivered, by target, the newest first."""
    if not actor.may(Permission.CHANNELS_WRITE):
        raise NotAllowed
    rows = db.session.execute(
        select(ChannelTarget, User.display_name, func.count(), func.max(Delivery.error), func.max(Delivery.made_at))
        .join(Delivery, Delivery.target_id == ChannelTarget.id)
        .join(User, User.id == ChannelTarget.user_id, isouter=True)
        .where(
            Delivery.state == DeliveryState.DEAD.value,
            in_reach(actor, func.coalesce(ChannelTarget.division_code, User.division_code)),
        )
        .group_by(ChannelTarget.id, User.display_name)
        .order_by(func.max(Delivery.made_at).desc())
        .limit(limit)
    )
    return [Dead(target, name or "", int(number), error or "", newest) for target, name, number, error, newest in rows]


def _dead_target(actor: Actor, target_id: uuid.UUID) -> ChannelTarget:
    """A target whose dead letters the actor may work on; the address itself stays closed to them."""
    if not actor.may(Permission.CHANNELS_WRITE):
        raise NotAllowed
    row = db.session.get(ChannelTarget, target_id)
    user = db.session.get(User, row.user_id) if row is not None and row.user_id is not None else None
    code = None if row is None else row.division_code or (user.division_code if user else None)
    if row is None or code is None or not actor.sees(code):
        raise NotFound
    return row


def _settle_dead(target: ChannelTarget, state: DeliveryState, at: datetime) -> int:
    rows = db.session.scalars(
        select(Delivery)
        .where(Delivery.target_id == target.id, Delivery.state == DeliveryState.DEAD.value)
        .with_for_update()
    ).all()
    for row in rows:
        row.state, row.attempts = state.value, 0
        row.done_at = None if state is DeliveryState.WAITING else at
    return len(rows)


def retry_dead(target_id: uuid.UUID, *, actor: Actor, at: datetime) -> int:
    """Try again what was given up; returns how many messages are owed again."""
    with transaction() as session:
        target = _dead_target(actor, target_id)
        number = _settle_dead(target, DeliveryState.WAITING, at)
        target.active, target.failures, target.retry_at, target.error = True, 0, None, None
        _audit(actor, at, "channel.retry", target)
        session.flush()
    return number


def discard_dead(target_id: uuid.UUID, *, actor: Actor, at: datetime) -> int:
    """Take what was given up off the list for good; returns how many."""
    with transaction() as session:
        target = _dead_target(actor, target_id)
        number = _settle_dead(target, DeliveryState.NEEDLESS, at)
        _audit(actor, at, "channel.discard", target)
        session.flush()
    return number


def browser_label(agent: str) -> str:
    """A short name for the browser that subscribed, from its User-Agent: letters and digits only."""
    for word in ("MicroMessenger", "HuaweiBrowser", "MiuiBrowser", "Edg", "Firefox", "Chrome", "Safari"):
        if word in agent:
            system = next((one for one in ("Android", "iPhone", "Windows", "Mac OS", "Linux") if one in agent), "")
            return _BROWSER.sub("", f"{word} {system}".strip())[:64]
    return "browser"


def _audit(actor: Actor, at: datetime, act: str, row: ChannelTarget) -> None:
    record(
        at=at,
        actor_kind=actor.kind,
        actor_id=actor.id,
        act=act,
        object_type="channel",
        object_id=row.id,
        data={"kind": row.kind, "division": row.division_code},
    )
