"""Files that mean harm are refused in a word or read right, and the memory they take is bounded."""

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from checkpoint.inquiries.chunks import Layout, read_table
from checkpoint.inquiries.columns import guess
from checkpoint.inquiries.converting import MAX_UNPACKED, convert
from checkpoint.inquiries.reading import Shape, Unreadable, shape_of
from tests.factories import hostile

MEASURE = """
import resource, sys
from pathlib import Path
from checkpoint.inquiries.converting import convert
from checkpoint.inquiries.reading import Unreadable, shape_of, spans
source, target = Path(sys.argv[1]), Path(sys.argv[2])
if __name__ == "__main__":
    try:
        convert(source, target)
        table = target if target.exists() else source
        cause = str(sum(1 for span in spans(table, shape_of(table).start, quoted=True)))
    except Unreadable as error:
        cause = error.cause
    # What Linux calls the maximum of this process begins with that of the one that started it, so its own memory is asked.
    status = Path("/proc/self/status")
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if status.exists():
        own = int(status.read_text().split("VmHWM:")[1].split()[0])
    print(cause, max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) >> 10)
"""


def measured(tmp_path: Path, file: Path) -> tuple[str, int]:
    """What becomes of a file, and the most MiB that this process or the one it started took."""
    script = tmp_path / "measure.py"
    script.write_text(MEASURE)
    run = [sys.executable, str(script), str(file), str(tmp_path / "table.csv")]
    root = str(Path(__file__).parents[3])
    done = subprocess.run(run, capture_output=True, text=True, check=True, cwd=root, env={"PYTHONPATH": root})
    cause, size = done.stdout.split()
    return cause, int(size)


def shape(tmp_path: Path, file: Path) -> Shape:
    target = tmp_path / "table.csv"
    assert convert(file, target) == "ods"
    return shape_of(target)


def test_an_open_document_is_a_table(tmp_path: Path) -> None:
    rows = [
        ["姓名", "身份证号", "手机", "出生日期"],
        ["张,三", "330482198503170012", "13810000001", "date:1985-03-17"],
        ['of:=HYPERLINK("http://x")|李四', "330482198503170020", "13810000002", ""],
        ["第一行\n第二行", "3304**********0039", "138****0003", ""],
    ]
    file = hostile.ods(tmp_path / "list.ods", "".join(map(hostile.ods_row, rows)))
    found = shape(tmp_path, file)
    assert guess(found.header, found.sample) == {"name": 0, "document": 1, "phone": 2, "born": 3}
    assert found.sample[0] == ("张,三", "330482198503170012", "13810000001", "1985-03-17")
    assert found.sample[1][0] == "李四"  # what the formula shows, never the formula
    assert found.sample[2] == ("第一行 第二行", "3304**********0039", "138****0003", "")


def test_an_empty_open_document_has_no_rows(tmp_path: Path) -> None:
    with pytest.raises(Unreadable) as caught:
        convert(hostile.ods(tmp_path / "list.ods", ""), tmp_path / "table.csv")
    assert caught.value.cause == "empty"


def test_an_open_document_that_is_cut_off_is_damaged(tmp_path: Path) -> None:
    whole = hostile.ods(tmp_path / "list.ods", hostile.ods_row(["姓名"])).read_bytes()
    file = tmp_path / "cut.ods"
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(Unreadable) as caught:
        convert(file, tmp_path / "table.csv")
    assert caught.value.cause == "damaged_workbook"


@pytest.mark.parametrize(
    "part",
    [
        "content.xml",
        pytest.param("xl/sharedStrings.xml", marks=pytest.mark.slow),
        pytest.param("xl/worksheets/sheet1.xml", marks=pytest.mark.slow),
    ],
)
def test_a_zip_bomb_is_refused_in_little_memory(tmp_path: Path, part: str) -> None:
    cause, size = measured(tmp_path, hostile.bomb(tmp_path / "bomb", part, MAX_UNPACKED + (10 << 20)))
    assert cause == "too_large_unpacked"
    assert size < 400


