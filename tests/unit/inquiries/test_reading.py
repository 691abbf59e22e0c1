"""Files as they come: encodings, separators, quotation marks, workbooks, JSON; and files that mean harm."""

import json
import zipfile
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from openpyxl import Workbook

from checkpoint.inquiries.blocking import Blocker, sound
from checkpoint.inquiries.chunks import Layout, read_table
from checkpoint.inquiries.columns import UnknownColumn, chosen, field_of, guess
from checkpoint.inquiries.converting import convert
from checkpoint.inquiries.dates import read_date
from checkpoint.inquiries.reading import MAX_LINE, Shape, Unpaired, Unreadable, shape_of, spans
from checkpoint.inquiries.registry import Registry

TEXT = '姓名,证件号码,电话\n"张,三",330482198503170012,13810000001\n李四,330482198503170020,13810000002\n'


def shape(tmp_path: Path, content: bytes) -> Shape:
    path = tmp_path / "list"
    path.write_bytes(content)
    target = tmp_path / "table.csv"
    target.unlink(missing_ok=True)
    convert(path, target)
    return shape_of(target if target.exists() else path)


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode(),
        b"\xef\xbb\xbf" + TEXT.encode(),
        TEXT.encode("gb18030"),
        TEXT.encode("utf-16"),
        b"\xfe\xff" + TEXT.encode("utf-16-be"),
        TEXT.encode("utf-16-le"),
        TEXT.replace("\n", "\r\n").encode(),
        ("联系人名单,,\n\n" + TEXT).encode(),
        TEXT.replace("330482198503170012", "330482\x00198503170012").encode(),
    ],
    ids=["utf-8", "bom", "gb18030", "utf-16", "utf-16-be", "utf-16-le without a mark", "crlf", "title above", "nul"],
)
def test_every_encoding_says_the_same(tmp_path: Path, content: bytes) -> None:
    found = shape(tmp_path, content)
    path = tmp_path / "table.csv" if (tmp_path / "table.csv").exists() else tmp_path / "list"
    columns = guess(found.header, found.sample)
    (span,) = spans(path, found.start, quoted=True)
    raw = path.read_bytes()[span.start : span.end]
    table, _has_lost = read_table(raw, Layout(found.encoding, found.separator, found.width, columns))
    assert table["name"].to_list() == ["张,三", "李四"]
    assert table["document"].to_list() == ["330482198503170012", "330482198503170020"]
    assert table["phone"].to_list() == ["13810000001", "13810000002"]
    assert span.rows == 2


@pytest.mark.parametrize("separator", [",", "\t", ";", "|"])
def test_the_separator_is_found(tmp_path: Path, separator: str) -> None:
    found = shape(
        tmp_path, "\n".join(separator.join(row) for row in (["姓名", "手机"], ["王五", "13810000003"])).encode()
    )
    assert found.separator == separator
    assert guess(found.header, found.sample) == {"name": 0, "phone": 1}


def test_a_workbook_and_json_are_tables(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["姓名", "身份证号", "手机", "生日"])
    sheet.append(["张三", "330482198503170012", 13810000001, date(1985, 3, 17)])
    sheet.append(['=HYPERLINK("http://x","李四")', "330482198503170020", 13810000002, None])
    book.save(tmp_path / "book.xlsx")
    found = shape(tmp_path, (tmp_path / "book.xlsx").read_bytes())
    assert found.sample[0] == ("张三", "330482198503170012", "13810000001", "1985-03-17")
    assert not found.sample[1][0].startswith("=")
    people = [{"姓名": "张三", "证件号": "330482198503170012"}, {"姓名": "李四", "电话": 13810000002}]
    for text in (json.dumps(people), json.dumps({"total": 2, "data": people}), "\n".join(map(json.dumps, people))):
        found = shape(tmp_path, text.encode())
        assert found.header == ("姓名", "证件号", "电话")
        assert found.sample == (("张三", "330482198503170012", ""), ("李四", "", "13810000002"))


def refused(tmp_path: Path, content: bytes) -> str:
    with pytest.raises(Unreadable) as caught:
        shape(tmp_path, content)
    return caught.value.cause


