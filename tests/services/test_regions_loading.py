"""Loading the national tree: differences only, nothing deleted, the index in step. On both databases."""

import csv
from collections.abc import Sequence
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from checkpoint.database import db
from checkpoint.errors import NotFound
from checkpoint.regions import queries, service
from checkpoint.regions.models import Division
from checkpoint.regions.places import DivisionRow
from tests.factories import divisions

_FILES = {1: "provinces.csv", 2: "cities.csv", 3: "areas.csv", 4: "streets.csv", 5: "villages.csv"}
_WIDTH = {1: 2, 2: 4, 3: 6, 4: 9, 5: 12}


def write_package(folder: Path, rows: Sequence[DivisionRow]) -> Path:
    """The dist directory of the npm package, holding these rows; it lacks Hong Kong, Macau and Taiwan as the real one does."""
    folder.mkdir(exist_ok=True)
    for level, name in _FILES.items():
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("code", "name"))
            for row in rows:
                if row.level == level and row.code[:2] not in ("71", "81", "82"):
                    writer.writerow((row.code[: _WIDTH[level]], row.name))
    return folder


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    return write_package(tmp_path / "dist", divisions.rows())


def stored() -> dict[str, tuple[str, str, bool]]:
    db.session.rollback()
    rows = db.session.execute(select(Division.code, Division.name, Division.full_name, Division.retired))
    return {code: (name, full, retired) for code, name, full, retired in rows}


def test_a_load_of_what_is_there_writes_nothing(dist: Path) -> None:
    before = stored()
    report = service.load_database(dist)
    assert (report.total, report.inserted, report.updated, report.retired) == (len(before), 0, 0, 0)
    assert stored() == before


def test_new_changed_vanished_and_back_again(dist: Path, tmp_path: Path) -> None:
    rows = [row for row in divisions.rows() if row.code != divisions.VILLAGE]
    rows = [row._replace(name="乍浦新镇") if row.code == divisions.TOWN else row for row in rows]
    rows.append(DivisionRow("330482101299", "海塘村村民委员会", 5, divisions.TOWN))
    seen: list[tuple[str, int, int | None]] = []
    report = service.load_database(write_package(tmp_path / "next", rows), progress=lambda *step: seen.append(step))
    assert (report.inserted, report.retired) == (1, 1)
    assert report.updated == 2  # the town itself, and the full name of its other village
    now = stored()
    assert now[divisions.TOWN] == ("乍浦新镇", "浙江省嘉兴市平湖市乍浦新镇", False)
    assert now[divisions.SECOND_VILLAGE][1].startswith("浙江省嘉兴市平湖市乍浦新镇雅山社区")
    assert now["330482101299"][1] == "浙江省嘉兴市平湖市乍浦新镇海塘村村民委员会"
    assert now[divisions.VILLAGE][2], "a vanished division stays, marked retired"
    assert {stage for stage, _, _ in seen} == {"compare", "write"}
    assert divisions.VILLAGE not in [village.code for village in queries.villages(divisions.TOWN)]
    assert queries.get(divisions.VILLAGE).retired

    back = service.load_database(dist)
    assert (back.inserted, back.updated, back.retired) == (0, 3, 1)
    assert not stored()[divisions.VILLAGE][2]


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_the_index_is_built_beside_and_answers_from_the_new_tree(tmp_path: Path, app: Flask) -> None:
    rows = [*divisions.rows(), DivisionRow("330482101299", "海塘村村民委员会", 5, divisions.TOWN)]
    seen: list[str] = []
    report = service.load(
        write_package(tmp_path / "next", rows), progress=lambda stage, _done, _total: seen.append(stage)
    )
    assert report.inserted == 1
    assert "index" in seen
    assert service.resolve("平湖市乍浦镇海塘村").code == "330482101299"
    assert [place.code for place in service.suggest("海塘村")] == ["330482101299"]
    data: Path = app.extensions["settings"].data
    assert [path.name for path in data.glob("regions.idx*")] == ["regions.idx"], "nothing half-made stays behind"


def test_without_the_package_a_sentence_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(service.SourceMissing, match="npm ci"):
        service.load(tmp_path)


def test_a_small_tree_does_not_pass_for_the_whole() -> None:
    assert not service.is_loaded()


def test_reads() -> None:
    assert queries.full_name(divisions.TOWN) == "浙江省嘉兴市平湖市乍浦镇"
    assert queries.names([divisions.TOWN, divisions.SITE, "999999999999"]) == {
        divisions.TOWN: "乍浦镇",
        divisions.SITE: "平湖市",
    }
    assert queries.full_names([divisions.SITE]) == {divisions.SITE: "浙江省嘉兴市平湖市"}
    towns = queries.towns(divisions.SITE)
    assert [town.code for town in towns] == sorted(town.code for town in towns)
    assert {town.parent_code for town in towns} == {divisions.SITE}
    assert [child.code for child in queries.children(divisions.SITE)] == [town.code for town in towns]
    assert {divisions.VILLAGE, divisions.OTHER_VILLAGE} <= {
        village.code for village in queries.villages(divisions.SITE)
    }
    assert queries.find("999999999999") is None
    with pytest.raises(NotFound):
        queries.get("999999999999")


def test_names_of_more_codes_than_a_statement_takes_parameters() -> None:
    codes = [f"{number:012d}" for number in range(40_000)] + [divisions.SITE]
    assert queries.names(codes) == {divisions.SITE: "平湖市"}
