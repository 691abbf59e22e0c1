"""City command, other instances: our introduction, theirs with a fingerprint to be compared, whom we trust, what was refused."""

import uuid
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from checkpoint import clock
from checkpoint.accounts.permissions import Permission
from checkpoint.errors import InvalidInput
from checkpoint.joint import identity, peers, queries, sending
from checkpoint.web.auth import current_actor, requires
from checkpoint.web.errors import field_errors
from checkpoint.web.inbox_words import word
from checkpoint.web.joint_words import CAUSES, error_text
from checkpoint.words import _

blueprint = Blueprint("peers", __name__, url_prefix="/command/peers")

Answer = str | Response | BaseResponse


@blueprint.get("", strict_slashes=False)
@requires(Permission.INQUIRIES_JOINT)
def index() -> Answer:
    """The places we know, our own introduction, and the form for another one."""
    return _page({}, {})


def _page(values: Mapping[str, str], errors: Mapping[str, str], offer: peers.Offer | None = None) -> str:
    known = queries.peers()
    ours = identity.introduce()
    page: str = render_template(
        "command/peers.html",
        peers=known,
        fingerprints={one.id: identity.fingerprint(peers.keys_of(one)) for one in known},
        waiting={one: (number, error_text(code)) for one, (number, code) in _waiting(known).items()},
        refusals=queries.refusals(),
        causes=CAUSES,
        ours=ours,
        our_fingerprint=identity.fingerprint(ours.keys),
        our_text=identity.written(ours),
        offer=offer,
        values=values,
        errors=errors,
        word=word,
        page="joint",
    )
    return page


def _waiting(known: Any) -> dict[uuid.UUID, tuple[int, str | None]]:
    return sending.waiting_for([one.id for one in known])


@blueprint.post("/look")
@requires(Permission.INQUIRIES_JOINT)
def look() -> Answer:
    """Read an introduction and show whose it says it is, and its fingerprint; nothing is stored."""
    text = request.form.get("introduction", "")
    try:
        offer = peers.offer(text)
    except InvalidInput as error:
        return make_response(_page({"introduction": text[: identity.LONGEST]}, field_errors(error)), 422)
    return _page({"introduction": text}, {}, offer)


@blueprint.post("", strict_slashes=False)
@requires(Permission.INQUIRIES_JOINT)
def add() -> Answer:
    """Trust a place whose fingerprint was compared."""
    text = request.form.get("introduction", "")
    try:
        peer = peers.add(text, request.form.get("fingerprint", ""), actor=current_actor(), at=clock.now())
    except InvalidInput as error:
        return make_response(_page({"introduction": text[: identity.LONGEST]}, field_errors(error)), 422)
    flash(_("%(name)s is known from now on. You can ask it about people.", name=peer.name), "success")
    return redirect(url_for("peers.index"), 303)


@blueprint.get("/<uuid:peer_id>/revoke")
@requires(Permission.INQUIRIES_JOINT)
def ask_revoke(peer_id: uuid.UUID) -> Answer:
    """Ask before a place is no longer trusted."""
    return render_template("command/peer_revoke.html", peer=queries.peer(peer_id), page="joint")


@blueprint.post("/<uuid:peer_id>/revoke")
@requires(Permission.INQUIRIES_JOINT)
def revoke(peer_id: uuid.UUID) -> Answer:
    """Trust a place no more."""
    peer = peers.revoke(peer_id, actor=current_actor(), at=clock.now())
    flash(_("%(name)s is no longer trusted. Its messages are refused from now on.", name=peer.name), "success")
    return redirect(url_for("peers.index"), 303)
