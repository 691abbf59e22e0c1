"""Reads of list versions: all of them, what one would change, what could not be placed."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, or_, select

from checkpoint.database import db
from checkpoint.errors import NotFound
from checkpoint.risk.levels import Level
from checkpoint.risk.models import ListState, RiskArea, RiskList, RiskListEntry, RiskListing, RiskState
from checkpoint.risk.service import STATE_ROW

SAMPLES = 10
_SUSPECT_BELOW = 0.5
_SUSPECT_FROM = 100


@dataclass(frozen=True, slots=True)
class Sample:
    """One area in a preview: where, the list's words, and the level before and after (None: not listed)."""

    place: str
    text: str
    before: Level | None
    after: Level | None


@dataclass(frozen=True, slots=True)
class Preview:
    """What publishing a list would change against the list in force. Counts are of areas; samples hold at most ten of each."""

    list_id: int
    current_id: int | None
    added: int
    removed: int
    raised: int
    lowered: int
    unresolved: int
    high: int
    middle: int
    low: int
    current_total: int
    samples: Mapping[str, tuple[Sample, ...]]

    @property
    def total(self) -> int:
        """Entries of the new list, all levels."""
        return self.high + self.middle + self.low

    @property
    def collapsed(self) -> bool:
        """Whether the list has shrunk to less than half: the worst published versions did, and came back hours later."""
        return self.current_total >= _SUSPECT_FROM and self.total < self.current_total * _SUSPECT_BELOW


def get(list_id: int) -> RiskList:
    """A list version. Raises NotFound."""
    found = db.session.get(RiskList, list_id)
    if found is None:
        raise NotFound("There is no risk list with this number.")
    return found


def lists(limit: int = 50) -> Sequence[RiskList]:
    """The versions, the newest import first."""
    return db.session.scalars(select(RiskList).order_by(RiskList.id.desc()).limit(limit)).all()


def in_force() -> RiskList | None:
    """The list in force, or None."""
    return db.session.scalar(
        select(RiskList).join(RiskState, RiskState.list_id == RiskList.id).where(RiskState.id == STATE_ROW)
    )


def _levels(list_id: int | None) -> dict[int, Level]:
    """Area → highest level that a list gives it."""
    if list_id is None:
        return {}
    found: dict[int, Level] = {}
    rows = db.session.execute(
        select(RiskListEntry.area_id, RiskListEntry.level).where(RiskListEntry.list_id == list_id)
    )
    for area_id, word in rows:
        level = Level(word)
        if area_id not in found or found[area_id] < level:
            found[area_id] = level
    return found


def preview(list_id: int) -> Preview:
    """What publishing the list would change. Raises NotFound."""
    new = get(list_id)
    current = in_force()
    before = _levels(current.id if current else None)
    after = _levels(list_id)
    both = before.keys() & after.keys()
    groups = {
        "added": sorted(after.keys() - before.keys()),
        "removed": sorted(before.keys() - after.keys()),
        "raised": sorted(area for area in both if after[area] > before[area]),
        "lowered": sorted(area for area in both if after[area] < before[area]),
    }
    unplaced = unplaced_areas(list_id, limit=SAMPLES)
    shown = _areas({area for areas in groups.values() for area in areas[:SAMPLES]})
    samples = {
        name: tuple(_sample(shown[area], before.get(area), after.get(area)) for area in areas[:SAMPLES])
        for name, areas in groups.items()
    }
    samples["unresolved"] = tuple(_sample(area, before.get(area.id), after.get(area.id)) for area in unplaced)
    return Preview(
        list_id=list_id,
        current_id=current.id if current else None,
        added=len(groups["added"]),
        removed=len(groups["removed"]),
        raised=len(groups["raised"]),
        lowered=len(groups["lowered"]),
        unresolved=new.unresolved_count,
        high=new.high_count,
        middle=new.middle_count,
        low=new.low_count,
        current_total=current.total if current else 0,
        samples=samples,
    )


def _areas(ids: Collection[int]) -> dict[int, RiskArea]:
    return {area.id: area for area in db.session.scalars(select(RiskArea).where(RiskArea.id.in_(ids)))}


def _sample(area: RiskArea, before: Level | None, after: Level | None) -> Sample:
    place = "".join(dict.fromkeys((area.province, area.city, area.county)))
    return Sample(place, area.text, before, after)


def unplaced_areas(list_id: int, limit: int | None = None) -> Sequence[RiskArea]:
    """The areas of a list that lie in no known county, by their names."""
    return db.session.scalars(
        select(RiskArea)
        .join(RiskListEntry, RiskListEntry.area_id == RiskArea.id)
        .where(RiskListEntry.list_id == list_id, RiskArea.county_code.is_(None))
        .distinct()
        .order_by(RiskArea.province, RiskArea.city, RiskArea.county, RiskArea.id)
        .limit(limit)
    ).all()


def areas_naming(text: str, limit: int = SAMPLES) -> tuple[int, Sequence[RiskArea]]:
    """How many areas of the list in force have `text` in their names or words, and some of them, the least placed first."""
    current = in_force()
    if current is None or not text:
        return 0, ()
    named = or_(
        *(
            column.contains(text, autoescape=True)
            for column in (RiskArea.province, RiskArea.city, RiskArea.county, RiskArea.text)
        )
    )
    ids = (
        select(RiskArea.id)
        .join(RiskListEntry, RiskListEntry.area_id == RiskArea.id)
        .where(RiskListEntry.list_id == current.id, named)
        .distinct()
    )
    number = db.session.scalar(select(func.count()).select_from(ids.subquery())) or 0
    some = select(RiskArea).where(RiskArea.id.in_(ids)).order_by(RiskArea.depth, RiskArea.id).limit(limit)
    return number, db.session.scalars(some).all()


def open_listings() -> dict[Level, int]:
    """How many areas are listed now, by level."""
    rows = db.session.execute(
        select(RiskListing.level, func.count()).where(RiskListing.delisted_at.is_(None)).group_by(RiskListing.level)
    )
    counted = {Level(level): number for level, number in rows}
    return {level: counted.get(level, 0) for level in Level}


def was_published(list_: RiskList) -> bool:
    """Whether a version is, or was, in force and still counts."""
    return list_.state in (ListState.PUBLISHED, ListState.SUPERSEDED)
