"""How a division's name is written in practice: with and without its suffix, its peoples, its committee.

Each form carries a quality, the lower the better.
"""

import re
from functools import lru_cache

FULL, SHORT, STEM, OTHER, ABBREVIATION, ZONE = range(6)

# The 55 peoples as they stand in the names of autonomous divisions, longest first so that 哈萨克 goes before 哈.
_PEOPLES = (
    "柯尔克孜",
    "乌孜别克",
    "维吾尔",
    "哈萨克",
    "达斡尔",
    "塔吉克",
    "俄罗斯",
    "鄂温克",
    "塔塔尔",
    "鄂伦春",
    "蒙古",
    "布依",
    "朝鲜",
    "土家",
    "哈尼",
    "傈僳",
    "高山",
    "拉祜",
    "东乡",
    "纳西",
    "景颇",
    "仫佬",
    "布朗",
    "撒拉",
    "毛南",
    "仡佬",
    "锡伯",
    "阿昌",
    "普米",
    "德昂",
    "保安",
    "裕固",
    "独龙",
    "赫哲",
    "门巴",
    "珞巴",
    "基诺",
    "回",
    "藏",
    "苗",
    "彝",
    "壮",
    "满",
    "侗",
    "瑶",
    "白",
    "傣",
    "黎",
    "佤",
    "畲",
    "水",
    "土",
    "羌",
    "怒",
    "京",
    "各",
)
_PEOPLE = "(?:" + "|".join(f"{people}族" for people in _PEOPLES) + ")"
# 维吾尔, 蒙古, 哈萨克, 柯尔克孜 … stand without 族 in autonomous prefectures and counties.
_BARE = "(?:" + "|".join(people for people in _PEOPLES if len(people) > 1) + ")"
PEOPLES = f"(?:{_PEOPLE}|{_BARE})"
_AUTONOMOUS = re.compile(rf"^(.{{1,6}}?)(?:{_PEOPLE}|{_BARE})+(自治区|自治州|自治县|自治旗|民族乡|乡|镇)$")
_UPPER_SUFFIX = re.compile(
    r"(?:特别行政区|(?<=..)新区|自治州|自治县|自治旗|自治区|行政委员会|地区|林区|特区|省|市|州|盟|县|区|旗)$"
)
_TOWN_SUFFIX = re.compile(
    r"(?:街道办事处|地区办事处|人民办事处|办事处|民族苏木|民族乡|街道|苏木|镇|乡|街|地区|管理委员会|管委会|社会事务服务中心|综合服务中心)$"
)
_COMMITTEE = re.compile(
    r"(?:(?:村民|居民|牧民|农牧民)?委员会|居民委会|村民委会|居委会|村委会|牧委会|民委会|家委会|居委|村委)$"
)
_VILLAGE_SUFFIX = re.compile(r"(?:社区村|行政村|自然村|农牧社区|社区|嘎查村|嘎查|牧业村|渔业村|新村|村)$")

PROVINCE_SHORT = {
    "11": ("北京", "京"),
    "12": ("天津", "津"),
    "13": ("河北", "冀"),
    "14": ("山西", "晋"),
    "15": ("内蒙古", "内蒙", "蒙"),
    "21": ("辽宁", "辽"),
    "22": ("吉林", "吉"),
    "23": ("黑龙江", "黑"),
    "31": ("上海", "沪"),
    "32": ("江苏", "苏"),
    "33": ("浙江", "浙"),
    "34": ("安徽", "皖"),
    "35": ("福建", "闽"),
    "36": ("江西", "赣"),
    "37": ("山东", "鲁"),
    "41": ("河南", "豫"),
    "42": ("湖北", "鄂"),
    "43": ("湖南", "湘"),
    "44": ("广东", "粤"),
    "45": ("广西", "桂"),
    "46": ("海南", "琼"),
    "50": ("重庆", "渝"),
    "51": ("四川", "川", "蜀"),
    "52": ("贵州", "贵", "黔"),
    "53": ("云南", "云", "滇"),
    "54": ("西藏", "藏"),
    "61": ("陕西", "陕", "秦"),
    "62": ("甘肃", "甘", "陇"),
    "63": ("青海", "青"),
    "64": ("宁夏", "宁"),
    "65": ("新疆", "新"),
    "71": ("台湾", "台"),
    "81": ("香港", "港"),
    "82": ("澳门", "澳"),
}
# How an autonomous region is named besides its official name.
_PROVINCE_OTHER = {
    "15": ("内蒙古省", "内蒙省", "内蒙自治区"),
    "45": ("广西省", "广西自治区", "广西壮族"),
    "54": ("西藏省",),
    "64": ("宁夏省", "宁夏自治区", "宁夏回族"),
    "65": ("新疆省", "新疆自治区", "新疆维吾尔"),
    "71": ("台湾地区", "台湾"),
    "81": ("香港特区", "香港"),
    "82": ("澳门特区", "澳门"),
    "11": ("北京省",),
    "31": ("上海省",),
}

