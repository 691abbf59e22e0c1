"""One query for each watch rule: set-based, over indexes, so that its cost grows with what happened in the span and not with all.

Each returns the causes that came about in the span, whether the span is the last minute or the last thirty days (a dry run).
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Select, case, func, or_, select
from sqlalchemy.orm import aliased

from checkpoint.accounts.models import Checkpoint, CheckpointKind
from checkpoint.alerts.models import Alert, AlertState
from checkpoint.crossings.lane_models import VehicleCrossing
from checkpoint.crossings.models import Crossing
from checkpoint.database import db
from checkpoint.followups.models import FollowUp, FollowUpState
from checkpoint.regions.models import at_level
from checkpoint.registrations.models import Registration, Traveller
from checkpoint.risk.policy import Tier
from checkpoint.watch.epochs import epoch
from checkpoint.watch.reading import bulk_reading
from checkpoint.watch.rules import RULES, Finding, Span, doublings, openings, within_hours

__all__ = ["MOST", "QUERIES", "TOWN", "epoch"]

MOST = 10_000
TOWN = 4
DAY, HOUR, PASSAGE = 86_400, 3_600, 600
Limits = Mapping[str, int]
Query = Callable[[Span, Limits], list[Finding]]


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def not_arrived(span: Span, limits: Limits) -> list[Finding]:
    """Let in, and the arrival not confirmed so many hours later. Told to the town: the village has heard from the follow-up itself."""
    wait = timedelta(hours=limits["hours"])
    rows = db.session.execute(
        select(FollowUp.registration_id, FollowUp.division_code, FollowUp.from_at, FollowUp.done_at)
        .where(
            FollowUp.kind == "arrival_visit",
            FollowUp.from_at > span.since - wait,
            FollowUp.from_at <= span.until - wait,
            FollowUp.state != FollowUpState.CANCELLED.value,
            or_(FollowUp.done_at.is_(None), FollowUp.done_at > span.since),
        )
        .order_by(FollowUp.from_at)
        .limit(MOST)
    )
    return [
        Finding(
            key=f"{row.registration_id}:{int(row.from_at.timestamp())}",
            at=row.from_at + wait,
            division_code=at_level(row.division_code, TOWN),
            subject_id=row.registration_id,
            params={"entered_at": row.from_at.isoformat(), "hours": limits["hours"], "village": row.division_code},
        )
        for row in rows
        if row.done_at is None or row.done_at > row.from_at + wait
    ]


def impossible_travel(span: Span, limits: Limits) -> list[Finding]:
    """One person scanned at two checkpoints within a time in which nobody drives from one to the other."""
    other, first, second = aliased(Crossing), aliased(Checkpoint), aliased(Checkpoint)
    between = func.abs(epoch(Crossing.scanned_at) - epoch(other.scanned_at))
    rows = db.session.execute(
        select(
            Crossing.id,
            Crossing.received_at,
            Crossing.registration_id,
            first.name.label("one"),
            second.name.label("two"),
            between.label("seconds"),
        )
        .join(other, other.registration_id == Crossing.registration_id)
        .join(first, first.id == other.checkpoint_id)
        .join(second, second.id == Crossing.checkpoint_id)
        .where(
            Crossing.received_at > span.since,
            Crossing.received_at <= span.until,
            other.checkpoint_id != Crossing.checkpoint_id,
            other.received_at <= Crossing.received_at,
            between < limits["minutes"] * 60,
        )
        .order_by(Crossing.received_at, other.received_at)
        .limit(MOST)
    )
    found: dict[str, Finding] = {}
    for row in rows:
        params = {"one": row.one, "two": row.two, "minutes": int(row.seconds) // 60}
        finding = Finding(str(row.id), row.received_at, span.site, subject_id=row.registration_id, params=params)
        found.setdefault(finding.key, finding)
    return list(found.values())


def one_phone(span: Span, limits: Limits) -> list[Finding]:
    """One phone that has declared more people on one day than a family or a small firm has."""
    bucket = (epoch(Registration.created_at) + span.offset) // DAY
    start = span.local(span.since).replace(hour=0, minute=0, second=0, microsecond=0)
    people = func.count(Traveller.id_number_hash.distinct())
    newest = func.max(Registration.created_at)
    rows = db.session.execute(
        select(Traveller.phone_hash, bucket.label("day"), people.label("people"), newest.label("newest"))
        .join(Registration, Registration.traveller_id == Traveller.id)
        .where(
            Registration.created_at >= start,
            Registration.created_at <= span.until,
            Traveller.phone_hash.is_not(None),
        )
        .group_by(Traveller.phone_hash, "day")
        .having(people > limits["people"])
        .limit(MOST)
    )
    return [
        Finding(
            key=f"{row.phone_hash.hex()}:{int(row.day)}",
            at=row.newest,
            division_code=span.site,
            subject_type="phone",
            params={"people": int(row.people), "limit": limits["people"], "day": _date(int(row.day))},
        )
        for row in rows
        if span.holds(row.newest)
    ]


def _date(days: int) -> str:
    return _instant(days * DAY).date().isoformat()


def plate_all_night(span: Span, limits: Limits) -> list[Finding]:
    """One plate back and forth through one night; scans less than ten minutes apart are one passage."""
    begins = span.since - timedelta(hours=15)
    plate = func.coalesce(VehicleCrossing.plate_hash, Registration.plate_hash)
    seen = (
        select(plate.label("plate"), Crossing.scanned_at.label("at"))
        .join(Registration, Registration.id == Crossing.registration_id, isouter=True)
        .join(VehicleCrossing, VehicleCrossing.id == Crossing.vehicle_id, isouter=True)
        .where(Crossing.received_at > begins, Crossing.received_at <= span.until, plate.is_not(None))
        .subquery()
    )
    local = epoch(seen.c.at) + span.offset
    second = local % DAY
    at_night = or_(second >= limits["from_hour"] * HOUR, second < limits["to_hour"] * HOUR)
    night = local - DAY // 2
    rows = select(
        seen.c.plate,
        seen.c.at,
        (night - night % DAY).label("night"),
        func.lag(epoch(seen.c.at)).over(partition_by=seen.c.plate, order_by=seen.c.at).label("before"),
    )
    passages = rows.where(at_night).subquery()
    new = case((passages.c.before.is_(None), 1), (epoch(passages.c.at) - passages.c.before > PASSAGE, 1), else_=0)
    times, newest = func.sum(new), func.max(passages.c.at)
    counted: Select[Any] = (
        select(passages.c.plate, passages.c.night, times.label("times"), newest.label("newest"))
        .group_by(passages.c.plate, passages.c.night)
        .having(times >= limits["times"])
        .limit(MOST)
    )
    return [
        Finding(
            key=f"{row.plate.hex()}:{int(row.night) // DAY}",
            at=row.newest,
            division_code=span.site,
            subject_type="plate",
            params={"times": int(row.times), "limit": limits["times"], "night": _date(int(row.night) // DAY)},
        )
        for row in db.session.execute(counted)
        if span.holds(row.newest)
    ]


def silent_checkpoint(span: Span, limits: Limits) -> list[Finding]:
    """A checkpoint that is open and has scanned nobody for too long, counted from its last scan or from its opening."""
    wait = timedelta(minutes=limits["minutes"])
    open_posts = {
        row.id: row
        for row in db.session.execute(
            select(Checkpoint.id, Checkpoint.name, Checkpoint.created_at).where(
                Checkpoint.active.is_(True), Checkpoint.kind != CheckpointKind.CLOSED.value
            )
        )
    }
    following = func.lead(Crossing.scanned_at).over(
        partition_by=Crossing.checkpoint_id, order_by=(Crossing.scanned_at, Crossing.id)
    )
    scans = (
        select(Crossing.checkpoint_id, Crossing.scanned_at.label("at"), following.label("next"))
        .where(
            Crossing.checkpoint_id.in_(open_posts),
            Crossing.scanned_at > span.since - wait,
            Crossing.scanned_at <= span.until,
        )
        .subquery()
    )
    rows = db.session.execute(
        select(scans.c.checkpoint_id, scans.c.at).where(
            scans.c.at <= span.until - wait,
            or_(scans.c.next.is_(None), epoch(scans.c.next) - epoch(scans.c.at) > limits["minutes"] * 60),
        )
    ).all()
    starts = [(row.checkpoint_id, row.at) for row in rows]
    if not within_hours(_midnight(span), limits["from_hour"], limits["to_hour"]):
        for opened in openings(span, limits["from_hour"], wait):
            busy = set(
                db.session.scalars(
                    select(Crossing.checkpoint_id)
                    .where(
                        Crossing.checkpoint_id.in_(open_posts),
                        Crossing.scanned_at > opened,
                        Crossing.scanned_at <= opened + wait,
                    )
                    .distinct()
                )
            )
            starts += [(one, opened) for one in open_posts if one not in busy]
    found = []
    for post_id, start in starts:
        post, fires = open_posts[post_id], start + wait
        if span.holds(fires) and within_hours(span.local(fires), limits["from_hour"], limits["to_hour"]):
            params = {"checkpoint": post.name, "since": start.isoformat(), "minutes": limits["minutes"]}
            key = f"{post_id}:{int(start.timestamp())}"
            found.append(Finding(key, fires, span.site, "checkpoint", post_id, params))
    return found


def _midnight(span: Span) -> datetime:
    return span.local(span.until).replace(hour=0, minute=0)


def county_doubling(span: Span, limits: Limits) -> list[Finding]:
    """Yellow people declared from one county, counted by the clock's hours: an hour that has twice as many as the one before."""
    hour = epoch(Registration.created_at)
    bucket = hour - hour % HOUR
    county = func.substr(Registration.origin_code, 1, 6)
    start = int(span.since.timestamp()) // HOUR * HOUR - HOUR
    rows = db.session.execute(
        select(county.label("county"), bucket.label("hour"), func.count().label("number"))
        .where(
            Registration.created_at >= _instant(start),
            Registration.created_at <= span.until,
            Registration.tier == Tier.YELLOW.value,
            Registration.origin_code.is_not(None),
        )
        .group_by("county", "hour")
    )
    counts = {(row.county, int(row.hour) // HOUR): int(row.number) for row in rows}
    first = start // HOUR + 1
    return [
        Finding(
            key=f"{code}:{at_hour}",
            at=min(_instant((at_hour + 1) * HOUR), span.until),
            division_code=span.site,
            subject_type="county",
            params={"county": code.ljust(12, "0"), "number": number, "before": before},
        )
        for code, at_hour, number, before in doublings(counts, limits["times"], limits["least"])
        if at_hour >= first
    ]


def unopened_inbox(span: Span, limits: Limits) -> list[Finding]:
    """A village in which alerts stood so many hours before anybody looked. Told to the town, once a day and village."""
    wait = timedelta(hours=limits["hours"])
    rows = db.session.execute(
        select(Alert.division_code, Alert.created_at, Alert.seen_at, Alert.acknowledged_at, Alert.resolved_at)
        .where(
            Alert.created_at > span.since - wait,
            Alert.created_at <= span.until - wait,
            Alert.ack_due.is_not(None),
            Alert.state != AlertState.RETRACTED.value,
            Alert.division_code.not_like("%000"),
            or_(Alert.seen_at.is_(None), Alert.seen_at > span.since),
        )
        .order_by(Alert.created_at)
    )
    unseen: dict[tuple[str, str], list[datetime]] = {}
    for row in rows:
        fires = row.created_at + wait
        answered = [at for at in (row.seen_at, row.acknowledged_at, row.resolved_at) if at is not None]
        if not answered or min(answered) > fires:
            unseen.setdefault((row.division_code, span.local(fires).date().isoformat()), []).append(fires)
    return [
        Finding(
            key=f"{village}:{day}",
            at=fires[limits["least"] - 1],
            division_code=at_level(village, TOWN),
            subject_type="division",
            params={"village": village, "number": len(fires), "hours": limits["hours"]},
        )
        for (village, day), fires in unseen.items()
        if len(fires) >= limits["least"]
    ]


QUERIES: dict[str, Query] = {
    "not_arrived": not_arrived,
    "impossible_travel": impossible_travel,
    "one_phone": one_phone,
    "plate_all_night": plate_all_night,
    "silent_checkpoint": silent_checkpoint,
    "county_doubling": county_doubling,
    "unopened_inbox": unopened_inbox,
    "bulk_reading": bulk_reading,
}
assert set(QUERIES) == set(RULES)  # noqa: S101 - a rule without its query is a mistake in this file
