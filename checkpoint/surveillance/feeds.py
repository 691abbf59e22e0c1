"""Fetching lists by the clock. What comes is a draft that a person looks at and publishes; a source that falls silent is told, once."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from flask import current_app
from sqlalchemy import and_, or_, select, update

from checkpoint.accounts.permissions import Actor, Permission, system_actor
from checkpoint.alerts.models import Alert, AlertState
from checkpoint.alerts.service import TAKEN_BACK, NewAlert, note_change, raise_alerts
from checkpoint.audit.models import Heartbeat
from checkpoint.audit.service import beat
from checkpoint.audit.service import record as audit
from checkpoint.config import Settings
from checkpoint.database import db, transaction
from checkpoint.errors import CheckpointError, Conflict, FieldError, InvalidInput, NotAllowed, NotFound
from checkpoint.outbound import ForbiddenAddress, Reply, Unreachable, call, split
from checkpoint.risk.importing import WrongRows, import_list
from checkpoint.risk.lists import MAX_BYTES, UnreadableList, parse
from checkpoint.risk.models import ListState, RiskList
from checkpoint.risk.publishing import publish
from checkpoint.risk.queries import preview
from checkpoint.risk.service import current_state
from checkpoint.surveillance.models import RiskFeed
from checkpoint.surveillance.wording import FEED_SILENT, LIST_DRAFT
from checkpoint.words import _

MOST_FEEDS = 20
LEAST_MINUTES, MOST_MINUTES = 5, 1440
MOST_SILENT_HOURS = 240
TIMEOUT = 30.0
BEAT = "feeds"
_FINE = 200
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NewFeed:
    """A source as somebody enters it."""

    name: str
    url: str
    interval_minutes: int = 60
    silent_hours: int = 24
    publishes: bool = False


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


def feeds() -> Sequence[RiskFeed]:
    """All sources, by name."""
    return db.session.scalars(select(RiskFeed).order_by(RiskFeed.name, RiskFeed.id)).all()


def shown_address(feed: RiskFeed) -> str:
    """The address without what may be a secret in it: scheme, host and path."""
    parts = urlsplit(feed.url)
    return f"{parts.scheme}://{parts.hostname}{parts.path}"


def silent_since(feed: RiskFeed) -> datetime:
    """Since when a source has given no list: its last one, or when it was added or started."""
    return feed.heard_at or feed.created_at


def is_silent(feed: RiskFeed, at: datetime) -> bool:
    """Whether a source that is fetched has given no list for longer than it may."""
    return feed.active and at - silent_since(feed) > timedelta(hours=feed.silent_hours)


def next_fetch(feed: RiskFeed) -> datetime | None:
    """When a source is fetched again; None at the next round of the clock, or not at all where it is stopped."""
    return None if not feed.active or feed.tried_at is None else feed.tried_at + _interval(feed)


def last_round() -> datetime | None:
    """When the clock last looked whether a source is due; None before the first time."""
    return db.session.scalar(select(Heartbeat.at).where(Heartbeat.name == BEAT))


def _interval(feed: RiskFeed) -> timedelta:
    return timedelta(minutes=feed.interval_minutes)


def _wrong(new: NewFeed) -> list[FieldError]:
    wrong = []
    if not 1 <= len(new.name) <= 80 or not new.name.isprintable():
        wrong.append(FieldError("name", "length", _("1 to 80 characters.")))
    if len(new.url) > 500:
        wrong.append(FieldError("url", "length", _("At most 500 characters.")))
    else:
        try:
            split(new.url, allow_private=_settings().allow_private_targets)
        except ForbiddenAddress:
            wrong.append(
                FieldError("url", "forbidden_address", _("An address that begins with https://, without a password."))
            )
    if not LEAST_MINUTES <= new.interval_minutes <= MOST_MINUTES:
        wrong.append(FieldError("interval_minutes", "range", _("From 5 minutes to a day.")))
    if not 1 <= new.silent_hours <= MOST_SILENT_HOURS:
        wrong.append(FieldError("silent_hours", "range", _("From 1 to 240 hours.")))
    if len(feeds()) >= MOST_FEEDS:
        wrong.append(FieldError("name", "too_many", _("There are 20 sources already; remove one first.")))
    return wrong


def add_feed(new: NewFeed, *, actor: Actor, at: datetime) -> RiskFeed:
    """Store a source; it is fetched at the next round of the clock. InvalidInput names what is wrong."""
    if not actor.may(Permission.LISTS_WRITE):
        raise NotAllowed
    wrong = _wrong(new)
    if wrong:
        raise InvalidInput(wrong)
    with transaction() as session:
        feed = RiskFeed(
            name=new.name,
            url=new.url,
            interval_minutes=new.interval_minutes,
            silent_hours=new.silent_hours,
            publishes=new.publishes,
            active=True,
            created_at=at,
            created_by=actor.key,
        )
        session.add(feed)
        session.flush()
        _audit("risk_feed.add", feed, actor, at)
    return feed


def set_feed_active(feed_id: int, active: bool, *, actor: Actor, at: datetime) -> RiskFeed:
    """Stop fetching a source, or begin again. What was told of its silence is taken back when it is stopped."""
    with transaction() as session:
        feed = _changed(feed_id, actor)
        feed.active = active
        if active:
            feed.tried_at = None
            feed.created_at = at  # its silence counts from now
        else:
            _close_silence(feed, actor, at)
        session.flush()
        _audit("risk_feed.start" if active else "risk_feed.stop", feed, actor, at)
    return feed


def fetch_soon(feed_id: int, *, actor: Actor, at: datetime) -> RiskFeed:
    """Let a source be fetched at the next round of the clock, instead of after its interval. Conflict where it is stopped."""
    with transaction():
        feed = _changed(feed_id, actor)
        if not feed.active:
            raise Conflict(_("This source is stopped. Start it again first."))
        feed.tried_at = None
        _audit("risk_feed.fetch", feed, actor, at)
    return feed


def remove_feed(feed_id: int, *, actor: Actor, at: datetime) -> str:
    """Take a source away; the lists that it brought stay. Returns its name. What was told of its silence is taken back."""
    with transaction() as session:
        feed = _changed(feed_id, actor)
        name = feed.name
        _close_silence(feed, actor, at)
        _audit("risk_feed.remove", feed, actor, at)
        session.delete(feed)
    return name


def _changed(feed_id: int, actor: Actor) -> RiskFeed:
    """The source that somebody changes, as it stands now."""
    if not actor.may(Permission.LISTS_WRITE):
        raise NotAllowed
    feed = db.session.get(RiskFeed, feed_id, populate_existing=True)
    if feed is None:
        raise NotFound
    return feed


def _audit(act: str, feed: RiskFeed, actor: Actor, at: datetime) -> None:
    audit(at=at, actor_kind=actor.kind, actor_id=actor.id, act=act, object_type="risk_feed", object_id=feed.id)


def _due(at: datetime) -> list[int]:
    found = db.session.scalars(select(RiskFeed).where(RiskFeed.active.is_(True)).order_by(RiskFeed.id)).all()
    return [one.id for one in found if _is_due(one, at)]


def _is_due(feed: RiskFeed, at: datetime) -> bool:
    return feed.tried_at is None or feed.tried_at + _interval(feed) <= at


def fetch_due(at: datetime) -> int:
    """Fetch every source whose time has come; returns how many gave a list. Two schedulers fetch each source once."""
    heard = sum(_fetch(feed_id, at) for feed_id in _due(at) if _claim(feed_id, at))
    with transaction():
        beat(BEAT, at)
    tell_silence(at)
    return heard


def _claim(feed_id: int, at: datetime) -> bool:
    """Whether this process may fetch the source now: whoever moves `tried_at` first."""
    with transaction() as session:
        feed = session.get(RiskFeed, feed_id, populate_existing=True)
        if feed is None or not feed.active or not _is_due(feed, at):
            return False
        before = RiskFeed.tried_at.is_(None) if feed.tried_at is None else RiskFeed.tried_at == feed.tried_at
        moved = session.execute(
            update(RiskFeed)
            .where(and_(RiskFeed.id == feed_id, or_(before)))
            .values(tried_at=at)
            .returning(RiskFeed.id)
            .execution_options(synchronize_session=False)
        ).first()
        session.expire(feed)
        return moved is not None


def _fetch(feed_id: int, at: datetime) -> bool:
    feed = db.session.get_one(RiskFeed, feed_id)
    actor = system_actor(_settings().site_division)
    try:
        brought = _brought(feed, actor, at)
    except (ForbiddenAddress, Unreachable, _BadAnswer, UnreadableList, WrongRows) as error:
        problem = error.code
    except CheckpointError:
        _log.exception("feed %s: its list could not be stored", feed_id)
        problem = "failed"
    else:
        _heard(feed_id, brought, actor, at)
        return True
    with transaction() as session:
        kept = session.get(RiskFeed, feed_id, populate_existing=True)
        if kept is not None:  # else it was taken away meanwhile
            kept.problem = problem
    return False


class _BadAnswer(CheckpointError):
    """The source did not answer with a list."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


