"""The traveller's form and passes with no network: the service worker that keeps them on the phone, and the manifest.

Kept are the empty form with its style and scripts, and the passes that this phone itself has shown. The worker's text changes when
any of the files does, and then the phone fetches them anew.
"""

import hashlib
import re
from pathlib import Path

from flask import Blueprint, Response, current_app, json, make_response, url_for
from flask_babel import get_locale
from flask_babel import gettext as _

from checkpoint.web.auth import public
from checkpoint.web.locale import LANGUAGES

blueprint = Blueprint("traveller_shell", __name__)

_TEMPLATES = (
    "base.html", "components/forms.html", "components/icons.html", "traveller/form.html", "traveller/_fields.html",
    "traveller/_carry.html", "traveller/_known.html", "traveller/pass.html",
)  # fmt: skip
_WITH_FILES = ("base.html", "form.html", "pass.html")
_NAMED = re.compile(r"filename='((?:css|js|img|vendor)/[^']+)'")
# What the modules fetch only when they need it.
_LATER = (
    "css/division-picker.css", "js/carried-code.js", "js/places-offline.js", "js/qr.js", "js/traveller-body.js", "js/traveller-carry.js",
    "js/traveller-fill.js", "js/traveller-problems.js", "js/traveller-unsent.js", "js/traveller-validate.js", "vendor/uqr.js",
)  # fmt: skip
_WORKER = "js/traveller-worker.js"


@blueprint.get("/sw.js")
@public
def worker() -> Response:
    """The service worker of `/` and `/c/CODE`, with the list of what it keeps."""
    static = Path(str(current_app.static_folder))
    pages = [Path(str(current_app.template_folder)) / name for name in _TEMPLATES]
    named = {match for page in pages if page.name in _WITH_FILES for match in _NAMED.findall(page.read_text("utf-8"))}
    names = sorted((named | set(_LATER)) - {"js/nav.js"})
    words = sorted((Path(current_app.root_path) / "translations").glob("*/LC_MESSAGES/messages.mo"))
    digest = hashlib.sha256()
    for path in [*pages, *words, *(static / name for name in names)]:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    kept = {
        "version": digest.hexdigest()[:16],
        "languages": sorted(LANGUAGES, reverse=True),
        "files": [url_for("static", filename=name) if name not in _LATER else f"/static/{name}" for name in names],
        "paths": [f"/static/{name}" for name in names],
    }
    response = make_response(f"const KEPT = {json.dumps(kept)};\n{(static / _WORKER).read_text('utf-8')}")
    response.mimetype = "text/javascript"
    response.headers["Cache-Control"] = "no-cache"
    return response


@blueprint.get("/app.webmanifest")
@public
def manifest() -> Response:
    """What a phone needs to put the form on its home screen."""
    icon = {"src": url_for("static", filename="img/mark.svg"), "sizes": "any", "type": "image/svg+xml"}
    body = {
        "id": "/",
        "name": _("Travel declaration"),
        "short_name": _("Travel declaration"),
        "lang": "zh-CN" if str(get_locale()) == "zh" else "en",
        "start_url": "/",
        "scope": "/",
        "display": "minimal-ui",
        "background_color": "#f5f7f8",
        "theme_color": "#f5f7f8",
        "icons": [icon],
    }
    response = make_response(json.dumps(body))
    response.mimetype = "application/manifest+json"
    response.headers["Cache-Control"] = "no-cache"
    return response
