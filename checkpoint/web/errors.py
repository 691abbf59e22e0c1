"""Errors to HTTP, and nowhere else: RFC 9457 problem documents for the API, kind pages for people.

An unexpected error is logged by its type, the places in the code it passed and the request's id; never by its message
or by values, since those may hold what a person typed.
"""

import errno
import logging
import random
import time
from dataclasses import asdict
from typing import Any

from flask import Flask, Response, current_app, g, json, make_response, render_template, request
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf.csrf import CSRFError
from pydantic import ValidationError
from sqlalchemy.exc import DataError, DBAPIError, InterfaceError, InternalError, OperationalError, PendingRollbackError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from checkpoint.accounts.throttle import TooManyAttempts
from checkpoint.database import LockTimeout
from checkpoint.errors import (
    CheckpointError,
    Conflict,
    FieldError,
    InvalidInput,
    NotAllowed,
    NotFound,
    TooBusy,
    Unauthenticated,
    described,
)
from checkpoint.extensions import limiter
from checkpoint.web.locale import is_api

logger = logging.getLogger(__name__)

STATUS: dict[type[CheckpointError], int] = {
    InvalidInput: 422,
    Unauthenticated: 401,
    NotAllowed: 403,
    NotFound: 404,
    Conflict: 409,
    TooManyAttempts: 429,
    TooBusy: 503,
}
_TITLES = {
    400: _l("The request could not be understood"),
    401: _l("Please sign in"),
    403: _l("This is not yours to open"),
    404: _l("There is nothing here"),
    405: _l("This cannot be done here"),
    406: _l("This form of answer is not offered"),
    409: _l("This does not fit what was recorded before"),
    413: _l("This is too large"),
    415: _l("This kind of content is not understood"),
    422: _l("Some fields need another look"),
    429: _l("A little too fast"),
    500: _l("Something went wrong on our side"),
    503: _l("The system is busy"),
}
_DETAILS = {
    400: _l("Please check what was sent and try again."),
    401: _l("Sign in first, or send a valid token."),
    403: _l("Your account may not do this. Ask the command centre if you think it should."),
    404: _l("The address may be wrong, or what was here may have moved."),
    405: _l("The address is right, but not for this kind of request."),
    406: _l("Ask for JSON or HTML."),
    409: _l("Somebody may have been faster. Open the page again and look."),
    413: _l("Please send less at once."),
    415: _l("Send JSON with the header Content-Type: application/json."),
    422: _l("Each wrong field is named below."),
    429: _l("Please wait a moment and try again."),
    500: _l("What you sent was not saved. It is not your fault; please try again in a minute."),
    503: _l("What you sent was not saved. Please try again in a few seconds."),
}
_EXPIRED = _l("This page was open for a long time. Go back, reload it and send it again.")
_UNSAVED = _l(
    "Nothing can be saved at the moment: the disk of the system is full or cannot be written. What you sent was not saved. "
    "Please try again in a minute, and tell the person in charge."
)
# How SQLite, PostgreSQL and the system say that the disk takes nothing.
_DISK_WORDS = ("disk is full", "readonly database", "disk I/O error", "unable to open database file")
_DISK_STATES = ("53100", "58030", "25006")
_DISK_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO})


def init_app(app: Flask) -> None:
    """Register the handlers."""
    app.log_exception = _log_failure  # type: ignore[method-assign]
    app.register_error_handler(CheckpointError, _known)
    app.register_error_handler(ValidationError, _invalid_body)
    app.register_error_handler(OperationalError, _database_busy)
    app.register_error_handler(PoolTimeout, _database_busy)
    app.register_error_handler(DBAPIError, _database_gone)
    app.register_error_handler(PendingRollbackError, _database_busy)
    app.register_error_handler(DataError, _unstorable)
    app.register_error_handler(OSError, _disk)
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)


def answer(
    status: int,
    code: str,
    detail: str | None = None,
    errors: tuple[FieldError, ...] = (),
    headers: dict[str, str] | None = None,
) -> Response:
    """One error as the client wants it: a problem document under /api/, a page elsewhere."""
    title = str(_TITLES.get(status, _TITLES[500 if status >= 500 else 400]))
    detail = detail or str(_DETAILS.get(status, _DETAILS[500 if status >= 500 else 400]))
    if is_api() or _wants_json():
        problem = {
            "type": f"urn:checkpoint:problem:{code}",
            "title": title,
            "status": status,
            "detail": detail,
            "errors": [asdict(error) for error in errors],
        }
        response = make_response(json.dumps(problem), status)
        response.mimetype = "application/problem+json"
    elif status >= 500:
        # The database may be what failed: this page asks it for nothing, not even for the session's account.
        template = current_app.jinja_env.get_template("errors/unavailable.html")
        language = "en" if str(get_locale() or "zh") == "en" else "zh-CN"
        response = make_response(template.render(title=title, detail=detail, language=language), status)
    else:
        page = render_template("errors/error.html", status=status, title=title, detail=detail, errors=errors)
        response = make_response(page, status)
    response.headers.update(headers or {})
    return response


