"""Administration: checkpoints and their posters, tablets, place names. Secrets are shown once, never kept."""

import re
import uuid
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from flask_babel import force_locale
from flask_babel import gettext as _
from flask_babel.speaklater import LazyString
from werkzeug.wrappers import Response as BaseResponse

from checkpoint import clock
from checkpoint.accounts import changing, posts, queries
from checkpoint.accounts.models import CheckpointKind, Device
from checkpoint.accounts.permissions import Permission
from checkpoint.config import Settings
from checkpoint.errors import InvalidInput
from checkpoint.patrols import queries as patrols
from checkpoint.regions import queries as divisions
from checkpoint.regions import service as regions
from checkpoint.risk.models import RiskArea
from checkpoint.risk.queries import areas_naming
from checkpoint.web.auth import current_actor, requires
from checkpoint.web.errors import field_errors
from checkpoint.web.filters import CHECKPOINT_KINDS
from checkpoint.web.forms.chosen import chosen_division
from checkpoint.web.qr import qr_svg

blueprint = Blueprint("admin", __name__, url_prefix="/admin")
Answer = str | Response | BaseResponse | tuple[str, int]
LONGEST_TRY = 64
MOST_CANDIDATES = 5


@dataclass(frozen=True, slots=True)
class Reading:
    """How a text is read today: as one place, as one of several, or as none. Of the list in force: how many areas name it, and some
    of them with the place where they stand."""

    place: str | None
    candidates: list[str]
    by_alias: bool
    number: int
    areas: list[tuple[str, str | None]]


@blueprint.get("/checkpoints")
@requires(Permission.DEVICES_WRITE)
def checkpoints() -> Answer:
    """The posts on the border, and the form for a new one."""
    return _checkpoints_page()


@blueprint.post("/checkpoints")
@requires(Permission.DEVICES_WRITE)
def add_checkpoint() -> Answer:
    """Open a post."""
    form = request.form
    try:
        post = posts.create_checkpoint(
            form.get("code", ""),
            form.get("name", ""),
            form.get("kind", ""),
            chosen_division(),
            actor=current_actor(),
            at=clock.now(),
        )
    except InvalidInput as error:
        return _checkpoints_page(form.to_dict(), field_errors(error)), 422
    flash(_("%(name)s is open. Print its poster and enrol a tablet for it.", name=post.name), "success")
    return redirect(url_for("admin.checkpoints"))


@blueprint.get("/checkpoints/<code>")
@requires(Permission.DEVICES_WRITE)
def checkpoint(code: str) -> Answer:
    """One post: what it is called and where it stands, to be changed."""
    return _checkpoint_page(code)


@blueprint.post("/checkpoints/<code>")
@requires(Permission.DEVICES_WRITE)
def change_checkpoint(code: str) -> Answer:
    """Give a post another name, kind or place."""
    form = request.form
    given = (form.get("name", ""), form.get("kind", ""), chosen_division())
    try:
        post = changing.change_checkpoint(code, *given, actor=current_actor(), at=clock.now())
    except InvalidInput as error:
        return _checkpoint_page(code, form.to_dict(), field_errors(error)), 422
    flash(_("%(name)s is changed. Print its poster anew if its name is another.", name=post.name), "success")
    return redirect(url_for("admin.checkpoints"), 303)


@blueprint.post("/checkpoints/<code>/close")
@requires(Permission.DEVICES_WRITE)
def close_checkpoint(code: str) -> Answer:
    """Close a post."""
    post = posts.set_checkpoint_active(code, False, actor=current_actor(), at=clock.now())
    flash(_("%(name)s is deactivated.", name=post.name), "success")
    return redirect(url_for("admin.checkpoints"))


@blueprint.post("/checkpoints/<code>/open")
@requires(Permission.DEVICES_WRITE)
def open_checkpoint(code: str) -> Answer:
    """Open a closed post again."""
    post = posts.set_checkpoint_active(code, True, actor=current_actor(), at=clock.now())
    flash(_("%(name)s works again.", name=post.name), "success")
    return redirect(url_for("admin.checkpoints"))


@blueprint.get("/checkpoints/<code>/poster")
@requires(Permission.DEVICES_WRITE)
def poster(code: str) -> Answer:
    """An A4 page to print and hang up: the QR code of the form with this checkpoint filled in, in both languages."""
    post = queries.checkpoint(current_actor(), code)
    address = f"{_settings().public_url}/c/{post.code}"
    words: dict[str, dict[str, Any]] = {}
    for language in ("zh", "en"):
        with force_locale(language):
            words[language] = {
                "title": _("Register before you enter"),
                "steps": (
                    _("Scan the code with your phone."),
                    _("Fill in the form: about one minute."),
                    _("Show your pass at the barrier."),
                ),
                "help": _("No phone? The officers will help you. Questions:"),
            }
    return render_template(
        "admin/poster.html",
        post=post,
        address=address,
        code=qr_svg(address, address),
        words=words,
        steps=list(zip(words["zh"]["steps"], words["en"]["steps"], strict=True)),
    )


@blueprint.get("/devices")
@requires(Permission.DEVICES_WRITE)
def devices() -> Answer:
    """The tablets, and the form to enrol one."""
    return _devices_page()


@blueprint.post("/devices")
@requires(Permission.DEVICES_WRITE)
def add_device() -> Answer:
    """Announce a tablet; its one-time code is shown once, on the page that answers."""
    form = request.form
    code = form.get("checkpoint", "")
    try:
        if queries.checkpoint_by_code(code) is None:
            raise InvalidInput.one("checkpoint", "unknown", _("Choose a checkpoint."))
        made = posts.create_device(
            code,
            actor=current_actor(),
            at=clock.now(),
            label=form.get("label", ""),
            valid_for=_minutes(form.get("minutes", "")),
        )
    except InvalidInput as error:
        found = field_errors(error)
        if "valid_for" in found:
            found["minutes"] = found.pop("valid_for")
        return _devices_page(form.to_dict(), found), 422
    return _enrolment_page(made)


