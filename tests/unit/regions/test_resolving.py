"""What a text says about a place: one table for each way of writing it."""

import pytest

from checkpoint.regions import RegionIndex, Resolution, resolve, resolve_many

PINGHU, XINCANG, SHILU = "330482000000", "330482103000", "330482103218"

WHOLE = [
    ("浙江省嘉兴市平湖市新仓镇石路村", SHILU),
    ("浙江省嘉兴市平湖市新仓镇", XINCANG),
    ("浙江省嘉兴市平湖市", PINGHU),
    ("浙江省嘉兴市", "330400000000"),
    ("浙江省", "330000000000"),
    ("北京市海淀区中关村街道", "110108011000"),
    ("上海市浦东新区川沙新镇", "310115103000"),
    ("重庆市石柱土家族自治县", "500240000000"),
    ("湖北省仙桃市", "429004000000"),
    ("广东省东莞市虎门镇", "441900121000"),
    ("海南省儋州市那大镇", "460400100000"),
]
LEFT_OUT = [
    ("平湖市新仓镇石路村", SHILU),
    ("平湖新仓石路村", SHILU),
    ("浙江平湖新仓镇", XINCANG),
    ("嘉兴平湖", PINGHU),
    ("平湖", PINGHU),
    ("浙江省平湖市石路村", SHILU),
    ("吉林吉林船营", "220204000000"),
    ("北京市北京市海淀区", "110108000000"),
    ("浙平湖新仓", XINCANG),
    ("山东青岛市北", "370203000000"),
]
MISSPELT = [
    ("浙江省嘉兴市平胡市", PINGHU),
    ("浙江省嘉兴市平湖市新苍镇", XINCANG),
    ("浙江省加兴市平湖市新仓镇", XINCANG),
    ("折江省嘉兴市平湖市", PINGHU),
    ("浙江省嘉兴市湖平市新仓镇", XINCANG),
    ("浙江省嘉嘉兴市平湖市", PINGHU),
    ("浙江省兴市平湖市", PINGHU),
    ("江浙省嘉兴市平湖市", PINGHU),
    ("浙江省加兴市平胡市新仓镇", XINCANG),
    ("浙江省嘉兴市平湖市新仓镇石陆村", SHILU),
]
SCRIPT = [
    ("廣東省廣州市天河區", "440106000000"),
    ("臺灣省", "710000000000"),
    ("遼寧省瀋陽市鐵西區", "210106000000"),
    ("　浙 江　省，嘉兴市／平湖市。", PINGHU),
    ("浙江省\u200b平湖市", PINGHU),
    ("来自于浙江省平湖市(自驾)", PINGHU),
    ("现住浙江省>嘉兴市>平湖市", PINGHU),
    ("从浙江省平湖市来", PINGHU),
    ("从江县", "522633000000"),
    ("中华人民共和国浙江省平湖市", PINGHU),
]
LATIN = [
    ("zhejiangshengpinghushi", PINGHU),
    ("zhe jiang ping hu", PINGHU),
    ("Zhèjiāng Jiāxīng Pínghú", PINGHU),
    ("Pinghu, Jiaxing, Zhejiang", PINGHU),
    ("Pinghu City, Zhejiang Province, China", PINGHU),
    ("zhe2 jiang1 ping2 hu2", PINGHU),
    ("ZHEJIANG LVLIANG", None),
    ("shanxi lvliang", "141100000000"),
    ("shanxi luliang", "141100000000"),
    ("shaanxi xian changan", "610116000000"),
    ("xizang lasa", "540100000000"),
    ("Harbin", "230100000000"),
]
BACKWARDS = [
    ("新仓镇，平湖市，嘉兴市，浙江省", XINCANG),
    ("新仓镇 平湖市 浙江省", XINCANG),
    ("平湖市嘉兴市浙江省", PINGHU),
    ("东区攀枝花市四川省", "510402000000"),
]
OLD_NAMES = [
    ("北京市崇文区", "110101000000"),
    ("上海市闸北区", "310106000000"),
    ("天津市塘沽区", "120116000000"),
    ("湖北省襄樊市", "420600000000"),
    ("江苏省南京市下关区", "320106000000"),
    ("安徽省巢湖市居巢区", "340181000000"),
    ("安徽省巢湖市庐江县", "340124000000"),
    ("山东省莱芜市莱城区", "370116000000"),
    ("云南省思茅市翠云区", "530802000000"),
    ("浙江省绍兴县", "330603000000"),
    ("陕西省户县", "610118000000"),
    ("陕西省西安市高陵县", "610117000000"),
    ("江苏省吴江市", "320509000000"),
    ("福建省宁德地区福安县", "350981000000"),
    ("浙江省平湖市新仓乡", XINCANG),
    ("浙江省平湖市钟埭镇", "330482002000"),
    ("浙江省平湖市当湖街道办事处", "330482001000"),
]
ETHNIC = [
    ("贵州省沿河县", "520627000000"),
    ("恩施州恩施市", "422801000000"),
    ("内蒙古科右前旗", "152221000000"),
    ("前郭县", "220721000000"),
    ("云南红河州河口县", "532532000000"),
    ("内蒙呼和浩特", "150100000000"),
    ("新疆伊犁州", "654000000000"),
    ("辽宁凤城满族自治县", "210682000000"),
]
ZONES = [
    ("河北省廊坊市开发区祥云道", "131071000000"),
    ("河南省郑州市高新区", "410172000000"),
    ("吉林省长春市净月区", "220172000000"),
    ("江苏省南京市江北新区", "320100000000"),
    ("江苏省南京市江北新区葛塘街道", "320116004000"),
    ("陕西省西安市高新区", "610100000000"),
    ("陕西省西安市西咸新区沣东新城", "610100000000"),
    ("郑东新区", "410100000000"),
    ("浙江省平湖市经济开发区", PINGHU),
    ("新疆生产建设兵团第八师石河子市", "659001000000"),
    ("新疆生产建设兵团第一师", "659002000000"),
    ("新疆生产建设兵团", "650000000000"),
]
SPECIAL = [
    ("香港", "810000000000"),
    ("香港特别行政区九龙", "810000000000"),
    ("澳門氹仔", "820000000000"),
    ("台湾", "710000000000"),
    ("高雄市", "710000000000"),
]
NOTHING = [
    "",
    " ",
    "。",
    "不知道",
    "张三",
    "13912345678",
    "朋友家",
    "日本东京都",
    "韩国首尔",
    "华北",
    "出差",
    "火车站",
    "hello",
    "xyz",
    "云",
    "中国",
    "浙新仓平湖",
    "🚗🚗",
    "南京路步行街",
    "null",
]
AMBIGUOUS = [
    ("鼓楼区", {"320106000000", "320302000000", "350102000000", "410204000000"}),
    ("朝阳区", {"110105000000", "220104000000"}),
    ("通州区", {"110112000000", "320612000000"}),
    ("和平区", {"120101000000", "210102000000"}),
    ("henan qixian", {"410221000000", "410622000000"}),
    ("新仓镇", {"330482103000", "340825102000"}),
]
CONFLICTS = [
    ("上海市平湖市新仓镇", "330482"),
    ("杭州市平湖市", "330482"),
    ("江苏省杭州市西湖区", "330106"),
    ("忻州市滑县", "410526"),
]


