"""Which language, text size and colours a page has: plain links (`?lang=en`, `?text=big`, `?theme=dark`), remembered in cookies."""

from typing import Any
from urllib.parse import urlencode

from flask import Flask, Response, g, request
from flask_babel import Babel, get_locale

LANGUAGES = {"zh": "中文", "en": "English"}
TEXT_SIZES = ("normal", "big")
THEMES = ("auto", "light", "dark")
CHOICES: dict[str, tuple[str, ...]] = {"lang": tuple(LANGUAGES), "text": TEXT_SIZES, "theme": THEMES}
_YEAR = 365 * 24 * 3600


def init_app(app: Flask, babel: Babel) -> None:
    """Choose the locale of each request and remember a choice made in the address."""
    babel.init_app(app, locale_selector=choose_locale)
    app.after_request(_remember)
    app.context_processor(_page_words)


def choose_locale() -> str | None:
    """The address, then the cookie; a client of the API may say it in Accept-Language; else the site's own language.

    A browser's Accept-Language does not count: a script on a Chinese page must get Chinese answers, and the first page
    is Chinese for everybody, with the other language one touch away.
    """
    if not request:
        return None
    asked = request.args.get("lang", "")
    if asked in LANGUAGES:
        return asked
    kept = request.cookies.get("lang", "")
    if kept in LANGUAGES:
        return kept
    if is_api() and request.headers.get("Sec-Fetch-Site") != "same-origin":
        return request.accept_languages.best_match(list(LANGUAGES))
    return None


def is_api() -> bool:
    """Whether the request is for the API, so that it is answered in JSON."""
    return request.path.startswith("/api/")


def text_size() -> str:
    """`big` when the reader asked for large type, else `normal`."""
    return _chosen("text", TEXT_SIZES)


def theme() -> str:
    """`light` or `dark` when the reader asked for it, else `auto`: as the device says."""
    return _chosen("theme", THEMES)


def _chosen(name: str, allowed: tuple[str, ...]) -> str:
    given = (request.args.get(name, ""), request.cookies.get(name, ""))
    return next((one for one in given if one in allowed), allowed[0])


def _remember(response: Response) -> Response:
    secure = bool(g.get("is_https"))
    for name, allowed in CHOICES.items():
        asked = request.args.get(name, "")
        if asked in allowed and request.cookies.get(name) != asked and not is_api():
            response.set_cookie(name, asked, max_age=_YEAR, samesite="Lax", secure=secure, httponly=False)
    return response


def _page_words() -> dict[str, Any]:
    locale = str(get_locale() or "zh")
    return {
        "language": locale,
        "languages": LANGUAGES,
        "text_size": text_size(),
        "theme": theme(),
        "switch_to": switch_to,
    }


def switch_to(name: str, value: str) -> str:
    """The address of this page in another language, text size or theme; the start page where only a form was posted.

    `shell` is left out: it asks for the copy of a page that a phone keeps, which says of itself where it belongs.
    """
    readable = request.url_rule is not None and "GET" in (request.url_rule.methods or ())
    path = request.path if readable else "/"
    kept = {key: given for key, given in request.args.items() if key not in (*CHOICES, "shell")} if readable else {}
    return f"{path}?{urlencode({**kept, name: value})}"
