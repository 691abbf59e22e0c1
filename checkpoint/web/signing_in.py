"""Signing in and out: the password, the code of the second step, and the link of an invitation."""

import uuid
from typing import Any

import flask
from flask import Blueprint, Response, flash, redirect, render_template, request, session, url_for
from flask_login import logout_user
from werkzeug.wrappers import Response as BaseResponse

from checkpoint import clock
from checkpoint.accounts import invitations, second_step, service, sessions
from checkpoint.accounts.models import User
from checkpoint.accounts.throttle import TooManyAttempts
from checkpoint.database import db
from checkpoint.errors import Conflict, InvalidInput
from checkpoint.web.auth import home_of, open_session, public, safe_next, session_now, session_user
from checkpoint.web.errors import field_errors
from checkpoint.words import _

blueprint = Blueprint("auth", __name__)
Answer = str | Response | BaseResponse | tuple[str, int]
_PENDING = "second_step"


@blueprint.get("/login")
@public
def login() -> Answer:
    """The form to sign in; somebody who has signed in already goes on."""
    user = session_user()
    if user is not None:
        return redirect(_onward(user))
    return render_template("auth/login.html", values={}, errors={})


@blueprint.post("/login")
@public
def sign_in() -> Answer:
    """Check login and password; open a session, or ask for the code of those who have a second step."""
    name = request.form.get("login", "")
    values = {"login": name[:64]}
    try:
        user = service.authenticate(name, request.form.get("password", ""), _address(), at=clock.now())
    except TooManyAttempts as error:
        return _wait(error, "auth/login.html", values=values)
    if user is None:
        message = _("Login and password do not fit together.")
        return render_template("auth/login.html", values=values, errors={"": message}), 422
    return _after_password(user, safe_next(request.form.get("next")))


@blueprint.get("/login/code")
@public
def code() -> Answer:
    """The form for the code; with `?recovery=1` for a recovery code."""
    if _pending() is None:
        return redirect(url_for("auth.login"))
    return render_template("auth/code.html", recovery="recovery" in request.args, errors={})


@blueprint.post("/login/code")
@public
def give_code() -> Answer:
    """Check the code and open the session."""
    user = _pending()
    if user is None:
        flash(_("That took too long. Please sign in again."), "error")
        return redirect(url_for("auth.login"))
    recovery = "recovery" in request.form
    check = second_step.check_recovery if recovery else second_step.check
    try:
        fits = check(user, request.form.get("code", "")[:64], _address(), at=clock.now())
    except TooManyAttempts as error:
        return _wait(error, "auth/code.html", recovery=recovery)
    if not fits:
        message = (
            _("This is none of your unused recovery codes.")
            if recovery
            else _("This code does not fit, or was used already. Wait for the next one.")
        )
        return render_template("auth/code.html", recovery=recovery, errors={"code": message}), 422
    target = safe_next(session[_PENDING].get("next"))
    open_session(user, has_code=True)
    if recovery:
        left = second_step.codes_left(user.id)
        flash(_("You have %(number)d recovery codes left. Make new ones on this page.", number=left), "success")
        return redirect(url_for("account.second_step"))
    return redirect(target or home_of(user))


@blueprint.post("/logout")
@public
def logout() -> Answer:
    """Close the session on this device."""
    found = session_now()
    if found is not None:
        sessions.end(found.session.id, actor=service.actor_of(found.user), at=clock.now())
    logout_user()
    session.clear()
    return redirect(url_for("auth.login"))


@blueprint.get("/invitation/<token>")
@public
def invitation(token: str) -> Answer:
    """The form to choose a password, for whoever has the link."""
    return _invitation_page(token, {})


@blueprint.post("/invitation/<token>")
@public
def accept(token: str) -> Answer:
    """Choose the password; the link is used up and the person signed in."""
    given = request.form.get("password", "")
    try:
        if given != request.form.get("again", ""):
            raise InvalidInput.one("again", "differs", _("The two passwords differ."))
        user = invitations.accept(token, given, at=clock.now())
    except InvalidInput as error:
        return _invitation_page(token, field_errors(error), 422)
    except Conflict:
        return _invitation_page(token, {})
    flash(_("Your password is set."), "success")
    return _after_password(user, None)


def _invitation_page(token: str, errors: dict[str, str], status: int = 200) -> Answer:
    invited = invitations.by_token(token, at=clock.now())
    if invited is None:
        return render_template("auth/invitation_over.html"), 410
    return render_template("auth/invitation.html", token=token, invited=invited, errors=errors), status


def _after_password(user: User, target: str | None) -> Answer:
    """A session at once, or the form for the code, for ten minutes."""
    if not second_step.is_on(user.id):
        open_session(user, has_code=False)
        return redirect(target or home_of(user))
    session.clear()
    session[_PENDING] = {
        "user": str(user.id),
        "epoch": user.session_epoch,
        "until": (clock.now() + sessions.PENDING).timestamp(),
        "next": target,
    }
    return redirect(url_for("auth.code"))


def _pending() -> User | None:
    """Who has given the password in this browser and owes the code."""
    kept = session.get(_PENDING)
    if not kept or kept["until"] < clock.now().timestamp():
        return None
    user = db.session.get(User, uuid.UUID(kept["user"]))
    return user if user is not None and user.active and user.session_epoch == kept["epoch"] else None


def _onward(user: User) -> str:
    """Back to the page that sent them here, or to the face of their role."""
    return safe_next(request.values.get("next")) or home_of(user)


def _address() -> str:
    return request.remote_addr or ""


def _wait(error: TooManyAttempts, template: str, **values: Any) -> Response:
    message = _("Too many failed attempts. Please wait %(seconds)d seconds.", seconds=error.retry_after)
    response = flask.make_response(render_template(template, errors={"": message}, **values), 429)
    response.headers["Retry-After"] = str(error.retry_after)
    return response
