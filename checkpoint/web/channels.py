"""Where messages go: a person's own channels, those of the divisions, what could not be delivered, and browsers that subscribe."""

import uuid
from pathlib import Path

from flask import Blueprint, Response, current_app, flash, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from checkpoint import clock
from checkpoint.accounts.permissions import Permission
from checkpoint.channels import targets
from checkpoint.channels.models import TargetKind
from checkpoint.channels.senders import SendFailed, checked
from checkpoint.channels.sending import try_out
from checkpoint.channels.targets import NewTarget
from checkpoint.channels.vapid import public_key
from checkpoint.companies import undelivered as to_companies
from checkpoint.errors import InvalidInput
from checkpoint.privacy import keyring, lookup_hash
from checkpoint.web.auth import current_actor, public, requires
from checkpoint.web.channel_words import KINDS, TIERS, error_word
from checkpoint.web.errors import field_errors
from checkpoint.web.forms.chosen import chosen_division
from checkpoint.web.inbox_cards import place_names
from checkpoint.words import _, plural

blueprint = Blueprint("channels", __name__, url_prefix="/channels")

Answer = str | Response | BaseResponse | tuple[str, int]
TYPED = tuple(kind for kind in TargetKind if kind is not TargetKind.WEBPUSH)


def _given(division_code: str | None) -> NewTarget:
    form = request.form
    return NewTarget(
        kind=form.get("kind", ""),
        address=form.get("address", ""),
        label=form.get("label", ""),
        division_code=division_code,
        lowest_tier=form.get("lowest_tier", ""),
        language=form.get("language", ""),
        quiet_from=form.get("quiet_from", ""),
        quiet_to=form.get("quiet_to", ""),
    )


def _page(*, own: bool, values: dict[str, str] | None = None, errors: dict[str, str] | None = None) -> str:
    actor = current_actor()
    found = targets.own(actor) if own else targets.of_jurisdiction(actor)
    return render_template(
        "channels/index.html",
        own=own,
        targets=found,
        places=place_names({one.division_code for one in found if one.division_code}),
        kinds=[(kind.value, KINDS[kind.value]) for kind in TYPED],
        kind_words=KINDS,
        tiers=[(name, TIERS[name]) for name in ("yellow", "red")],
        tier_words=TIERS,
        error_word=error_word,
        values={key: value for key, value in (values or {}).items() if key != "address"},
        errors=errors or {},
    )


@blueprint.get("", strict_slashes=False)
@requires(Permission.CHANNELS_OWN)
def index() -> Answer:
    """One's own channels."""
    return _page(own=True)


@blueprint.post("")
@requires(Permission.CHANNELS_OWN)
def add() -> Answer:
    """Add a channel of one's own."""
    try:
        targets.add(_given(None), actor=current_actor(), at=clock.now())
    except InvalidInput as error:
        return _page(own=True, values=request.form.to_dict(), errors=field_errors(error)), 422
    flash(_("The channel is added. Try it out."), "success")
    return redirect(url_for("channels.index"), 303)


@blueprint.get("/divisions")
@requires(Permission.CHANNELS_WRITE)
def divisions() -> Answer:
    """The channels of villages, towns and the city: group chats, mailboxes, systems."""
    return _page(own=False)


@blueprint.post("/divisions")
@requires(Permission.CHANNELS_WRITE)
def add_for_division() -> Answer:
    """Add a channel of a division."""
    try:
        targets.add(_given(chosen_division()), actor=current_actor(), at=clock.now())
    except InvalidInput as error:
        return _page(own=False, values=request.form.to_dict(), errors=field_errors(error)), 422
    flash(_("The channel is added. Try it out."), "success")
    return redirect(url_for("channels.divisions"), 303)


def _back(own: bool) -> BaseResponse:
    return redirect(url_for("channels.index" if own else "channels.divisions"), 303)


@blueprint.post("/<uuid:target_id>/remove")
@requires(Permission.CHANNELS_OWN)
def remove(target_id: uuid.UUID) -> Answer:
    """Remove a channel."""
    own = targets.one(current_actor(), target_id).user_id is not None
    targets.remove(target_id, actor=current_actor(), at=clock.now())
    flash(_("The channel is removed."), "success")
    return _back(own)


@blueprint.post("/<uuid:target_id>/on")
@requires(Permission.CHANNELS_OWN)
def switch_on(target_id: uuid.UUID) -> Answer:
    """Let a channel speak again."""
    found = targets.set_active(target_id, True, actor=current_actor(), at=clock.now())
    return _back(found.user_id is not None)