def test_hostile_files_are_refused_in_a_word(tmp_path: Path) -> None:
    assert refused(tmp_path, b"") == "empty"
    assert refused(tmp_path, b"\0" * 5000) == "empty"
    assert refused(tmp_path, b"%PDF-1.7 " + b"x" * 100) == "not_a_table"
    assert refused(tmp_path, bytes(range(1, 32)) * 300) == "not_a_table"
    assert refused(tmp_path, b"x" * (MAX_LINE + 2)) == "line_too_long"
    assert refused(tmp_path, b",".join([b"a"] * 100_000) + b"\n1\n") == "too_many_columns"
    assert refused(tmp_path, b"[" * 100_000) == "not_json"
    assert refused(tmp_path, b'[{"a": "' + b"x" * (4 << 20)) == "not_json"
    assert refused(tmp_path, b"PK\x03\x04" + b"x" * 500) == "damaged_workbook"
    bomb = tmp_path / "bomb"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/sharedStrings.xml", bytes(410 << 20))
    assert refused(tmp_path, bomb.read_bytes()) == "too_large_unpacked"


def test_a_line_that_never_ends_is_found_without_reading_it_whole(tmp_path: Path) -> None:
    path = tmp_path / "list"
    with path.open("wb") as file:
        file.write("姓名,手机\n".encode())
        file.truncate(1 << 30)  # a gigabyte without a line break
    with pytest.raises(Unreadable) as caught:
        list(spans(path, shape_of(path).start, quoted=True))
    assert caught.value.cause == "line_too_long"


def test_parts_end_behind_records_and_count_them(tmp_path: Path) -> None:
    rows = [f'{number},"a\nb",x\n' if number % 7 == 0 else f"{number},ab,x\n" for number in range(1000)]
    path = tmp_path / "list"
    path.write_text("".join(rows))
    found = list(spans(path, 0, quoted=True, size=400))
    assert len(found) > 20
    assert sum(span.rows for span in found) == 1000
    assert [span.first_row for span in found] == [sum(one.rows for one in found[:at]) for at in range(len(found))]
    raw = path.read_bytes()
    for span in found:
        assert raw[span.start : span.end].split(b",")[0] == str(span.first_row).encode()
    path.write_text("".join(rows) + '5",ab,x\n')
    with pytest.raises(Unpaired):
        list(spans(path, 0, quoted=True, size=400))
    assert sum(span.rows for span in spans(path, 0, quoted=False, size=400)) > 1000


@pytest.mark.parametrize("quoted", [True, False])
@pytest.mark.parametrize(("tail", "more"), [(b"", 0), (b"\0", 0), (b"\0\0\0", 0), (b"\0x", 1), (b"7", 1)])
def test_what_is_left_out_behind_the_last_line_makes_no_row(
    tmp_path: Path, tail: bytes, more: int, quoted: bool
) -> None:
    path = tmp_path / "list"
    path.write_bytes(b"1,ab\n2,cd\n" + tail)
    assert sum(span.rows for span in spans(path, 0, quoted=quoted)) == 2 + more


@pytest.mark.parametrize(
    "text",
    ["1990-01-02", "1990/1/2", "1990.1.2", "1990年1月2日", "19900102", "02/01/1990", "1990-01-02 00:00:00", "32875"],
)
def test_dates_are_written_in_many_ways(text: str) -> None:
    assert read_date(text) == date(1990, 1, 2)


def test_no_date_is_made_of_what_is_none() -> None:
    assert [read_date(text) for text in ("", "昨天", "1990-13-01", "12", "199001", "31/02/1990")] == [None] * 6


def test_headers_by_any_name() -> None:
    for header in ("姓 名", "人员姓名", "NAME", "Full Name", "乘客姓名"):
        assert field_of(header) == "name"
    for header in ("身份证号(18位)", "公民身份号码", "ID_Number", "证件号码【必填】", "Passport No."):
        assert field_of(header) == "document"
    assert field_of("备注") is None
    assert chosen("name=持有人,phone=#3", ["持有人", "x", "y"]) == {"name": 0, "phone": 2}
    with pytest.raises(UnknownColumn):
        chosen("name=没有", ["持有人"])


def test_one_sound_for_every_spelling() -> None:
    assert (
        len({sound(name) for name in ("张伟", "張偉", "zhang wei", "Wei Zhang", "ZHANGWEI", "Zhāng Wěi", "章威")}) == 1
    )
    assert sound("张伟") != sound("李伟")
    assert sound("曾红") == sound("Zeng Hong")


def test_a_key_needs_the_secret() -> None:
    one, other = Blocker(bytes(32)), Blocker(b"x" * 32)
    assert one.of(["D1"]).tolist() == one.of(["D1"]).tolist() != other.of(["D1"]).tolist()
    keys = one.of(["D1", "P2", "D3"])
    people = one.of(["P2"]) | np.uint64(5)
    assert Registry.of(people).pairs(keys | np.arange(3, dtype=np.uint64)) == [(1, 5)]
