"""Type-ahead for the division pickers: the only call that every form makes while somebody types; and the book for off line."""

import re
import unicodedata
from functools import lru_cache
from hashlib import blake2b

from flask import Blueprint, Response, current_app, json, jsonify, make_response, request
from flask_babel import gettext as _

from checkpoint.errors import InvalidInput, TooBusy
from checkpoint.regions import default_index
from checkpoint.regions import service as regions
from checkpoint.regions.index import IndexUnusable, RegionIndex
from checkpoint.regions.pocket import pocket_book
from checkpoint.web.auth import public

blueprint = Blueprint("places", __name__)

_MAX_QUERY, _DEFAULT_LIMIT, _MAX_LIMIT = 64, 8, 20
_MAX_AGE = 300  # seconds; aliases and a new tree may take as long to reach a page that is open
_BOOK_AGE = 24 * 3600  # seconds; the tree changes once a year
_WITHIN = re.compile(r"\d{2}|\d{4}|\d{6}|\d{9}|\d{12}")


@blueprint.get("/places")
@public
def search() -> Response:
    """`?q=&within=&limit=` → `[{code, name, full_name, level}]`: places that begin with or contain what was typed, or sound like it.

    `within` is a division code (2, 4, 6, 9 or 12 digits), `limit` at most 20. An empty `q` gives an empty list.
    """
    query = unicodedata.normalize("NFKC", request.args.get("q", "")).strip()[:_MAX_QUERY]
    within = request.args.get("within", "").strip() or None
    if within is not None and not (within.isascii() and _WITHIN.fullmatch(within)):
        raise InvalidInput.one("within", "invalid", _("This is not the code of a division."))
    limit = request.args.get("limit", _DEFAULT_LIMIT, type=int)
    limit = max(1, min(limit, _MAX_LIMIT))
    try:
        found = regions.suggest(query, limit, within) if query else []
    except IndexUnusable as error:
        raise TooBusy(_("The places are still being loaded. Please type the address in full.")) from error
    response = jsonify([place._asdict() for place in found])
    response.headers["Cache-Control"] = f"public, max-age={_MAX_AGE}"
    return response


@blueprint.get("/places/offline.json")
@public
def offline() -> Response:
    """`{places: ["330482 平湖市 phs", …]}`: every county, and the towns and villages of the site, for a form with no network."""
    try:
        index = default_index()
    except IndexUnusable as error:
        raise TooBusy(_("The places are still being loaded. Please type the address in full.")) from error
    body = _book(index, current_app.extensions["settings"].site_division)
    response = make_response(body)
    response.mimetype = "application/json"
    response.headers["Cache-Control"] = f"public, max-age={_BOOK_AGE}"
    response.set_etag(blake2b(body, digest_size=12).hexdigest())
    response.make_conditional(request)
    return response


@lru_cache(maxsize=2)
def _book(index: RegionIndex, site: str) -> bytes:
    return json.dumps({"places": pocket_book(index, site)}, ensure_ascii=False, separators=(",", ":")).encode()