def _brought(feed: RiskFeed, actor: Actor, at: datetime) -> RiskList:
    """The list of a source, stored as a draft; one that is known is confirmed when it is in force."""
    reply: Reply = call(
        "GET",
        feed.url,
        headers={"Accept": "application/json, text/csv, */*"},
        allow_private=_settings().allow_private_targets,
        timeout=TIMEOUT,
        most=MAX_BYTES,
    )
    if reply.status != _FINE:
        raise _BadAnswer("status")
    if reply.cut:
        raise _BadAnswer("too_large")
    return import_list(parse(reply.body, feed.name), actor=actor, at=at)


def _heard(feed_id: int, brought: RiskList, actor: Actor, at: datetime) -> None:
    """Note the sign of life; publish or tell of a list that was not there before."""
    with transaction() as session:
        feed = session.get(RiskFeed, feed_id, populate_existing=True)
        if feed is None:
            return  # taken away while it was being fetched: what it brought is a draft like any other
        is_new = feed.list_id != brought.id and brought.state == ListState.DRAFT.value
        feed.heard_at, feed.problem, feed.list_id = at, None, brought.id
        _close_silence(feed, actor, at)
        session.flush()
        if is_new and feed.publishes and not preview(brought.id).collapsed:
            publish(brought.id, actor=actor, at=at)
        elif is_new:
            params = {"name": feed.name, "list_id": brought.id}
            _raise(
                NewAlert(
                    LIST_DRAFT, f"{LIST_DRAFT}:{brought.id}", actor.division, "yellow", True, "risk_list", None, params
                ),
                at,
            )


