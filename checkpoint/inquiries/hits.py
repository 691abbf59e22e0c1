"""Keeping whom an inquiry found: once for each inquiry and person, whatever found them, in whatever order.

The best of what was found stays: an alert before a review, then the higher score, then the earlier row. What a reviewer has said of the
same two people before stands above the score.
"""

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from checkpoint.alerts.service import NewAlert, raise_alerts
from checkpoint.database import db, new_id, transaction
from checkpoint.inquiries.evidence import Evidence, Outcome
from checkpoint.inquiries.kinds import INQUIRY
from checkpoint.inquiries.listfile import Listed
from checkpoint.inquiries.models import Inquiry, InquiryHit, PairVerdict
from checkpoint.privacy import Keyring, keyring, lookup_hash, seal
from checkpoint.risk.policy import PolicyData

_IN_ONE_QUERY = 400
"""Values in one IN of a query."""


@dataclass(frozen=True, slots=True)
class Match:
    """A listed row and a registered person that were held against each other, and what came of it.

    `is_here` is false for a person who has left or was turned back: they are kept, and nobody is alarmed.
    """

    inquiry_id: uuid.UUID
    row_number: int
    listed: Listed
    person_hash: bytes
    registration_id: uuid.UUID
    division_code: str
    evidence: Evidence
    holders: int
    found_by: str
    is_here: bool = True


@dataclass(frozen=True, slots=True)
class Kept:
    """How many people were found anew: for an alert, and for a review."""

    alerts: int
    reviews: int


def listed_hash(ring: Keyring, listed: Listed) -> bytes:
    """Which listed person a row is, on this list and on later ones: by document, else by phone and name, else by all it says."""
    if listed.document:
        return lookup_hash(ring, "listed", f"document:{listed.document.upper()}")
    if listed.phone:
        return lookup_hash(ring, "listed", f"phone:{listed.phone}|{listed.name}")
    return lookup_hash(ring, "listed", f"name:{listed.name}|{listed.born}|{listed.plate}")


def alert_cause(inquiry_id: uuid.UUID, person_hash: bytes) -> str:
    """What makes the alert of an inquiry and a person unique."""
    return f"inquiry:{inquiry_id.hex}:{person_hash.hex()}"


def group_key(inquiry_id: uuid.UUID) -> str:
    """What the alerts of one inquiry share."""
    return f"inquiry:{inquiry_id.hex}"


def keep(matches: Iterable[Match], policy: PolicyData, at: datetime) -> Kept:
    """Store what was found and raise the alerts, in the transaction under way or one of its own.

    A person whom the inquiry found before is not found again; a review becomes an alert when a later row is certain, and a person who was
    away becomes an alert when they come.
    """
    best = _best(match for match in matches if match.evidence.outcome is not Outcome.NOTHING)
    if not best:
        return Kept(0, 0)
    ring = keyring()
    alerts = reviews = 0
    with transaction() as session:
        for start in range(0, len(best), _IN_ONE_QUERY):
            found = _keep(session, ring, best[start : start + _IN_ONE_QUERY], policy, at)
            alerts += found.alerts
            reviews += found.reviews
    return Kept(alerts, reviews)


def _rank(match: Match) -> tuple[bool, float, int]:
    return match.evidence.outcome is Outcome.ALERT, match.evidence.score, -match.row_number


def _best(matches: Iterable[Match]) -> list[Match]:
    """The best match of each inquiry and person."""
    best: dict[tuple[uuid.UUID, bytes], Match] = {}
    for match in matches:
        key = match.inquiry_id, match.person_hash
        if key not in best or _rank(match) > _rank(best[key]):
            best[key] = match
    return list(best.values())


def _keep(session: Session, ring: Keyring, matches: Sequence[Match], policy: PolicyData, at: datetime) -> Kept:
    hashes = {id(match): listed_hash(ring, match.listed) for match in matches}
    said = _said(session, [(hashes[id(match)], match.person_hash) for match in matches])
    known = _known(session, matches)
    sources = _sources(session, {match.inquiry_id for match in matches})
    fresh: dict[uuid.UUID, Match] = {}
    rows = []
    alarms: list[NewAlert] = []
    for match in matches:
        is_same = said.get((hashes[id(match)], match.person_hash))
        if is_same is False:
            continue
        row = _row(ring, match, hashes[id(match)], is_same, at)
        earlier = known.get((match.inquiry_id, match.person_hash))
        if earlier is None:
            rows.append(row)
            fresh[row["id"]] = match
        elif _is_better(earlier, row):
            alarms.append(_upgrade(earlier, row, match, sources))
    stored = _insert(session, rows)
    alarms += [_alarm(row, fresh[row["id"]], sources) for row in rows if row["id"] in stored and row["alert_id"]]
    raise_alerts(alarms, policy, at)
    reviews = sum(row["outcome"] == Outcome.REVIEW.value for row in rows if row["id"] in stored)
    return Kept(len(alarms), reviews)


