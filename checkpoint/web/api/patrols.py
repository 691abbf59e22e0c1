"""Patrols of closed crossings: what a tablet walks today, and what somebody found at a point."""

import binascii
import uuid
from base64 import b64decode, urlsafe_b64decode
from datetime import date, datetime, timedelta
from typing import Any, Literal

from flask import Blueprint, current_app, jsonify
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, Field

from checkpoint import clock
from checkpoint.accounts.permissions import Permission
from checkpoint.config import Settings
from checkpoint.errors import InvalidInput
from checkpoint.patrols import queries, service
from checkpoint.patrols.codes import code_of, fingerprint
from checkpoint.patrols.planning import AHEAD, GRACE
from checkpoint.patrols.queries import RoundView
from checkpoint.privacy import SealBroken, keyring, open_carried
from checkpoint.regions import queries as divisions
from checkpoint.web.api import bodies
from checkpoint.web.api.documents import describe, read_body
from checkpoint.web.auth import current_actor, requires
from checkpoint.words import _

blueprint = Blueprint("api_patrols", __name__)
PHOTO_CHARACTERS = 280_000  # base64 of 200 KB, with room to say that it is too large
DAY = 86_400

FoundName = Literal["closed", "damaged", "open", "crossing"]
TaskName = Literal["due", "done", "missed", "dropped"]


class SealedPhotoIn(bodies._In):
    """A JPEG sealed to the `seal_key` of the snapshot, base64url, as it waits on a tablet without network."""

    kid: str = Field(pattern=r"^(?:[0-9a-f]{2}){1,32}$")
    sealed: str = Field(max_length=PHOTO_CHARACTERS, pattern=r"^[A-Za-z0-9_-]+$")


class VisitIn(bodies._In):
    """What was found at a point. `token` is its code, `visited_at` the tablet's clock, `skew_seconds` how far that is ahead.

    The photo comes as it is or sealed; where both stand, the sealed one counts.
    """

    visit_id: uuid.UUID
    token: str = Field(max_length=200)
    visited_at: bodies.Instant
    skew_seconds: float = Field(default=0, ge=-DAY, le=DAY, allow_inf_nan=False)
    found: FoundName
    note: str | None = Field(default=None, max_length=500)
    photo: str | None = Field(default=None, max_length=PHOTO_CHARACTERS, description="A JPEG of at most 200 KB, base64")
    photo_sealed: SealedPhotoIn | None = None
    shift_id: uuid.UUID | None = None


class VisitOut(BaseModel):
    """A visit as stored. `counts` is `round` for the first in its round, `again` for one more, `outside` of every round."""

    visit_id: uuid.UUID
    point_id: uuid.UUID
    point: str
    round_id: uuid.UUID | None
    counts: Literal["round", "again", "outside"]
    found: FoundName
    photo: bool
    counted_at: datetime


class PatrolPointOut(BaseModel):
    """A point that a tablet knows again: `fingerprint` is base64url of SHA-256 of its code, which only the point itself shows."""

    id: uuid.UUID
    name: str
    place: str
    fingerprint: str
    latitude: float | None
    longitude: float | None


class PatrolTaskOut(BaseModel):
    """One point of a round."""

    point_id: uuid.UUID
    state: TaskName
    done_at: datetime | None
    found: FoundName | None


class PatrolRoundOut(BaseModel):
    """One walk: the points in their order, and the window in which each must be visited."""

    id: uuid.UUID
    route: str
    day: date
    opens_at: datetime
    closes_at: datetime
    tasks: list[PatrolTaskOut]


class PatrolsOut(BaseModel):
    """What the tablets of this checkpoint walk: today's rounds and those of the next 36 hours, and every point of the city."""

    now: datetime
    grace_minutes: int
    rounds: list[PatrolRoundOut]
    points: list[PatrolPointOut]


@blueprint.get("/gate/patrols")
@requires(Permission.GATE_SNAPSHOT)
@describe(answers={200: PatrolsOut}, problems=(401, 403, 404), tag="gate")
def rounds() -> ResponseReturnValue:
    """The rounds that this tablet's checkpoint walks, for the tablet to keep while it has no network."""
    actor, at = current_actor(), clock.now()
    settings: Settings = current_app.extensions["settings"]
    midnight = clock.start_of_day(clock.local_date(at, settings.timezone), settings.timezone)
    found = queries.tablet_rounds(actor, midnight, at + AHEAD)
    points = queries.known_points(actor)
    names = divisions.names({point.division_code for point in points})
    ring = keyring()
    answer = PatrolsOut(
        now=at,
        grace_minutes=GRACE // timedelta(minutes=1),
        rounds=[_round(one) for one in found],
        points=[
            PatrolPointOut(
                id=point.id,
                name=point.name,
                place=names.get(point.division_code, ""),
                fingerprint=fingerprint(code_of(ring, point.id)),
                latitude=point.latitude,
                longitude=point.longitude,
            )
            for point in points
        ],
    )
    return jsonify(answer.model_dump(mode="json"))


@blueprint.post("/gate/patrols/visits")
@requires(Permission.SCANS_WRITE)
@describe(body=VisitIn, answers={200: VisitOut}, problems=(400, 401, 403, 404, 413, 415, 422), tag="gate")
def visit() -> ResponseReturnValue:
    """Say what was found at a point. The same visit_id again returns the first answer and changes nothing."""
    body = read_body(VisitIn)
    recorded = service.record_visit(
        service.Visit(
            visit_id=body.visit_id,
            token=body.token,
            visited_at=body.visited_at,
            found=body.found,
            note=body.note,
            photo=_decoded(body.photo) if body.photo_sealed is None else _opened(body.photo_sealed),
            skew_seconds=body.skew_seconds,
            shift_id=body.shift_id,
        ),
        actor=current_actor(),
        at=clock.now(),
    )
    row = recorded.visit
    answer = VisitOut.model_validate(
        {
            "visit_id": row.id,
            "point_id": recorded.point.id,
            "point": recorded.point.name,
            "round_id": recorded.round_id,
            "counts": recorded.counts,
            "found": row.found,
            "photo": row.has_photo,
            "counted_at": row.counted_at,
        }
    )
    return jsonify(answer.model_dump(mode="json"))


def _decoded(photo: str | None) -> bytes | None:
    if photo is None:
        return None
    try:
        return b64decode(photo, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidInput.one("photo", "base64", _("The photo is not a JPEG picture.")) from error


def _opened(photo: SealedPhotoIn) -> bytes:
    try:
        envelope = urlsafe_b64decode(photo.sealed + "=" * (-len(photo.sealed) % 4))
        return open_carried(envelope, bytes.fromhex(photo.kid))
    except (binascii.Error, ValueError, SealBroken) as error:
        raise InvalidInput.one("photo_sealed", "sealed", _("The photo is not sealed to this server.")) from error


def _round(view: RoundView) -> PatrolRoundOut:
    tasks: list[dict[str, Any]] = [
        {
            "point_id": one.point.id,
            "state": one.task.state,
            "done_at": one.task.done_at,
            "found": one.visit.found if one.visit else None,
        }
        for one in view.tasks
    ]
    return PatrolRoundOut(
        id=view.round.id,
        route=view.route.name,
        day=view.round.day,
        opens_at=view.round.opens_at,
        closes_at=view.round.closes_at,
        tasks=[PatrolTaskOut.model_validate(one) for one in tasks],
    )