@blueprint.post("/devices/<uuid:device_id>/renew")
@requires(Permission.DEVICES_WRITE)
def renew_device(device_id: uuid.UUID) -> Answer:
    """End a tablet's token and show a new one-time code."""
    return _enrolment_page(posts.renew_device(device_id, actor=current_actor(), at=clock.now()))


@blueprint.post("/devices/<uuid:device_id>/revoke")
@requires(Permission.DEVICES_WRITE)
def revoke_device(device_id: uuid.UUID) -> Answer:
    """End a tablet's token."""
    device = posts.revoke_device(device_id, actor=current_actor(), at=clock.now())
    flash(_("The tablet %(label)s can no longer scan.", label=device.label), "success")
    return redirect(url_for("admin.devices"))


@blueprint.get("/aliases")
@requires(Permission.REGIONS_WRITE)
def aliases() -> Answer:
    """Other names of places, and the form for a new one; `?name=` tells how a text is read today, and which listed areas name it."""
    return _aliases_page()


@blueprint.post("/aliases")
@requires(Permission.REGIONS_WRITE)
def add_alias() -> Answer:
    """Let a name stand for a division."""
    form = request.form
    try:
        alias = regions.add_alias(
            form.get("text", ""), chosen_division(), form.get("note"), actor=current_actor(), at=clock.now()
        )
    except InvalidInput as error:
        found = field_errors(error)
        if "code" in found:
            found["division"] = found.pop("code")
        return _aliases_page(form.to_dict(), found), 422
    flash(_("%(text)s is understood from now on.", text=alias.text), "success")
    return redirect(url_for("admin.aliases", name=alias.text), 303)


@blueprint.post("/aliases/<int:alias_id>/remove")
@requires(Permission.REGIONS_WRITE)
def remove_alias(alias_id: int) -> Answer:
    """Take a name out of the table."""
    text = regions.remove_alias(alias_id, actor=current_actor(), at=clock.now())
    flash(_("%(text)s is removed.", text=text), "success")
    return redirect(url_for("admin.aliases", name=text), 303)


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


def _minutes(raw: str) -> timedelta:
    if not re.fullmatch(r"\d{1,4}", raw):
        return posts.LONGEST_ENROLMENT
    return timedelta(minutes=int(raw))


def _checkpoints_page(values: dict[str, Any] | None = None, errors: dict[str, str] | None = None) -> str:
    actor = current_actor()
    found = queries.checkpoints(actor)
    return render_template(
        "admin/checkpoints.html",
        checkpoints=found,
        tablets=Counter(one.checkpoint.id for one in queries.devices(actor) if _scans(one.device)),
        patrolled=Counter(point.checkpoint_id for point in patrols.points(actor) if point.active),
        closed=CheckpointKind.CLOSED,
        places=divisions.full_names({post.division_code for post in found}),
        kinds=_kinds(),
        values=values or {},
        errors=errors or {},
    )


def _scans(device: Device) -> bool:
    return device.enrolled_at is not None and device.revoked_at is None


def _checkpoint_page(code: str, values: dict[str, str] | None = None, errors: dict[str, str] | None = None) -> str:
    post = queries.checkpoint(current_actor(), code)
    stored = {"name": post.name, "kind": post.kind, "division_code": post.division_code}
    stored["division_text"] = divisions.names([post.division_code]).get(post.division_code, "")
    return render_template(
        "admin/checkpoint.html",
        post=post,
        kinds=_kinds(),
        values=stored if values is None else values,
        errors=errors or {},
    )


def _kinds() -> list[tuple[str, LazyString]]:
    return [(str(kind), words) for kind, words in CHECKPOINT_KINDS.items()]


def _devices_page(values: dict[str, Any] | None = None, errors: dict[str, str] | None = None) -> str:
    actor = current_actor()
    return render_template(
        "admin/devices.html",
        placed=queries.devices(actor),
        checkpoints=[(post.code, post.name) for post in queries.checkpoints(actor) if post.active],
        values=values or {"checkpoint": request.args.get("checkpoint", "")},
        errors=errors or {},
    )


def _enrolment_page(made: posts.NewDevice) -> str:
    address = posts.enrolment_url(_settings().public_url, made.code)
    return render_template(
        "admin/enrolment.html", made=made, address=address, code=qr_svg(address, _("Enrolment code"))
    )


def _aliases_page(values: dict[str, Any] | None = None, errors: dict[str, str] | None = None) -> str:
    tried = " ".join(request.args.get("name", "").split())[:LONGEST_TRY]
    return render_template(
        "admin/aliases.html",
        aliases=divisions.aliases(),
        tried=tried,
        reading=_read(tried) if tried else None,
        values=values or {"text": tried},
        errors=errors or {},
    )


def _read(text: str) -> Reading:
    found = regions.resolve(text)
    number, areas = areas_naming(text)
    names = divisions.full_names({code for code in (found.code, *found.candidates) if code})
    names |= divisions.full_names({area.code for area in areas if area.code})
    return Reading(
        place=names.get(found.code or ""),
        candidates=[names[code] for code in found.candidates[:MOST_CANDIDATES] if code in names],
        by_alias=any(span.how == "alias" for span in found.explained),
        number=number,
        areas=[(_words_of(area), names.get(area.code or "")) for area in areas],
    )


def _words_of(area: RiskArea) -> str:
    return " ".join(dict.fromkeys((area.province, area.city, area.county, area.text)))
