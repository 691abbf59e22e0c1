"""Reviewing (复核): a person says whether a listed and a registered one are the same, and both answers are remembered.

"Same" tells the village at once; "not the same" is never asked again, on this list or a later one, and takes back what another list has
raised of the same two. Whoever answers first stands: all who answer for a pair meet at the rows of its hits.
"""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from sqlalchemy import and_, delete, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from checkpoint.accounts.permissions import Actor, Permission, system_actor
from checkpoint.alerts.models import Alert, AlertState
from checkpoint.alerts.queries import LIVE_STATES
from checkpoint.alerts.service import TAKEN_BACK, NewAlert, note_change, raise_alerts
from checkpoint.audit.service import record
from checkpoint.config import Settings
from checkpoint.crossmatch.people import ids_of, registered
from checkpoint.crossmatch.service import judged
from checkpoint.database import db, transaction
from checkpoint.disclosure.service import unmasking
from checkpoint.errors import Conflict, NotAllowed, NotFound
from checkpoint.inquiries import reviewing
from checkpoint.inquiries import service as inquiries
from checkpoint.inquiries.alarming import align
from checkpoint.inquiries.blocking import Blocker, registered_blocks
from checkpoint.inquiries.documents import read_document
from checkpoint.inquiries.evidence import Outcome
from checkpoint.inquiries.hits import keep
from checkpoint.inquiries.kinds import REVIEWS
from checkpoint.inquiries.listfile import Listed, ListFile
from checkpoint.inquiries.models import HitDecision, Inquiry, InquiryHit, InquiryState, PairVerdict
from checkpoint.registrations.listed import catch_up, here
from checkpoint.registrations.models import Registration, Traveller
from checkpoint.risk.policy import Tier
from checkpoint.risk.service import current_state

REVIEW_WITHIN = timedelta(hours=2)
"""How long somebody may wait for a reviewer before command is told."""
_COUNTING = (InquiryState.IN_FORCE.value, InquiryState.MATCHING.value)
_LATE = timedelta(minutes=2)
_BATCH = 200


@dataclass(frozen=True, slots=True)
class Decided:
    """What stands of a pair: who said it and when; `is_mine` is false when somebody else was first and said the contrary."""

    hit_id: uuid.UUID
    decision: str
    decided_at: datetime
    decided_by: str | None
    is_mine: bool


def _may(actor: Actor) -> None:
    if not actor.may(Permission.INQUIRIES_REVIEW):
        raise NotAllowed


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


def decide(hit_id: uuid.UUID, row_number: int, decision: HitDecision, *, actor: Actor, at: datetime) -> Decided:
    """Say whether the two are the same; `row_number` is the row that was on screen. A repeat returns what stands; so does an answer that
    comes second, and changes nothing.

    Raises NotFound, NotAllowed, Conflict when the inquiry has ended or another row has taken the place of the one on screen.
    """
    _may(actor)
    with transaction() as session:
        pair = _pair_of(session, actor, hit_id)
        hit = next((one for one in pair if one.id == hit_id), None)
        if hit is None or hit.row_number != row_number:
            return _said_before(session, actor, hit_id)
        if hit.decision is not None and hit.decided_at is not None:
            is_mine = hit.decided_by == actor.key or hit.decision == decision.value
            return Decided(hit.id, hit.decision, hit.decided_at, hit.decided_by, is_mine)
        verdict = _remember(session, hit, decision, actor, at)
        _apply(pair, verdict, actor, at)
        _audit(actor, "inquiry.review", hit, at, {"decision": decision.value, "hits": len(pair)})
        said = HitDecision.SAME if verdict.is_same else HitDecision.OTHER
        if said is HitDecision.OTHER:
            for one in pair:
                look_again(one, at=at)
        is_mine = verdict.decided_by == actor.key or said is decision
        return Decided(hit.id, said.value, verdict.decided_at, verdict.decided_by, is_mine)


def undo(hit_id: uuid.UUID, decided_at: datetime, *, actor: Actor, at: datetime) -> bool:
    """Take one's own answer back: alerts that nobody has resolved are retracted, and the pair waits for a reviewer again.

    `decided_at` names the answer; False when it does not stand any more (a second time, or another one since).
    """
    _may(actor)
    with transaction() as session:
        hit = _visible(session, actor, hit_id)
        mine = (
            PairVerdict.person_hash == hit.person_hash,
            PairVerdict.decided_by == actor.key,
            PairVerdict.decided_at == decided_at,
        )
        listed = session.scalar(select(PairVerdict.listed_hash).where(*mine))
        if listed is None:
            return False
        pair = _hits_of_pair(session, listed, hit.person_hash)
        gone = delete(PairVerdict).where(PairVerdict.listed_hash == listed, *mine).returning(PairVerdict.listed_hash)
        if session.scalars(gone).first() is None:
            return False  # the same request was faster
        for one in pair:
            one.decision = one.decided_at = one.decided_by = None
        _align(pair, actor, at)
        session.refresh(hit)
        if hit.listed_hash != listed:  # another row of the list has taken its place meanwhile
            look_again(hit, at=at)
        _audit(actor, "inquiry.review_undone", hit, at, {"hits": len(pair)})
        return True