def _code(index: RegionIndex, text: str) -> str | None:
    return resolve(text, index=index).code


@pytest.mark.parametrize(("text", "code"), WHOLE)
def test_official_names_give_certainty(index: RegionIndex, text: str, code: str) -> None:
    answer = resolve(text, index=index)
    assert answer.code == code
    assert answer.level == index.level(code)
    assert answer.confidence == 1.0
    assert not answer.candidates
    assert answer.rest == ""


@pytest.mark.parametrize(
    ("text", "code"), LEFT_OUT + MISSPELT + SCRIPT + LATIN + BACKWARDS + OLD_NAMES + ETHNIC + ZONES + SPECIAL
)
def test_a_place_is_found_however_it_is_written(index: RegionIndex, text: str, code: str | None) -> None:
    assert _code(index, text) == code


@pytest.mark.parametrize("text", NOTHING)
def test_nonsense_gives_nothing(index: RegionIndex, text: str) -> None:
    answer = resolve(text, index=index)
    assert answer == Resolution(None, None, 0.0, (), False, (), text)


@pytest.mark.parametrize(("text", "codes"), AMBIGUOUS)
def test_an_ambiguous_text_gives_candidates(index: RegionIndex, text: str, codes: set[str]) -> None:
    answer = resolve(text, index=index)
    assert answer.code is None
    assert answer.level is None
    assert set(answer.candidates) == codes
    assert not answer.conflict