@blueprint.post("/<uuid:target_id>/off")
@requires(Permission.CHANNELS_OWN)
def switch_off(target_id: uuid.UUID) -> Answer:
    """Silence a channel."""
    found = targets.set_active(target_id, False, actor=current_actor(), at=clock.now())
    return _back(found.user_id is not None)


@blueprint.post("/<uuid:target_id>/try")
@requires(Permission.CHANNELS_OWN)
def try_channel(target_id: uuid.UUID) -> Answer:
    """Send a trial message now and say what became of it."""
    target = targets.one(current_actor(), target_id)
    try:
        try_out(target, clock.now())
    except SendFailed as error:
        flash(_("The trial failed: %(why)s.", why=error_word(error.code)), "error")
    else:
        flash(_("The trial was taken. Look whether it has arrived."), "success")
    return _back(target.user_id is not None)


@blueprint.get("/undelivered")
@requires(Permission.CHANNELS_WRITE)
def undelivered() -> Answer:
    """What could not be delivered, by channel: messages about alerts, and those to the liaisons of companies."""
    found = targets.dead_letters(current_actor())
    return render_template(
        "channels/undelivered.html",
        dead=found,
        companies=to_companies.given_up(current_actor()),
        places=place_names({one.target.division_code for one in found if one.target.division_code}),
        kind_words=KINDS,
        error_word=error_word,
    )


@blueprint.post("/undelivered/<uuid:target_id>/retry")
@requires(Permission.CHANNELS_WRITE)
def retry(target_id: uuid.UUID) -> Answer:
    """Try again what was given up."""
    return _tried_again(targets.retry_dead(target_id, actor=current_actor(), at=clock.now()))


@blueprint.post("/undelivered/<uuid:target_id>/discard")
@requires(Permission.CHANNELS_WRITE)
def discard(target_id: uuid.UUID) -> Answer:
    """Take what was given up off the list."""
    return _discarded(targets.discard_dead(target_id, actor=current_actor(), at=clock.now()))


@blueprint.post("/undelivered/companies/<uuid:target_id>/retry")
@requires(Permission.CHANNELS_WRITE)
def retry_company(target_id: uuid.UUID) -> Answer:
    """Try again what a company was not told."""
    return _tried_again(to_companies.try_again(target_id, actor=current_actor(), at=clock.now()))


@blueprint.post("/undelivered/companies/<uuid:target_id>/discard")
@requires(Permission.CHANNELS_WRITE)
def discard_company(target_id: uuid.UUID) -> Answer:
    """Take what a company was not told off the list."""
    return _discarded(to_companies.discard(target_id, actor=current_actor(), at=clock.now()))


def _tried_again(number: int) -> BaseResponse:
    flash(plural("%(num)s message is tried again.", "%(num)s messages are tried again.", number), "success")
    return redirect(url_for("channels.undelivered"), 303)


def _discarded(number: int) -> BaseResponse:
    flash(plural("%(num)s message is off the list.", "%(num)s messages are off the list.", number), "success")
    return redirect(url_for("channels.undelivered"), 303)


@blueprint.get("/push")
@requires(Permission.CHANNELS_OWN)
def push_key() -> Answer:
    """What a browser needs to subscribe: `{key}`."""
    return jsonify({"key": public_key()})


@blueprint.post("/push")
@requires(Permission.CHANNELS_OWN)
def subscribe() -> Answer:
    """A browser's subscription (`subscription`, JSON) becomes a channel of whoever is signed in; again is harmless."""
    language = request.form.get("language", "zh")
    label = targets.browser_label(request.headers.get("User-Agent", ""))
    new = NewTarget("webpush", request.form.get("subscription", ""), label=label, language=language)
    found = targets.add(new, actor=current_actor(), at=clock.now())
    return jsonify({"id": str(found.id)})


@blueprint.post("/push/forget")
@requires(Permission.CHANNELS_OWN)
def unsubscribe() -> Answer:
    """The browser no longer wants messages."""
    address = checked(TargetKind.WEBPUSH, request.form.get("subscription", ""))
    digest = lookup_hash(keyring(), "channel", address)
    targets.forget_subscription(digest, actor=current_actor(), at=clock.now())
    return jsonify({})


@blueprint.get("/worker.js")
@public
def worker() -> Answer:
    """The service worker that shows pushed messages; it controls no page."""
    script = Path(str(current_app.static_folder), "js", "push-worker.js").read_bytes()
    response = Response(script, mimetype="text/javascript")
    response.headers["Cache-Control"] = "no-cache"
    return response
