"""The auditor's face: the trail searched and exported, and whether it is whole."""

import uuid
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    stream_with_context,
    url_for,
)
from werkzeug.wrappers import Response as BaseResponse

from checkpoint import clock
from checkpoint.accounts.permissions import Permission
from checkpoint.audit import queries
from checkpoint.audit.service import record
from checkpoint.audit.verifying import verify
from checkpoint.database import transaction
from checkpoint.errors import FieldError, InvalidInput
from checkpoint.watch import readers
from checkpoint.watch.wording import explain
from checkpoint.web.audit_words import FAULTS, act_word, compact
from checkpoint.web.auth import current_actor, requires
from checkpoint.web.errors import field_errors
from checkpoint.web.inbox_cards import actor_names
from checkpoint.web.purpose_words import purpose_code, purpose_word
from checkpoint.words import _

blueprint = Blueprint("audit", __name__, url_prefix="/audit")

Answer = str | Response | BaseResponse | tuple[str, int]
FIELDS = ("actor_id", "act", "object_type", "object_id", "purpose")
LONGEST = 200


@blueprint.get("", strict_slashes=False)
@requires(Permission.AUDIT_READ)
def index() -> Answer:
    """The trail, the newest first, narrowed by what is asked."""
    try:
        search, before = _search(request.args), _number(request.args.get("before", ""))
    except InvalidInput as problem:
        return _page([], None, field_errors(problem)), 422
    return _page(*queries.page(search, before=before), {})


@blueprint.post("/readers/<uuid:alert_id>")
@requires(Permission.AUDIT_READ)
def answer(alert_id: uuid.UUID) -> Answer:
    """Say what came of somebody's unusual reading."""
    try:
        readers.settle(alert_id, request.form.get("answer", ""), actor=current_actor(), at=clock.now())
    except InvalidInput as problem:
        return _page(
            *queries.page(queries.Search()), {}, reading_errors={alert_id: field_errors(problem)["answer"]}
        ), 422
    flash(_("Saved."), "success")
    return redirect(url_for("audit.index"), 303)


@blueprint.post("/verify")
@requires(Permission.AUDIT_READ)
def check() -> Answer:
    """Look through the whole chain now and say what was found."""
    report = verify(clock.now())
    _note("audit.verify", {"entries": report.entries, "faults": len(report.findings)})
    return _page(*queries.page(queries.Search()), {}, report=report)


@blueprint.get("/entries.jsonl")
@requires(Permission.AUDIT_READ)
def export() -> Answer:
    """What is asked for, as JSON lines, the oldest first; that it was taken out is audited."""
    search = _search(request.args)
    asked = {name: request.args[name] for name in ("act", "since", "until") if request.args.get(name)}
    _note("audit.export", {**asked, "rows": queries.number(search)})
    answer = Response(stream_with_context(queries.lines(search)), mimetype="application/jsonl")
    answer.headers["Content-Disposition"] = 'attachment; filename="audit.jsonl"'
    return answer


def _page(rows: Any, before: int | None, errors: Mapping[str, str], **more: Any) -> str:
    unusual = readers.unusual(current_actor())
    keys = {str(one.params["reader"]) for one in unusual} | {one.resolved_by for one in unusual if one.resolved_by}
    keys |= {f"{row.actor_kind}:{row.actor_id}" if row.actor_id else row.actor_kind for row in rows}
    asked = {name: value for name, value in request.args.items() if value and name != "before"}
    return render_template(
        "audit/index.html",
        rows=rows,
        before=before,
        names=actor_names(keys),
        unusual=unusual,
        explain=explain,
        reading_errors=more.pop("reading_errors", {}),
        acts=queries.acts(),
        values=asked,
        errors=errors,
        act_word=act_word,
        purpose_word=purpose_word,
        compact=compact,
        faults=FAULTS,
        **{"report": None, **more},
    )


def _search(given: Mapping[str, str]) -> queries.Search:
    words = {name: given.get(name, "").strip()[:LONGEST] for name in FIELDS}
    words["purpose"] = purpose_code(words["purpose"])
    since, until = _day("since", given), _day("until", given)
    return queries.Search(
        **words, since=_start(since), until=_start(until + timedelta(days=1) if until is not None else None)
    )


def _day(name: str, given: Mapping[str, str]) -> date | None:
    written = given.get(name, "").strip()
    try:
        return date.fromisoformat(written) if written else None
    except ValueError as error:
        raise InvalidInput([FieldError(name, "date", str(_("Write the date as 2026-04-30.")))]) from error


def _start(day: date | None) -> datetime | None:
    return None if day is None else clock.start_of_day(day, current_app.extensions["settings"].timezone)


def _number(written: str) -> int | None:
    return int(written) if written.isascii() and written.isdigit() and len(written) < 19 else None


def _note(act: str, data: dict[str, Any]) -> None:
    actor = current_actor()
    with transaction():
        record(at=clock.now(), actor_kind=actor.kind, actor_id=actor.id, act=act, object_type="audit", data=data)
