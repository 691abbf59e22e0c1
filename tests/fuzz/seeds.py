"""Valid inputs of each parser, from which wrong ones are made."""

import io
import json
import re
import tempfile
import uuid
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
from PIL import Image

from tests.factories import declarations, hostile
from tests.factories.declarations import companion, negative_test, stay
from tests.fuzz.mutate import packed_zip

TEXTS = tuple(
    text.encode()
    for text in (
        "浙江省嘉兴市平湖市乍浦镇八字村3组12号", "上海金山枫泾", "吴江区盛泽镇", "北京市朝阳区建外街道", "朝阳", "pinghu zhapu", "平湖",
        "武汉市江汉区", "嘉善县魏塘街道", "310116102001", "浙江省平湖经济技术开发区", "Zhejiang Jiaxing", "新埭", "台湾省", "ＰＨ　平湖市",
    )
)  # fmt: skip
AREAS = tuple(
    text.encode()
    for text in (
        "枫泾镇新义村1-5组", "石化街道（除东村居委以外的其他区域）", "建国路88号院1、3、5-9号楼2单元", "乍浦镇八字村、雅山社区",
        "嘉善县其他区域", "金山卫镇古城路295弄、廊下镇万春村9组2020号", "2.阳光花园A区12栋至18栋单号", "第三人民医院家属院（含底商）",
        "经开区东方路100号至200号双号", "朱泇镇东林街道办事处以东，人民路以南区域", "1#2#3#楼", "万达广场B座负一层超市及周边50米",
    )
)  # fmt: skip
NUMBERS = (
    b"330482198503170013",
    b"11010519491231002X",
    b"330482850317001",
    b"E12345678",
    b"H1234567890",
    b"3304**********0013",
)
PHONES = (b"13810000001", b"+86 138-1000-0001", b"0573-85012345", b"+852 5123 4567", b"138****0001", b"8613810000001")
NAMES = ("王小明", "欧阳若水", "Wang Xiaoming", "阿依古丽·买买提", "WANG, XIAO-MING", "吕布", "Müller Jürgen", "单田芳")
DATES = ("1990-01-02", "1990年1月2日", "19900102", "02/01/1990", "32875.0", "1990/1/2 08:30")
PLATES = ("浙F12345", "沪AD12345", "粤Z1234港", "浙F·1A2B3")
ROWS = (["姓名", "身份证号", "手机号", "出生日期", "车牌号"], *(
    [declarations.name(n), declarations.resident_id(n), declarations.phone(n), "1985-03-17", f"浙F{n:05d}"] for n in range(1, 5)
))  # fmt: skip
AREA_ROWS = (
    ["等级", "省", "市", "县", "社区", "代码"],
    ["高", "上海市", "市辖区", "金山区", "枫泾镇新义村1-5组", "310116"],
    ["low", "浙江省", "嘉兴市", "嘉善县", "魏塘街道", ""],
)


def csv_of(rows: Any, separator: str = ",") -> str:
    """Rows as a table, the second cell between quotation marks."""
    return "".join(
        separator.join(f'"{cell}"' if at == 1 else cell for at, cell in enumerate(row)) + "\r\n" for row in rows
    )


def tables(rows: Any) -> tuple[bytes, ...]:
    """A table in the encodings and with the separators that are in use."""
    return (
        csv_of(rows).encode(), b"\xef\xbb\xbf" + csv_of(rows, "\t").encode(), csv_of(rows, ";").encode("gb18030"),
        csv_of(rows).encode("utf-16"), csv_of(rows[1:]).encode(),
    )  # fmt: skip


def workbook(rows: Any) -> bytes:
    """An XLSX with texts, a number, a date and a formula."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(list(row))
    sheet["H2"], sheet["I2"], sheet["J2"] = 12.5, "=SUM(H2:H2)", True
    packed = io.BytesIO()
    book.save(packed)
    return _timeless(packed.getvalue())


def spreadsheet(rows: Any) -> bytes:
    """An ODS of the same rows."""
    with tempfile.TemporaryDirectory() as folder:
        made = hostile.ods(Path(folder) / "list.ods", "".join(hostile.ods_row(row) for row in rows))
        return _timeless(made.read_bytes())


def _timeless(archive: bytes) -> bytes:
    """The same parts, without a word of when they were packed."""
    with zipfile.ZipFile(io.BytesIO(archive)) as parts:
        found = [(info.filename, parts.read(info)) for info in parts.infolist()]
    known = [
        (name, re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"2022-03-01T00:00:00Z", content)) for name, content in found
    ]
    return packed_zip(known, zipfile.ZIP_DEFLATED)


def people_json() -> tuple[bytes, ...]:
    """A list of people: an array, an array in an object, one object a line."""
    people = [dict(zip(ROWS[0], row, strict=True)) for row in ROWS[1:]]
    return json.dumps(people).encode(), json.dumps({"data": people}).encode()


def national_json() -> bytes:
    """A risk list in the national format."""
    area = {"province": "上海市", "city": "上海市", "county": "金山区", "communitys": ["枫泾镇新义村1-5组", "石化街道"]}
    lists = {"highlist": [area], "middlelist": [area], "lowlist": [area], "hcount": 2, "mcount": 2, "lcount": 2}
    return json.dumps({"data": {"end_update_time": "2022-08-12 15时", **lists}}).encode()


def declaration_json() -> tuple[bytes, ...]:
    """Declarations with everything that one can hold."""
    full = declarations.declaration(
        5, client_id=str(uuid.UUID(int=5)), stays=[stay(), stay(None, text="上海金山枫泾")], companions=[companion(6)],
        tests=[negative_test()], symptoms=["fever"], checkpoint="G60",
    )  # fmt: skip
    return json.dumps(full).encode(), json.dumps(declarations.declaration(7, client_id=str(uuid.UUID(int=7)))).encode()


def pictures() -> tuple[bytes, ...]:
    """Small pictures of each form that is taken, with palette, transparency, 16 bits, EXIF and several frames."""
    ground = Image.effect_noise((24, 16), 60)
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x8769] = 6, "maker", {0x9003: "2022:03:01 08:00:00"}
    made = (
        (ground.convert("RGB"), "JPEG", {"exif": exif, "progressive": True}),
        (ground, "JPEG", {"quality": 30}),
        (ground.convert("CMYK"), "JPEG", {}),
        (ground.convert("RGBA"), "PNG", {}),
        (ground.convert("P"), "PNG", {"transparency": 3, "exif": exif}),
        (ground.convert("1"), "PNG", {}),
        (ground.convert("I;16"), "PNG", {}),
        (ground.convert("RGBA"), "WEBP", {"lossless": True, "exif": exif}),
        (ground.convert("RGB"), "WEBP", {"save_all": True, "append_images": [ground.convert("RGB")]}),
    )  # fmt: skip
    found = []
    for picture, form, options in made:
        packed = io.BytesIO()
        picture.save(packed, form, **options)
        found.append(packed.getvalue())
    return tuple(found)


def multipart() -> tuple[bytes, ...]:
    """Forms with fields and a file, as a browser sends them; the mark between the parts is `cut`."""
    field = b'--cut\r\nContent-Disposition: form-data; name="note"\r\n\r\n\xe5\xb9\xb3\xe6\xb9\x96\r\n'
    file = b'--cut\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\nContent-Type: text/csv\r\n\r\na,b\r\n\r\n'
    return field + file + b"--cut--\r\n", field * 3 + b"--cut--\r\n", file + field + b"--cut--\r\n"
