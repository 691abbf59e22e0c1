"""A company's staff list: take members on and off, one by one or from a file that is shown before it counts."""

import csv
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, select

from checkpoint.accounts.permissions import Actor
from checkpoint.audit.service import record
from checkpoint.companies import granted, rows, tries
from checkpoint.companies.models import Company, CompanyImport, CompanyMember, MemberKind, Standing
from checkpoint.companies.queries import own
from checkpoint.companies.rows import MOST_ROWS, Row
from checkpoint.companies.watching import CHUNK, refresh
from checkpoint.database import db, insert_rows, new_id, transaction
from checkpoint.errors import InvalidInput, NotFound
from checkpoint.inquiries.columns import guess
from checkpoint.inquiries.converting import convert
from checkpoint.inquiries.reading import Unreadable, shape_of
from checkpoint.privacy import keyring, lookup_hash
from checkpoint.words import _

IMPORT_KEPT = timedelta(days=1)
_FIELDS = ("name", "document", "phone", "plate")


@dataclass(frozen=True, slots=True)
class Plan:
    """What a file would change: members that are new, that are known under another name or phone, and that it does not name."""

    new: Sequence[Row]
    changed: Sequence[tuple[CompanyMember, Row]]
    gone: Sequence[CompanyMember]
    same: int


def _hash(row: Row) -> bytes:
    if row.is_lorry:
        return lookup_hash(keyring(), "plate", row.plate)
    return lookup_hash(keyring(), "document", f"{row.id_type}:{row.id_number}")


def _key(member: CompanyMember) -> bytes:
    return member.plate_hash or member.id_number_hash or b""


def _live(company_id: uuid.UUID) -> list[CompanyMember]:
    query = select(CompanyMember).where(CompanyMember.company_id == company_id, CompanyMember.removed_at.is_(None))
    return list(db.session.scalars(query.order_by(CompanyMember.id)))


def _lock(company: Company) -> None:
    """One change of a list at a time."""
    query = select(Company.id).where(Company.id == company.id).with_for_update()
    db.session.execute(query)


def add(company_member_id: uuid.UUID, row: Row, *, actor: Actor, at: datetime) -> CompanyMember:
    """Take one member on by the form's own UUID. Who stands on the list already gets the newer name and phone.

    InvalidInput when the company has put too many on today (`tries.py`), or the list is full.
    """
    with transaction() as session:
        company = own(actor)
        _lock(company)
        known = session.get(CompanyMember, company_member_id)
        if known is not None:
            if known.company_id != company.id:
                raise NotFound
            return known
        listed = {_key(member): member for member in _live(company.id)}
        there = listed.get(_hash(row))
        if there is not None:
            _rename(there, row)
            session.flush()
            return there
        if len(listed) >= MOST_ROWS:
            raise InvalidInput.one("name", "too_many", _("At most %(number)s on one list.", number=MOST_ROWS))
        refusal = tries.refused(company, 1, actor=actor, at=at)
        if refusal is None:
            _insert(company.id, [(company_member_id, row)], at)
            _audit("company.member_add", company, actor, at, {"member": str(company_member_id)})
            refresh([company_member_id], at)
            return session.get_one(CompanyMember, company_member_id)
    raise refusal


def remove(member_ids: Iterable[uuid.UUID], *, actor: Actor, at: datetime) -> int:
    """Take members off the list; what was granted to them by the company ends at once. Returns how many; again is harmless."""
    with transaction():
        company = own(actor)
        _lock(company)
        wanted = set(member_ids)
        found = [member for member in _live(company.id) if member.id in wanted]
        _take_off(company, found, actor, at)
    return len(found)


def _take_off(company: Company, members: Sequence[CompanyMember], actor: Actor, at: datetime) -> None:
    if not members:
        return
    for member in members:
        member.removed_at = at
    db.session.flush()
    granted.take_from(company, {_key(member) for member in members}, actor=actor, at=at)
    tries.taken_off(company, members, at)
    _audit("company.member_remove", company, actor, at, {"number": len(members)})


def _insert(company_id: uuid.UUID, new: Iterable[tuple[uuid.UUID, Row]], at: datetime) -> None:
    members = []
    for member_id, row in new:
        member = CompanyMember(
            id=member_id,
            company_id=company_id,
            kind=(MemberKind.LORRY if row.is_lorry else MemberKind.PERSON).value,
            standing=Standing.ABSENT.value,
            standing_since=at,
            added_at=at,
        )
        if row.is_lorry:
            member.plate, member.plate_hash = row.plate, _hash(row)
        else:
            member.id_type, member.id_number, member.id_number_hash = row.id_type, row.id_number, _hash(row)
            _rename(member, row)
        members.append(member)
    names = [column.key for column in CompanyMember.__table__.columns]
    insert_rows(CompanyMember, [{name: getattr(member, name) for name in names} for member in members])


def _rename(member: CompanyMember, row: Row) -> None:
    if not row.is_lorry:
        member.name, member.phone = row.name, row.phone or member.phone