def field_errors(error: InvalidInput) -> dict[str, str]:
    """The messages of a form by field, for the templates; two messages of one field stand in one sentence each."""
    found: dict[str, str] = {}
    for item in error.errors:
        found[item.field] = f"{found[item.field]} {item.message}" if item.field in found else item.message
    return found


def _wants_json() -> bool:
    best = request.accept_mimetypes.best_match(["text/html", "application/json"])
    return best == "application/json" and "text/html" not in request.headers.get("Accept", "")


def _known(error: CheckpointError) -> Response:
    status = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)
    if status == 500:
        return _unexpected(error)
    errors = error.errors if isinstance(error, InvalidInput) else ()
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, TooBusy | TooManyAttempts) else {}
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    stock = (type(error).__doc__ or "").strip() == str(error)  # the class's own sentence: use the translated one
    return answer(status, error.code, None if stock else str(error), errors, headers)


def _invalid_body(error: ValidationError) -> Response:
    items = error.errors(include_url=False, include_context=False, include_input=False)
    errors = tuple(
        FieldError(".".join(str(part) for part in item["loc"]), str(item["type"]), str(item["msg"])) for item in items
    )
    return answer(422, InvalidInput.code, None, errors)


def _database_busy(error: Exception) -> Response:
    cause = str(getattr(error, "orig", "")).partition("\n")[0]  # the driver's sentence: it holds no values
    logger.warning("database busy: %s %s, request %s", type(error).__name__, cause, g.get("request_id"))
    if isinstance(error, PoolTimeout):
        current_app.extensions["counts"].gave_up("turn_to_write" if isinstance(error, LockTimeout) else "connection")
    if (
        any(words in cause for words in _DISK_WORDS)
        or getattr(getattr(error, "orig", None), "sqlstate", None) in _DISK_STATES
    ):
        return _unsaved()
    return answer(503, TooBusy.code, headers={"Retry-After": str(retry_after())})


def _database_gone(error: DBAPIError) -> Response:
    """A connection that died, or a server that takes no writes, is like one that is away; the rest is a mistake of ours."""
    if error.connection_invalidated or isinstance(error, InterfaceError | InternalError):
        return _database_busy(error)
    return _unexpected(error)


def _disk(error: OSError) -> Response:
    if error.errno not in _DISK_ERRORS:
        return _unexpected(error)
    logger.error("the disk takes nothing: %s, request %s", errno.errorcode[error.errno], g.get("request_id"))
    return _unsaved()


def _unsaved() -> Response:
    """A full or read-only disk mends itself in no second: those who wait come back later than those of a short rush."""
    return answer(503, "storage", str(_UNSAVED), headers={"Retry-After": str(retry_after(30))})


def retry_after(least: int = 2) -> int:
    """Seconds after which to come back, spread so that those who were sent away together do not come back together."""
    return least + random.randrange(least + 3)  # noqa: S311 - spreads a herd


def _unstorable(error: DataError) -> Response:
    """A value that no column can hold, such as a NUL in a text: the sender's mistake, found late."""
    logger.warning("unstorable value: %s, request %s", type(error.orig).__name__, g.get("request_id"))
    return answer(400, "unstorable")


def _csrf(error: CSRFError) -> Response:
    return answer(400, "csrf", str(_EXPIRED))


def _http(error: HTTPException) -> Response:
    if error.response is not None or error.code is None or error.code < 400:
        return make_response(error.get_response())
    headers = {}
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        headers["Allow"] = ", ".join(sorted(error.valid_methods))
    if error.code == 429:
        headers["Retry-After"] = str(_limit_resets())
    return answer(error.code, (error.name or "error").lower().replace(" ", "_"), headers=headers)


def _limit_resets() -> int:
    """Seconds until the limit that was hit opens again; a minute where nothing better is known."""
    current = limiter.current_limit
    return 60 if current is None else max(1, current.reset_at - int(time.time()))


def _unexpected(error: Exception) -> Response:
    if current_app.config["PROPAGATE_EXCEPTIONS"] or (
        current_app.config["PROPAGATE_EXCEPTIONS"] is None and (current_app.testing or current_app.debug)
    ):
        raise error
    logger.error("request %s failed: %s", g.get("request_id"), described(error))
    detail = _("Tell the person in charge this number: %(number)s", number=g.get("request_id", ""))
    return answer(500, "internal", f"{_DETAILS[500]} {detail}")


def _log_failure(exc_info: Any) -> None:
    """In place of Flask's own report, which would print the message and so perhaps what a person typed."""
    logger.error("request %s failed: %s", g.get("request_id"), described(exc_info[1]))
