"""From the numbered feed to the messages that are owed. One transaction reads entries, writes deliveries and moves the cursor, so
a crash repeats nothing and forgets nothing; alerts themselves cost nothing more for having channels.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from checkpoint.alerts import feed
from checkpoint.alerts.duty import answering, on_duty
from checkpoint.alerts.models import Alert, AlertState, FeedEntry
from checkpoint.alerts.service import TAKEN_BACK
from checkpoint.channels.models import ChannelCursor, ChannelTarget, Delivery, DeliveryState
from checkpoint.database import db, transaction
from checkpoint.risk.policy import Tier

CURSOR = "deliveries"
CHUNK = 2000
_delivery = cast(Table, Delivery.__table__)


def collect(at: datetime, *, limit: int = CHUNK) -> int:
    """Turn numbered feed entries into deliveries; returns how many entries were read. Another process at it makes this a no-op."""
    newest = feed.newest()
    if (db.session.scalar(select(ChannelCursor.seq).where(ChannelCursor.name == CURSOR)) or 0) >= newest:
        return 0
    with transaction() as session:
        cursor = _locked_cursor(session)
        if cursor is None:
            return 0
        entries = session.execute(
            select(FeedEntry.seq, FeedEntry.alert_id, FeedEntry.wave)
            .where(FeedEntry.seq > cursor.seq, FeedEntry.seq <= newest)
            .order_by(FeedEntry.seq)
            .limit(limit)
        ).all()
        raised = {entry.alert_id: int(entry.wave) for entry in entries if entry.wave is not None and entry.wave >= 0}
        taken_back = {entry.alert_id for entry in entries if entry.wave == TAKEN_BACK}
        _owe(session, raised, at)
        _owe_taken_back(session, taken_back, at)
        if entries:
            cursor.seq = int(entries[-1].seq)
    return len(entries)


def _locked_cursor(session: Session) -> ChannelCursor | None:
    maker = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    session.execute(maker(ChannelCursor).values(name=CURSOR, seq=0).on_conflict_do_nothing(index_elements=["name"]))
    return session.scalars(
        select(ChannelCursor)
        .where(ChannelCursor.name == CURSOR)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).first()


def _owe(session: Session, raised: Mapping[UUID, int], at: datetime) -> None:
    """Deliveries for alerts that still wait in the wave that the feed told of."""
    if not raised:
        return
    rows = session.execute(
        select(Alert.id, Alert.division_code, Alert.responsible_level, Alert.tier, Alert.wave, Alert.assigned_to).where(
            Alert.id.in_(raised), Alert.state == AlertState.OPEN.value
        )
    ).all()
    live = [row for row in rows if row.wave == raised[row.id]]
    places = {row.id: answering(row.division_code, row.responsible_level) for row in live}
    staff = on_duty(set(places.values()), at) if live else {}
    people = {user for users in staff.values() for user in users} | {row.assigned_to for row in live} - {None}
    by_user, by_division = _targets(session, people, set(places.values()))
    owed = []
    for row in live:
        if row.assigned_to is not None:
            targets = list(by_user.get(row.assigned_to, ()))
        else:
            place = places[row.id]
            targets = [one for user in staff.get(place, ()) for one in by_user.get(user, ())]
            targets += by_division.get(place, ())
        owed += [_row(row.id, target.id, row.wave, row.tier, at) for target in targets if _wants(target, row.tier)]
    _insert(session, owed)


def _targets(
    session: Session, people: Iterable[UUID], places: Iterable[str]
) -> tuple[dict[UUID, list[ChannelTarget]], dict[str, list[ChannelTarget]]]:
    found = session.scalars(
        select(ChannelTarget).where(
            ChannelTarget.active.is_(True),
            ChannelTarget.user_id.in_(set(people)) | ChannelTarget.division_code.in_(set(places)),
        )
    )
    by_user: dict[UUID, list[ChannelTarget]] = {}
    by_division: dict[str, list[ChannelTarget]] = {}
    for target in found:
        if target.user_id is not None:
            by_user.setdefault(target.user_id, []).append(target)
        elif target.division_code is not None:
            by_division.setdefault(target.division_code, []).append(target)
    return by_user, by_division


def _wants(target: ChannelTarget, tier: str) -> bool:
    return Tier(tier).rank >= Tier(target.lowest_tier).rank


def _row(alert_id: UUID, target_id: UUID, wave: int, tier: str, at: datetime) -> dict[str, Any]:
    return {
        "alert_id": alert_id,
        "target_id": target_id,
        "wave": wave,
        "tier": tier,
        "state": DeliveryState.WAITING.value,
        "made_at": at,
        "attempts": 0,
    }


def _insert(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    if not rows:
        return
    maker = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = maker(_delivery).on_conflict_do_nothing(index_elements=["alert_id", "target_id", "wave"])
    session.connection().execute(statement, rows)


def _owe_taken_back(session: Session, alert_ids: set[UUID], at: datetime) -> None:
    """What was told is told to be taken back; what was not told yet never will be."""
    if not alert_ids:
        return
    gone = select(Alert.id).where(Alert.id.in_(alert_ids), Alert.state == AlertState.RETRACTED.value)
    session.execute(
        update(Delivery)
        .where(Delivery.alert_id.in_(gone), Delivery.state == DeliveryState.WAITING.value, Delivery.wave >= 0)
        .values(state=DeliveryState.NEEDLESS.value, done_at=at)
        .execution_options(synchronize_session=False)
    )
    told = session.execute(
        select(Delivery.alert_id, Delivery.target_id, Delivery.tier)
        .where(Delivery.alert_id.in_(gone), Delivery.state == DeliveryState.SENT.value, Delivery.wave >= 0)
        .distinct()
    ).all()
    _insert(session, [_row(row.alert_id, row.target_id, TAKEN_BACK, row.tier, at) for row in told])
