"""What a tablet needs to judge a pass with no network: keys, policy, listed areas, passes that no longer hold, places by name.

The version says, part by part, what an answer holds; a tablet that names the version it has is sent only the parts that differ, and
of the passes only those that changed since. A tablet asks every half minute and nearly always has everything already, so that the
version alone must be cheap: a few look-ups at the ends of indexes, whatever the size of the city.
"""

from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from zlib import crc32

from flask import current_app, json
from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import aliased

from checkpoint.accounts.models import Checkpoint
from checkpoint.accounts.permissions import Actor, Permission
from checkpoint.clock import local_date
from checkpoint.crossings import snapshot_approvals
from checkpoint.crossings.changes import AFTERWARDS, LATE_COMMIT, LONGEST_PASS, REVOKED, instant, newest
from checkpoint.database import db
from checkpoint.errors import NotAllowed, NotFound
from checkpoint.privacy import keyring, public_jwk
from checkpoint.regions import default_index
from checkpoint.regions.service import alias_book
from checkpoint.registrations.models import Pass, Registration
from checkpoint.registrations.passes import document_key
from checkpoint.risk.models import Assessment, Policy, RiskList, RiskListing
from checkpoint.risk.service import State, current_state

COUNTY_DIGITS = 6
_issued = aliased(Assessment, name="issued")


@dataclass(frozen=True, slots=True)
class Version:
    """Check sums of the parts, the state of the lists, and the newest change of each kind of pass: milliseconds and a count.

    The last two stand for new trips of people who have an approval: the hour in which was counted, and how many.
    """

    device: int
    named_list: int
    areas: int
    aliases: int
    counties: int
    revoked_ms: int
    revoked_count: int
    raised_ms: int
    raised_count: int
    approvals_ms: int
    approvals_count: int
    hour: int
    newcomers: int

    def __str__(self) -> str:
        return "-".join(f"{getattr(self, name):x}" for name in type(self).__slots__)

    @classmethod
    def parse(cls, given: str | None) -> Self | None:
        """A version that we have given out, or None for anything else."""
        parts = (given or "").split("-")
        if len(parts) != len(cls.__slots__) or any(not 0 < len(part) <= 13 for part in parts):
            return None
        try:
            return cls(*(int(part, 16) for part in parts))
        except ValueError:
            return None


def version_at(actor: Actor, at: datetime) -> Version:
    """Which snapshot a tablet would be given now."""
    if actor.checkpoint_id is None or not actor.may(Permission.GATE_SNAPSHOT):
        raise NotAllowed
    state = current_state(at)
    revoked = newest(Pass.revoked_at, REVOKED)
    raised = newest(Assessment.made_at, AFTERWARDS)
    approvals = snapshot_approvals.changes_at(at)
    return Version(
        _checksum(_device_part(actor, state)),
        _checksum(_list_part(state)),
        state.version,
        _checksum(sorted(alias_book())),
        _counties()[0],
        *revoked,
        *raised,
        *approvals,
    )


def snapshot_at(version: Version, since: Version | None, *, actor: Actor, at: datetime) -> dict[str, Any]:
    """The snapshot, or what of it differs from the version `since`."""
    state = current_state(at)
    answer: dict[str, Any] = {
        "version": str(version),
        "since": None if since is None else str(since),
        "now": at.isoformat(),
    }
    if since is None or since.device != version.device:
        answer |= _device_part(actor, state)
    if since is None or since.named_list != version.named_list:
        answer |= _list_part(state)
    if since is None or since.areas != version.areas:
        answer["areas"] = _areas(state)
    if since is None or since.aliases != version.aliases:
        answer["aliases"] = {words: code[:COUNTY_DIGITS] for words, code in alias_book() if _is_deep(code)}
    if since is None or since.counties != version.counties:
        answer["counties"] = _counties()[1]
    answer["revoked"] = _revoked(None if since is None else since.revoked_ms, at)
    answer["raised"] = _raised(None if since is None else since.raised_ms, at)
    return answer | _approvals(since, at)


def _approvals(since: Version | None, at: datetime) -> dict[str, Any]:
    """The approvals of passes, and the terms that they name."""
    if since is None or not since.approvals_ms:
        return snapshot_approvals.whole(at)
    known = snapshot_approvals.Known(since.approvals_ms, since.hour, since.revoked_ms, since.raised_ms)
    return snapshot_approvals.changed(known, at)


def _checksum(part: Any) -> int:
    return crc32(json.dumps(part, sort_keys=True).encode())