Forms = dict[str, int]


def province_forms(code: str, name: str) -> Forms:
    """浙江省 → 浙江省 (full), 浙江 (stem), 浙 (abbreviation)."""
    forms: Forms = {name: FULL}
    for form in _PROVINCE_OTHER.get(code[:2], ()):
        forms.setdefault(form, SHORT)
    for form in PROVINCE_SHORT[code[:2]]:
        forms.setdefault(form, STEM if len(form) > 1 else ABBREVIATION)
    return forms


@lru_cache(maxsize=4096)
def upper_stem(name: str) -> str:
    """A city's or county's name without its peoples and suffix: 道真仡佬族苗族自治县 → 道真, 滑县 → 滑."""
    if match := _AUTONOMOUS.match(name):
        return match[1]
    stem = _UPPER_SUFFIX.sub("", name) or name
    return stem[:-1] if stem.endswith("族") and len(stem) > 2 else stem


def upper_forms(name: str) -> Forms:
    """The forms of a city or a county. A stem of one character (滑) stands for nothing by itself."""
    forms: Forms = {name: FULL}
    stem = upper_stem(name)
    if match := _AUTONOMOUS.match(name):
        kind = match[2]
        forms.setdefault(stem + kind, SHORT)
        forms.setdefault(stem + kind[-1], SHORT)
        peoples = name[len(stem) : -len(kind)]
        forms.setdefault(stem + peoples + kind[-1], SHORT)
        if len(stem) > 1:
            forms.setdefault(stem + peoples, STEM)
    elif name.endswith(("自治县", "自治旗")):
        forms.setdefault(stem + name[-1], SHORT)
        forms.setdefault(stem + "族", SHORT)
    elif name.endswith("地区"):
        forms.setdefault(stem + "市", SHORT)
    if name.endswith("新区"):
        forms.setdefault(name[:-1], STEM)
    if len(stem) > 1:
        forms.setdefault(stem, STEM)
    return forms


def town_stem(name: str) -> str:
    """A town's name without its suffix and peoples: 当湖街道 → 当湖, 上冶彝族乡 → 上冶."""
    if match := _AUTONOMOUS.match(name):
        return match[1]
    return _TOWN_SUFFIX.sub("", name) or name


def town_forms(name: str) -> Forms:
    """The forms of a town, street or farm."""
    forms: Forms = {name: FULL}
    stem = town_stem(name)
    if match := _AUTONOMOUS.match(name):
        forms.setdefault(stem + match[2][-1], SHORT)
    if name.endswith("街道"):
        forms.setdefault(name + "办事处", FULL)
        forms.setdefault(stem + "办事处", SHORT)
    if len(stem) > 1:
        forms.setdefault(stem, STEM)
    return forms


def village_short(name: str) -> str:
    """A village's or community's name without its committee: 石路村民委员会 → 石路村, 东湖社区居委会 → 东湖社区."""
    short = _COMMITTEE.sub("", name)
    if not short or short == name:
        return name
    if short.endswith(("村", "社区", "嘎查", "牧场", "农场")):
        return short
    if name.endswith(("村委会", "村民委员会")):
        return short + "村"
    return name if len(short) < 3 else short


def village_stem(name: str) -> str:
    """A village's name without committee and kind: 石路村村民委员会 → 石路."""
    short = village_short(name)
    return _VILLAGE_SUFFIX.sub("", short) or short


def village_forms(name: str) -> Forms:
    """The forms of a village or community; a bare stem is a form only from two characters on, and 第一 is none."""
    forms: Forms = {name: FULL}
    short = village_short(name)
    forms.setdefault(short, FULL)
    bare = _COMMITTEE.sub("", name) or name
    stem = village_stem(name)
    if bare != name and not bare.endswith(("村", "社区", "嘎查")):
        forms.setdefault(bare + ("社区" if "居" in name[len(bare) :] else "村"), SHORT)
    for form in (bare, stem):
        if len(form) > 1 and not form.startswith("第"):
            forms.setdefault(form, STEM)
    return forms


def forms_of(code: str, name: str, level: int) -> Forms:
    """Every way to write a division's own name, with the quality of each."""
    if level == 1:
        return province_forms(code, name)
    if level <= 3:
        # The zones that the statistics count as counties have forms of their own.
        return {name: FULL} if level == 3 and "71" <= code[4:6] <= "79" else upper_forms(name)
    return town_forms(name) if level == 4 else village_forms(name)
