"""Where listed entries are placed: as deep as is certain, never deeper, and again once an alias says more."""

from datetime import datetime

import pytest
from sqlalchemy import select

from checkpoint.database import db
from checkpoint.regions.service import add_alias
from checkpoint.risk import queries
from checkpoint.risk.importing import SiteRegions, import_list
from checkpoint.risk.levels import Level
from checkpoint.risk.lists import Entry, ParsedList
from checkpoint.risk.models import RiskArea, RiskList, RiskListing
from checkpoint.risk.placing import Placed, Placer, beginning
from checkpoint.risk.publishing import publish
from checkpoint.risk.reconsidering import reconsider
from checkpoint.risk.service import current_state
from tests.factories import divisions, people

JINSHAN, FENGJING, HEPING = "310116000000", "310116102000", "310116102001"
CHAOYANG, JIANWAI = "110105000000", "110105001000"
JIAXING, PINGHU = "330400000000", divisions.SITE


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("province", "city", "county", "text", "wanted"),
    [
        ("上海市", "上海市", "金山区", "枫泾镇青禾家园3号楼", Placed(FENGJING, JINSHAN, 4)),
        ("上海市", "上海市", "金山区", "金山区枫泾镇全域", Placed(FENGJING, JINSHAN, 4)),
        ("上海市", "上海市", "金山区", "枫泾镇和平居委会12号", Placed(HEPING, JINSHAN, 5)),
        ("上海市", "上海市", "金山区", "枫泾镇（除高风险区以外）", Placed(FENGJING, JINSHAN, 4)),
        ("上海市", "上海市", "金山区", "除高风险区以外的其他区域", Placed(JINSHAN, JINSHAN, 3)),
        # A bare stem is an estate or a road more often than the town or community of that name.
        ("上海市", "上海市", "金山区", "枫泾苑3号楼", Placed(JINSHAN, JINSHAN, 3)),
        ("上海市", "上海市", "金山区", "枫泾镇友好路59号", Placed(FENGJING, JINSHAN, 4)),
        # A name that is nearly another one is another place.
        ("上海市", "上海市", "金山区", "朱径镇东街3号", Placed(JINSHAN, JINSHAN, 3)),
        # What stands behind the estate's name names no division of the entry.
        ("上海市", "上海市", "金山区", "东湖花园靠近枫泾镇一侧", Placed(JINSHAN, JINSHAN, 3)),
        # In Beijing the city column holds the district and the county column the town.
        ("北京市", "朝阳区", "建外街道", "永安里5号楼", Placed(JIANWAI, CHAOYANG, 4)),
        ("浙江省", "嘉兴市", "平湖市", "乍浦镇八字村11组", Placed(divisions.VILLAGE, PINGHU, 5)),
        # A development zone is in no national code: it stands at its city, unless the text names a town in full.
        ("浙江省", "嘉兴市", "经开区", "科创大厦2号楼", Placed(JIAXING, None, 2)),
        ("浙江省", "嘉兴市", "经开区", "乍浦镇滨海大道1号", Placed(divisions.TOWN, PINGHU, 4)),
        ("火星省", "奥林匹斯市", "陨石区", "一号坑", Placed(None, None, 0)),
    ],
)
def test_places(province: str, city: str, county: str, text: str, wanted: Placed) -> None:
    assert Placer(SiteRegions()).place(Entry(Level.HIGH, province, city, county, text)) == wanted


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_a_code_of_the_table_wins_over_its_names() -> None:
    entry = Entry(Level.HIGH, "浙江省", "嘉兴市", "写错了", "八字村11组", divisions.TOWN)
    assert Placer(SiteRegions()).place(entry) == Placed(divisions.VILLAGE, PINGHU, 5)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("枫泾镇青禾家园3号楼、5号楼", "枫泾镇青禾家园"),
        ("枫泾镇（除高风险区以外）", "枫泾镇"),
        ("友谊31社区12号", "友谊31社区"),
        ("第八师121团三连", "第八师121团三连"),
        ("8号", "8号"),
        ("", ""),
    ],
)
@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_the_part_that_may_name_a_division(text: str, wanted: str) -> None:
    assert beginning(text) == wanted


def zone_list(at: datetime) -> RiskList:
    entries = (
        Entry(Level.HIGH, "浙江省", "嘉兴市", "独山新区", "科创大厦2号楼", None, 1),
        Entry(Level.LOW, "浙江省", "嘉兴市", "平湖市", "乍浦镇全域", None, 2),
    )
    return import_list(ParsedList("zone.json", at, entries), actor=people.operator(), at=at)


def test_what_cannot_be_placed_is_kept_counted_and_listed(at: datetime) -> None:
    version = zone_list(at)
    assert (version.total, version.county_count, version.town_count, version.unresolved_count) == (2, 1, 1, 1)
    (area,) = queries.unplaced_areas(version.id)
    assert (area.text, area.code, area.depth) == ("科创大厦2号楼", JIAXING, 2)


def test_an_alias_places_it_afterwards_also_in_what_is_in_force(at: datetime) -> None:
    version = zone_list(at)
    publish(version.id, actor=people.operator(), at=at)
    before = current_state(at).version
    assert reconsider(actor=people.operator(), at=at) == 0
    add_alias("独山新区", "330482108000", actor=people.operator(), at=at)
    assert reconsider(actor=people.operator(), at=at) == 1
    db.session.expire_all()
    area = db.session.scalars(select(RiskArea).where(RiskArea.text == "科创大厦2号楼")).one()
    assert (area.code, area.county_code, area.depth) == ("330482108000", PINGHU, 4)
    counties = db.session.scalars(select(RiskListing.county_code)).all()
    assert list(counties) == [PINGHU, PINGHU]
    assert current_state(at).version == before + 1
    stored = queries.get(version.id)
    assert (stored.county_count, stored.town_count) == (2, 2)