def _visible(session: Session, actor: Actor, hit_id: uuid.UUID) -> InquiryHit:
    hit = session.get(InquiryHit, hit_id, populate_existing=True)
    if hit is None or not actor.sees(hit.division_code):
        raise NotFound
    return hit


def _pair_of(session: Session, actor: Actor, hit_id: uuid.UUID) -> list[InquiryHit]:
    """All hits of the pair that a hit is about, locked in one order, whatever list they are of."""
    hit = _visible(session, actor, hit_id)
    return _hits_of_pair(session, hit.listed_hash, hit.person_hash)


def _hits_of_pair(session: Session, listed: bytes, person: bytes) -> list[InquiryHit]:
    lists = select(Inquiry.id).where(Inquiry.state.in_(_COUNTING))
    query = (
        select(InquiryHit)
        .where(InquiryHit.inquiry_id.in_(lists), InquiryHit.person_hash == person, InquiryHit.listed_hash == listed)
        .order_by(InquiryHit.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return list(session.scalars(query))


def _said_before(session: Session, actor: Actor, hit_id: uuid.UUID) -> Decided:
    """The answer by which the row on screen has given way to another one; whoever asks again gets that. Raises Conflict without one."""
    hit = _visible(session, actor, hit_id)
    verdict = session.scalars(
        select(PairVerdict)
        .where(PairVerdict.person_hash == hit.person_hash, PairVerdict.is_same.is_(False))
        .order_by(PairVerdict.decided_at.desc())
        .limit(1)
    ).first()
    in_force = session.scalar(select(Inquiry.state).where(Inquiry.id == hit.inquiry_id)) == InquiryState.IN_FORCE.value
    if verdict is None or not in_force:
        raise Conflict("This pair needs no answer any more.")
    return Decided(
        hit.id, HitDecision.OTHER.value, verdict.decided_at, verdict.decided_by, verdict.decided_by == actor.key
    )


def _remember(session: Session, hit: InquiryHit, decision: HitDecision, actor: Actor, at: datetime) -> PairVerdict:
    """What is remembered of a pair from now on: the first answer, should two come at once."""
    insert = postgresql.insert if db.engine.dialect.name == "postgresql" else sqlite.insert
    session.execute(
        insert(PairVerdict)
        .values(
            listed_hash=hit.listed_hash,
            person_hash=hit.person_hash,
            is_same=decision is HitDecision.SAME,
            decided_at=at,
            decided_by=actor.key,
        )
        .on_conflict_do_nothing(index_elements=["listed_hash", "person_hash"])
    )
    return session.get_one(PairVerdict, (hit.listed_hash, hit.person_hash), populate_existing=True)


def _apply(pair: Sequence[InquiryHit], verdict: PairVerdict, actor: Actor, at: datetime) -> None:
    said = HitDecision.SAME if verdict.is_same else HitDecision.OTHER
    for one in pair:
        if one.decision is None:
            one.decision, one.decided_at, one.decided_by = said.value, verdict.decided_at, verdict.decided_by
    _align(pair, actor, at)


def _align(hits: Sequence[InquiryHit], actor: Actor, at: datetime) -> None:
    present = here(one.registration_id for one in hits)
    align(hits, present, policy=current_state(at).policy, actor=actor, at=at)


def look_again(hit: InquiryHit, *, at: datetime) -> None:
    """Hold a person against the inquiry of a hit once more: behind the row that they are not, another one may name them."""
    traveller = db.session.scalar(select(Registration.traveller_id).where(Registration.id == hit.registration_id))
    inquiry = db.session.get_one(Inquiry, hit.inquiry_id)
    if inquiry.state != InquiryState.IN_FORCE.value:
        return  # its other rows are still to be read
    person = registered([traveller]).get(traveller) if traveller is not None else None
    if person is None or traveller is None:
        return
    rows = ListFile(_settings().data, inquiry.id.hex, inquiries.seal_key(inquiry))
    keys = Blocker(inquiries.block_key()).of(
        registered_blocks(person.name, person.document, person.phone, person.plates)
    )
    found = rows.find(keys)
    matches = judged(
        inquiry.id, [(row, 0) for row in found], {row: rows.row(row) for row in found}, ids_of([traveller]),
        found_by="registration",
    )  # fmt: skip
    keep(matches, current_state(at).policy, at)


def _audit(actor: Actor, act: str, hit: InquiryHit, at: datetime, data: dict[str, Any]) -> None:
    record(
        at=at,
        actor_kind=actor.kind,
        actor_id=actor.id,
        act=act,
        object_type="inquiry_hit",
        object_id=hit.id,
        data={"inquiry": str(hit.inquiry_id), **data},
    )


@dataclass(frozen=True, slots=True)
class Opened:
    """A pair in full: what the list says, and what the person has declared."""

    listed: Listed
    registered: Listed


def reveal(hit_id: uuid.UUID, purpose: str, *, actor: Actor, at: datetime) -> Opened:
    """Open both sides of a pair and write down who did, and what for.

    Raises NotFound (also when the inquiry has ended: its rows are destroyed), NotAllowed, InvalidInput, TooManyOpened.
    """
    _may(actor)
    with unmasking("inquiry_hit", hit_id, purpose, actor=actor, at=at) as note:
        hit = _visible(db.session(), actor, hit_id)
        if hit.listed is None:
            raise NotFound
        fields = ("name", "id_number", "phone", "plate")
        note(fields, people=2, data={"registration": str(hit.registration_id)})
        return sides(hit)


def sides(hit: InquiryHit) -> Opened:
    """Both sides of a pair, opened; whoever shows them masks them. The listed side is empty once the inquiry has ended."""
    listed = Listed.of(json.loads(hit.listed)) if hit.listed else Listed()
    row = db.session.execute(
        select(Registration, Traveller)
        .join(Traveller, Traveller.id == Registration.traveller_id)
        .where(Registration.id == hit.registration_id)
    ).one()
    trip, person = row
    document = person.id_number or ""
    read = read_document(document)
    born = read.born.isoformat() if read and read.born else ""
    return Opened(listed, Listed(person.name or "", document, person.phone or "", born, trip.plate or ""))


def tend(*, at: datetime) -> int:
    """One round by the clock: answers reach hits that were found in the moment they were given, alerts follow trips that were amended while
    a list was read, and command hears of queues that nobody looks at. Returns how many were touched; two at once do nothing twice."""
    return settle(at) + _catch_up(at) + remind(at)


def settle(at: datetime) -> int:
    """Undecided hits of pairs that somebody has answered for."""
    system = system_actor(_settings().site_division)
    with transaction() as session:
        rows = session.execute(
            select(InquiryHit, PairVerdict)
            .join(Inquiry, Inquiry.id == InquiryHit.inquiry_id)
            .join(
                PairVerdict,
                and_(
                    PairVerdict.listed_hash == InquiryHit.listed_hash,
                    PairVerdict.person_hash == InquiryHit.person_hash,
                ),
            )
            .where(
                InquiryHit.decision.is_(None),
                or_(InquiryHit.outcome == Outcome.REVIEW.value, PairVerdict.is_same.is_(False)),
                Inquiry.state == InquiryState.IN_FORCE.value,
            )
            .order_by(InquiryHit.id)
            .limit(_BATCH)
            .with_for_update(of=InquiryHit, skip_locked=True)
            .execution_options(populate_existing=True)
        ).all()
        for hit, verdict in rows:
            _apply([hit], verdict, system, at)
    return len(rows)


def _catch_up(at: datetime) -> int:
    system, policy = system_actor(_settings().site_division), current_state(at).policy
    recent = select(Inquiry.id).where(Inquiry.state == InquiryState.IN_FORCE.value, Inquiry.matched_at > at - _LATE)
    return sum(catch_up(one, policy=policy, actor=system, at=at) for one in db.session.scalars(recent).all())


def remind(at: datetime) -> int:
    """Tell command of every inquiry of which somebody has waited for a reviewer longer than REVIEW_WITHIN, once for each first one who
    waits, and take back what was told of queues that are done."""
    site = _settings().site_division
    system = system_actor(site)
    late = {one.inquiry_id: one for one in reviewing.waiting(system) if one.since <= at - REVIEW_WITHIN}
    with transaction() as session:
        told = session.scalars(
            select(Alert)
            .where(Alert.kind == REVIEWS.name, Alert.state.in_(LIVE_STATES))
            .order_by(Alert.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        ).all()
        done = [alert for alert in told if alert.subject_id not in late]
        for alert in done:
            alert.state = AlertState.RETRACTED.value
            session.flush()
            note_change(alert.id, alert.division_code, "retracted", system, at, wave=TAKEN_BACK)
        standing = {alert.subject_id for alert in told}
        new = [_reminder(one, site) for one in late.values() if one.inquiry_id not in standing]
        known = set(session.scalars(select(Alert.cause).where(Alert.cause.in_([one.cause for one in new]))))
        new = [one for one in new if one.cause not in known]
        raise_alerts(new, current_state(at).policy, at)
    return len(new) + len(done)


def _reminder(one: reviewing.Waiting, site: str) -> NewAlert:
    return NewAlert(
        kind=REVIEWS.name,
        cause=f"inquiry_review:{one.inquiry_id.hex}:{int(one.since.timestamp())}",
        division_code=site,
        tier=(Tier.RED if one.level == Tier.RED.value else Tier.YELLOW).value,
        subject_type="inquiry",
        subject_id=one.inquiry_id,
        params={"inquiry_id": one.inquiry_id.hex, "source": one.source, "waiting": one.number},
    )
