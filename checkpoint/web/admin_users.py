"""Administration of accounts: invitations instead of passwords, sessions, the second step, PINs. Secrets are shown once, never kept."""

import uuid
from typing import Any

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from checkpoint import clock
from checkpoint.accounts import invitations, pins, queries, second_step, service, sessions
from checkpoint.accounts.changing import change_user
from checkpoint.accounts.models import Role
from checkpoint.accounts.permissions import Permission
from checkpoint.config import Settings
from checkpoint.errors import InvalidInput
from checkpoint.regions import queries as divisions
from checkpoint.web.auth import current_actor, requires
from checkpoint.web.errors import field_errors
from checkpoint.web.filters import ROLES
from checkpoint.web.forms.chosen import chosen_division
from checkpoint.web.qr import qr_svg
from checkpoint.words import _

blueprint = Blueprint("admin_users", __name__, url_prefix="/admin/users")
Answer = str | Response | BaseResponse | tuple[str, int]


@blueprint.get("", strict_slashes=False)
@requires(Permission.USERS_WRITE)
def users() -> Answer:
    """The accounts of the jurisdiction, and the form for a new one."""
    return _users_page()


@blueprint.post("", strict_slashes=False)
@requires(Permission.USERS_WRITE)
def add() -> Answer:
    """Make an account; the link to choose its password is shown once, on the page that answers."""
    form = request.form
    try:
        made = invitations.invite_newcomer(
            form.get("login", ""),
            form.get("role", ""),
            chosen_division(),
            actor=current_actor(),
            at=clock.now(),
            name=form.get("name", ""),
        )
    except InvalidInput as error:
        return _users_page(form.to_dict(), field_errors(error)), 422
    return _invitation_page(made, is_new=True)


@blueprint.get("/<uuid:user_id>")
@requires(Permission.USERS_WRITE)
def user(user_id: uuid.UUID) -> Answer:
    """One account: how it stands, and what can be done for it."""
    return _user_page(user_id)


@blueprint.post("/<uuid:user_id>")
@requires(Permission.USERS_WRITE)
def change(user_id: uuid.UUID) -> Answer:
    """Give an account another name, role or jurisdiction."""
    form = request.form
    given = (form.get("name", ""), form.get("role", ""), chosen_division())
    try:
        changed = change_user(user_id, *given, actor=current_actor(), at=clock.now())
    except InvalidInput as error:
        return _user_page(user_id, form.to_dict(), field_errors(error)), 422
    flash(_("The account %(login)s is changed.", login=changed.login), "success")
    return redirect(url_for("admin_users.user", user_id=user_id), 303)


def _user_page(user_id: uuid.UUID, values: dict[str, str] | None = None, errors: dict[str, str] | None = None) -> str:
    found = queries.user(current_actor(), user_id)
    at = clock.now()
    stored = {"name": found.display_name, "role": found.role, "division_code": found.division_code}
    stored["division_text"] = divisions.names([found.division_code]).get(found.division_code, "")
    return render_template(
        "admin/user.html",
        user=found,
        invitation=invitations.open_ones([found.id], at=at).get(found.id),
        sessions=sessions.listed(found.id, at=at),
        second_step_on=second_step.is_on(found.id),
        must_have_code=found.role in _settings().totp_roles,
        of_company=found.role == Role.COMPANY,
        roles=[(str(role), ROLES[role]) for role in service.PEOPLE_ROLES],
        values=stored if values is None else values,
        errors=errors or {},
    )


@blueprint.post("/<uuid:user_id>/invite")
@requires(Permission.USERS_WRITE)
def invite(user_id: uuid.UUID) -> Answer:
    """A new link to choose a password, shown once; the old password and all sessions end."""
    made = invitations.invite(user_id, actor=current_actor(), at=clock.now())
    return _invitation_page(made, is_new=False)


@blueprint.post("/<uuid:user_id>/revoke-invitation")
@requires(Permission.USERS_WRITE)
def revoke_invitation(user_id: uuid.UUID) -> Answer:
    """Take the link back that is out."""
    found = invitations.revoke(user_id, actor=current_actor(), at=clock.now())
    flash(_("The link of %(login)s no longer works.", login=found.login), "success")
    return redirect(url_for("admin_users.user", user_id=user_id), 303)


@blueprint.post("/<uuid:user_id>/end-sessions")
@requires(Permission.USERS_WRITE)
def end_sessions(user_id: uuid.UUID) -> Answer:
    """Sign somebody out everywhere."""
    found = sessions.end_all(user_id, actor=current_actor(), at=clock.now())
    flash(_("%(login)s is signed out everywhere.", login=found.login), "success")
    return redirect(url_for("admin_users.user", user_id=user_id), 303)


@blueprint.post("/<uuid:user_id>/reset-second-step")
@requires(Permission.USERS_WRITE)
def reset_second_step(user_id: uuid.UUID) -> Answer:
    """Help somebody who lost their phone and the recovery codes."""
    found = second_step.reset(user_id, actor=current_actor(), at=clock.now())
    flash(_("%(login)s signs in without a code until they set up a new one.", login=found.login), "success")
    return redirect(url_for("admin_users.user", user_id=user_id), 303)


@blueprint.post("/<uuid:user_id>/pin")
@requires(Permission.USERS_WRITE)
def give_pin(user_id: uuid.UUID) -> Answer:
    """Give an officer a new PIN for the tablet, shown once; the old one ends."""
    made = pins.set_pin(user_id, actor=current_actor(), at=clock.now())
    return render_template("admin/pin.html", user=made.user, pin=made.pin)


@blueprint.post("/<uuid:user_id>/close")
@requires(Permission.USERS_WRITE)
def close(user_id: uuid.UUID) -> Answer:
    """Close an account; its sessions end at once."""
    closed = service.deactivate(user_id, actor=current_actor(), at=clock.now())
    flash(_("The account %(login)s is deactivated.", login=closed.login), "success")
    return redirect(url_for("admin_users.users"))


@blueprint.post("/<uuid:user_id>/open")
@requires(Permission.USERS_WRITE)
def reopen(user_id: uuid.UUID) -> Answer:
    """Open a closed account again."""
    opened = service.set_active(user_id, True, actor=current_actor(), at=clock.now())
    flash(_("The account %(login)s works again.", login=opened.login), "success")
    return redirect(url_for("admin_users.users"))


def _users_page(values: dict[str, Any] | None = None, errors: dict[str, str] | None = None) -> str:
    found = queries.users(current_actor())
    ids = [one.id for one in found]
    return render_template(
        "admin/users.html",
        users=found,
        places=divisions.full_names({one.division_code for one in found}),
        roles=[(str(role), ROLES[role]) for role in service.PEOPLE_ROLES],
        invited=invitations.open_ones(ids, at=clock.now()),
        with_code=second_step.with_second_step(ids),
        values=values or {},
        errors=errors or {},
    )


def _invitation_page(made: invitations.NewInvitation, *, is_new: bool) -> str:
    address = invitations.link(_settings().public_url, made.token)
    return render_template(
        "admin/invitation.html", made=made, address=address, code=qr_svg(address, _("Invitation")), is_new=is_new
    )


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings
