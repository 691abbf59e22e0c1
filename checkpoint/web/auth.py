"""Who is asking: a session for people, a bearer token for tablets and integrations; and what each route demands."""

import functools
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar
from urllib.parse import urlsplit

import flask
from flask import Blueprint, Flask, Response, flash, g, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import UserMixin, current_user, login_user, logout_user
from werkzeug.wrappers import Response as BaseResponse

from checkpoint import clock
from checkpoint.accounts import queries, service
from checkpoint.accounts.models import Role, User
from checkpoint.accounts.permissions import Actor, Permission
from checkpoint.accounts.throttle import TooManyAttempts
from checkpoint.accounts.tokens import actor_for_token, is_revoked_device
from checkpoint.errors import DeviceRevoked, InvalidInput, NotAllowed, Unauthenticated
from checkpoint.extensions import csrf, login_manager
from checkpoint.web.errors import answer, field_errors
from checkpoint.web.locale import is_api

blueprint = Blueprint("auth", __name__)
View = TypeVar("View", bound=Callable[..., Any])
Answer = str | Response | BaseResponse | tuple[str, int]

PUBLIC = "public"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_HOME = {
    Role.VILLAGE: "/inbox",
    Role.TOWN: "/inbox",
    Role.COMMAND: "/command",
    Role.AUDITOR: "/command",
    Role.OFFICER: "/gate",
}
_NAVIGATION = (
    (Permission.COMMAND_READ, "/command", _l("Command")),
    (Permission.ALERTS_READ, "/inbox", _l("Inbox")),
    (Permission.GATE_SNAPSHOT, "/gate", _l("Checkpoint")),
    (Permission.PATROLS_READ, "/patrols", _l("Patrols")),
    (Permission.ROSTERS_WRITE, "/duty", _l("Duty")),
    (Permission.ALERTS_ACT, "/channels", _l("Messages")),
    (Permission.USERS_WRITE, "/admin/users", _l("Users")),
    (Permission.DEVICES_WRITE, "/admin/checkpoints", _l("Checkpoints")),
    (Permission.DEVICES_WRITE, "/admin/devices", _l("Tablets")),
    (Permission.REGIONS_WRITE, "/admin/aliases", _l("Place names")),
)


class SessionUser(UserMixin):  # type: ignore[misc]
    """A signed-in person. The cookie names the account and its epoch, so that a new epoch ends every session."""

    def __init__(self, user: User) -> None:
        self.user = user

    def get_id(self) -> str:
        return f"{self.user.id}.{self.user.session_epoch}"


def init_app(app: Flask) -> None:
    """Sessions, cross-site request protection, and what the templates know of the person."""
    app.config["PERMANENT_SESSION_LIFETIME"] = timedelta(hours=12)  # counted from the last request
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False  # `check_csrf` decides: a bearer token needs none
    app.config["WTF_CSRF_SSL_STRICT"] = False  # it wants a Referer, and our pages send none
    login_manager.session_protection = None  # a phone changes its address between two villages
    login_manager.user_loader(load_session_user)
    app.before_request(check_csrf)
    app.context_processor(_template_values)
    app.register_error_handler(Unauthenticated, _sign_in_first)
    if "static" in app.view_functions:
        public(app.view_functions["static"])


def public(view: View) -> View:
    """Mark a route that anybody may call."""
    view.checkpoint_access = PUBLIC  # type: ignore[attr-defined]
    return view


def requires(permission: Permission) -> Callable[[View], View]:
    """Mark and guard a route: 401 without credentials, 403 without the permission."""

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            if not current_actor().may(permission):
                raise NotAllowed
            return view(*args, **kwargs)

        guarded.checkpoint_access = permission  # type: ignore[attr-defined]
        return guarded  # type: ignore[return-value]

    return decorate


def current_actor() -> Actor:
    """Who is asking; raises Unauthenticated when nobody is known, DeviceRevoked for a tablet that was known once."""
    actor = optional_actor()
    if actor is None:
        raise DeviceRevoked if is_revoked_device(bearer_token() or "") else Unauthenticated
    return actor


def optional_actor() -> Actor | None:
    """Who is asking, or None. A bearer token is looked at alone: with a wrong one a session does not count."""
    if "actor" not in g:
        token = bearer_token()
        if token is not None:
            g.actor = actor_for_token(token, at=clock.now())
        else:
            user = session_user()
            g.actor = None if user is None else service.actor_of(user)
    actor: Actor | None = g.actor
    return actor


def bearer_token() -> str | None:
    """The token of the Authorization header; None when there is no such header."""
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def session_user() -> User | None:
    """The account of the session, if somebody has signed in."""
    found: User | None = getattr(current_user, "user", None)
    return found


