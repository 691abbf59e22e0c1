"""For operators: alive, ready, how each part stands, and Prometheus."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, render_template
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from sqlalchemy.exc import SQLAlchemyError

from checkpoint import clock
from checkpoint.accounts.permissions import Permission, system_actor
from checkpoint.alerts import queries as alert_queries
from checkpoint.database import db
from checkpoint.surveillance import gauges, health
from checkpoint.surveillance.health import Grade, Part
from checkpoint.web.auth import public, requires

blueprint = Blueprint("health", __name__)

NAMES = {
    "database": _l("Database"),
    "migrations": _l("Tables of this version"),
    "list": _l("Risk list"),
    "scheduler": _l("Work by the clock"),
    "audit": _l("Audit trail"),
    "disk": _l("Disk"),
    "redis": _l("Redis"),
    "feeds": _l("Sources of lists"),
    "channels": _l("Channels"),
    "backup": _l("Backups"),
}
GRADES = {
    Grade.FINE: (_l("Works"), "tag-good"),
    Grade.OFF: (_l("Not set up"), ""),
    Grade.FAILING: (_l("Needs a look"), "tag-wait"),
    Grade.DOWN: (_l("Does not work"), "tag-bad"),
}
# What it means for the people while a part needs a look or does not work.
MEANINGS = {
    "database": _l("Nothing can be registered or scanned."),
    "migrations": _l("The program is newer than its tables. Run the upgrade."),
    "list": _l("Nobody is green until the list is confirmed again."),
    "scheduler": _l(
        "Registrations and scans go on. Deadlines, messages, reassessment and backups wait until it runs again."
    ),
    "audit": _l("Acts are recorded, but not sealed, or the chain does not end where it did. Have it looked through."),
    "disk": _l("When it is full nothing can be saved. Make room."),
    "redis": _l("Registrations and scans go on. Each process counts its limits by itself meanwhile."),
    "feeds": _l("Lists do not come by themselves. Upload them by hand meanwhile."),
    "channels": _l("Alerts stand in the inbox. Messages about them wait, and are tried again."),
    "backup": _l("What is lost now cannot be restored to this day."),
}
# For /metrics: part, name, words, and what is said where the part has no such moment.
_AGES = (
    ("list", "risk_list_age_seconds", "Time since the list in force was confirmed; -1: there is none", -1),
    ("scheduler", "scheduler_beat_age_seconds", "Time since the scheduler's last beat; -1: there was none", -1),
    ("audit", "audit_unsealed_seconds", "Time since the oldest act that no seal holds yet", 0),
    ("channels", "message_waiting_seconds", "Time since the oldest message that waits was made", 0),
    ("feeds", "feed_heard_age_seconds", "Time since a source of lists last answered; -1: never", -1),
    ("backup", "backup_age_seconds", "Time since the newest backup by the clock; -1: there is none", -1),
)
_COUNTS = (
    ("feeds", "feeds_failing", "Sources of lists that fail", 1),
    ("channels", "channels_failing", "Channels that fail", 1),
    ("disk", "disk_free_bytes", "Room on the disk of CHECKPOINT_DATA", health.MIB),
)
_GRADE_NUMBERS = {Grade.OFF: -1, Grade.FINE: 0, Grade.FAILING: 1, Grade.DOWN: 2}


@blueprint.get("/healthz")
@public
def healthz() -> ResponseReturnValue:
    """The process answers."""
    return jsonify(status="alive")


@blueprint.get("/readyz")
@public
def readyz() -> ResponseReturnValue:
    """Whether this process can serve: the database answers and is migrated. How the other parts stand is told besides."""
    at = clock.now()
    try:
        parts = health.parts(at)
        list_age, beat_age = health.list_age(at), health.beat_age(at)
    except SQLAlchemyError:
        db.session.rollback()
        return jsonify(status="unavailable", database=False, parts=_grades(health.outside_parts())), 503
    grades = _grades(parts)
    migrated = grades["migrations"] == Grade.FINE
    wrong = {"no_list": list_age is None, "scheduler_silent": grades["scheduler"] == Grade.DOWN}
    body: dict[str, Any] = {
        "status": "ready" if migrated else "unavailable",
        "database": True,
        "migrations": migrated,
        "list_age_seconds": list_age,
        "scheduler_beat_seconds": beat_age,
        "warnings": [name for name, holds in wrong.items() if holds],
        "parts": grades,
    }
    return jsonify(body), 200 if migrated else 503


def _grades(parts: list[Part]) -> dict[str, str]:
    return {one.name: one.grade.value for one in parts}


@blueprint.get("/command/health")
@requires(Permission.COMMAND_READ)
def standing() -> ResponseReturnValue:
    """How each part stands, in words, and what it means for the people while it does not work."""
    return render_template(
        "command/health.html",
        page="health",
        parts=health.parts(clock.now()),
        names=NAMES,
        grades=GRADES,
        meanings=MEANINGS,
    )


@blueprint.get("/metrics")
@public
def metrics() -> ResponseReturnValue:
    """What an operator watches. The figures of the city come from the database, so that any process gives the same; those of requests
    are of the server that is asked, all its workers together."""
    at = clock.now()
    actor = system_actor(current_app.extensions["settings"].site_division)
    registry = CollectorRegistry()
    registry.register(current_app.extensions["counts"])

    def gauge(name: str, words: str, values: Mapping[Any, float], *labels: str) -> None:
        made = Gauge(f"checkpoint_{name}", words, labels, registry=registry)
        for key, value in values.items():
            (made.labels(*key) if key else made).set(value)

    gauge("people", "Trips on the way and inside", gauges.people(actor), "state", "tier")
    waiting = {(state,): number for state, number in alert_queries.counts(actor, at).items()}
    gauge("alerts", "Alerts that wait, by what they wait for", waiting, "state")
    gauge("feed_pending", "Events committed and not yet numbered", {(): gauges.unnumbered()})
    unsent = {(state,): number for state, number in gauges.messages().items()}
    gauge("messages", "Messages that wait for a channel, and those given up", unsent, "state")
    parts = {one.name: one for one in health.parts(at)}
    gauge("part_grade", "0 works, 1 needs a look, 2 does not work, -1 is not set up", _numbered(parts), "part")
    for part, name, words, nothing in _AGES:
        gauge(name, words, {(): _age(at, parts[part].since, nothing)})
    for part, name, words, unit in _COUNTS:
        gauge(name, words, {(): (parts[part].count or 0) * unit})
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _numbered(parts: Mapping[str, Part]) -> dict[tuple[str, ...], float]:
    return {(name,): _GRADE_NUMBERS[part.grade] for name, part in parts.items()}


def _age(at: datetime, since: datetime | None, nothing: float) -> float:
    return nothing if since is None else (at - since).total_seconds()
