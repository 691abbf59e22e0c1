"""Looking through the whole chain: whether any entry was altered, removed or written in by somebody else."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Select, exists, func, select

from checkpoint.audit.chain import FIRST, SealContent, digest, root_of, seal_hash, stamp_holds
from checkpoint.audit.models import AuditEntry, AuditLink, AuditSeal
from checkpoint.audit.sealing import anchor, content_of, floor
from checkpoint.audit.service import chain_key
from checkpoint.database import db

CHUNK = 2000
UNREADABLE = (ValueError, TypeError, AttributeError)


class Fault(enum.StrEnum):
    """What can be wrong with the trail."""

    ALTERED = "altered"  # an entry is not what was sealed
    REMOVED = "removed"  # a sealed entry is gone
    INSERTED = "inserted"  # an entry that the application did not write, or that appeared behind the chain
    REPEATED = "repeated"  # an entry was copied
    SEAL_ALTERED = "seal_altered"
    SEAL_REMOVED = "seal_removed"
    CUT_OFF = "cut_off"  # the chain ends before the seal that the file outside the database remembers


Content = AuditEntry | Fault | None  # a row, one that cannot be read, or none


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault; `number` is an entry's id, or a seal's number for the faults of seals."""

    fault: Fault
    number: int


@dataclass(slots=True)
class Report:
    """What verifying found: how much was looked at, and every fault."""

    entries: int = 0
    seals: int = 0
    waiting: int = 0
    head: str = ""
    findings: list[Finding] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not self.findings


def verify(at: datetime) -> Report:
    """Verify every seal, every entry in it, and what waits to be sealed. Reads all; memory stays small."""
    report = Report()
    key, previous, expected = chain_key(), FIRST, 1
    hashes: dict[int, bytes] = {}
    for seal in db.session.scalars(select(AuditSeal).order_by(AuditSeal.number)).all():
        for missing in range(expected, seal.number):
            report.findings.append(Finding(Fault.SEAL_REMOVED, missing))
        expected = seal.number + 1
        content = SealContent(seal.number, seal.first_id, seal.last_id, seal.count, seal.is_old, seal.root)
        if seal_hash(key, previous, content) != seal.hash:
            report.findings.append(Finding(Fault.SEAL_ALTERED, seal.number))
        _verify_batch(seal, key, report)
        previous = hashes[seal.number] = seal.hash
        report.seals += 1
    report.head = previous.hex() if report.seals else ""
    remembered = anchor()
    if remembered is not None and hashes.get(remembered.number) != remembered.hash:
        report.findings.append(Finding(Fault.CUT_OFF, remembered.number))
    _verify_waiting(at, key, report)
    report.findings += (Finding(Fault.REPEATED, number) for number in _repeated())
    return report


def _verify_batch(seal: AuditSeal, key: bytes, report: Report) -> None:
    digests = []
    for link, entry in _linked(seal.number):
        digests.append(link.digest)
        if entry is None:
            report.findings.append(Finding(Fault.REMOVED, link.entry_id))
            continue
        report.entries += 1
        if not _is_as_sealed(entry, link):
            report.findings.append(Finding(Fault.ALTERED, link.entry_id))
        elif not seal.is_old and isinstance(entry, AuditEntry):
            _verify_stamp(entry, key, report)
    if len(digests) != seal.count or root_of(digests) != seal.root:
        report.findings.append(Finding(Fault.SEAL_ALTERED, seal.number))


def _is_as_sealed(entry: AuditEntry | Fault, link: AuditLink) -> bool:
    if isinstance(entry, Fault) or not isinstance(entry.stamp, bytes | None):
        return False
    return digest(entry.id, content_of(entry), entry.stamp) == link.digest


def _linked(number: int) -> Sequence[tuple[AuditLink, Content]]:
    """The links of a seal with what stands in the table for each."""
    links = db.session.scalars(
        select(AuditLink).where(AuditLink.seal_number == number).order_by(AuditLink.entry_id)
    ).all()
    within = select(AuditLink.entry_id).where(AuditLink.seal_number == number)
    found = _contents(select(AuditEntry.id).where(AuditEntry.id.in_(within)))
    db.session.expunge_all()
    return [(link, found.get(link.entry_id)) for link in links]


def _contents(ids: Select[int]) -> dict[int, Content]:
    """What stands under some ids, in order. A row that cannot be read, since nonsense was written into it, stands as ALTERED."""
    query = select(AuditEntry).order_by(AuditEntry.id)
    try:
        return {row.id: row for row in db.session.scalars(query.where(AuditEntry.id.in_(ids)))}
    except UNREADABLE:
        found: dict[int, Content] = {}
        for number in db.session.scalars(ids).all():
            try:
                found[number] = db.session.scalars(query.where(AuditEntry.id == number)).one()
            except UNREADABLE:
                found[number] = Fault.ALTERED
        return dict(sorted(found.items()))


def _verify_stamp(entry: AuditEntry, key: bytes, report: Report) -> None:
    if not stamp_holds(key, content_of(entry), entry.stamp):
        report.findings.append(Finding(Fault.INSERTED, entry.id))


def _repeated() -> Sequence[int]:
    """The entries whose stamp stands on an earlier one too: a stamp is made once, so they are copies."""
    copied = select(AuditEntry.stamp, func.min(AuditEntry.id).label("first")).where(AuditEntry.stamp.is_not(None))
    many = copied.group_by(AuditEntry.stamp).having(func.count() > 1).subquery()
    query = select(AuditEntry.id).join(many, many.c.stamp == AuditEntry.stamp).where(AuditEntry.id > many.c.first)
    return db.session.scalars(query.order_by(AuditEntry.id)).all()


def _verify_waiting(at: datetime, key: bytes, report: Report) -> None:
    """What no seal holds yet: fresh entries of ours wait; one without a stamp, or left behind, was written in."""
    after, passed = 0, floor(at)
    linked = exists().where(AuditLink.entry_id == AuditEntry.id)
    while True:
        ids = select(AuditEntry.id).where(AuditEntry.id > after, ~linked).order_by(AuditEntry.id).limit(CHUNK)
        found = _contents(ids)
        if not found:
            return
        for number, entry in found.items():
            report.entries += 1
            report.waiting += 1
            if (
                isinstance(entry, Fault)
                or entry is None
                or number <= passed
                or (entry.stamp is None and report.seals > 0)
            ):
                report.findings.append(Finding(Fault.INSERTED, number))
            elif entry.stamp is not None:
                _verify_stamp(entry, key, report)
        after = max(found)
        db.session.expunge_all()
