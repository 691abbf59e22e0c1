"""Who is asking: a session for people, a bearer token for tablets and integrations; and what each route demands."""

import functools
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

import flask
from flask import Flask, Response, g, redirect, request, session, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import UserMixin, current_user, login_user
from werkzeug.wrappers import Response as BaseResponse

from checkpoint import clock
from checkpoint.accounts import service, sessions
from checkpoint.accounts.models import Role, User
from checkpoint.accounts.permissions import Actor, Permission, confined
from checkpoint.accounts.sessions import SignedIn
from checkpoint.accounts.tokens import actor_for_token, is_revoked_device
from checkpoint.config import Settings
from checkpoint.errors import DeviceRevoked, NotAllowed, SecondStepMissing, Unauthenticated
from checkpoint.extensions import csrf, login_manager
from checkpoint.web.errors import answer
from checkpoint.web.locale import is_api

View = TypeVar("View", bound=Callable[..., Any])
Answer = str | Response | BaseResponse | tuple[str, int]

PUBLIC = "public"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_HOME = {
    Role.VILLAGE: "/inbox",
    Role.TOWN: "/inbox",
    Role.COMMAND: "/command",
    Role.AUDITOR: "/audit",
    Role.OFFICER: "/gate",
    Role.COMPANY: "/company",
}
_NAVIGATION = (
    (Permission.COMMAND_READ, "/command", _l("Command")),
    (Permission.STANDING_READ, "/command/here", _l("Where we stand")),
    (Permission.ALERTS_READ, "/inbox", _l("Inbox")),
    (Permission.COVERAGE_READ, "/command/coverage", _l("Who is missing")),
    (Permission.APPROVALS_ANSWER, "/approvals", _l("Applications")),
    (Permission.GATE_SNAPSHOT, "/gate", _l("Checkpoint")),
    (Permission.SCANS_WRITE, "/approvals/paper", _l("Paper applications")),
    (Permission.PATROLS_READ, "/patrols", _l("Patrols")),
    (Permission.COMPANIES_REVIEW, "/companies", _l("Companies")),
    (Permission.COMPANY_OWN, "/company", _l("My company")),
    (Permission.ROSTERS_WRITE, "/duty", _l("Duty")),
    (Permission.CHANNELS_OWN, "/channels", _l("Messages")),
    (Permission.AUDIT_READ, "/audit", _l("Audit")),
    (Permission.USERS_WRITE, "/admin", _l("Administration")),
)


class SessionUser(UserMixin):  # type: ignore[misc]
    """A signed-in person. The cookie holds the key of one session, of which the database knows a hash."""

    def __init__(self, signed_in: SignedIn, key: str) -> None:
        self.signed_in = signed_in
        self.user = signed_in.user
        self.key = key

    def get_id(self) -> str:
        return self.key


def init_app(app: Flask) -> None:
    """Sessions, cross-site request protection, and what the templates know of the person."""
    app.config["PERMANENT_SESSION_LIFETIME"] = sessions.IDLE  # counted from the last request
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False  # `check_csrf` decides: a bearer token needs none
    app.config["WTF_CSRF_SSL_STRICT"] = False  # it wants a Referer, and our pages send none
    login_manager.session_protection = None  # a phone changes its address between two villages
    login_manager.user_loader(load_session_user)
    app.before_request(check_csrf)
    app.context_processor(_template_values)
    app.register_error_handler(Unauthenticated, _sign_in_first)
    app.register_error_handler(SecondStepMissing, _set_up_first)
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
            actor = securing_actor() if permission is Permission.ACCOUNT_SECURE else current_actor()
            if not actor.may(permission):
                raise NotAllowed
            return view(*args, **kwargs)

        guarded.checkpoint_access = permission  # type: ignore[attr-defined]
        return guarded  # type: ignore[return-value]

    return decorate