def read_file(source: Path, scratch: Path, *, actor: Actor, at: datetime) -> CompanyImport:
    """Read a staff list (CSV, XLSX, ODS; `scratch` is a folder to work in) and keep it, sealed, until it is confirmed.

    Raises Unreadable, or InvalidInput when no column can name a member.
    """
    company = own(actor)
    table = scratch / "table.csv"
    convert(source, table)
    path = table if table.exists() else source
    shape = shape_of(path)
    columns = {field: column for field, column in guess(shape.header, shape.sample).items() if field in _FIELDS}
    if "plate" not in columns and not {"name", "document"} <= set(columns):
        raise InvalidInput.one(
            "file", "columns", _("No columns for name and document number, or for number plates, were found.")
        )
    with path.open("rb") as file:
        file.seek(shape.start)
        text = (line.decode(shape.encoding, errors="replace").replace("\0", "") for line in file)
        lines = islice(csv.reader(text, delimiter=shape.separator), MOST_ROWS + 1)
        try:
            good, bad = rows.read(lines, columns, shape.before + 1)
        except csv.Error as error:
            raise Unreadable("line_too_long") from error
    if len(good) + len(bad) > MOST_ROWS:
        raise Unreadable("too_many_rows", limit=MOST_ROWS)
    if not good and not bad:
        raise Unreadable("empty")
    draft = CompanyImport(id=new_id(), company_id=company.id, made_at=at, bad_rows=len(bad))
    draft.good = rows.dump(good)
    draft.bad = rows.dump(bad) if bad else None
    with transaction() as session:
        session.add(draft)
        _audit("company.import_read", company, actor, at, {"good": len(good), "bad": len(bad)})
    return draft


def draft_of(import_id: uuid.UUID, actor: Actor) -> CompanyImport:
    """A list that was read, of the actor's own company; NotFound for every other."""
    found = db.session.get(CompanyImport, import_id, populate_existing=True)
    if found is None or found.company_id != own(actor).id:
        raise NotFound
    return found


def plan_of(draft: CompanyImport) -> Plan:
    """What confirming would change now. A file without a lorry says nothing of lorries, one without people nothing of people."""
    given = {_hash(row): row for row in rows.load(draft.good or "[]")}
    listed = {_key(member): member for member in _live(draft.company_id)}
    kinds = {MemberKind.LORRY.value if row.is_lorry else MemberKind.PERSON.value for row in given.values()}
    both = [(listed[key], row) for key, row in given.items() if key in listed]
    changed = [(member, row) for member, row in both if _differs(member, row)]
    return Plan(
        new=[row for key, row in given.items() if key not in listed],
        changed=changed,
        gone=[member for key, member in listed.items() if key not in given and member.kind in kinds],
        same=len(both) - len(changed),
    )


def _differs(member: CompanyMember, row: Row) -> bool:
    return not row.is_lorry and (member.name != row.name or bool(row.phone and member.phone != row.phone))


def confirm(import_id: uuid.UUID, *, whole: bool, actor: Actor, at: datetime) -> CompanyImport:
    """Let a list that was read count; with `whole` whom it does not name is taken off. A repeat changes nothing.

    InvalidInput when the list would be too long, or would put too many on today.
    """
    with transaction():
        company = own(actor)
        _lock(company)
        draft = draft_of(import_id, actor)
        if draft.done_at is not None:
            return draft
        plan = plan_of(draft)
        if len(_live(company.id)) + len(plan.new) > MOST_ROWS:
            raise InvalidInput.one("file", "too_many", _("At most %(number)s on one list.", number=MOST_ROWS))
        refusal = tries.refused(company, len(plan.new), actor=actor, at=at)
        if refusal is None:
            _take_over(company, draft, plan, whole, actor, at)
            return draft
    raise refusal


def _take_over(company: Company, draft: CompanyImport, plan: Plan, whole: bool, actor: Actor, at: datetime) -> None:
    for member, row in plan.changed:
        _rename(member, row)
    new = [(new_id(), row) for row in plan.new]
    _insert(company.id, new, at)
    gone = plan.gone if whole else ()
    _take_off(company, gone, actor, at)
    ids = [member_id for member_id, _row in new]
    for start in range(0, len(ids), CHUNK):
        refresh(ids[start : start + CHUNK], at)
    draft.done = {"new": len(new), "changed": len(plan.changed), "gone": len(gone)}
    draft.done_at, draft.good_sealed = at, None
    db.session.flush()
    _audit("company.import", company, actor, at, draft.done)


def wrong_rows(import_id: uuid.UUID, *, actor: Actor) -> list[dict[str, str]]:
    """The wrong rows of a file, as they stood there."""
    return rows.load_bad(draft_of(import_id, actor).bad or "[]")


def forget_old(at: datetime) -> int:
    """Destroy the lists that were read more than a day ago, confirmed or not; returns how many."""
    old = CompanyImport.made_at <= at - IMPORT_KEPT
    if not db.session.scalar(select(func.count()).where(old)):
        return 0
    with transaction() as session:
        done: Any = session.execute(delete(CompanyImport).where(old))
    return int(done.rowcount)


def _audit(act: str, company: Company, actor: Actor, at: datetime, data: dict[str, Any]) -> None:
    record(
        at=at,
        actor_kind=actor.kind,
        actor_id=actor.id,
        act=act,
        object_type="company",
        object_id=company.id,
        data=data,
    )
