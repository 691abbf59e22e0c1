"""Keeping whom an inquiry found: once for each inquiry and person, whatever found them, in whatever order.

The best of what was found stays: an alert before a review, then the higher score, then the earlier row. What a reviewer has said of the
same two people before stands above the score.
"""

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from checkpoint.alerts.service import NewAlert, raise_alerts
from checkpoint.database import db, new_id, transaction
from checkpoint.inquiries.alarming import alarm
from checkpoint.inquiries.documents import DocumentKind, read_document
from checkpoint.inquiries.evidence import Evidence, Outcome
from checkpoint.inquiries.listfile import Listed
from checkpoint.inquiries.models import HitDecision, Inquiry, InquiryHit, PairVerdict
from checkpoint.privacy import Keyring, keyring, lookup_hash, seal
from checkpoint.risk.policy import PolicyData

_IN_ONE_QUERY = 400
"""Values in one IN of a query."""
_WHOLE = (DocumentKind.RESIDENT, DocumentKind.OTHER)


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
    """Which listed person a row is, on this list and on later ones: by a whole document, else by all it says of who they are.

    A mask, a slip or a word in the place of a number is shared by many people and names nobody.
    """
    document = read_document(listed.document) if listed.document else None
    if document is not None and document.kind in _WHOLE:
        return lookup_hash(ring, "listed", f"document:{document.text}")
    told = [document.text if document else "", listed.phone, listed.name, listed.born]
    if not any(told[:3]):
        told.append(listed.plate)
    return lookup_hash(ring, "listed", "told:" + json.dumps(told, ensure_ascii=False))


def keep(matches: Iterable[Match], policy: PolicyData, at: datetime) -> Kept:
    """Store what was found and raise the alerts, in the transaction under way or one of its own.

    A person whom the inquiry found before is not found again; a review becomes an alert when a later row is certain, and a person who was
    away becomes an alert when they come.
    """
    meant = [match for match in matches if match.evidence.outcome is not Outcome.NOTHING]
    if not meant:
        return Kept(0, 0)
    ring = keyring()
    alerts = reviews = 0
    with transaction() as session:
        best = _best(_judged(session, ring, meant))
        for start in range(0, len(best), _IN_ONE_QUERY):
            found = _keep(session, ring, best[start : start + _IN_ONE_QUERY], policy, at)
            alerts += found.alerts
            reviews += found.reviews
    return Kept(alerts, reviews)


@dataclass(frozen=True, slots=True)
class _Judged:
    """A match with which listed person it is about, and whether a reviewer has said before that the two are one."""

    match: Match
    listed_hash: bytes
    is_same: bool

    @property
    def outcome(self) -> Outcome:
        return Outcome.ALERT if self.is_same else self.match.evidence.outcome


def _judged(session: Session, ring: Keyring, matches: Sequence[Match]) -> Iterator[_Judged]:
    """The matches that no reviewer has denied: whoever is behind the denied ones must not hide another who may be meant."""
    hashes = [listed_hash(ring, match.listed) for match in matches]
    pairs = [(listed, match.person_hash) for listed, match in zip(hashes, matches, strict=True)]
    said: dict[tuple[bytes, bytes], bool] = {}
    for start in range(0, len(pairs), _IN_ONE_QUERY):
        said |= _said(session, pairs[start : start + _IN_ONE_QUERY])
    for match, pair in zip(matches, pairs, strict=True):
        is_same = said.get(pair)
        if is_same is not False:
            yield _Judged(match, pair[0], is_same is True)


def _rank(one: _Judged) -> tuple[bool, float, int]:
    return one.outcome is Outcome.ALERT, one.match.evidence.score, -one.match.row_number


def _best(judged: Iterable[_Judged]) -> list[_Judged]:
    """The best match of each inquiry and person."""
    best: dict[tuple[uuid.UUID, bytes], _Judged] = {}
    for one in judged:
        key = one.match.inquiry_id, one.match.person_hash
        if key not in best or _rank(one) > _rank(best[key]):
            best[key] = one
    return list(best.values())


