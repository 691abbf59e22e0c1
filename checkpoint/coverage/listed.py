"""The rows of inquiry lists in force, and those whose person was found. The rows themselves lie sealed outside the database."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from sqlalchemy import or_, select

from checkpoint.database import db
from checkpoint.errors import NotFound
from checkpoint.inquiries import queries
from checkpoint.inquiries.evidence import Outcome
from checkpoint.inquiries.listfile import Listed, ListFile
from checkpoint.inquiries.models import HitDecision, Inquiry, InquiryHit
from checkpoint.inquiries.service import data_folder, seal_key


def listed_rows(day: date) -> dict[uuid.UUID, int]:
    """The inquiries in force on a day with the number of their rows. A person who is listed twice has two."""
    return {one.id: one.rows for one in queries.in_force(day)}


def found_rows(inquiry_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, set[int]]:
    """Of each inquiry the numbers of the rows whose person was found: with certainty, or as a reviewer said."""
    found: dict[uuid.UUID, set[int]] = {one: set() for one in inquiry_ids}
    certain = InquiryHit.decision.is_(None) & (InquiryHit.outcome == Outcome.ALERT.value)
    rows = db.session.execute(
        select(InquiryHit.inquiry_id, InquiryHit.row_number).where(
            InquiryHit.inquiry_id.in_(inquiry_ids), or_(certain, InquiryHit.decision == HitDecision.SAME.value)
        )
    )
    for inquiry_id, number in rows:
        found[inquiry_id].add(number)
    return found


def read_rows(wanted: Iterable[tuple[uuid.UUID, int]]) -> Mapping[tuple[uuid.UUID, int], tuple[str, Listed]]:
    """Some rows by inquiry and number, in clear, with who asks. Rows that were destroyed meanwhile are left out."""
    numbers: dict[uuid.UUID, list[int]] = {}
    for inquiry_id, number in wanted:
        numbers.setdefault(inquiry_id, []).append(number)
    found = {}
    for inquiry in db.session.scalars(select(Inquiry).where(Inquiry.id.in_(numbers))):
        try:
            rows = ListFile(data_folder(), inquiry.id.hex, seal_key(inquiry))
            for number in numbers[inquiry.id]:
                found[inquiry.id, number] = (inquiry.source, rows.row(number))
        except (OSError, NotFound):
            continue
    return found
