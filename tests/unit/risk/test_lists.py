"""Reading published risk lists: what is understood, what is named as wrong, what is refused."""

import io
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from checkpoint.risk.levels import Level
from checkpoint.risk.lists import Entry, ParsedList, UnreadableList, WrongRow, fingerprint, parse, published
from checkpoint.risk.sample import parse_sample

HEADER = "等级,省,市,县,社区\n"
ROW = "高,浙江省,嘉兴市,嘉善县,魏塘街道亭桥花苑3幢\n"
SHARED = Path(__file__).resolve().parents[4] / "shared" / "risk-lists"


def group(county: str, *texts: Any) -> dict[str, Any]:
    return {
        "type": "2",
        "province": "浙江省",
        "city": "嘉兴市",
        "county": county,
        "area_name": "",
        "communitys": list(texts),
    }


def national(**parts: Any) -> bytes:
    return json.dumps({"data": {"end_update_time": "2022-08-12 15时", **parts}}).encode()


def workbook(*rows: tuple[Any, ...]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def archive(**parts: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in parts.items():
            file.writestr(name.replace("__", "/"), text)
    return out.getvalue()


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2022-08-12 15时", datetime(2022, 8, 12, 7, tzinfo=UTC)),
        ("2022-08-12 15：30", datetime(2022, 8, 12, 7, 30, tzinfo=UTC)),
        ("2022-08-12T15:30:10", datetime(2022, 8, 12, 7, 30, tzinfo=UTC)),
        ("2022年8月2日0时", datetime(2022, 8, 1, 16, tzinfo=UTC)),
        ("截至2022年8月2日24时", datetime(2022, 8, 2, 16, tzinfo=UTC)),
        ("2022/8/2", datetime(2022, 8, 1, 16, tzinfo=UTC)),
        ("2022-02-30 15时", None),
        ("2022-08-12 25时", None),
        ("昨天", None),
        ("", None),
    ],
)
def test_published_times_are_in_china(text: str, wanted: datetime | None) -> None:
    assert published(text) == wanted


def test_national_format() -> None:
    data = national(
        hcount=2,
        mcount=1,
        highlist=[group("嘉善县", "\u200b亭桥花苑3幢 ", "东街")],
        middlelist=[group("海盐县", "西街")],
    )
    parsed = parse(data, "../lists/2022081215.json")
    assert parsed.source == "2022081215.json"
    assert parsed.published_at == datetime(2022, 8, 12, 7, tzinfo=UTC)
    assert [(e.level, e.county, e.text, e.row) for e in parsed.entries] == [
        (Level.HIGH, "嘉善县", "亭桥花苑3幢", 1),
        (Level.HIGH, "嘉善县", "东街", 2),
        (Level.MIDDLE, "海盐县", "西街", 3),
    ]
    assert parsed.counts == {Level.HIGH: 2, Level.MIDDLE: 1, Level.LOW: 0}
    assert parsed.wrong_rows == ()


def test_blank_placeholder_is_no_entry_and_no_error() -> None:
    blank = {"type": "", "province": "", "city": "", "county": "", "area_name": "", "communitys": []}
    parsed = parse(national(hcount=1, highlist=[blank, group("嘉善县", "东街")]), "x.json")
    assert (len(parsed.entries), parsed.wrong_rows) == (1, ())


@pytest.mark.parametrize(
    ("groups", "wanted"),
    [
        ([group("嘉善县", "东街", 7)], WrongRow(2, "shape")),
        ([group("嘉善县", "东街", " ")], WrongRow(2, "text_missing")),
        ([group("", "东街")], WrongRow(1, "county_missing")),
        ([group("县" * 65, "东街")], WrongRow(1, "too_long")),
        ([group("嘉善县", "街" * 2001)], WrongRow(1, "too_long")),
        ([{**group("嘉善县"), "communitys": "东街"}], WrongRow(1, "shape")),
        ([{**group("嘉善县", "东街"), "province": ["浙江省"]}], WrongRow(1, "shape")),
        (["东街"], WrongRow(1, "shape")),
        ({"a": 1}, WrongRow(0, "shape")),
    ],
)
def test_wrong_entries_are_named_by_number(groups: Any, wanted: WrongRow) -> None:
    assert wanted in parse(national(highlist=groups, lowlist=[]), "x.json").wrong_rows


def test_a_count_that_differs_from_what_is_there_is_reported() -> None:
    cut_off = national(hcount=3, highlist=[group("嘉善县", "东街")])
    assert parse(cut_off, "x.json").wrong_rows == (WrongRow(0, "count"),)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_in_every_encoding(encoding: str, delimiter: str) -> None:
    data = (HEADER + ROW).replace(",", delimiter).encode(encoding)
    (entry,) = parse(data, "list.csv").entries
    assert entry == Entry(Level.HIGH, "浙江省", "嘉兴市", "嘉善县", "魏塘街道亭桥花苑3幢", None, 2)


@pytest.mark.parametrize(
    "header",
    [
        "level,province,city,county,text\n",
        "风险等级,省份,地市,区县,详细地址\n",
        "Level , PROVINCE,City,County,Community\n",
    ],
)
def test_headers_in_other_words(header: str) -> None:
    assert len(parse((header + ROW).encode(), "list.csv").entries) == 1


def test_columns_in_any_order_with_a_code_and_without_a_city() -> None:
    parsed = parse("社区,县,代码,省,等级\n东街,,330421,浙江省,low\n".encode(), "list.csv")
    assert parsed.entries == (Entry(Level.LOW, "浙江省", "", "", "东街", "330421000000", 2),)


@pytest.mark.parametrize(
    ("row", "cause"),
    [
        ("极高,浙江省,嘉兴市,嘉善县,东街", "level_unknown"),
        (",浙江省,嘉兴市,嘉善县,东街", "level_unknown"),
        ("高,,嘉兴市,嘉善县,东街", "province_missing"),
        ("高,浙江省,嘉兴市,,东街", "county_missing"),
        ("高,浙江省,嘉兴市,嘉善县,", "text_missing"),
        ("高,浙江省,嘉兴市,嘉善县", "text_missing"),
        ('高,浙江省,嘉兴市,嘉善县,"=HYPERLINK(""http://x"")"', "formula"),
    ],
)
def test_wrong_rows_of_a_table_are_named_by_line(row: str, cause: str) -> None:
    parsed = parse(f"{HEADER}{ROW}\n{row}\n{ROW}".encode(), "list.csv")
    assert parsed.wrong_rows == (WrongRow(4, cause),)
    assert len(parsed.entries) == 2


def test_a_wrong_code_is_named() -> None:
    parsed = parse("等级,省,县,社区,代码\n高,浙江省,嘉善县,东街,33042\n".encode(), "list.csv")
    assert parsed.wrong_rows == (WrongRow(2, "code_invalid"),)


def test_rows_after_a_cell_of_two_lines_keep_their_line_number() -> None:
    parsed = parse((HEADER + '高,浙江省,嘉兴市,嘉善县,"东街\n西街"\n坏,a,b,c,d\n').encode(), "list.csv")
    assert parsed.wrong_rows == (WrongRow(4, "level_unknown"),)


def test_workbook() -> None:
    data = workbook(
        ("等级", "省", "市", "县", "社区", "代码"),
        ("高", "浙江省", "嘉兴市", "嘉善县", "东街", 330421),
        (None, None, None, None, None, None),
        ("中", "浙江省", "嘉兴市", "嘉善县", "=1+1", None),
        ("无", "浙江省", "嘉兴市", "嘉善县", "西街", None),
    )
    parsed = parse(data, "list.xlsx")
    assert parsed.entries == (Entry(Level.HIGH, "浙江省", "嘉兴市", "嘉善县", "东街", "330421000000", 2),)
    assert parsed.wrong_rows == (WrongRow(4, "formula"), WrongRow(5, "level_unknown"))


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (b"", "empty"),
        (b" \n\n", "empty"),
        (b"{broken", "not_json"),
        (b"[" * 100_000, "not_json"),
        (b"[]", "not_a_list"),
        (b'{"data": {"highlist": 3}}', "not_a_list"),
        (b'{"data": {"highlist": []}}', "nothing"),
        (b'{"data": {"highlist": ["\xff\xff"]}}', "encoding"),
        (b"PK\x03\x04 not a zip", "not_a_workbook"),
        (archive(a="b"), "not_a_workbook"),
        (archive(xl__workbook="x"), "not_a_workbook"),
        (archive(**{"xl__workbook.xml": "<!DOCTYPE x [<!ENTITY a 'b'>]><x/>"}), "hostile_workbook"),
        (archive(**{"xl__workbook.xml": "<x/>"}), "not_a_workbook"),
        (archive(**{"xl__workbook.xml": "<x/>", **{f"p{n}": "" for n in range(2001)}}), "hostile_workbook"),
        (b"\xff\xff\xff", "encoding"),
        (b"a\x00b,c\n", "not_a_table"),
        ("省,市\n1,2\n".encode(), "header"),
        ("你好".encode(), "header"),
        (HEADER.encode(), "nothing"),
        ((HEADER + '高,"浙江省,').encode(), "not_a_table"),
    ],
)
def test_unreadable_files_are_refused_in_a_sentence(data: bytes, cause: str) -> None:
    with pytest.raises(UnreadableList) as raised:
        parse(data, "x")
    assert raised.value.cause == cause
    assert str(raised.value).endswith(".") or str(raised.value).endswith(").")


