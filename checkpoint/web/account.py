"""One's own account: the password, the second step, and where one is signed in."""

import uuid

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from checkpoint import clock
from checkpoint.accounts import second_step, service, sessions, totp
from checkpoint.accounts.permissions import Permission
from checkpoint.accounts.sessions import SignedIn
from checkpoint.config import Settings
from checkpoint.errors import InvalidInput, NotAllowed
from checkpoint.web.auth import current_actor, lacks_second_step, open_session, requires, securing_actor, session_now
from checkpoint.web.errors import field_errors
from checkpoint.web.filters import site_name
from checkpoint.web.qr import qr_svg
from checkpoint.words import _

blueprint = Blueprint("account", __name__, url_prefix="/account")
Answer = str | Response | BaseResponse | tuple[str, int]


@blueprint.get("", strict_slashes=False)
@requires(Permission.ACCOUNT_OWN)
def index() -> Answer:
    """One's own account."""
    return _page({})


@blueprint.post("/password")
@requires(Permission.ACCOUNT_OWN)
def change_password() -> Answer:
    """Change one's own password; every other session ends, this device goes on with a new one."""
    mine = _signed_in()
    old, new = request.form.get("old", ""), request.form.get("new", "")
    try:
        if new != request.form.get("again", ""):
            raise InvalidInput.one("again", "differs", _("The two new passwords differ."))
        user = service.set_password(mine.user.id, old, new, actor=current_actor(), at=clock.now())
    except InvalidInput as error:
        return _page(field_errors(error)), 422
    open_session(user, has_code=mine.session.has_code)
    flash(_("Your password is changed. All other sessions have ended."), "success")
    return redirect(url_for("account.index"))


@blueprint.post("/sessions/<uuid:session_id>/end")
@requires(Permission.ACCOUNT_OWN)
def end_session(session_id: uuid.UUID) -> Answer:
    """End one of one's own sessions."""
    sessions.end(session_id, actor=current_actor(), at=clock.now())
    flash(_("That device is signed out."), "success")
    return redirect(url_for("account.index"), 303)


@blueprint.post("/sessions/end-others")
@requires(Permission.ACCOUNT_OWN)
def end_others() -> Answer:
    """End all of one's own sessions but this one."""
    sessions.end_others(_signed_in().session.id, actor=current_actor(), at=clock.now())
    flash(_("All other devices are signed out."), "success")
    return redirect(url_for("account.index"), 303)


@blueprint.get("/second-step", endpoint="second_step")
@requires(Permission.ACCOUNT_SECURE)
def show_second_step() -> Answer:
    """The second step of signing in: set it up, or what there is of it."""
    return _second_step({})


@blueprint.post("/second-step")
@requires(Permission.ACCOUNT_SECURE)
def begin() -> Answer:
    """Make a secret for the app and show it."""
    second_step.begin(_signed_in().user.id, at=clock.now())
    return redirect(url_for("account.second_step"), 303)


@blueprint.post("/second-step/confirm")
@requires(Permission.ACCOUNT_SECURE)
def confirm() -> Answer:
    """The first code of the app turns the second step on; the recovery codes are shown once."""
    try:
        code = request.form.get("code", "")[:64]
        codes = second_step.confirm(_signed_in(), code, request.remote_addr or "", at=clock.now())
    except InvalidInput as error:
        return _second_step(field_errors(error)), 422
    return render_template("auth/recovery_codes.html", codes=codes)


@blueprint.post("/second-step/codes")
@requires(Permission.ACCOUNT_OWN)
def renew_codes() -> Answer:
    """Ten new recovery codes, shown once."""
    try:
        codes = second_step.renew_codes(
            _signed_in().user.id, request.form.get("password", ""), actor=current_actor(), at=clock.now()
        )
    except InvalidInput as error:
        return _second_step(field_errors(error)), 422
    return render_template("auth/recovery_codes.html", codes=codes)


@blueprint.post("/second-step/off")
@requires(Permission.ACCOUNT_OWN)
def turn_off() -> Answer:
    """Do without the second step again."""
    try:
        second_step.turn_off(
            _signed_in().user.id,
            request.form.get("password", ""),
            _settings().totp_roles,
            actor=current_actor(),
            at=clock.now(),
        )
    except InvalidInput as error:
        return _second_step({f"off_{name}": text for name, text in field_errors(error).items()}), 422
    flash(_("The second step is off. Your password alone opens your account."), "success")
    return redirect(url_for("account.index"), 303)


def _signed_in() -> SignedIn:
    """The session of this request; a bearer token has none and no account to look after."""
    found = session_now()
    if found is None or securing_actor().id != found.user.id:
        raise NotAllowed
    return found


def _page(errors: dict[str, str]) -> str:
    mine = _signed_in()
    return render_template(
        "auth/account.html",
        errors=errors,
        sessions=sessions.listed(mine.user.id, at=clock.now()),
        this_session=mine.session.id,
        second_step_on=second_step.is_on(mine.user.id),
    )


def _second_step(errors: dict[str, str]) -> str:
    user = _signed_in().user
    secret = second_step.pending_secret(user.id)
    address = None if secret is None else totp.address(secret, user.login, site_name() or "Checkpoint")
    return render_template(
        "auth/second_step.html",
        errors=errors,
        is_on=second_step.is_on(user.id),
        must=lacks_second_step(),
        required=user.role in _settings().totp_roles,
        secret=None if secret is None else totp.grouped(secret),
        address=address,
        code=None if address is None else qr_svg(address, _("Code for your app")),
        codes_left=second_step.codes_left(user.id),
    )


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings
