"""Reading a confirmed list to its end: parts are worked on side by side and stored in their order, each in one transaction.

A part that is done is never done again, so a run that was killed goes on where it stopped, and finds what it would have found.
"""

import fcntl
import os
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from flask import current_app
from sqlalchemy import select

from checkpoint.accounts.permissions import Actor
from checkpoint.config import Settings
from checkpoint.crossmatch.executors import Hands, hands, local_pool
from checkpoint.crossmatch.people import Ids, Registered, ids_of, open_registry, registered, slices
from checkpoint.database import db, transaction
from checkpoint.errors import CheckpointError, Conflict, TooBusy
from checkpoint.inquiries import listfile
from checkpoint.inquiries import service as inquiries
from checkpoint.inquiries.blocking import Blocker, registered_blocks
from checkpoint.inquiries.chunks import Found, Layout, Part
from checkpoint.inquiries.evidence import Outcome, judge
from checkpoint.inquiries.hits import Match, keep
from checkpoint.inquiries.listfile import Listed, ListFile
from checkpoint.inquiries.lookup import read_listed
from checkpoint.inquiries.models import Inquiry, InquiryChunk, InquiryState
from checkpoint.inquiries.reading import Unpaired, Unreadable, spans
from checkpoint.registrations.models import Registration
from checkpoint.risk.service import current_state

