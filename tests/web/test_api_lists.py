"""Risk lists over the API: upload with preview, publish, withdraw."""

import io
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import openpyxl
import pytest
from flask import Flask
from flask.testing import FlaskClient

from checkpoint.accounts.models import Role
from checkpoint.risk.models import RiskList
from tests.factories import NOW, lists
from tests.factories.declarations import from_far_away
from tests.web.api_support import Api, errors_of, integration, stored

ROWS = (
    ("高", "上海市", "上海市", "金山区", "枫泾镇白牛路151弄12号楼"),
    ("低", "浙江省", "嘉兴市", "嘉善县", "魏塘街道其他区域"),
)
HEADER = ("等级", "省", "市", "县", "社区")
FAR = ("高", "湖北省", "武汉市", "江汉区", "江汉区全域")


@pytest.fixture(autouse=True)
def _now(freeze: Callable[[datetime], None]) -> None:
    freeze(NOW)


@pytest.fixture
def api(app: Flask, client: FlaskClient) -> Api:
    """The command centre's own program."""
    return integration(app, client, Role.COMMAND)


def as_json(*rows: tuple[str, ...], hour: int = 8) -> bytes:
    """The national format."""
    document: dict[str, Any] = {"end_update_time": f"2022-04-12 {hour:02d}时"}
    for part, word in (("highlist", "高"), ("middlelist", "中"), ("lowlist", "低")):
        document[part] = [
            {"province": province, "city": city, "county": county, "communitys": [text]}
            for level, province, city, county, text in rows
            if level == word
        ]
    return json.dumps({"data": document}).encode()


def as_csv(*rows: tuple[str, ...]) -> bytes:
    return "\n".join(",".join(row) for row in (HEADER, *rows)).encode()


def as_xlsx(*rows: tuple[str, ...]) -> bytes:
    book = openpyxl.Workbook()
    for row in (HEADER, *rows):
        book.active.append(row)
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def upload(api: Api, data: bytes, name: str = "list.json") -> Any:
    return api.post("/risk-lists", data={"file": (io.BytesIO(data), name)})


@pytest.mark.parametrize(("form", "name"), [(as_json, "名单.json"), (as_csv, "名单.csv"), (as_xlsx, "名单.xlsx")])
def test_a_list_in_any_of_three_forms(app: Flask, api: Api, form: Callable[..., bytes], name: str) -> None:
    with app.app_context():
        lists.in_force(lists.FENGJING, lists.ZHUJING)
    answer = upload(api, form(*ROWS), name)
    assert answer.status_code == 201, answer.text
    made = answer.get_json()
    assert (made["state"], made["source"]) == ("draft", name)
    assert (made["high_count"], made["middle_count"], made["low_count"], made["county_count"]) == (1, 0, 1, 2)
    assert made["preview"] == {"added": 1, "removed": 1, "raised": 0, "lowered": 0}
    raw = api.post("/risk-lists", data=form(*ROWS), content_type="application/octet-stream")
    assert raw.get_json()["id"] == made["id"]  # the same content is the same version, however it comes
    assert stored(app, RiskList) == 2


def test_publishing_changes_the_next_answer_and_withdrawing_takes_it_back(api: Api) -> None:
    public = Api(api.client)

    def tier(number: int) -> str:
        return str(public.post("/registrations", from_far_away(number)).get_json()["tier"])

    first = upload(api, as_json(*ROWS)).get_json()["id"]
    assert api.post(f"/risk-lists/{first}/publish").get_json()["state"] == "published"
    assert tier(1) == "green"
    second = upload(api, as_json(*ROWS, FAR, hour=9)).get_json()["id"]
    published = api.post(f"/risk-lists/{second}/publish")
    assert published.get_json()["state"] == "published"
    assert api.post(f"/risk-lists/{second}/publish").status_code == 200
    assert tier(2) == "red"
    assert api.post(f"/risk-lists/{first}/publish").status_code == 409
    gone = api.post(f"/risk-lists/{second}/withdraw")
    assert (gone.status_code, gone.get_json()["state"]) == (200, "withdrawn")
    assert tier(3) == "green"
    assert api.post(f"/risk-lists/{second}/withdraw").status_code == 409
    assert api.post(f"/risk-lists/{second}/publish").get_json()["state"] == "published"


def test_every_wrong_row_is_named_and_nothing_is_stored(app: Flask, api: Api) -> None:
    answer = upload(api, as_csv(ROWS[0], ("红", *ROWS[0][1:]), ("高", "", "", "", "某地"), ROWS[1]), "名单.csv")
    assert errors_of(answer) == {"rows.3": "level_unknown", "rows.4": "province_missing"}
    assert stored(app, RiskList) == 0


def test_what_is_no_list_is_refused(app: Flask, api: Api) -> None:
    right = as_json(*ROWS)
    cases = {
        "nothing": (b"", "missing"),
        "blanks": (b"  \n", "empty"),
        "cut": (right[:-20], "not_json"),
        "another document": (b'{"a": 1}', "not_a_list"),
        "a deep nest": (b"[" * 100_000, "not_json"),
        "no workbook": (b"PK\x03\x04" + b"\0" * 100, "not_a_workbook"),
        "no table": (b"a,b\n1,2\n", "header"),
        "bytes": (bytes(range(128, 256)) * 8, None),
        "null characters": (b"\0" * 64, None),
    }
    for case, (data, code) in cases.items():
        wrong = errors_of(upload(api, data) if case != "nothing" else api.post("/risk-lists"))
        assert list(wrong) == ["file"], case
        assert code is None or wrong["file"] == code, case
    assert stored(app, RiskList) == 0


def test_names_in_a_file_are_only_names(app: Flask, api: Api) -> None:
    script = ("高", "上海市", "上海市", "金山区", "<script>alert(1)</script>枫泾镇")
    answer = upload(api, as_json(script), "../../etc/<b>passwd</b>.json")
    assert answer.status_code == 201
    assert "/" not in answer.get_json()["source"].replace("</b>", "")
    null = upload(api, as_json(("高", "上海市", "上海市", "金山区", "枫泾镇\u0000白牛路")))
    assert null.status_code == 201, null.text


def test_a_number_that_names_no_list(api: Api) -> None:
    for number in ("0", "999999", str(2**63 - 1), str(2**63), str(2**70), "9" * 300, "-1", "one"):
        for act in ("publish", "withdraw"):
            assert api.post(f"/risk-lists/{number}/{act}").status_code == 404, number


def test_only_command_changes_lists(app: Flask, client: FlaskClient, api: Api) -> None:
    made = upload(api, as_json(*ROWS)).get_json()["id"]
    assert upload(Api(client), as_json(*ROWS)).status_code == 401
    for role in (Role.VILLAGE, Role.TOWN, Role.INTEGRATION, Role.AUDITOR, Role.OFFICER):
        other = integration(app, client, role)
        assert upload(other, as_json(FAR)).status_code == 403
        assert other.post(f"/risk-lists/{made}/publish").status_code == 403
        assert other.post(f"/risk-lists/{made}/withdraw").status_code == 403
    assert stored(app, RiskList) == 1
