"""Everybody new against all lists in force, inside the request that brings them (协查反向比对).

The lists lie in memory-mapped indexes (listfile.py), so that a person costs some binary searches whatever the number of rows, and
nothing at all where no list is in force. Which lists those are is asked at most every two seconds; a list that comes into force in
between is swept over the newest registrations by its own reader (crossmatch.service.sweep_late).
"""

import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from checkpoint.database import db, transaction
from checkpoint.errors import NotFound
from checkpoint.inquiries.blocking import Blocker, registered_blocks
from checkpoint.inquiries.dates import read_date
from checkpoint.inquiries.evidence import Outcome, Person, judge, read_person
from checkpoint.inquiries.hits import Kept, Match, keep
from checkpoint.inquiries.listfile import Listed, ListFile
from checkpoint.inquiries.models import Inquiry, InquiryState
from checkpoint.inquiries.service import block_key, seal_key
from checkpoint.risk.policy import PolicyData

CHECK_EVERY = 2.0
"""Seconds for which the open lists are trusted unasked."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Arrived:
    """Somebody new as they declared themselves, with the trip that was stored for them; empty texts are not known."""

    person_hash: bytes
    name: str
    document: str
    phone: str
    plate: str
    registration_id: uuid.UUID
    division_code: str


Holders = Callable[[Arrived], int]
"""How many registered people hold the phone of somebody new, themselves included."""


@dataclass(frozen=True, slots=True)
class _Open:
    inquiry_id: uuid.UUID
    valid_from: date
    valid_until: date
    rows: ListFile


class Shelf:
    """The lists in force, open. One for each application; safe for threads."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._open: dict[uuid.UUID, _Open] = {}
        self._checked = float("-inf")
        self.blocker = Blocker(block_key())

    def forget(self) -> None:
        """Ask again at the next use."""
        with self._lock:
            self._checked = float("-inf")

    def on(self, today: date) -> list[_Open]:
        """The lists that count on a day."""
        now = self._monotonic()
        with self._lock:
            if now - self._checked >= CHECK_EVERY:
                self._checked = now
                self._open = {one.inquiry_id: one for one in self._reopened()}
            return [one for one in self._open.values() if one.valid_from <= today <= one.valid_until]

    def _reopened(self) -> Iterator[_Open]:
        data = current_app.extensions["settings"].data
        # A session of its own: the caller's may hold a snapshot that began before the list came into force.
        with Session(db.engine) as session:
            for inquiry in session.scalars(select(Inquiry).where(Inquiry.state == InquiryState.IN_FORCE.value)):
                known = self._open.get(inquiry.id)
                if known is not None:
                    yield known
                    continue
                try:
                    rows = ListFile(data, inquiry.id.hex, seal_key(inquiry))
                except (OSError, NotFound):
                    _log.exception("inquiry %s is in force and its rows cannot be opened", inquiry.id)
                    continue
                yield _Open(inquiry.id, inquiry.valid_from, inquiry.valid_until, rows)


def shelf() -> Shelf:
    """The lists of the running application."""
    known: Shelf | None = current_app.extensions.get("inquiry_shelf")
    if known is None:
        known = current_app.extensions["inquiry_shelf"] = Shelf()
    return known


def on_shelf(today: date) -> bool:
    """Whether any list counts on a day."""
    return bool(shelf().on(today))


def look_up(
    arrived: Sequence[Arrived],
    holders: Holders,
    policy: PolicyData,
    *,
    today: date,
    at: datetime,
    found_by: str = "registration",
) -> Kept:
    """Hold people against all lists in force and keep whom they name, in the transaction under way or one of its own."""
    books = shelf()
    lists = books.on(today)
    if not lists:
        return Kept(0, 0)
    matches = [match for one in arrived for match in _matches(one, lists, books, holders, found_by)]
    if not matches:
        return Kept(0, 0)
    with transaction() as session:
        still = select(Inquiry.id).where(
            Inquiry.id.in_({match.inquiry_id for match in matches}), Inquiry.state == InquiryState.IN_FORCE.value
        )
        in_force = set(session.scalars(still))
        return keep([match for match in matches if match.inquiry_id in in_force], policy, at)


def _matches(one: Arrived, lists: Sequence[_Open], books: Shelf, holders: Holders, found_by: str) -> Iterator[Match]:
    person = read_person(one.name, one.document, one.phone, None, one.plate)
    plates = [one.plate] if one.plate else []
    keys = books.blocker.of(registered_blocks(one.name, one.document, one.phone, plates))
    for known in lists:
        try:
            rows = [(number, known.rows.row(number)) for number in known.rows.find(keys)]
        except OSError:  # the list has ended since the shelf was looked through
            books.forget()
            continue
        for number, listed in rows:
            match = _match(one, person, known.inquiry_id, number, listed, holders, found_by)
            if match.evidence.outcome is not Outcome.NOTHING:
                yield match


def read_listed(listed: Listed) -> Person:
    """A listed person made ready for comparison."""
    return read_person(listed.name, listed.document, listed.phone, read_date(listed.born), listed.plate)


def _match(
    one: Arrived, person: Person, inquiry_id: uuid.UUID, number: int, listed: Listed, holders: Holders, found_by: str
) -> Match:
    named = read_listed(listed)
    count = max(1, holders(one)) if named.phone is not None and named.phone == person.phone else 1
    evidence = judge(named, person, count)
    return Match(
        inquiry_id, number, listed, one.person_hash, one.registration_id, one.division_code, evidence, count,
        found_by,
    )  # fmt: skip