def test_a_village_name_that_stands_twice_in_a_county_stops_at_the_county(index: RegionIndex) -> None:
    answer = resolve("遵义市习水县和平村", index=index)
    assert answer.code == "520330000000"
    assert len(answer.candidates) > 1
    assert {index.name(code)[:2] for code in answer.candidates} == {"和平"}


@pytest.mark.parametrize(("text", "county"), CONFLICTS)
def test_a_contradiction_is_a_conflict_with_the_true_county_among_the_candidates(
    index: RegionIndex, text: str, county: str
) -> None:
    answer = resolve(text, index=index)
    assert answer.conflict
    assert answer.code is None
    assert any(code.startswith(county) for code in answer.candidates)


def test_the_rest_and_the_spans_speak_of_the_original_text(index: RegionIndex) -> None:
    text = "浙江省，嘉興市 平湖市新仓镇双红路18号3幢"
    answer = resolve(text, index=index)
    assert answer.code == XINCANG
    assert answer.rest == "双红路18号3幢"
    assert [text[span.start : span.end] for span in answer.explained] == ["浙江省", "嘉興市", "平湖市", "新仓镇"]
    assert [span.code for span in answer.explained] == ["330000000000", "330400000000", PINGHU, XINCANG]
    assert {span.how for span in answer.explained} == {"full"}


def test_the_spans_of_a_backward_text_are_in_its_order(index: RegionIndex) -> None:
    text = "新仓镇, 平湖市, 浙江省"
    answer = resolve(text, index=index)
    assert [text[span.start : span.end] for span in answer.explained] == ["新仓镇", "平湖市", "浙江省"]


@pytest.mark.parametrize("text", ["浙江省平湖市新华路8号", "浙江省平湖市人民广场", "平湖市建设大道12号院"])
def test_a_road_is_not_a_town(index: RegionIndex, text: str) -> None:
    assert _code(index, text) == PINGHU


def test_a_less_certain_form_lowers_the_confidence(index: RegionIndex) -> None:
    whole, short, wrong = (
        resolve(text, index=index) for text in ("浙江省平湖市新仓镇", "浙江平湖新仓", "浙江省平湖市新苍镇")
    )
    assert whole.code == short.code == wrong.code == XINCANG
    assert whole.confidence > short.confidence > wrong.confidence > 0.5


def test_within_narrows_the_search(index: RegionIndex) -> None:
    assert resolve("鼓楼区", "3501", index=index).code == "350102000000"
    assert resolve("鼓楼区", "320100000000", index=index).code == "320106000000"
    assert resolve("新仓镇石路村", "330482", index=index).code == SHILU
    assert resolve("新仓镇", "990000", index=index).code is None


def test_many_texts_come_back_in_order(index: RegionIndex) -> None:
    texts = ["平湖市", "不知道", "北京市", "平湖市"]
    assert [answer.code for answer in resolve_many(texts, index=index)] == [PINGHU, None, "110000000000", PINGHU]
    assert resolve_many(texts, index=index) == [resolve(text, index=index) for text in texts]
