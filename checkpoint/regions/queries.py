"""Reads of the division tree. Retired divisions are found by code and left out of every list."""

from collections.abc import Collection, Sequence

from sqlalchemy import func, select
from sqlalchemy.engine import RowMapping

from checkpoint.database import db
from checkpoint.errors import NotFound
from checkpoint.regions.models import Division, DivisionAlias, code_range

TOWN, VILLAGE = 4, 5
_CHUNK = 500  # stays below SQLite's limit of host parameters


def get(code: str) -> Division:
    """The division of a 12-digit code, retired or not; raises NotFound."""
    division = db.session.get(Division, code)
    if division is None:
        raise NotFound("There is no division with this code.")
    return division


def find(code: str) -> Division | None:
    """The division of a 12-digit code, or None."""
    return db.session.get(Division, code)


def children(code: str) -> Sequence[Division]:
    """The divisions directly below one, by code."""
    return db.session.scalars(
        select(Division).where(Division.parent_code == code, Division.retired.is_(False)).order_by(Division.code)
    ).all()


def inside(code: str, level: int) -> Sequence[Division]:
    """The divisions of one level (4 town, 5 village) inside a division, by code; the division itself if it is of that level."""
    low, high = code_range(code)
    return db.session.scalars(
        select(Division)
        .where(Division.code.between(low, high), Division.level == level, Division.retired.is_(False))
        .order_by(Division.code)
    ).all()


def towns(site: str) -> Sequence[Division]:
    """The towns and streets of the guarded city: the first tier of jurisdictions below it."""
    return inside(site, TOWN)


def villages(code: str) -> Sequence[Division]:
    """The villages and communities inside a town, or inside the whole guarded city."""
    return inside(code, VILLAGE)


def full_name(code: str) -> str:
    """The address of a division from its province down: 浙江省嘉兴市平湖市当湖街道. Raises NotFound."""
    return get(code).full_name


def _mapped(codes: Collection[str], columns: Sequence[object]) -> list[RowMapping]:
    wanted = sorted(set(codes))
    rows: list[RowMapping] = []
    for start in range(0, len(wanted), _CHUNK):
        chunk = wanted[start : start + _CHUNK]
        rows.extend(db.session.execute(select(*columns).where(Division.code.in_(chunk))).mappings())  # type: ignore[call-overload]
    return rows


def names(codes: Collection[str]) -> dict[str, str]:
    """Code → own name (当湖街道), in one query for each 500 codes; unknown codes are left out."""
    return {row["code"]: row["name"] for row in _mapped(codes, (Division.code, Division.name))}


def full_names(codes: Collection[str]) -> dict[str, str]:
    """Code → address from the province down, in one query for each 500 codes; unknown codes are left out."""
    return {row["code"]: row["full_name"] for row in _mapped(codes, (Division.code, Division.full_name))}


def count() -> int:
    """How many divisions are in force."""
    return db.session.scalar(select(func.count()).select_from(Division).where(Division.retired.is_(False))) or 0


def aliases() -> Sequence[tuple[DivisionAlias, Division]]:
    """Every alias with the division that it names, by text."""
    rows = db.session.execute(
        select(DivisionAlias, Division).join(Division, Division.code == DivisionAlias.code).order_by(DivisionAlias.text)
    )
    return [(alias, division) for alias, division in rows]