def current_actor() -> Actor:
    """Who is asking; raises Unauthenticated when nobody is known, DeviceRevoked for a tablet that was known once.

    SecondStepMissing for somebody who gave only a password and whose role needs more.
    """
    actor = optional_actor()
    if actor is None:
        if bearer_token() is None and session_user() is not None:
            raise SecondStepMissing
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
            g.actor = None if user is None or lacks_second_step() else service.actor_of(user)
    actor: Actor | None = g.actor
    return None if actor is None else at_site(actor)


def at_site(actor: Actor) -> Actor:
    """What they may do here: command of one town, or of another place, does not publish lists for this site."""
    return confined(actor, flask.current_app.extensions["settings"].site_division)


def securing_actor() -> Actor:
    """Who sets up the second step: also somebody who may do nothing else before it."""
    user = session_user()
    if user is not None and bearer_token() is None:
        return service.actor_of(user)
    return current_actor()


def lacks_second_step() -> bool:
    """Whether somebody is signed in by password alone although their role needs a code, too."""
    found = session_now()
    settings: Settings = flask.current_app.extensions["settings"]
    return found is not None and not found.session.has_code and found.user.role in settings.totp_roles


def bearer_token() -> str | None:
    """The token of the Authorization header; None when there is no such header."""
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def session_user() -> User | None:
    """The account of the session, if somebody has signed in."""
    found: User | None = getattr(current_user, "user", None)
    return found


def session_now() -> SignedIn | None:
    """The session of this request with its account, if somebody has signed in."""
    found: SignedIn | None = getattr(current_user, "signed_in", None)
    return found


def session_key() -> str | None:
    """The key of this request's session, by which it is found again outside of the request."""
    found: str | None = getattr(current_user, "key", None)
    return found


def load_session_user(key: str) -> SessionUser | None:
    """The person whose session a cookie names; None when it ended or ran out, or the account is closed."""
    at = clock.now()
    found = sessions.find(key, at=at)
    if found is None:
        return None
    sessions.touch(found.session, at=at)
    return SessionUser(found, key)


def open_session(user: User, *, has_code: bool) -> None:
    """Sign somebody in on this device, after all that they had to prove."""
    made = sessions.open_session(
        user,
        at=clock.now(),
        agent=request.headers.get("User-Agent", ""),
        address=request.remote_addr or "",
        has_code=has_code,
    )
    session.clear()
    session.permanent = True
    login_user(SessionUser(SignedIn(user, made.session), made.key))
    g.pop("actor", None)


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


def home_of(user: User) -> str:
    """The face of a role."""
    return _HOME.get(Role(user.role), "/")


def _sign_in_first(error: Unauthenticated) -> Answer:
    if is_api() or bearer_token() is not None:
        detail = (
            _("This tablet was revoked. It must wipe what it has stored.") if isinstance(error, DeviceRevoked) else None
        )
        return answer(401, error.code, detail, headers={"WWW-Authenticate": "Bearer"})
    back = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("auth.login", next=back) if back not in (None, "/") else url_for("auth.login"))


def _set_up_first(error: SecondStepMissing) -> Answer:
    """Somebody whose role needs the second step is led to it, whatever they wanted."""
    if is_api():
        return answer(403, error.code, _("Your role needs the second step of signing in: set it up first."))
    return redirect(url_for("account.second_step"), 303)


def _is_tab(path: str, actor: Actor) -> bool:
    """Whether a page of the main menu stands among the tabs of a face that the actor has anyway."""
    return path.startswith("/command/") and actor.may(Permission.COMMAND_READ)


def _template_values() -> dict[str, Any]:
    user = session_user() if flask.has_request_context() else None
    if user is None:  # a page that was asked for with a token is made for whoever that token names
        actor = g.get("actor") if flask.has_request_context() else None
    else:
        actor = None if lacks_second_step() else service.actor_of(user)
    actor = None if actor is None else at_site(actor)
    links = [
        (path, label)
        for permission, path, label in _NAVIGATION
        if actor is not None and actor.may(permission) and not _is_tab(path, actor)
    ]
    return {"person": user, "actor": actor, "navigation": links, "Permission": Permission}