def _device_part(actor: Actor, state: State) -> dict[str, Any]:
    """What the tablet's own place and this instance say: it changes with a renaming, a new key or a new policy."""
    settings = current_app.extensions["settings"]
    ring = keyring()
    place = db.session.execute(
        select(Checkpoint.code, Checkpoint.name).where(Checkpoint.id == actor.checkpoint_id)
    ).first()
    if place is None:
        raise NotFound
    return {
        "site": {
            "division": settings.site_division,
            "name": settings.site_name or _own_name(settings.site_division),
            "timezone": settings.timezone,
        },
        "checkpoint": {"code": place.code, "name": place.name},
        "keys": [public_jwk(kid, private) for kid, private in sorted(ring.signing.items())],
        "document_key": urlsafe_b64encode(document_key(ring)).decode().rstrip("="),
        "seal_key": public_jwk(ring.carried_current, ring.carried[ring.carried_current]),
        "policy": {"version": _policy_number(state.policy_id), "data": state.policy.model_dump(mode="json")},
    }


def _own_name(code: str) -> str:
    index = default_index()
    return index.name(code) if index.exists(code) else ""


def _policy_number(policy_id: int) -> int:
    """The number of a policy version, read once for each process: versions are never edited."""
    known: dict[int, int] = current_app.extensions.setdefault("gate_policies", {})
    if policy_id not in known:
        known[policy_id] = db.session.scalars(select(Policy.version).where(Policy.id == policy_id)).one()
    return known[policy_id]


def _list_part(state: State) -> dict[str, Any]:
    """The list in force, and when it was last confirmed to be the newest."""
    found = db.session.get(RiskList, state.list_id) if state.list_id is not None else None
    if found is None:
        return {"list": None}
    confirmed = state.confirmed_at or found.confirmed_at
    return {
        "list": {
            "id": found.id,
            "source": found.source,
            "published_at": found.published_at.isoformat(),
            "confirmed_at": None if confirmed is None else confirmed.isoformat(),
        }
    }


def _areas(state: State) -> dict[str, dict[str, str]]:
    """County → level → the first date on which something there, still listed, was listed. Kept while the lists stay as they are."""
    known, areas = current_app.extensions.get("gate_areas", (None, {}))
    if known == state.version:
        return dict(areas)
    timezone = current_app.extensions["settings"].timezone
    rows = db.session.execute(
        select(RiskListing.county_code, RiskListing.level, func.min(RiskListing.listed_at).label("first"))
        .where(RiskListing.delisted_at.is_(None), RiskListing.county_code.is_not(None))
        .group_by(RiskListing.county_code, RiskListing.level)
    )
    areas = {}
    for row in rows:
        areas.setdefault(row.county_code[:COUNTY_DIGITS], {})[row.level] = local_date(row.first, timezone).isoformat()
    current_app.extensions["gate_areas"] = (state.version, areas)
    return areas


def _is_deep(code: str) -> bool:
    return code[4:COUNTY_DIGITS] != "00"


def _counties() -> tuple[int, dict[str, str]]:
    """The names of the counties, and of the few cities that have none, by 6 digits; read once for each index."""
    index = default_index()
    known = current_app.extensions.get("gate_counties")
    if known is None or known[0] is not index:
        names: dict[str, str] = {}
        for node in range(len(index)):
            level = index.levels[node]
            if level == 3 or (level == 2 and all(index.levels[below] > 3 for below in index.children_of(node))):
                names[index.code(node)[:COUNTY_DIGITS]] = index.full_name_of(node)
        known = current_app.extensions["gate_counties"] = (index, _checksum(names), names)
    return known[1], known[2]


def _revoked(since_ms: int | None, at: datetime) -> dict[str, str]:
    """The passes that hold no more though they have not expired: serial in hex → withdrawn or replaced."""
    query = select(Pass.serial, Pass.revoked_because).where(REVOKED, Pass.expires_at > at)
    if since_ms:
        query = query.where(Pass.revoked_at > instant(since_ms) - LATE_COMMIT)
    return {
        row.serial.hex(): "replaced" if row.revoked_because == "replaced" else "withdrawn"
        for row in db.session.execute(query)
    }


def _raised(since_ms: int | None, at: datetime) -> dict[str, str]:
    """The passes whose people were assessed again: serial in hex → tier now.

    At first only those that are worse than their pass says; afterwards all that changed, so that a tier that was lowered
    again is lowered on the tablet too.
    """
    query = (
        select(Pass.serial, Registration.tier)
        .select_from(Assessment)
        .join(Registration, Registration.assessment_id == Assessment.id)
        .join(Pass, Pass.registration_id == Registration.id)
        .where(AFTERWARDS, Pass.revoked_at.is_(None), Pass.expires_at > at)
    )
    if since_ms:
        query = query.where(Assessment.made_at > instant(since_ms) - LATE_COMMIT)
    else:
        red, yellow, was = Registration.tier == "red", Registration.tier == "yellow", _issued.tier
        query = query.join(_issued, _issued.id == Pass.assessment_id).where(
            Assessment.made_at > at - LONGEST_PASS,
            or_(and_(red, was != "red"), and_(yellow, was == "green")),
        )
    return {serial.hex(): tier for serial, tier in db.session.execute(query)}
