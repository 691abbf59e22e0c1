"""A small division tree: the guarded city with its towns and some villages, its neighbours, and a few places far away.

Names and codes are the national ones, so that the same tests also pass on the whole tree.
"""

from sqlalchemy import insert
from sqlalchemy.orm import Session

from checkpoint.regions.models import Division
from checkpoint.regions.places import DivisionRow
from checkpoint.regions.source import full_name

SITE = "330482000000"
TOWN = "330482101000"  # 乍浦镇
OTHER_TOWN = "330482102000"  # 新埭镇
VILLAGE = "330482101203"  # 八字村, of TOWN
SECOND_VILLAGE = "330482101027"  # 雅山社区, of TOWN
OTHER_VILLAGE = "330482102006"  # 新埭社区, of OTHER_TOWN
NEIGHBOUR = "310116000000"  # 上海市金山区
NEIGHBOUR_TOWN = "310116102000"  # 枫泾镇
SAME_PROVINCE = "330421000000"  # 嘉善县
FAR_AWAY = "420103000000"  # 武汉市江汉区

_NAMES = {
    "11": "北京市",
    "1101": "市辖区",
    "110105": "朝阳区",
    "110105001": "建外街道",
    "21": "辽宁省",
    "2113": "朝阳市",
    "211302": "双塔区",
    "31": "上海市",
    "3101": "市辖区",
    "310115": "浦东新区",
    "310116": "金山区",
    "310116001": "石化街道",
    "310116101": "朱泾镇",
    "310116102": "枫泾镇",
    "310116102001": "和平居委会",
    "310116102005": "友好居委会",
    "310116107": "廊下镇",
    "310116109": "金山卫镇",
    "32": "江苏省",
    "3205": "苏州市",
    "320509": "吴江区",
    "33": "浙江省",
    "3304": "嘉兴市",
    "330402": "南湖区",
    "330411": "秀洲区",
    "330421": "嘉善县",
    "330421001": "魏塘街道",
    "330421002": "罗星街道",
    "330481": "海宁市",
    "330482": "平湖市",
    "330482001": "当湖街道",
    "330482001021": "东湖社区居委会",
    "330482001036": "三港新城社区居委会",
    "330482001204": "塘桥村村民委员会",
    "330482002": "钟埭街道",
    "330482002006": "钟南社区居委会",
    "330482003": "曹桥街道",
    "330482003200": "曹桥村村民委员会",
    "330482101": "乍浦镇",
    "330482101027": "雅山社区居委会",
    "330482101203": "八字村村民委员会",
    "330482102": "新埭镇",
    "330482102006": "新埭社区居委会",
    "330482102007": "虹桥景苑社区居委会",
    "330482103": "新仓镇",
    "330482103007": "芦川社区居民委员会",
    "330482106": "广陈镇",
    "330482106003": "广陈社区居委会",
    "330482107": "林埭镇",
    "330482107200": "陈匠村村民委员会",
    "330482108": "独山港镇",
    "330482108004": "独山港社区居委会",
    "42": "湖北省",
    "4201": "武汉市",
    "420103": "江汉区",
    "71": "台湾省",
    "81": "香港特别行政区",
    "82": "澳门特别行政区",
}
_LEVEL = {2: 1, 4: 2, 6: 3, 9: 4, 12: 5}
_PARENT = {4: 2, 6: 4, 9: 6, 12: 9}


def rows() -> list[DivisionRow]:
    """The tree, parents before children."""
    ordered = sorted(_NAMES.items(), key=lambda item: (len(item[0]), item[0]))
    return [DivisionRow(digits.ljust(12, "0"), name, _LEVEL[len(digits)], _parent(digits)) for digits, name in ordered]


def _parent(digits: str) -> str | None:
    width = _PARENT.get(len(digits))
    return digits[:width].ljust(12, "0") if width else None


def _chain(digits: str) -> list[str]:
    return [_NAMES[digits[:width]] for width in (2, 4, 6, 9, 12) if width <= len(digits)]


def insert_divisions(session: Session) -> None:
    """Store the tree."""
    full_names = {digits.ljust(12, "0"): full_name(_chain(digits)) for digits in _NAMES}
    values = [{**row._asdict(), "full_name": full_names[row.code], "retired": False} for row in rows()]
    for value in values:
        value["parent_code"] = value.pop("parent")
    session.execute(insert(Division), values)
