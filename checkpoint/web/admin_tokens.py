"""Bearer tokens of integrations: listed, issued with what they may do and until when, revoked. The text is shown once."""

import re
import uuid

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from checkpoint import clock
from checkpoint.accounts import queries, service
from checkpoint.accounts.models import Role
from checkpoint.accounts.permissions import PERMISSIONS, Actor, Permission
from checkpoint.errors import InvalidInput
from checkpoint.regions import queries as divisions
from checkpoint.web.auth import current_actor, requires
from checkpoint.web.errors import field_errors
from checkpoint.web.filters import ROLES
from checkpoint.web.forms.chosen import chosen_division
from checkpoint.web.scope_words import SCOPES
from checkpoint.words import _

blueprint = Blueprint("admin_tokens", __name__, url_prefix="/admin/tokens")
Answer = str | Response | BaseResponse | tuple[str, int]
DAYS, LONGEST_DAYS = 365, 3650


@blueprint.get("", strict_slashes=False)
@requires(Permission.TOKENS_WRITE)
def tokens() -> Answer:
    """The tokens of the jurisdiction, and the form for a new one: `?role=` chooses whose permissions it offers."""
    return _page({}, {})


@blueprint.post("", strict_slashes=False)
@requires(Permission.TOKENS_WRITE)
def issue() -> Answer:
    """Issue a token; its text is shown once, on the page that answers."""
    form = request.form
    at = clock.now()
    try:
        made = service.issue_token(
            form.get("role", ""),
            chosen_division(),
            actor=current_actor(),
            at=at,
            label=form.get("label", ""),
            expires=service.token_lifetime(_days(form.get("days", "")), at),
            scopes=form.getlist("scopes"),
        )
    except InvalidInput as error:
        return _page(form.to_dict(), field_errors(error), form.getlist("scopes")), 422
    return render_template("admin/token.html", made=made, scopes=_words(made.row.scopes or []))


@blueprint.post("/<uuid:token_id>/revoke")
@requires(Permission.TOKENS_WRITE)
def revoke(token_id: uuid.UUID) -> Answer:
    """End a token."""
    row = service.revoke_token(token_id, actor=current_actor(), at=clock.now())
    flash(_("The token %(label)s no longer works.", label=row.label), "success")
    return redirect(url_for("admin_tokens.tokens"), 303)


def _days(raw: str) -> int:
    if not re.fullmatch(r"[0-9]{1,4}", raw.strip()) or not 1 <= int(raw) <= LONGEST_DAYS:
        raise InvalidInput.one("days", "range", _("A number from 1 to %(high)d.", high=LONGEST_DAYS))
    return int(raw)


def _grantable(actor: Actor) -> list[Role]:
    """The roles of which the actor may give away everything."""
    return [role for role in (Role.INTEGRATION, *service.PEOPLE_ROLES) if PERMISSIONS[role] <= actor.permissions]


def _words(scopes: list[str]) -> list[str]:
    return [str(SCOPES[Permission(one)]) for one in scopes if one in tuple(Permission)]


def _page(values: dict[str, str], errors: dict[str, str], chosen: list[str] | None = None) -> str:
    actor = current_actor()
    offered = _grantable(actor)
    asked = values.get("role") or request.args.get("role", "")
    role = next((one for one in offered if one.value == asked), offered[0] if offered else None)
    scopes = [one for one in SCOPES if role is not None and one in PERMISSIONS[role]]
    found = queries.tokens(actor)
    return render_template(
        "admin/tokens.html",
        tokens=found,
        words={row.id: _words(row.scopes or []) for row in found},
        places=divisions.full_names({row.division_code for row in found}),
        roles=[(one.value, ROLES[one]) for one in offered],
        role=role,
        scopes=[(one.value, SCOPES[one]) for one in scopes],
        chosen=[one.value for one in scopes] if chosen is None else chosen,
        at=clock.now(),
        values={"days": str(DAYS), **values},
        errors=errors,
    )
