"""For operators: alive, ready, and Prometheus."""

from datetime import datetime

from alembic.script import ScriptDirectory
from flask import Blueprint, Response, current_app, jsonify
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError

from checkpoint import clock
from checkpoint.accounts.permissions import system_actor
from checkpoint.alerts import queries as alert_queries
from checkpoint.alerts.models import FeedEntry
from checkpoint.audit.models import Heartbeat
from checkpoint.database import db
from checkpoint.risk.models import RiskState
from checkpoint.web.auth import public

blueprint = Blueprint("health", __name__)
SCHEDULER_LATE_SECONDS = 180


@blueprint.get("/healthz")
@public
def healthz() -> ResponseReturnValue:
    """The process answers."""
    return jsonify(status="alive")


def _head() -> str | None:
    """The newest migration that this code knows; read from disk once."""
    if "migration_head" not in current_app.extensions:
        directory = current_app.extensions["migrate"].directory
        current_app.extensions["migration_head"] = ScriptDirectory(directory).get_current_head()
    head: str | None = current_app.extensions["migration_head"]
    return head


def _ages(at: datetime) -> tuple[float | None, float | None]:
    """Seconds since the list in force was confirmed and since the scheduler last beat; None if never."""
    confirmed = db.session.scalar(select(RiskState.confirmed_at))
    beat = db.session.scalar(select(func.max(Heartbeat.at)).where(Heartbeat.name == "scheduler"))
    if isinstance(beat, datetime) and beat.tzinfo is None:
        beat = beat.replace(tzinfo=at.tzinfo)
    return (
        None if confirmed is None else (at - confirmed).total_seconds(),
        None if beat is None else (at - beat).total_seconds(),
    )


@blueprint.get("/readyz")
@public
def readyz() -> ResponseReturnValue:
    """Whether this process can serve: the database answers and is migrated. A stale list and a silent scheduler are named."""
    try:
        migrated = db.session.scalar(text("SELECT version_num FROM alembic_version")) == _head()
        list_age, beat_age = _ages(clock.now())
    except SQLAlchemyError:
        return jsonify(status="unavailable", database=False), 503
    late = beat_age is None or beat_age > SCHEDULER_LATE_SECONDS
    body = {
        "status": "ready" if migrated else "unavailable",
        "database": True,
        "migrations": migrated,
        "list_age_seconds": list_age,
        "scheduler_beat_seconds": beat_age,
        "warnings": [name for name, wrong in (("no_list", list_age is None), ("scheduler_silent", late)) if wrong],
    }
    return jsonify(body), 200 if migrated else 503


@blueprint.get("/metrics")
@public
def metrics() -> ResponseReturnValue:
    """What an operator watches, read from the database, so that any process gives the same figures."""
    at = clock.now()
    actor = system_actor(current_app.extensions["settings"].site_division)
    registry = CollectorRegistry()
    alerts = Gauge("checkpoint_alerts", "Alerts that wait, by what they wait for", ["state"], registry=registry)
    for state, count in alert_queries.counts(actor, at).items():
        alerts.labels(state).set(count)
    pending = db.session.scalar(select(func.count()).select_from(FeedEntry).where(FeedEntry.seq.is_(None)))
    Gauge("checkpoint_feed_pending", "Events committed and not yet numbered", registry=registry).set(pending or 0)
    list_age, beat_age = _ages(at)
    for name, words, value in (
        ("checkpoint_risk_list_age_seconds", "Time since the list in force was confirmed", list_age),
        ("checkpoint_scheduler_beat_age_seconds", "Time since the scheduler's last beat", beat_age),
    ):
        Gauge(name, words, registry=registry).set(-1 if value is None else value)
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