def _said(session: Session, pairs: Sequence[tuple[bytes, bytes]]) -> dict[tuple[bytes, bytes], bool]:
    columns = tuple_(PairVerdict.listed_hash, PairVerdict.person_hash)
    found = session.execute(
        select(PairVerdict.listed_hash, PairVerdict.person_hash, PairVerdict.is_same).where(columns.in_(pairs))
    )
    return {(listed, person): is_same for listed, person, is_same in found}


def _known(session: Session, matches: Sequence[Match]) -> dict[tuple[uuid.UUID, bytes], InquiryHit]:
    columns = tuple_(InquiryHit.inquiry_id, InquiryHit.person_hash)
    found = session.scalars(
        select(InquiryHit)
        .where(columns.in_([(match.inquiry_id, match.person_hash) for match in matches]))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {(hit.inquiry_id, hit.person_hash): hit for hit in found}


def _sources(session: Session, inquiries: Iterable[uuid.UUID]) -> dict[uuid.UUID, tuple[str, str]]:
    """Who asks, and the tier of the alerts, by inquiry."""
    query = select(Inquiry.id, Inquiry.source, Inquiry.level).where(Inquiry.id.in_(list(inquiries)))
    return {inquiry: (source, level) for inquiry, source, level in session.execute(query)}


def _row(ring: Keyring, match: Match, listed: bytes, is_same: bool | None, at: datetime) -> dict[str, Any]:
    row_id = new_id()
    evidence = match.evidence
    outcome = Outcome.ALERT if is_same else evidence.outcome
    told = json.dumps({field: value for field, value in asdict(match.listed).items() if value}, ensure_ascii=False)
    return {
        "id": row_id,
        "inquiry_id": match.inquiry_id,
        "person_hash": match.person_hash,
        "registration_id": match.registration_id,
        "division_code": match.division_code,
        "row_number": match.row_number,
        "listed_hash": listed,
        "listed_sealed": seal(ring, told, "inquiry_hit", "listed", row_id),
        "outcome": outcome.value,
        "score": evidence.score,
        "rule": "reviewed" if is_same else evidence.rule,
        "holders": min(match.holders, 30_000),
        "levels": levels_of(evidence),
        "weights": [[name, round(weight, 3)] for name, weight in evidence.weights],
        "found_by": match.found_by,
        "found_at": at,
        "alert_id": new_id() if outcome is Outcome.ALERT and match.is_here else None,
        "decision": None,
        "decided_at": None,
        "decided_by": None,
    }


def levels_of(evidence: Evidence) -> dict[str, str | float]:
    """How each field agrees, as it is stored."""
    levels = evidence.levels
    return {
        "name": levels.name.value,
        "document": levels.document.value,
        "phone": levels.phone.value,
        "birth": levels.birth.value,
        "plate": levels.plate.value,
        "rarity": round(levels.rarity, 3),
    }


def _is_better(earlier: InquiryHit, row: Mapping[str, Any]) -> bool:
    """An alert where there was none; what a reviewer has decided stays."""
    return earlier.alert_id is None and earlier.decision is None and row["alert_id"] is not None


_REPLACED = (
    "registration_id", "division_code", "row_number", "listed_hash", "outcome", "score", "rule", "holders", "levels", "weights", "alert_id",
)  # fmt: skip


def _upgrade(
    earlier: InquiryHit, row: dict[str, Any], match: Match, sources: Mapping[uuid.UUID, tuple[str, str]]
) -> NewAlert:
    for column in _REPLACED:
        setattr(earlier, column, row[column])
    earlier.listed = json.dumps(
        {field: value for field, value in asdict(match.listed).items() if value}, ensure_ascii=False
    )
    return _alarm(row, match, sources)


def _insert(session: Session, rows: Sequence[dict[str, Any]]) -> set[uuid.UUID]:
    """Store rows; returns which, since a registration may have found the same person a moment ago."""
    if not rows:
        return set()
    insert = postgresql.insert if db.engine.dialect.name == "postgresql" else sqlite.insert
    statement = insert(InquiryHit).on_conflict_do_nothing(index_elements=["inquiry_id", "person_hash"])
    return set(session.scalars(statement.returning(InquiryHit.id), list(rows)))


def _alarm(row: Mapping[str, Any], match: Match, sources: Mapping[uuid.UUID, tuple[str, str]]) -> NewAlert:
    source, level = sources[match.inquiry_id]
    return alarm(
        match.inquiry_id, match.person_hash, match.registration_id, match.division_code, row["alert_id"],
        source=source, level=level, rule=row["rule"],
    )  # fmt: skip


def alarm(
    inquiry_id: uuid.UUID,
    person_hash: bytes,
    registration_id: uuid.UUID,
    division_code: str,
    alert_id: uuid.UUID,
    *,
    source: str,
    level: str,
    rule: str | None,
) -> NewAlert:
    """The alert to the village about a person whom an inquiry names."""
    return NewAlert(
        kind=INQUIRY.name,
        cause=alert_cause(inquiry_id, person_hash),
        division_code=division_code,
        tier=level,
        subject_id=registration_id,
        params={"inquiry_id": inquiry_id.hex, "source": source, "rule": rule},
        id=alert_id,
        group_key=group_key(inquiry_id),
    )
