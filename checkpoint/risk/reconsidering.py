"""Placing again what no list could place, once aliases have been added. Texts and listing times stay; only the place is filled in."""

from datetime import datetime

from sqlalchemy import select, update

from checkpoint.accounts.permissions import Actor
from checkpoint.audit import service as audit
from checkpoint.database import db, transaction
from checkpoint.risk.changes import Touched, record_change
from checkpoint.risk.importing import SiteRegions
from checkpoint.risk.levels import Level
from checkpoint.risk.lists import Entry
from checkpoint.risk.models import ChangeCause, RiskArea, RiskList, RiskListEntry, RiskListing
from checkpoint.risk.placing import TOWN, Placed, Placer
from checkpoint.risk.publishing import locked_state


def reconsider(*, actor: Actor, at: datetime) -> int:
    """Place the areas that lie in no county; returns how many found one. What is in force changes its version if any did."""
    placer = Placer(SiteRegions())
    found: list[tuple[int, Placed]] = []
    for area in db.session.scalars(select(RiskArea).where(RiskArea.county_code.is_(None))):
        placed = placer.place(Entry(Level.LOW, area.province, area.city, area.county, area.text))
        if placed.county is not None:
            found.append((area.id, placed))
    if not found:
        return 0
    with transaction() as session:
        state = locked_state(session, at)
        touched = Touched()
        for area_id, placed in found:
            session.execute(
                update(RiskArea)
                .where(RiskArea.id == area_id)
                .values(code=placed.code, county_code=placed.county, depth=placed.depth)
            )
            listed = session.execute(
                update(RiskListing)
                .where(RiskListing.area_id == area_id)
                .values(county_code=placed.county)
                .returning(RiskListing.listed_at)
                .execution_options(synchronize_session=False)
            ).scalars()
            for listed_at in listed:
                touched.open(placed.county, listed_at)
            lists = select(RiskListEntry.list_id).where(RiskListEntry.area_id == area_id)
            deeper = {RiskList.county_count: RiskList.county_count + 1}
            if placed.depth >= TOWN:
                deeper[RiskList.town_count] = RiskList.town_count + 1
            session.execute(update(RiskList).where(RiskList.id.in_(lists)).values(deeper))
        record_change(session, state, ChangeCause.PLACE, actor=actor.key, at=at, touched=touched, list_id=state.list_id)
        audit.record(
            at=at,
            actor_kind=actor.kind,
            actor_id=actor.id,
            act="risk_area.place",
            object_type="risk_list",
            object_id=state.list_id,
            data={"placed": len(found)},
        )
    return len(found)
