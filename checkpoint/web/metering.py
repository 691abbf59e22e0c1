"""Counting, around each request, how many people it showed to whom; the counts are written after the answer has gone."""

import logging
from contextlib import suppress
from typing import Any

from flask import Flask, Response, current_app, g
from flask.ctx import AppContext
from sqlalchemy.exc import SQLAlchemyError

from checkpoint import clock
from checkpoint.disclosure import meter
from checkpoint.privacy import watchers

logger = logging.getLogger(__name__)


def init_app(app: Flask) -> None:
    """Watch what each request opens."""
    app.before_request(_begin)
    app.after_request(_afterwards)
    app.teardown_request(_end)


def _begin() -> None:
    g.people_seen = seen = meter.Seen()
    g.watchers_before = before = watchers.get()
    watchers.set((*before, seen.watch))


def _end(_error: BaseException | None) -> None:
    """At the end of the answer, also of one that is made while it is sent."""
    before = g.pop("watchers_before", None)
    if before is None:
        return
    watchers.set(before)
    seen, actor = g.pop("people_seen"), g.get("actor")
    if seen.people and actor is not None:
        meter.shown(actor, seen.people, at=clock.now())


def _afterwards(response: Response) -> Response:
    if meter.is_due():
        context = current_app.app_context()
        response.call_on_close(lambda: _flush(context))
    return response


def _flush(context: AppContext) -> None:
    with context, suppress(SQLAlchemyError):
        meter.flush()


def flush_at_end(app: Any) -> None:
    """Write what a process has counted when it stops."""
    try:
        with app.app_context():
            meter.flush()
    except SQLAlchemyError as error:
        logger.warning("counts of people shown are lost: %s", type(error).__name__)