@pytest.mark.parametrize(("columns", "rows"), [(16_384, 1), (16_384, 1_048_576), (4, 1_048_576_000)])
def test_a_cell_that_says_it_is_repeated_without_end(tmp_path: Path, columns: int, rows: int) -> None:
    cell = f'<table:table-cell table:number-columns-repeated="{columns}" office:value-type="string"><text:p>a</text:p></table:table-cell>'
    file = hostile.ods(
        tmp_path / "list.ods", f'<table:table-row table:number-rows-repeated="{rows}">{cell}</table:table-row>'
    )
    cause, size = measured(tmp_path, file)
    assert cause in ("too_many_columns", "too_many_rows")
    assert size < 400


def test_a_gigabyte_on_one_line_is_refused_in_little_memory(tmp_path: Path) -> None:
    file = tmp_path / "list"
    with file.open("wb") as written:
        written.write("姓名,手机\n".encode())
        for _piece in range(1024):
            written.write(b"x" * (1 << 20))
    cause, size = measured(tmp_path, file)
    assert cause == "line_too_long"
    assert size < 400


def test_a_million_columns_are_refused_in_little_memory(tmp_path: Path) -> None:
    file = tmp_path / "list"
    file.write_bytes(b",".join([b"a"] * 1_000_000) + b"\n" + b",".join([b"1"] * 1_000_000) + b"\n")
    cause, size = measured(tmp_path, file)
    assert cause in ("too_many_columns", "line_too_long")
    assert size < 400


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_many_rows_in_utf_16_are_read_in_little_memory(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "list"
    file.write_bytes(("姓名,手机\n" + "王五,13810000003\n" * 500_000).encode(encoding))
    cause, size = measured(tmp_path, file)
    assert int(cause) >= 1
    assert size < 400


@pytest.mark.parametrize(
    "text", ['[{"姓名": "\\ud800王", "手机": "13810000001"}]', '[{"姓名": "王五", "手机": 13810000001}]']
)
def test_half_a_character_in_json_harms_nobody(tmp_path: Path, text: str) -> None:
    file, target = tmp_path / "list", tmp_path / "table.csv"
    file.write_text(text)
    assert convert(file, target) == "json"
    found = shape_of(target)
    assert guess(found.header, found.sample) == {"name": 0, "phone": 1}
    assert found.sample[0][1] == "13810000001"


def damaged(part: str, content: bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """An archive whose part `part` cannot be unpacked."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        archive.writestr(part, content)
    raw = bytearray(packed.getvalue())
    start = 30 + len(part)
    raw[start : start + 12] = b"\xff" * 12
    return bytes(raw)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
@pytest.mark.parametrize("part", ["xl/workbook.xml", "content.xml"])
def test_a_part_that_does_not_unpack_is_damage(tmp_path: Path, part: str, method: int) -> None:
    file = tmp_path / "list"
    file.write_bytes(damaged(part, b"<workbook/>" * 50, method))
    with pytest.raises(Unreadable) as raised:
        convert(file, tmp_path / "table.csv")
    assert raised.value.cause == "damaged_workbook"


@pytest.mark.parametrize("number", ["1" * 5000, "[" * 100_000, '"\\ud8'])
def test_json_that_means_harm_is_refused(tmp_path: Path, number: str) -> None:
    file = tmp_path / "list"
    file.write_text(f'[{{"手机": {number}}}]')
    with pytest.raises(Unreadable) as raised:
        convert(file, tmp_path / "table.csv")
    assert raised.value.cause == "not_json"


MISPLACED = (
    '张三,"330482198503170013",13810000001\n李四,"33048219850317"0013",13810000002\n王五,"3304821985\n03170013",13810000003\n'
    '赵六,1"1,2"2,13810000004\n"孙"七,330482198503170013,13810000005\n'
)


def test_marks_where_none_belong_cost_no_row_and_no_number() -> None:
    raw = MISPLACED.encode()
    assert raw.count(b'"') % 2 == 1
    for text in (MISPLACED, MISPLACED.replace('0013",13810000002', "0013,13810000002")):
        quoted = text.count('"') % 2 == 0
        layout = Layout("utf-8", ",", 3, {"name": 0, "document": 1, "phone": 2}, quoted)
        lines = [at for at, letter in enumerate(text) if letter == "\n"]
        rows = sum(text.count('"', 0, at) % 2 == 0 for at in lines) if quoted else len(lines)
        table, _lost = read_table(text.encode(), layout, rows)
        assert table.height == rows
        assert table["name"][0] == "张三"
        assert table["phone"].to_list()[0] == "13810000001"
        assert table["phone"].to_list()[-1] == "13810000005"
