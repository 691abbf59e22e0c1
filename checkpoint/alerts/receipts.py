"""Who was told of an alert and who has seen it, each recipient with their own times.

Told is what a screen has fetched or a channel has taken; seen is what stood on a screen that somebody looked at, or was acted on.
Nothing is ever moved back: the first time stays.
"""

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import cast

from sqlalchemy import Table, select, update
from sqlalchemy.dialects import postgresql, sqlite

from checkpoint.accounts.permissions import Actor
from checkpoint.alerts.models import Alert, AlertReceipt
from checkpoint.alerts.queries import scoped
from checkpoint.database import db, transaction

INBOX = "inbox"
MOST = 500
_receipt = cast(Table, AlertReceipt.__table__)


def _insert_missing(rows: Sequence[dict[str, object]]) -> None:
    connection = db.session.connection()
    maker = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    connection.execute(maker(_receipt).on_conflict_do_nothing(index_elements=["alert_id", "user_id"]), rows)


def mark_delivered(told: Collection[tuple[uuid.UUID, uuid.UUID]], channel: str, at: datetime) -> None:
    """That people were told of alerts: pairs of alert and user, which need not be new. Joins a transaction."""
    if not told:
        return
    ordered = sorted(set(told))  # of two senders at once none waits for the other in a circle
    with transaction():
        _insert_missing(
            [{"alert_id": alert, "user_id": user, "delivered_at": at, "channel": channel} for alert, user in ordered]
        )
        note_delivered({alert for alert, _user in ordered}, at)


def note_delivered(alert_ids: Collection[uuid.UUID], at: datetime) -> None:
    """The first delivery of each alert, to whomever. Joins a transaction."""
    with transaction() as session:
        session.execute(
            update(Alert)
            .where(Alert.id.in_(sorted(alert_ids)), Alert.delivered_at.is_(None))
            .values(delivered_at=at)
            .execution_options(synchronize_session=False)
        )


def unknown_to(actor: Actor, alert_ids: Sequence[uuid.UUID]) -> list[uuid.UUID]:
    """Of some alerts those of which nothing says yet that the actor was told; empty for whoever is no person."""
    if actor.kind != "user" or not alert_ids:
        return []
    known = set(
        db.session.scalars(
            select(AlertReceipt.alert_id).where(
                AlertReceipt.user_id == actor.id, AlertReceipt.alert_id.in_(alert_ids[:MOST])
            )
        )
    )
    return [one for one in alert_ids[:MOST] if one not in known]


def delivered_to(actor: Actor, alert_ids: Sequence[uuid.UUID], at: datetime) -> None:
    """A person's screen has fetched alerts that they were allowed to read. Writes only what is new."""
    missing = unknown_to(actor, alert_ids)
    if missing and actor.id is not None:
        user_id = actor.id
        mark_delivered([(one, user_id) for one in missing], INBOX, at)


def seen_by(actor: Actor, alert_ids: Collection[uuid.UUID], at: datetime) -> int:
    """A person has seen alerts on their screen; what lies outside their jurisdiction is left out. Returns how many were new."""
    if actor.kind != "user" or actor.id is None or not alert_ids:
        return 0
    user_id = actor.id
    mine = scoped(actor).with_only_columns(Alert.id).where(Alert.id.in_(list(alert_ids)[:MOST]))
    seen = select(AlertReceipt.alert_id).where(AlertReceipt.user_id == user_id, AlertReceipt.seen_at.is_not(None))
    new = sorted(db.session.scalars(mine.where(Alert.id.not_in(seen))))
    if not new:
        return 0
    with transaction() as session:
        mark_delivered([(one, user_id) for one in new], INBOX, at)
        session.execute(
            update(AlertReceipt)
            .where(AlertReceipt.user_id == user_id, AlertReceipt.alert_id.in_(new), AlertReceipt.seen_at.is_(None))
            .values(seen_at=at)
            .execution_options(synchronize_session=False)
        )
        session.execute(
            update(Alert)
            .where(Alert.id.in_(new), Alert.seen_at.is_(None))
            .values(seen_at=at, seen_by=actor.key)
            .execution_options(synchronize_session=False)
        )
    return len(new)


def of_alerts(alert_ids: Collection[uuid.UUID]) -> list[AlertReceipt]:
    """Every receipt of some alerts, oldest first; the caller has scoped them."""
    query = select(AlertReceipt).where(AlertReceipt.alert_id.in_(alert_ids))
    return list(db.session.scalars(query.order_by(AlertReceipt.delivered_at)))