def _keep(session: Session, ring: Keyring, found: Sequence[_Judged], policy: PolicyData, at: datetime) -> Kept:
    matches = [one.match for one in found]
    known = _known(session, matches)
    sources = _sources(session, {match.inquiry_id for match in matches})
    fresh: dict[uuid.UUID, Match] = {}
    rows = []
    alarms: list[NewAlert] = []
    for one in found:
        row = _row(ring, one, at)
        earlier = known.get((one.match.inquiry_id, one.match.person_hash))
        if earlier is None:
            rows.append(row)
            fresh[row["id"]] = one.match
        elif _is_better(earlier, row):
            _upgrade(earlier, row, one.match)
            if row["alert_id"]:
                alarms.append(_alarm(row, one.match, sources, earlier.id))
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
        .order_by(InquiryHit.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {(hit.inquiry_id, hit.person_hash): hit for hit in found}


def _sources(session: Session, inquiries: Iterable[uuid.UUID]) -> dict[uuid.UUID, tuple[str, str]]:
    """Who asks, and the tier of the alerts, by inquiry."""
    query = select(Inquiry.id, Inquiry.source, Inquiry.level).where(Inquiry.id.in_(list(inquiries)))
    return {inquiry: (source, level) for inquiry, source, level in session.execute(query)}


def _row(ring: Keyring, one: _Judged, at: datetime) -> dict[str, Any]:
    row_id = new_id()
    match, evidence, outcome = one.match, one.match.evidence, one.outcome
    told = json.dumps({field: value for field, value in asdict(match.listed).items() if value}, ensure_ascii=False)
    return {
        "id": row_id,
        "inquiry_id": match.inquiry_id,
        "person_hash": match.person_hash,
        "registration_id": match.registration_id,
        "division_code": match.division_code,
        "row_number": match.row_number,
        "listed_hash": one.listed_hash,
        "listed_sealed": seal(ring, told, "inquiry_hit", "listed", row_id),
        "outcome": outcome.value,
        "score": evidence.score,
        "rule": "reviewed" if one.is_same else evidence.rule,
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
    """Whether a later match says more: an alert where there is none; anybody else than the one who is not meant; else what is stronger."""
    if row["alert_id"] is not None:
        return earlier.alert_id is None
    if earlier.alert_id is not None or earlier.decision == HitDecision.SAME.value:
        return False
    if earlier.decision == HitDecision.OTHER.value:
        return bool(earlier.listed_hash != row["listed_hash"])
    alert = Outcome.ALERT.value
    known = earlier.outcome == alert, earlier.score, -earlier.row_number
    return bool((row["outcome"] == alert, row["score"], -row["row_number"]) > known)


_REPLACED = (
    "registration_id", "division_code", "row_number", "listed_hash", "outcome", "score", "rule", "holders", "levels", "weights", "found_at",
    "alert_id", "decision", "decided_at", "decided_by",
)  # fmt: skip


def _upgrade(earlier: InquiryHit, row: Mapping[str, Any], match: Match) -> None:
    for column in _REPLACED:
        setattr(earlier, column, row[column])
    earlier.listed = json.dumps(
        {field: value for field, value in asdict(match.listed).items() if value}, ensure_ascii=False
    )


def _insert(session: Session, rows: Sequence[dict[str, Any]]) -> set[uuid.UUID]:
    """Store rows; returns which, since a registration may have found the same person a moment ago."""
    if not rows:
        return set()
    insert = postgresql.insert if db.engine.dialect.name == "postgresql" else sqlite.insert
    statement = insert(InquiryHit).on_conflict_do_nothing(index_elements=["inquiry_id", "person_hash"])
    return set(session.scalars(statement.returning(InquiryHit.id), list(rows)))


def _alarm(
    row: Mapping[str, Any],
    match: Match,
    sources: Mapping[uuid.UUID, tuple[str, str]],
    earlier: uuid.UUID | None = None,
) -> NewAlert:
    source, level = sources[match.inquiry_id]
    return alarm(
        earlier or row["id"], match.inquiry_id, match.registration_id, match.division_code, row["alert_id"],
        source=source, level=level, rule=row["rule"], is_first=earlier is None,
    )  # fmt: skip