def test_a_workbook_that_unpacks_without_end_is_refused() -> None:
    bomb = archive(**{"xl__workbook.xml": "<x/>", "xl__worksheets__sheet1.xml": "0" * (201 * 1024 * 1024)})
    assert len(bomb) < 1024 * 1024
    with pytest.raises(UnreadableList) as raised:
        parse(bomb, "x.xlsx")
    assert raised.value.cause == "hostile_workbook"


def changed(data: bytes, part: str, old: bytes, new: bytes) -> bytes:
    """A workbook with something else in one of its parts."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(packed, "w") as made:
        for info in archive.infolist():
            content = archive.read(info)
            assert info.filename != part or old in content
            made.writestr(info.filename, content.replace(old, new) if info.filename == part else content)
    return packed.getvalue()


def test_a_row_of_an_endless_number_is_hostile() -> None:
    good = workbook(("等级", "省", "市", "县", "社区"), ("高", "浙江省", "嘉兴市", "嘉善县", "东街"))
    sheet = "xl/worksheets/sheet1.xml"
    assert parse(changed(good, sheet, b'r="2"', b'r="200"'), "x").entries[0].row == 200
    with pytest.raises(UnreadableList) as raised:
        parse(changed(good, sheet, b'r="2"', b'r="99999999999999999999"'), "x")
    assert raised.value.cause == "hostile_workbook"


def test_a_part_that_does_not_unpack_is_no_workbook() -> None:
    raw = bytearray(archive(**{"xl__workbook.xml": "<x/>" * 100}))
    start = 30 + len("xl/workbook.xml")
    raw[start : start + 12] = b"\xff" * 12
    with pytest.raises(UnreadableList) as raised:
        parse(bytes(raw), "x")
    assert raised.value.cause == "not_a_workbook"


def test_half_a_character_is_left_out() -> None:
    area = {"province": "浙江省", "city": "嘉兴市", "county": "嘉善县", "communitys": ["东\ud800街", "西街\udfff"]}
    parsed = parse(json.dumps({"highlist": [area]}).encode(), "x")
    assert [entry.text for entry in parsed.entries] == ["东街", "西街"]


def test_too_large_a_file_is_refused_before_it_is_read() -> None:
    with pytest.raises(UnreadableList) as raised:
        parse(b"x" * (32 * 1024 * 1024 + 1), "x.csv")
    assert raised.value.cause == "too_large"


def test_the_same_place_in_other_widths_is_one_place() -> None:
    one = Entry(Level.HIGH, "浙江省", "嘉兴市", "嘉善县", "东街3号楼(A座)")
    other = Entry(Level.LOW, "浙江省", "嘉兴市", "嘉善县", "东街 ３号楼（Ａ座）\u200b", row=9)
    assert fingerprint(one) == fingerprint(other)
    assert fingerprint(one) != fingerprint(Entry(Level.HIGH, "浙江省", "嘉兴市", "嘉善县", "东街13号楼(A座)"))


def test_checksum_ignores_the_order_and_sees_level_and_time() -> None:
    def checksum(rows: str, told: datetime | None = None) -> str:
        parsed = parse((HEADER + rows).encode(), "list.csv")
        again = ParsedList("other", told, parsed.entries)
        return again.checksum(again.fingerprints())

    second = ROW.replace("3幢", "4幢")
    assert checksum(ROW + second) == checksum(second + ROW)
    assert checksum(ROW) != checksum(ROW.replace("高", "中", 1))
    assert checksum(ROW) != checksum(ROW, datetime(2022, 8, 12, tzinfo=UTC))


def test_a_file_cannot_pass_for_the_shipped_sample() -> None:
    assert parse((HEADER + ROW).encode(), "folder/sample").source == "sample (file)"


def test_the_shipped_sample_is_right_and_shows_every_level() -> None:
    sample = parse_sample()
    assert sample.wrong_rows == ()
    assert len(sample.entries) >= 40
    assert all(sample.counts.values())


def test_every_shared_list_reads_without_a_wrong_row() -> None:
    if not SHARED.is_dir():
        pytest.skip("no ../shared/risk-lists on this machine: the national lists are not part of the project")
    for path in sorted(SHARED.glob("*.json"))[::13]:
        parsed = parse(path.read_bytes(), path.name)
        assert parsed.wrong_rows == (), path.name
        assert parsed.published_at is not None, path.name
