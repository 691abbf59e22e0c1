"""Alerts for integrations and for pages."""

import uuid

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from checkpoint import clock
from checkpoint.accounts.permissions import Permission
from checkpoint.alerts import feed, queries, service
from checkpoint.alerts.models import Alert
from checkpoint.web.api import bodies, views
from checkpoint.web.api.documents import describe, read_body, read_query
from checkpoint.web.auth import current_actor, requires

blueprint = Blueprint("api_alerts", __name__)


@blueprint.get("/alerts")
@requires(Permission.ALERTS_READ)
@describe(query=bodies.AlertsQuery, answers={200: bodies.AlertsOut}, problems=(401, 403, 422), tag="alerts")
def index() -> ResponseReturnValue:
    """Alerts of the caller's jurisdiction raised after `after`, by increasing `seq`."""
    query = read_query(bodies.AlertsQuery)
    feed.number()
    found = queries.since(current_actor(), query.after, state=query.state, limit=query.limit)
    page = bodies.AlertsOut(
        alerts=[views.alert(alert, seq) for seq, alert in found], next=found[-1][0] if found else query.after
    )
    return jsonify(page.model_dump(mode="json"))


def _moved(alert: Alert) -> ResponseReturnValue:
    return jsonify(views.alert(alert, queries.sequence_of(alert.id)).model_dump(mode="json"))


@blueprint.get("/alerts/<uuid:alert_id>")
@requires(Permission.ALERTS_READ)
@describe(answers={200: bodies.AlertOut}, problems=(401, 403, 404), tag="alerts")
def show(alert_id: uuid.UUID) -> ResponseReturnValue:
    """One alert."""
    return _moved(queries.one(current_actor(), alert_id))


@blueprint.post("/alerts/<uuid:alert_id>/acknowledge")
@requires(Permission.ALERTS_ACT)
@describe(answers={200: bodies.AlertOut}, problems=(400, 401, 403, 404), tag="alerts")
def acknowledge(alert_id: uuid.UUID) -> ResponseReturnValue:
    """Take an alert on. A second time is harmless."""
    return _moved(service.acknowledge(alert_id, actor=current_actor(), at=clock.now()))


@blueprint.post("/alerts/<uuid:alert_id>/resolve")
@requires(Permission.ALERTS_ACT)
@describe(
    body=bodies.ResolveIn,
    answers={200: bodies.AlertOut},
    problems=(400, 401, 403, 404, 409, 413, 415, 422),
    tag="alerts",
)
def resolve(alert_id: uuid.UUID) -> ResponseReturnValue:
    """Close an alert with a result. A second time is harmless: the first result stays."""
    body = read_body(bodies.ResolveIn)
    return _moved(service.resolve(alert_id, body.result, body.note, actor=current_actor(), at=clock.now()))