Clock = Callable[[], datetime]
SWEEP_BACK = timedelta(minutes=1)
"""How long before the beginning a registration may have been under way that the opened registry does not hold."""
_LATE = timedelta(minutes=2)
_NEW_POOLS = 3


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a list is: what is being done (`opening`, `matching`, `merging`), rows read, bytes read of how many, people found."""

    step: str
    rows: int
    bytes_done: int
    bytes: int
    alerts: int
    reviews: int


Tell = Callable[[Progress], None]


def _silent(_progress: Progress) -> None:
    return


class WorkersDied(CheckpointError):
    """The processes that read the list were ended again and again; there may not be enough memory."""

    code = "workers_died"


@dataclass(slots=True)
class _Run:
    """A list that is being read."""

    inquiry: Inquiry
    folder: Path
    chunks: list[InquiryChunk]
    people: Ids
    actor: Actor
    clock: Clock
    tell: Tell
    rows: int = 0
    bytes_done: int = 0
    alerts: int = 0
    reviews: int = 0

    def say(self, step: str) -> None:
        whole = self.chunks[-1].end - self.chunks[0].start if self.chunks else 0
        self.tell(Progress(step, self.rows, self.bytes_done, whole, self.alerts, self.reviews))


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


@contextmanager
def _alone_with(folder: Path) -> Iterator[None]:
    """One process at a time reads a list; raises TooBusy for a second one."""
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise TooBusy from error
    try:
        yield
    finally:
        os.close(handle)


def run(
    inquiry_id: uuid.UUID, *, actor: Actor, clock: Clock, tell: Tell = _silent, workers: int | None = None
) -> Inquiry:
    """Read a confirmed list, match it, raise its alerts, and put it in force. Goes on where an earlier run was interrupted.

    Raises Unreadable (the inquiry is then `failed`), TooBusy when another process reads it, WorkersDied.
    """
    inquiry = inquiries.begin(inquiry_id, at=clock())
    folder = listfile.folder_of(_settings().data, inquiry_id.hex)
    try:
        with _alone_with(folder):
            return _read(inquiry, folder, actor, clock, tell, workers)
    except Unreadable as error:
        inquiries.failed(inquiry_id, error.cause, error.data, at=clock())
        raise
    except FileNotFoundError as error:
        inquiries.failed(inquiry_id, "file_gone", {}, at=clock())
        raise Unreadable("file_gone") from error


def _read(inquiry: Inquiry, folder: Path, actor: Actor, clock: Clock, tell: Tell, workers: int | None) -> Inquiry:
    chunks = _planned(inquiry)
    run_ = _Run(inquiry, folder, chunks, Ids(), actor, clock, tell)
    for chunk in chunks:
        if chunk.done_at is not None:
            run_.rows += chunk.rows
            run_.bytes_done += chunk.end - chunk.start
    _work(run_, workers)
    run_.say("merging")
    listfile.finish(folder, [(chunk.first_row, chunk.rows) for chunk in inquiries.chunks(inquiry.id)])
    found = inquiries.finished(inquiry.id, actor=actor, at=clock())
    sweep(found, at=clock())
    run_.say("merging")
    return found


def _planned(inquiry: Inquiry) -> list[InquiryChunk]:
    known = inquiries.chunks(inquiry.id)
    if known:
        return known
    table, start = inquiries.table_of(inquiry), int((inquiry.mapping or {})["start"])
    quoted = True
    try:
        parts = list(spans(table, start, quoted=True))
    except Unpaired:
        quoted = False
        parts = list(spans(table, start, quoted=False))
    if not parts:
        raise Unreadable("empty")
    return inquiries.plan(inquiry.id, parts, quoted=quoted)


def _work(run_: _Run, workers: int | None) -> None:
    """Every part that is not done, by pools as long as they live."""
    for attempt in range(_NEW_POOLS):
        waiting = [chunk for chunk in inquiries.chunks(run_.inquiry.id) if chunk.done_at is None]
        if not waiting:
            return
        run_.say("opening")
        try:
            with local_pool(workers) as pool:
                _with_pool(run_, waiting, pool)
            return
        except BrokenProcessPool as error:
            if attempt == _NEW_POOLS - 1:
                raise WorkersDied from error


def _with_pool(run_: _Run, waiting: Sequence[InquiryChunk], pool: ProcessPoolExecutor) -> None:
    settings = _settings()
    run_.people, openings = slices(settings.database_url, settings.data, inquiries.block_key())
    registry = open_registry(openings, pool)
    with hands(pool, registry, run_.folder, os.environ.get("DASK_SCHEDULER", "").strip() or None) as able:
        del registry
        _parts(run_, waiting, able)


def _parts(run_: _Run, waiting: Sequence[InquiryChunk], able: Hands) -> None:
    """Hand parts out some ahead, and store them in their order."""
    under_way: deque[tuple[InquiryChunk, Future[Found]]] = deque()
    left = iter(waiting)
    run_.say("matching")
    while True:
        while len(under_way) < able.ahead and (chunk := next(left, None)) is not None:
            under_way.append((chunk, able.submit(_part(run_.inquiry, chunk))))
        if not under_way:
            return
        chunk, future = under_way.popleft()
        _store(run_, chunk, future.result())


def _part(inquiry: Inquiry, chunk: InquiryChunk) -> Part:
    mapping = inquiry.mapping or {}
    layout = Layout(
        inquiry.encoding or "utf-8", mapping["separator"], mapping["width"], mapping["columns"], mapping["quoted"]
    )
    source = str(inquiries.table_of(inquiry)), chunk.start, chunk.end
    return Part(
        inquiry.id.hex,
        chunk.number,
        chunk.first_row,
        source,
        layout,
        inquiries.seal_key(inquiry),
        inquiries.block_key(),
        chunk.rows,
    )


def _store(run_: _Run, chunk: InquiryChunk, found: Found) -> None:
    """Write what a part holds, judge whom it may mean, and note that it is done, with its alerts, in one transaction."""
    at = run_.clock()
    listfile.write_part(run_.folder, found.number, found.sealed, found.keys, found.bad)
    matches = judged(run_.inquiry.id, found.pairs, found.listed, run_.people, found_by="list")
    with transaction():
        kept = keep(matches, current_state(at).policy, at)
        inquiries.chunk_done(
            run_.inquiry.id, chunk.number, rows=found.rows, bad_rows=found.bad_rows, candidates=len(found.pairs), at=at
        )
    run_.rows += found.rows
    run_.bytes_done += chunk.end - chunk.start
    run_.alerts += kept.alerts
    run_.reviews += kept.reviews
    run_.say("matching")


def judged(
    inquiry_id: uuid.UUID,
    pairs: Sequence[tuple[int, int]],
    listed: dict[int, Listed],
    people: Ids,
    *,
    found_by: str,
) -> list[Match]:
    """What came of the pairs (row, person's number) that share a key; nothing is left out but what is nobody."""
    ids = {person: people[person] for person in sorted({person for _row, person in pairs})}
    opened = registered(list(ids.values()))
    rows: dict[int, list[Registered]] = {}
    for row, person in pairs:
        known = opened.get(ids[person])
        if known is not None:
            rows.setdefault(row, []).append(known)
    return [
        match for row, known in rows.items() for match in _judged_row(inquiry_id, row, listed[row], known, found_by)
    ]


def _judged_row(
    inquiry_id: uuid.UUID, row: int, listed: Listed, people: Sequence[Registered], found_by: str
) -> Iterator[Match]:
    one = read_listed(listed)
    ready = [(person, person.beside(one.plate or "")) for person in people]
    holders = len({person.person_hash for person, other in ready if one.phone and other.phone == one.phone})
    for person, other in ready:
        evidence = judge(one, other, max(1, holders))
        if evidence.outcome is not Outcome.NOTHING:
            yield Match(
                inquiry_id, row, listed, person.person_hash, person.registration_id, person.division_code,
                evidence, max(1, holders), found_by, person.is_here,
            )  # fmt: skip


def sweep(inquiry: Inquiry, *, at: datetime) -> int:
    """Hold those against a list who registered while it was being read: the opened registry does not have them; returns how many."""
    if inquiry.started_at is None or inquiry.state != InquiryState.IN_FORCE.value:
        return 0
    since = inquiry.started_at - SWEEP_BACK
    ids = list(db.session.scalars(select(Registration.traveller_id).where(Registration.created_at >= since).distinct()))
    if not ids:
        return 0
    rows = ListFile(_settings().data, inquiry.id.hex, inquiries.seal_key(inquiry))
    blocker = Blocker(inquiries.block_key())
    pairs: list[tuple[int, int]] = []
    opened = registered(ids)
    for number, person in enumerate(ids):
        if (known := opened.get(person)) is not None:
            keys = blocker.of(registered_blocks(known.name, known.document, known.phone, known.plates))
            pairs += [(row, number) for row in rows.find(keys)]
    listed = {row: rows.row(row) for row in {row for row, _person in pairs}}
    matches = judged(inquiry.id, pairs, listed, ids_of(ids), found_by="registration")
    with transaction():
        keep(matches, current_state(at).policy, at)
    return len(ids)


def sweep_late(*, at: datetime) -> int:
    """The same once more for lists that came into force just now: a registration may have been stored in that very moment."""
    recent = select(Inquiry).where(Inquiry.state == InquiryState.IN_FORCE.value, Inquiry.matched_at > at - _LATE)
    return sum(sweep(inquiry, at=at) for inquiry in db.session.scalars(recent).all())


def run_waiting(*, actor: Actor, clock: Clock) -> int:
    """Read every list that waits; returns how many. A list that cannot be read says so on its own page."""
    from checkpoint.inquiries.queries import waiting

    done = 0
    for inquiry_id in waiting():
        try:
            run(inquiry_id, actor=actor, clock=clock)
            done += 1
        except (Unreadable, TooBusy, Conflict):
            continue
    return done