def _raise(alert: NewAlert, at: datetime) -> bool:
    """Raise an alert unless its cause has raised one before."""
    if db.session.scalar(select(Alert.id).where(Alert.cause == alert.cause)) is not None:
        return False
    raise_alerts([alert], current_state(at).policy, at)
    return True


def _silence(feed: RiskFeed) -> str:
    """The cause of one silence: the source and since when."""
    return f"{FEED_SILENT}:{feed.id}:{int(silent_since(feed).timestamp())}"


def tell_silence(at: datetime) -> int:
    """Tell command of sources that have given no list for too long, once for each silence; returns how many were told now."""
    told = 0
    for feed in db.session.scalars(select(RiskFeed).where(RiskFeed.active.is_(True)).order_by(RiskFeed.id)).all():
        if not is_silent(feed, at):
            continue
        hours = int((at - silent_since(feed)) / timedelta(hours=1))
        params = {"name": feed.name, "hours": hours, "problem": feed.problem}
        site = _settings().site_division
        with transaction():
            told += _raise(NewAlert(FEED_SILENT, _silence(feed), site, "yellow", True, "risk_feed", None, params), at)
    return told


def _close_silence(feed: RiskFeed, actor: Actor, at: datetime) -> None:
    """The source speaks again, or nobody listens to it any more: what was told of its silence is taken back."""
    live = (AlertState.OPEN.value, AlertState.ACKNOWLEDGED.value)
    told = Alert.cause.startswith(f"{FEED_SILENT}:{feed.id}:", autoescape=True)
    for alert in db.session.scalars(select(Alert).where(Alert.kind == FEED_SILENT, told, Alert.state.in_(live))):
        alert.state = AlertState.RETRACTED.value
        db.session.flush()
        note_change(alert.id, alert.division_code, "retracted", actor, at, wave=TAKEN_BACK)
