"""What every response carries: a strict content policy, no caching of personal pages, and an id to ask about."""

import hashlib
import re
import uuid
from pathlib import Path

from flask import Flask, Response, g, request
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from werkzeug.middleware.proxy_fix import ProxyFix

from checkpoint.config import Settings

_CONTENT_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'wasm-unsafe-eval'",  # the QR reader is WebAssembly
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "media-src 'self' blob:",
        "object-src 'none'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'self'",
    )
)
_PERMISSIONS = "camera=(self), microphone=(), geolocation=(), payment=(), usb=()"
_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{8,64}")


def init_app(app: Flask) -> None:
    """Trust the configured number of proxies, number the requests, set the headers, stamp static addresses."""
    settings: Settings = app.extensions["settings"]
    hops = settings.trusted_proxies
    if hops:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    app.session_interface = _Sessions()
    stamps = _Stamps(Path(str(app.static_folder)))

    def number() -> None:
        offered = request.headers.get("X-Request-Id", "") if hops else ""
        g.request_id = offered if _REQUEST_ID.fullmatch(offered) else uuid.uuid4().hex
        g.is_https = settings.is_https

    # Before all others: what fails in any of them is reported under this number.
    app.before_request_funcs.setdefault(None, []).insert(0, number)

    @app.url_defaults
    def stamp(endpoint: str, values: dict[str, object]) -> None:
        if endpoint == "static" and "v" not in values and isinstance(values.get("filename"), str):
            values["v"] = stamps.of(str(values["filename"]))

    @app.after_request
    def protect(response: Response) -> Response:
        headers = response.headers
        headers.setdefault("Content-Security-Policy", _CONTENT_POLICY)
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("Referrer-Policy", "no-referrer")
        headers.setdefault("Permissions-Policy", _PERMISSIONS)
        headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        headers.setdefault("X-Request-Id", g.get("request_id", ""))
        if settings.is_https:
            headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        if request.endpoint == "static":
            # Addresses made by url_for change with the content; one module imported by another asks again each time.
            stamped = response.status_code < 400 and "v" in request.args
            headers["Cache-Control"] = "public, max-age=31536000, immutable" if stamped else "no-cache"
            file = response.response
            if hasattr(file, "close"):
                response.call_on_close(file.close)  # compression wraps the file and would leave it open
        elif "Cache-Control" not in headers:
            headers["Cache-Control"] = "no-store"
        return response


class _Sessions(SecureCookieSessionInterface):
    """The session's cookie, but never with a static file: what stands between us may keep those, and a page has a dozen of them."""

    def should_set_cookie(self, app: Flask, session: SessionMixin) -> bool:
        return request.endpoint != "static" and super().should_set_cookie(app, session)


class _Stamps:
    """A short hash of each static file, computed again when the file changes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.known: dict[str, tuple[int, str]] = {}

    def of(self, filename: str) -> str | None:
        path = self.folder / filename
        try:
            changed = path.stat().st_mtime_ns
        except OSError:
            return None
        known = self.known.get(filename)
        if known is None or known[0] != changed:
            known = (changed, hashlib.blake2b(path.read_bytes(), digest_size=6).hexdigest())
            self.known[filename] = known
        return known[1]