def load_session_user(cookie_id: str) -> SessionUser | None:
    """The person that a session cookie names; None when the account is closed or its sessions were ended."""
    raw, _dot, epoch = cookie_id.partition(".")
    try:
        user_id = uuid.UUID(raw)
    except ValueError:
        return None
    user = queries.session_user(user_id, epoch)
    return None if user is None else SessionUser(user)


def check_csrf() -> None:
    """Every write that rides on a cookie proves that it came from our own page.

    A bearer token is not sent by browsers on their own; a call of the API, or of anything that takes JSON, has nothing to
    forge while nobody is signed in.
    """
    if request.method in _SAFE_METHODS or request.endpoint is None or bearer_token() is not None:
        return
    if not flask.current_app.config.get("WTF_CSRF_ENABLED", True):
        return
    if (is_api() or request.is_json) and session_user() is None:
        return
    csrf.protect()


def safe_next(target: str | None) -> str | None:
    """A path of this site to go back to, or None for anything that could lead elsewhere."""
    if not target or not target.startswith("/") or target[1:2] in ("/", "\\"):
        return None
    parts = urlsplit(target)
    clean = not parts.scheme and not parts.netloc and all(ord(letter) >= 32 for letter in target)
    return target if clean and "\\" not in target else None


@blueprint.get("/login")
@public
def login() -> Answer:
    """The form to sign in; somebody who has signed in already goes on."""
    if session_user() is not None:
        return redirect(_onward())
    return render_template("auth/login.html", values={}, errors={})


@blueprint.post("/login")
@public
def sign_in() -> Answer:
    """Check login and password and open a session."""
    name = request.form.get("login", "")
    values = {"login": name[:64]}
    try:
        user = service.authenticate(name, request.form.get("password", ""), request.remote_addr or "", at=clock.now())
    except TooManyAttempts as error:
        message = _("Too many failed attempts. Please wait %(seconds)d seconds.", seconds=error.retry_after)
        page = render_template("auth/login.html", values=values, errors={"": message})
        response = flask.make_response(page, 429)
        response.headers["Retry-After"] = str(error.retry_after)
        return response
    if user is None:
        message = _("Login and password do not fit together.")
        return render_template("auth/login.html", values=values, errors={"": message}), 422
    _open_session(user)
    return redirect(_onward(user))


@blueprint.post("/logout")
@public
def logout() -> Answer:
    """Close the session on this device."""
    logout_user()
    session.clear()
    return redirect(url_for("auth.login"))


@blueprint.get("/account")
@requires(Permission.ACCOUNT_OWN)
def account() -> Answer:
    """One's own account."""
    return render_template("auth/account.html", errors={})


@blueprint.post("/account/password")
@requires(Permission.ACCOUNT_OWN)
def change_password() -> Answer:
    """Change one's own password; every other session ends, this one goes on."""
    user = session_user()
    if user is None:
        raise NotAllowed
    old, new = request.form.get("old", ""), request.form.get("new", "")
    try:
        if new != request.form.get("again", ""):
            raise InvalidInput.one("again", "differs", _("The two new passwords differ."))
        user = service.set_password(user.id, old, new, actor=current_actor(), at=clock.now())
    except InvalidInput as error:
        return render_template("auth/account.html", errors=field_errors(error)), 422
    _open_session(user)
    flash(_("Your password is changed. All other sessions have ended."), "success")
    return redirect(url_for("auth.account"))


def _open_session(user: User) -> None:
    session.clear()
    session.permanent = True
    login_user(SessionUser(user))
    g.pop("actor", None)


def _onward(user: User | None = None) -> str:
    """Back to the page that sent them here, or to the face of their role."""
    asked = safe_next(request.values.get("next"))
    person = user or session_user()
    return asked or (_HOME.get(Role(person.role), "/") if person else "/")


def _sign_in_first(error: Unauthenticated) -> Answer:
    if is_api() or bearer_token() is not None:
        detail = (
            _("This tablet was revoked. It must wipe what it has stored.") if isinstance(error, DeviceRevoked) else None
        )
        return answer(401, error.code, detail, headers={"WWW-Authenticate": "Bearer"})
    back = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("auth.login", next=back) if back not in (None, "/") else url_for("auth.login"))


def _template_values() -> dict[str, Any]:
    user = session_user() if flask.has_request_context() else None
    actor = None if user is None else service.actor_of(user)
    links = [(path, label) for permission, path, label in _NAVIGATION if actor is not None and actor.may(permission)]
    return {"person": user, "actor": actor, "navigation": links, "Permission": Permission}
