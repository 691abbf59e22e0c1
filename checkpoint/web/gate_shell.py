"""The gate with no network: which files its page needs, the service worker that keeps them, and the manifest.

The list is found, not written down: whatever the page names, and whatever those modules and style sheets name in turn. Each
file has the SHA-256 of its content, so a tablet fetches only what has changed, and never mixes two versions.
"""

import hashlib
import re
from collections.abc import Iterator
from contextvars import Context
from pathlib import Path
from posixpath import join, normpath
from typing import Any

from flask import Blueprint, Flask, Response, current_app, json, make_response, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from werkzeug.test import EnvironBuilder, run_wsgi_app

from checkpoint.web.auth import public
from checkpoint.web.locale import LANGUAGES

blueprint = Blueprint("gate_shell", __name__)

PAGE = "/gate"
_WORKER = "js/gate/service-worker.js"
_PAGE_FILES = re.compile(r'(?:href|src)="/static/([^"?]+)(\?[^"]*)?"')
_MODULE_FILES = re.compile(
    r"""(?:\bfrom|\bimport)\s*\(?\s*["'](\.{1,2}/[^"']+)["']|new URL\(\s*["']([^"':]+)["']\s*,\s*import\.meta\.url"""
)
_STYLE_FILES = re.compile(r"""url\(["']?(?!data:|#|/)([^"')]+)["']?\)""")


@blueprint.get("/gate/sw.js")
@public
def worker() -> Response:
    """The service worker with the list of what it keeps; its bytes change when any of that changes."""
    source = (Path(str(current_app.static_folder)) / _WORKER).read_text("utf-8")
    shell = json.dumps(_shell(current_app), ensure_ascii=True, sort_keys=True)
    response = make_response(f"const SHELL = {shell};\n{source}")
    response.mimetype = "text/javascript"
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Service-Worker-Allowed"] = PAGE
    return response


@blueprint.get("/gate/reader.js")
@public
def reader() -> Response:
    """The QR reader's worker, under the gate's address: only there does the service worker answer for it off line."""
    response = make_response('import "/static/js/gate/reader-worker.js";\n')
    response.mimetype = "text/javascript"
    response.headers["Cache-Control"] = "no-cache"
    return response


@blueprint.get("/gate/manifest.webmanifest")
@public
def manifest() -> Response:
    """What a tablet needs to put the gate on its home screen."""
    icon = {"src": url_for("static", filename="img/gate.svg"), "sizes": "any", "type": "image/svg+xml"}
    body = {
        "id": PAGE,
        "name": _("Checkpoint: the gate"),
        "short_name": _("The gate"),
        "lang": "zh-CN" if str(get_locale()) == "zh" else "en",
        "start_url": PAGE,
        "scope": PAGE,
        "display": "standalone",
        "background_color": "#10171d",
        "theme_color": "#10171d",
        "icons": [icon | {"purpose": "any"}, icon | {"purpose": "maskable"}],
    }
    response = make_response(json.dumps(body))
    response.mimetype = "application/manifest+json"
    response.headers["Cache-Control"] = "no-cache"
    return response


def _shell(app: Flask) -> dict[str, Any]:
    """`{version, pages: {language: digest}, files: {path: [digest, query]}}`."""
    pages = {code: _page(app, code) for code in LANGUAGES}
    files = {"/gate/reader.js": [_digest(reader().get_data()), ""]}
    files |= {f"/static/{name}": [digest, query] for name, digest, query in _files(app, *pages.values())}
    listed = {"pages": {code: _digest(page) for code, page in pages.items()}, "files": files}
    version = _digest(json.dumps(listed, sort_keys=True).encode())[:16]
    return {"version": version, **listed}


def _page(app: Flask, language: str) -> bytes:
    """The page as a stranger gets it: the application asks itself, without anybody's cookies.

    In a context of its own: inside this request's, the language that was chosen first would stand for both.
    """
    asked = EnvironBuilder(PAGE, base_url=request.host_url, query_string={"lang": language})
    try:
        body, _status, _headers = Context().run(run_wsgi_app, app.wsgi_app, asked.get_environ(), buffered=True)
    finally:
        asked.close()
    return b"".join(body)


def _files(app: Flask, *pages: bytes) -> Iterator[tuple[str, str, str]]:
    """Name below /static, digest and query of each file that the pages need, with what those name."""
    folder = Path(str(app.static_folder))
    named = {match[1]: match[2] or "" for page in pages for match in _PAGE_FILES.finditer(page.decode())}
    waiting = [*named, "js/gate/reader-worker.js"]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in seen or not (folder / name).is_file():
            continue
        seen.add(name)
        content = (folder / name).read_bytes()
        yield name, _digest(content), named.get(name, "")
        waiting.extend(_named_in(name, content))


def _named_in(name: str, content: bytes) -> Iterator[str]:
    pattern = {".js": _MODULE_FILES, ".css": _STYLE_FILES}.get(Path(name).suffix)
    if pattern is None:
        return
    for match in pattern.finditer(content.decode("utf-8", "replace")):
        yield normpath(join(str(Path(name).parent), next(filter(None, match.groups()))))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
