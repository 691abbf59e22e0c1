"""The watch rules for command: how each stands, its limits, and what it would have found in the last days."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from checkpoint import clock
from checkpoint.accounts.permissions import Permission
from checkpoint.errors import InvalidInput
from checkpoint.registrations import queries as registrations
from checkpoint.watch import service
from checkpoint.watch.readers import BULK
from checkpoint.watch.rules import Finding
from checkpoint.watch.wording import ABOUT, LABELS, LIMITS, explain
from checkpoint.web.auth import current_actor, requires
from checkpoint.web.errors import field_errors
from checkpoint.web.inbox_cards import actor_names, people_of, place_names
from checkpoint.words import _

blueprint = Blueprint("watching", __name__, url_prefix="/command/watch")

Answer = str | Response | BaseResponse | tuple[str, int]
DAYS = (1, 3, 7, 30)
SHOWN_TIERS = ("red", "yellow")


@dataclass(frozen=True, slots=True)
class Example:
    """One thing that a rule would have found. `person` is masked, and named only to those who may read people."""

    finding: Finding
    text: str
    place: str
    person: str
    registration_id: uuid.UUID | None


@blueprint.get("", strict_slashes=False)
@requires(Permission.COMMAND_READ)
def index() -> Answer:
    """Every rule as it stands."""
    found = service.standings()
    return render_template(
        "command/watch.html",
        standings=found,
        labels=LABELS,
        about=ABOUT,
        limits=LIMITS,
        names=actor_names(one.updated_by for one in found),
        page="watch",
    )


def _rule_page(name: str, **more: Any) -> str:
    values: dict[str, Any] = {"errors": {}, "values": None, "dry": None, "examples": (), "days": 7, **more}
    one = service.standing(name)
    return render_template(
        "command/watch_rule.html",
        one=one,
        labels=LABELS,
        about=ABOUT,
        limit_words=LIMITS,
        may_set=service.may_change(name, current_actor()),
        action=url_for("watching.change_reading") if name == BULK else url_for("watching.change", name=name),
        tiers=SHOWN_TIERS,
        choices=DAYS,
        page="watch",
        **values,
    )


@blueprint.get("/<name>")
@requires(Permission.COMMAND_READ)
def rule(name: str) -> Answer:
    """One rule; with `days` what it would have found in the last days, with the limits in the address or its own."""
    raw = request.args.get("days", "")
    if not raw:
        return _rule_page(name)
    one = service.standing(name)
    limits = {limit.name: request.args.get(limit.name, one.limits[limit.name]) for limit in one.rule.limits}
    days = int(raw) if raw.isascii() and raw.isdecimal() and len(raw) <= 3 else 0
    try:
        found = service.dry_run(name, limits, days, actor=current_actor(), at=clock.now())
    except InvalidInput as error:
        return _rule_page(name, errors=field_errors(error), values=limits), 422
    return _rule_page(name, values=limits, dry=found, examples=_examples(name, found.examples), days=days)


def _examples(name: str, findings: Sequence[Finding]) -> list[Example]:
    places = place_names({one.division_code for one in findings})
    ids = [one.subject_id for one in findings if one.subject_type == "registration"]
    people = people_of(current_actor(), ids)
    found = []
    for one in findings:
        known = people.get(one.subject_id) if one.subject_id is not None else None
        found.append(
            Example(
                finding=one,
                text=" ".join(explain(name, one.params)),
                place=places.get(one.division_code, one.division_code),
                person=registrations.masked(known[1])["name"] if known else "",
                registration_id=known[0].id if known else None,
            )
        )
    return found


@blueprint.post("/<name>")
@requires(Permission.WATCH_WRITE)
def change(name: str) -> Answer:
    """Set a rule's limits, its tier, and whether it looks at all."""
    return _change(name)


@blueprint.post("/bulk_reading/limits")
@requires(Permission.AUDIT_READ)
def change_reading() -> Answer:
    """The same for the rule that is about colleagues: the auditor sets it."""
    return _change(BULK)


def _change(name: str) -> Answer:
    form = request.form
    try:
        service.change(
            name,
            enabled=form.get("enabled") == "1",
            tier=form.get("tier", ""),
            limits=form.to_dict(),
            actor=current_actor(),
            at=clock.now(),
        )
    except InvalidInput as error:
        return _rule_page(name, errors=field_errors(error), values=form.to_dict()), 422
    flash(_("Saved."), "success")
    return redirect(url_for("watching.rule", name=name), 303)
