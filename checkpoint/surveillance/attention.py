"""What an administrator should look at: what does not run, what runs out, what was never begun. Counts and dates, never a person.

How the parts of the system stand comes from `health`. The rest is within the jurisdiction of whoever asks, and of what they may
change: nobody is sent to a page that they cannot open.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import current_app
from sqlalchemy import ColumnElement, func, select

from checkpoint.accounts.models import ApiToken, Checkpoint, CheckpointKind, Device, Invitation, User, UserTotp
from checkpoint.accounts.permissions import Actor, Permission
from checkpoint.alerts import duty
from checkpoint.channels import targets
from checkpoint.companies import undelivered
from checkpoint.config import Settings
from checkpoint.database import db
from checkpoint.surveillance import feeds, health
from checkpoint.surveillance.health import Grade, Part
from checkpoint.upkeep import keys

TOKEN_ENDS = timedelta(days=14)
TABLET_UNSEEN = timedelta(hours=24)
ACCOUNT_UNUSED = timedelta(days=90)
# A part of the system of which another matter says more.
_TOLD_BY = {"part_feeds": "feed_silent", "part_channels": "undelivered"}


@dataclass(frozen=True, slots=True)
class Matter:
    """One thing to look at. `count` is how many of them, `since` its oldest or newest date (of a token: its end), where there is one.

    `is_down` tells what already does not work from what will not soon.
    """

    name: str
    count: int = 1
    since: datetime | None = None
    is_down: bool = False


def matters(actor: Actor, at: datetime) -> list[Matter]:
    """What needs somebody now, what is down first; empty where all is well."""
    found = [*_accounts(actor, at), *_tablets(actor, at), *_tokens(actor, at), *_messages(actor), *_rosters(actor, at)]
    if actor.may(Permission.COMMAND_READ):
        found += [*_system(at), *_sources(at), *_keys(at)]
    there = {one.name for one in found if one.count}
    return sorted(
        (one for one in found if one.count and _TOLD_BY.get(one.name) not in there), key=lambda one: not one.is_down
    )


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


def _count(*conditions: ColumnElement[bool]) -> int:
    return db.session.scalar(select(func.count()).select_from(User).where(User.active.is_(True), *conditions)) or 0


def _accounts(actor: Actor, at: datetime) -> Iterator[Matter]:
    """Accounts that nobody can open, that lack the second step which their role needs, or that nobody uses."""
    if not actor.may(Permission.USERS_WRITE):
        return
    here = User.division_code.between(*actor.reach)
    invited = select(Invitation.user_id).where(
        Invitation.used_at.is_(None), Invitation.revoked_at.is_(None), Invitation.expires_at > at
    )
    yield Matter("invitation_over", _count(here, User.password_hash == "", User.id.not_in(invited)))
    with_code = select(UserTotp.user_id).where(UserTotp.confirmed_at.is_not(None))
    must = User.role.in_(_settings().totp_roles)
    yield Matter("no_second_step", _count(here, must, User.password_hash != "", User.id.not_in(with_code)))
    used = func.coalesce(User.last_login_at, User.created_at)
    yield Matter(
        "account_unused", _count(here, User.password_hash != "", User.pin_hash.is_(None), used < at - ACCOUNT_UNUSED)
    )


def _tablets(actor: Actor, at: datetime) -> Iterator[Matter]:
    """Tablets of open posts that were not seen for a day, and open posts without any tablet."""
    if not actor.may(Permission.DEVICES_WRITE):
        return
    working = (
        Checkpoint.division_code.between(*actor.reach),
        Checkpoint.active.is_(True),
        Checkpoint.kind != CheckpointKind.CLOSED.value,
    )
    enrolled = (Device.enrolled_at.is_not(None), Device.revoked_at.is_(None))
    number, oldest = db.session.execute(
        select(func.count(), func.min(Device.last_seen_at))
        .select_from(Device)
        .join(Checkpoint, Checkpoint.id == Device.checkpoint_id)
        .where(*working, *enrolled, Device.last_seen_at < at - TABLET_UNSEEN)
    ).one()
    yield Matter("tablet_unseen", number, oldest)
    has_tablet = select(Device.checkpoint_id).where(*enrolled)
    bare = select(func.count()).select_from(Checkpoint).where(*working, Checkpoint.id.not_in(has_tablet))
    yield Matter("post_without_tablet", db.session.scalar(bare) or 0)


def _tokens(actor: Actor, at: datetime) -> Iterator[Matter]:
    """Tokens that end soon, while what uses them still works."""
    if not actor.may(Permission.TOKENS_WRITE):
        return
    number, first = db.session.execute(
        select(func.count(), func.min(ApiToken.expires_at)).where(
            ApiToken.division_code.between(*actor.reach),
            ApiToken.revoked_at.is_(None),
            ApiToken.expires_at > at,
            ApiToken.expires_at <= at + TOKEN_ENDS,
        )
    ).one()
    yield Matter("token_ends", number, first)


def _messages(actor: Actor) -> Iterator[Matter]:
    """Messages that were given up, to people and divisions and to companies."""
    if not actor.may(Permission.CHANNELS_WRITE):
        return
    own = [(one.number, one.newest) for one in targets.dead_letters(actor)]
    own += [(one.number, one.newest) for one in undelivered.given_up(actor)]
    newest = max((newest for _number, newest in own), default=None)
    yield Matter("undelivered", sum(number for number, _newest in own), newest, is_down=True)


def _rosters(actor: Actor, at: datetime) -> Iterator[Matter]:
    """Divisions that keep a roster and have nobody on duty now: their alerts go one level up."""
    if not actor.may(Permission.ROSTERS_WRITE):
        return
    kept = {shift.division_code for shift, _user in duty.roster(actor, at, at + duty.LONGEST_SHIFT * duty.MOST_DAYS)}
    yield Matter("nobody_on_duty", len(kept - set(duty.on_duty(kept, at))))


def _system(at: datetime) -> Iterator[Matter]:
    """The parts of the system that fail. Feeds and channels are told with their own pages; backups also where there are none."""
    for part in health.parts(at):
        if part.grade in (Grade.FAILING, Grade.DOWN):
            yield _of_part(part)
        elif part.name == "backup" and part.grade is Grade.OFF:
            yield Matter("no_backup")


def _of_part(part: Part) -> Matter:
    return Matter(f"part_{part.name}", 1, part.since, part.grade is Grade.DOWN)


def _sources(at: datetime) -> Iterator[Matter]:
    """Sources of lists that are silent for longer than they may be."""
    silent = [feeds.silent_since(feed) for feed in feeds.feeds() if feeds.is_silent(feed, at)]
    yield Matter("feed_silent", len(silent), min(silent, default=None), is_down=True)


def _keys(at: datetime) -> Iterator[Matter]:
    """A key that has sealed for a year, a change of keys that is under way or done and not finished, and values that do not open."""
    state, since = keys.state(), keys.sealing_since()
    if keys.is_due(since, at):
        yield Matter("key_due", 1, since)
    if state.broken:
        yield Matter("sealed_broken", state.broken, is_down=True)
    yield Matter("key_to_retire" if state.is_done else "resealing", len(state.old_keys), state.current_since)
