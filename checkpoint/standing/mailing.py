"""The report of yesterday goes to command's channels each morning: once to each, whoever stops and starts again in between.

The first scheduler that finds the morning come lays out who gets it; each delivery is leased before it is sent, so that two schedulers
never send one, and one that dies leaves a lease that runs out. Failures wait and are tried again as messages are.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from flask import current_app
from flask_babel import force_locale
from sqlalchemy import func, select

from checkpoint.accounts.models import Role, User
from checkpoint.accounts.permissions import system_actor
from checkpoint.channels.messages import Attachment, Message, message_id
from checkpoint.channels.models import ChannelTarget, DeliveryState, TargetKind
from checkpoint.channels.senders import SendFailed, send
from checkpoint.channels.timing import MOST_ATTEMPTS, is_quiet, retry_after
from checkpoint.config import Settings
from checkpoint.database import db, insert_rows, insert_unless_there, new_id, transaction
from checkpoint.privacy import SealBroken
from checkpoint.regions.models import contains
from checkpoint.standing import reports
from checkpoint.standing.models import ReportDelivery, ReportRound
from checkpoint.words import _

LEASE = timedelta(minutes=3)
GIVEN_UP_AFTER = timedelta(days=1)  # a report of the day before yesterday helps nobody
Clock = Callable[[], datetime]
Sender = Callable[[str, str, Message, datetime], None]


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that this scheduler holds."""

    day: date
    target: ChannelTarget


def due_day(at: datetime, hour: int | None, timezone: str) -> date | None:
    """The day whose report should have gone by now: yesterday at the site, once its morning's hour has come. None before, or never."""
    local = at.astimezone(ZoneInfo(timezone))
    return local.date() - timedelta(days=1) if hour is not None and local.hour >= hour else None


def send_due(now: Clock, *, sender: Sender = send) -> int:
    """Send what is owed of yesterday's report; returns how many channels took it."""
    settings: Settings = current_app.extensions["settings"]
    day = due_day(now(), settings.report_hour, settings.timezone)
    if day is None:
        return 0
    _plan(day, settings.site_division, now())
    made: dict[str, Message] = {}
    taken = 0
    while claimed := _claim(day, now(), settings.timezone):
        language = claimed.target.language
        if language not in made:
            made[language] = _message(day, language, now(), settings)
        db.session.commit()  # nothing is held open while another machine answers
        taken += _send(claimed, made[language], now, sender)
    return taken


def undelivered(day: date) -> int:
    """How many channels were given up on for the report of a day."""
    return int(
        db.session.scalar(
            select(func.count()).where(ReportDelivery.state == DeliveryState.DEAD.value, ReportDelivery.day == day)
        )
        or 0
    )


def _plan(day: date, site: str, at: datetime) -> None:
    """Lay out who gets the report: the channels of the site, and those of command's own people, that want more than red alerts."""
    if db.session.get(ReportRound, day) is not None:
        return
    with transaction() as session:
        rows = session.execute(
            select(ChannelTarget.id, ChannelTarget.division_code, User.division_code)
            .outerjoin(User, User.id == ChannelTarget.user_id)
            .where(
                ChannelTarget.active.is_(True),
                ChannelTarget.lowest_tier != "red",
                (ChannelTarget.division_code == site) | ((User.role == Role.COMMAND.value) & User.active.is_(True)),
            )
            .order_by(ChannelTarget.id)
        ).all()
        targets = [target for target, division, home in rows if contains(division or home, site)]
        if insert_unless_there(ReportRound, {"day": day, "planned_at": at, "targets": len(targets)}, "day"):
            insert_rows(
                ReportDelivery,
                [
                    {"day": day, "target_id": target, "state": DeliveryState.WAITING.value, "attempts": 0}
                    for target in targets
                ],
            )


def _claim(day: date, at: datetime, timezone: str) -> Claimed | None:
    """Lease one delivery that may go now; settles those that never will."""
    with transaction() as session:
        rows = session.execute(
            select(ReportDelivery, ChannelTarget)
            .join(ChannelTarget, ChannelTarget.id == ReportDelivery.target_id)
            .where(
                ReportDelivery.state == DeliveryState.WAITING.value,
                ReportDelivery.retry_at.is_(None) | (ReportDelivery.retry_at <= at),
                ReportDelivery.leased_until.is_(None) | (ReportDelivery.leased_until <= at),
            )
            .order_by(ReportDelivery.day, ReportDelivery.target_id)
            .with_for_update(of=ReportDelivery, skip_locked=True)
            .execution_options(populate_existing=True)
        ).all()
        for row, target in rows:
            if row.day <= day - GIVEN_UP_AFTER:
                row.state, row.done_at = DeliveryState.DEAD.value, at
            elif not target.active:
                row.state, row.done_at = DeliveryState.NEEDLESS.value, at
            elif not is_quiet(at, target.quiet_from, target.quiet_to, timezone):
                row.lease, row.leased_until = new_id(), at + LEASE
                return Claimed(row.day, target)
    return None


def _message(day: date, language: str, at: datetime, settings: Settings) -> Message:
    actor = system_actor(settings.site_division)
    files = []
    for kind in reports.KINDS:
        made = reports.make(actor, day, kind, at, timezone=settings.timezone, language=language)
        files.append(Attachment(made.name, made.mimetype, made.data))
    with force_locale(language):
        title = _("Border Checkpoint")
        text = _("The report of %(day)s is ready.", day=day.isoformat())
    url = f"{settings.public_url}/command/report/{day.isoformat()}.pdf"
    return Message(message_id(()), title, text, url, 0, 0, 0, 0, tuple(files))


def _send(claimed: Claimed, message: Message, now: Clock, sender: Sender) -> bool:
    """Send one; whether it was taken. A channel that cannot carry files gets the link alone."""
    target, error = claimed.target, ""
    kept = message.attachments if target.kind == TargetKind.EMAIL.value else ()
    one = replace(message, id=f"report:{claimed.day.isoformat()}", attachments=kept)
    try:
        sender(target.kind, target.address or "", one, now())
    except SendFailed as failed:
        error = failed.code
    except SealBroken:
        error = "address"
    except Exception as failed:  # one broken channel must not hold up the others
        error = type(failed).__name__
    _settle(claimed, error[:40], now())
    return not error


def _settle(claimed: Claimed, error: str, at: datetime) -> None:
    with transaction() as session:
        row = session.get(
            ReportDelivery, (claimed.day, claimed.target.id), with_for_update=True, populate_existing=True
        )
        if row is None:
            return  # the channel was removed meanwhile
        row.lease = row.leased_until = None
        if not error:
            row.state, row.done_at, row.error = DeliveryState.SENT.value, at, None
            return
        row.attempts, row.error = row.attempts + 1, error
        row.retry_at = at + retry_after(row.attempts)
        if row.attempts >= MOST_ATTEMPTS:
            row.state, row.done_at = DeliveryState.DEAD.value, at
