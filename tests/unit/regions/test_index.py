"""The source, the index file and what it answers about the tree."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from checkpoint.regions import (
    DivisionRow,
    IndexUnusable,
    RegionIndex,
    build_index,
    full_name,
    open_index,
    read_divisions,
    resolve,
)

SMALL = [
    DivisionRow("330000000000", "浙江省", 1, None),
    DivisionRow("330400000000", "嘉兴市", 2, "330000000000"),
    DivisionRow("330482000000", "平湖市", 3, "330400000000"),
    DivisionRow("330482103000", "新仓镇", 4, "330482000000"),
    DivisionRow("330482103218", "石路村村民委员会", 5, "330482103000"),
]


def test_the_source_gives_the_whole_tree_parents_first(dist: Path) -> None:
    seen: set[str] = set()
    levels = [0] * 6
    for row in read_divisions(dist):
        assert len(row.code) == 12
        assert row.code not in seen
        assert row.parent is None or row.parent in seen
        seen.add(row.code)
        levels[row.level] += 1
    assert levels[1:4] == [34, 342, 2975]
    assert levels[4] == 41351
    assert 620_000 < levels[5] < 621_000
    assert {"710000000000", "810000000000", "820000000000"} <= seen


@pytest.mark.parametrize(
    ("names", "joined"),
    [
        (["浙江省", "嘉兴市", "平湖市"], "浙江省嘉兴市平湖市"),
        (["北京市", "市辖区", "海淀区"], "北京市海淀区"),
        (["重庆市", "县", "城口县"], "重庆市城口县"),
        (["海南省", "省直辖县级行政区划", "琼海市"], "海南省琼海市"),
        (["新疆维吾尔自治区", "自治区直辖县级行政区划", "石河子市"], "新疆维吾尔自治区石河子市"),
        (["甘肃省", "嘉峪关市", "嘉峪关市"], "甘肃省嘉峪关市"),
    ],
)
def test_a_full_name_leaves_out_what_nobody_writes(names: list[str], joined: str) -> None:
    assert full_name(names) == joined


def test_the_tree_can_be_walked(index: RegionIndex) -> None:
    assert index.exists("330482000000")
    assert not index.exists("330482999000")
    assert not index.exists("平湖")
    assert index.name("330482000000") == "平湖市"
    assert index.full_name("330482103000") == "浙江省嘉兴市平湖市新仓镇"
    assert index.level("330482103000") == 4
    assert index.parent("330482103000") == "330482000000"
    assert index.parent("330000000000") is None
    towns = index.children("330482000000")
    assert len(towns) == 9
    assert ("330482001000", "当湖街道") in towns
    assert sum(len(index.children(code)) for code, _ in towns) == 136


def test_an_unknown_code_is_a_key_error(index: RegionIndex) -> None:
    for ask in (index.name, index.full_name, index.level, index.parent, index.children):
        with pytest.raises(KeyError):
            ask("999999999999")


def test_a_small_tree_makes_a_small_index(tmp_path: Path) -> None:
    path = tmp_path / "small.idx"
    told: list[int] = []
    build_index(SMALL, path, told.append)
    small = open_index(path)
    assert told[-1] == len(small) == 5
    assert resolve("平湖新仓镇石路村", index=small).code == "330482103218"
    assert resolve("北京市", index=small).code is None
    assert [entry.name for entry in tmp_path.iterdir()] == ["small.idx"]


def test_a_build_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "small.idx"
    build_index(SMALL, path)
    before = path.read_bytes()

    def broken() -> Iterable[DivisionRow]:
        yield SMALL[0]
        raise FileNotFoundError

    with pytest.raises(FileNotFoundError):
        build_index(broken(), path)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["small.idx"]


@pytest.mark.parametrize("content", [b"", b"short", b"CPREGN00" + bytes(64), b"CPREGN02" + b"\xff" * 64])
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.idx"
    path.write_bytes(content)
    with pytest.raises(IndexUnusable):
        open_index(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(IndexUnusable):
        open_index(tmp_path / "none.idx")
