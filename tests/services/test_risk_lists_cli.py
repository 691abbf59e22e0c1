"""The operator's commands for places and lists, as the shell runs them."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from checkpoint.risk import queries
from checkpoint.risk.models import ListState
from tests.factories import divisions

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


def run(app: Flask, *arguments: str, typed: str | None = None) -> Result:
    return app.test_cli_runner().invoke(args=list(arguments), input=typed)


def answers(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def national(folder: Path, name: str, hour: int, *texts: str) -> str:
    group = {"province": "上海市", "city": "上海市", "county": "金山区", "communitys": list(texts)}
    path = folder / name
    document = {"data": {"end_update_time": f"2022-04-12 {hour:02d}时", "hcount": len(texts), "highlist": [group]}}
    path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    return str(path)


def test_resolve_prints_json_lines(app: Flask) -> None:
    first, second = answers(run(app, "regions", "resolve", "平湖市乍浦镇东方大道1号", "不知道哪里"))
    assert first["text"] == "平湖市乍浦镇东方大道1号"
    assert (first["code"], first["level"], first["name"]) == (divisions.TOWN, 4, "浙江省嘉兴市平湖市乍浦镇")
    assert [span["text"] for span in first["explained"]] == ["平湖市", "乍浦镇"]
    assert (first["rest"], first["conflict"]) == ("东方大道1号", False)
    assert (second["code"], second["level"], second["candidates"]) == (None, None, [])


def test_resolve_reads_standard_input_line_for_line(app: Flask) -> None:
    lines = answers(run(app, "regions", "resolve", typed="平湖市\r\n\n乍浦镇\n"))
    assert [(line["text"], line["code"]) for line in lines] == [
        ("平湖市", divisions.SITE),
        ("", None),
        ("乍浦镇", divisions.TOWN),
    ]


def test_files_are_published_in_the_order_of_their_own_times(app: Flask, tmp_path: Path) -> None:
    later = national(tmp_path, "a.json", 12, "枫泾镇青禾家园3号楼")
    earlier = national(tmp_path, "b.json", 9, "朱泾镇临源新苑1号楼")
    result = run(app, "risk", "import", later, earlier, "--publish")
    assert result.exit_code == 0, result.output
    current = queries.in_force()
    assert current is not None
    assert current.published_at == datetime(2022, 4, 12, 4, tzinfo=UTC)
    assert [one.state for one in queries.lists()] == [ListState.PUBLISHED, ListState.SUPERSEDED]
    again = run(app, "risk", "import", later, earlier, "--publish")
    assert again.exit_code == 0, again.output
    assert len(queries.lists()) == 2


def test_a_wrong_row_stops_the_file_and_is_named_by_its_number(app: Flask, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(
        "等级,省,市,县,社区\n高,上海市,,金山区,枫泾镇东街1号\n极高,上海市,,金山区,西街\n", encoding="gb18030"
    )
    refused = run(app, "risk", "import", str(path))
    assert refused.exit_code == 1
    assert "Row 3: the level is none of high, middle, low" in refused.stderr
    assert queries.lists() == []
    taken = run(app, "risk", "import", str(path), "--skip-bad-rows", "--published-at", "2022-04-12 15:00")
    assert taken.exit_code == 0, taken.output
    (version,) = queries.lists()
    assert (version.total, version.state) == (1, ListState.DRAFT)
    assert version.published_at == datetime(2022, 4, 12, 7, tzinfo=UTC)


def test_an_unreadable_file_is_refused_in_a_sentence(app: Flask, tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    path.write_text("{broken", encoding="utf-8")
    result = run(app, "risk", "import", str(path))
    assert result.exit_code == 1
    assert "list.json: This is not a JSON document." in result.stderr


def test_what_cannot_be_placed_is_printed_and_written(app: Flask, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("等级,省,市,县,社区\n高,浙江省,嘉兴市,独山新区,科创大厦\n", encoding="utf-8")
    report = tmp_path / "report.tsv"
    result = run(app, "risk", "import", str(path), "--report", str(report))
    assert "no county: 浙江省 嘉兴市 独山新区 科创大厦 330400000000" in result.stdout
    assert report.read_text(encoding="utf-8").splitlines()[1].split("\t")[1:] == [
        "浙江省",
        "嘉兴市",
        "独山新区",
        "科创大厦",
        "330400000000",
    ]


def test_publish_withdraw_and_list(app: Flask, tmp_path: Path) -> None:
    run(app, "risk", "import", national(tmp_path, "a.json", 9, "枫泾镇东街"))
    (version,) = queries.lists()
    assert "1 added" in run(app, "risk", "publish", str(version.id)).stdout
    assert "a.json" in run(app, "risk", "list").stdout
    assert "no list" in run(app, "risk", "withdraw", str(version.id)).stdout
    refused = run(app, "risk", "withdraw", str(version.id))
    assert refused.exit_code == 1
    assert "Only a list that was published" in refused.stderr


def test_explain_says_depth_level_area_and_points(app: Flask, tmp_path: Path) -> None:
    run(app, "risk", "import", national(tmp_path, "a.json", 9, "枫泾镇青禾家园3号楼"), "--publish")
    texts = "\n".join(
        ("上海市金山区枫泾镇青禾家园3号楼", "上海金山枫泾镇青禾家园13号楼", "上海金山廊下镇", "嘉善县", "外星")
    )
    lines = answers(run(app, "risk", "explain", "--on", "2022-04-12", typed=texts))
    assert [(line["depth"], line["level"], line["score"]) for line in lines] == [
        ("area", "high", 100),
        ("town", "high", 80),
        ("county", "high", 50),
        (None, None, 0),
        (None, None, 40),
    ]
    assert lines[0]["area"] == "枫泾镇青禾家园3号楼"
    assert lines[0]["reasons"][0]["rule"] == "high_area"
    assert lines[4]["reasons"][0]["rule"] == "place_unresolved"


def test_explain_on_a_day_long_before_the_listing_finds_nothing(app: Flask, tmp_path: Path) -> None:
    run(app, "risk", "import", national(tmp_path, "a.json", 9, "枫泾镇青禾家园3号楼"), "--publish")
    (line,) = answers(run(app, "risk", "explain", "--on", "2022-04-01", "金山区枫泾镇青禾家园3号楼"))
    assert (line["depth"], line["reasons"][0]["rule"]) == (None, "other_province")


def test_explain_against_one_version_that_was_never_published(app: Flask, tmp_path: Path) -> None:
    run(app, "risk", "import", national(tmp_path, "a.json", 9, "枫泾镇青禾家园3号楼"))
    (version,) = queries.lists()
    (line,) = answers(run(app, "risk", "explain", "--list", str(version.id), "金山区枫泾镇青禾家园3号楼"))
    assert (line["depth"], line["level"]) == ("area", "high")
    unknown = run(app, "risk", "explain", "--list", "99", "平湖市")
    assert unknown.exit_code == 1
    assert "no risk list with this number" in unknown.stderr


def test_the_sample_command_publishes_once(app: Flask) -> None:
    first = run(app, "risk", "sample")
    assert "sample" in first.stdout
    assert run(app, "risk", "sample").stdout == first.stdout
    assert len(queries.lists()) == 1
