"""Which column of a list is what: headers in Chinese or English by any usual name, in any order; else by what stands below. Pure."""

import re
import unicodedata
from collections.abc import Mapping, Sequence

from checkpoint.inquiries.dates import read_date
from checkpoint.inquiries.documents import DocumentKind, read_document, read_phone

FIELDS = ("name", "document", "phone", "born", "plate")
MAX_COLUMNS = 256
_HEADER_ROWS = 12  # titles and blank lines that may stand above the header

_NAMES: dict[str, str] = {
    "name": "员工姓名 职工姓名 工人姓名 司机姓名 驾驶员姓名 "
    "姓名 名字 人员姓名 乘客姓名 旅客姓名 被协查人 密接姓名 当事人 人员名称 联系人姓名 户主姓名 xm name fullname personname "
    "passengername passenger nameinchinese chinesename 中文姓名 英文姓名 姓名拼音 contactname",
    "document": "身份证 身份证号 身份证号码 身份证件号码 公民身份号码 公民身份证号码 居民身份证号码 居民身份证 证件号 "
    "证件号码 证件编号 有效证件号码 护照号 护照号码 护照 通行证号码 身份号码 身份证编号 "
    "sfzh sfzhm zjhm gmsfhm idcard idcardno "
    "idcardnumber idno idnumber "
    "id document documentno documentnumber passport passportno passportnumber cardno "
    "certificateno nationalid identitynumber identitycard idcode",
    "phone": "手机 手机号 手机号码 电话 电话号码 联系电话 联系方式 移动电话 本人电话 联系手机 联系人电话 号码 msisdn sjh sjhm lxdh dh "
    "phone phoneno phonenumber mobile mobileno mobilephone mobilenumber tel telephone telephoneno cellphone cell contact contactnumber",
    "born": "出生日期 出生年月 出生年月日 生日 出生 csrq birth birthday birthdate dateofbirth dob born",
    "plate": "车牌 车牌号 车牌号码 车号 号牌 号牌号码 机动车号牌 cph cphm plate plateno platenumber licenseplate licenceplate carplate "
    "vehicleno vehiclenumber carno carnumber registrationnumber",
}
_KNOWN = {word: field for field, words in _NAMES.items() for word in words.split()}
_NOISE = re.compile(r"[(（\[【][^)）\]】]*[)）\]】]|[\s\W_]+")
_PLATE = re.compile(r"[\u4e00-\u9fff][A-Z][·. ]?[A-Z0-9]{5,6}")
_HAN_NAME = re.compile(r"[\u4e00-\u9fff·]{2,5}")


class UnknownColumn(ValueError):
    """A `--map` or a choice on screen names a field or a column that is not there; `args` are the word and what it was meant for."""


def plain(header: str) -> str:
    """A header without blanks, marks and what stands in brackets, in small letters."""
    return _NOISE.sub("", unicodedata.normalize("NFKC", header).lower())


def field_of(header: str) -> str | None:
    """The field that a header names, or None."""
    return _KNOWN.get(plain(header))


def find_header(rows: Sequence[Sequence[str]]) -> int | None:
    """Which of the first rows is the header: the one that names most fields, else the first one of several words without a digit that
    stands above digits; None when there is none."""
    named = [len({field_of(cell) for cell in row} - {None}) for row in rows[:_HEADER_ROWS]]
    best = max(named, default=0)
    if best:
        return named.index(best)
    for at, row in enumerate(rows[:_HEADER_ROWS]):
        cells = [cell for cell in row if cell.strip()]
        if len(cells) > 1 and not _has_digit(cells) and any(map(_has_digit, rows[at + 1 : at + 2])):
            return at
    return None


def _has_digit(cells: Sequence[str]) -> bool:
    return any(character.isdigit() for cell in cells for character in cell)


def guess(header: Sequence[str] | None, rows: Sequence[Sequence[str]]) -> dict[str, int]:
    """field → column, by header and then, for documents, phones, plates and names still missing, by what most cells look like."""
    found: dict[str, int] = {}
    for column, cell in enumerate(header or ()):
        field = field_of(cell)
        if field is not None and field not in found:
            found[field] = column
    width = max((len(row) for row in rows), default=0)
    for column in range(width):
        if column in found.values():
            continue
        field = _looks_like([row[column] for row in rows if len(row) > column and row[column].strip()])
        if field is not None and field not in found:
            found[field] = column
    return found


def _looks_like(cells: Sequence[str]) -> str | None:
    if not cells:
        return None

    def most(fits: int) -> bool:
        return fits * 10 >= len(cells) * 7

    if most(sum(_is_document(cell) for cell in cells)):
        return "document"
    if most(sum(_is_phone(cell) for cell in cells)):
        return "phone"
    if most(sum(bool(_PLATE.fullmatch(cell.strip().upper())) for cell in cells)):
        return "plate"
    distinct = len(set(cells)) * 2 > len(cells)
    if distinct and most(sum(bool(_HAN_NAME.fullmatch(cell.strip())) for cell in cells)):
        return "name"
    return None


def _is_document(cell: str) -> bool:
    found = read_document(cell)
    return found is not None and found.kind in (DocumentKind.RESIDENT, DocumentKind.RESIDENT_15)


def _is_phone(cell: str) -> bool:
    number = read_phone(cell)
    return number is not None and len(number) == 11 and number.startswith("1") and read_date(cell) is None


def chosen(text: str, header: Sequence[str] | None) -> dict[str, int]:
    """The mapping that `--map name=姓名,document=#3` says; a column by its header or by its number from 1. Raises UnknownColumn."""
    pairs: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        field, _, column = part.partition("=")
        pairs[field.strip()] = column.strip()
    return mapped(pairs, header)


def mapped(pairs: Mapping[str, str], header: Sequence[str] | None) -> dict[str, int]:
    """field → column from field → header text or `#number`."""
    places = {plain(cell): column for column, cell in reversed(list(enumerate(header or ()))) if plain(cell)}
    found: dict[str, int] = {}
    for field, column in pairs.items():
        if field not in FIELDS:
            raise UnknownColumn(field, "field")
        if re.fullmatch(r"#\d{1,3}", column) and 1 <= int(column[1:]) <= MAX_COLUMNS:
            found[field] = int(column[1:]) - 1
        elif plain(column) in places:
            found[field] = places[plain(column)]
        else:
            raise UnknownColumn(column, field)
    return found


def is_enough(mapping: Mapping[str, int]) -> bool:
    """Whether the mapped columns can find anybody: a document, a phone, or a name with a birth date or a plate."""
    return (
        "document" in mapping
        or "phone" in mapping
        or ("name" in mapping and ("born" in mapping or "plate" in mapping))
        or "plate" in mapping
    )
