"""City command: the numbers, and the way of a risk list from the upload to being in force and back."""

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from checkpoint.accounts.models import Role
from checkpoint.database import db
from checkpoint.registrations import service
from checkpoint.registrations.declaration import Declaration
from checkpoint.risk.models import RiskList, RiskState
from checkpoint.web.command import UPLOAD_ROOM
from tests.factories import NOW, alerting, declarations, people
from tests.factories.divisions import OTHER_VILLAGE, SITE, TOWN, VILLAGE


@pytest.fixture(autouse=True)
def _now(freeze: Callable[[datetime], None]) -> None:
    freeze(NOW + timedelta(minutes=16))


@pytest.fixture
def chief(app: Flask, client: FlaskClient) -> FlaskClient:
    """Somebody of the command who has signed in."""
    return signed_in(app, client, Role.COMMAND, SITE)


def signed_in(app: Flask, client: FlaskClient, role: Role, division: str) -> FlaskClient:
    with app.app_context():
        people.user("chief", role, division)
    client.post("/login", data={"login": "chief", "password": people.PASSWORD})
    return client


def national(*communities: str, level: str = "high", hour: int = 9) -> bytes:
    """A list in the national format that names places in 上海市金山区."""
    group = {"province": "上海市", "city": "上海市", "county": "金山区", "communitys": list(communities)}
    parts = {f"{name}list": [group] if name == level else [] for name in ("high", "middle", "low")}
    counts = {f"{name[0]}count": len(communities) if name == level else 0 for name in ("high", "middle", "low")}
    return json.dumps({"data": {"end_update_time": f"2022-04-12 {hour:02d}时", **counts, **parts}}).encode()


def upload(client: FlaskClient, data: bytes, name: str = "list.json", **form: str) -> TestResponse:
    """Send the form as a browser does; built by hand, since the client's own encoder leaves a file open for a large one."""
    parts = [f'name="{key}"\r\n\r\n{value}'.encode() for key, value in form.items()]
    parts.append(f'name="file"; filename="{name}"\r\nContent-Type: application/octet-stream\r\n\r\n'.encode() + data)
    body = b"".join(b"--part\r\nContent-Disposition: form-data; " + part + b"\r\n" for part in parts) + b"--part--\r\n"
    return client.post("/command/lists?lang=en", data=body, content_type="multipart/form-data; boundary=part")


def stats(page: str) -> dict[str, int]:
    return {name: int(number) for name, number in re.findall(r'data-stat="([a-z-]+)">(\d+)<', page)}


def in_force(app: Flask) -> int | None:
    with app.app_context():
        return db.session.scalar(select(RiskState.list_id))


def published(client: FlaskClient, data: bytes) -> int:
    """Upload a list and publish it; its number."""
    answer = upload(client, data)
    assert answer.status_code == 303
    number = int(answer.location.rsplit("/", 1)[1])
    assert client.post(f"/command/lists/{number}/publish").status_code == 303
    return number


def test_an_empty_city_has_a_page(chief: FlaskClient) -> None:
    page = chief.get("/command?lang=en")
    assert page.status_code == 200
    assert "No risk list is in force" in page.text
    numbers = stats(page.text)
    assert numbers
    assert set(numbers.values()) == {0}


def test_the_numbers_are_those_of_the_registry(app: Flask, chief: FlaskClient) -> None:
    with app.app_context():
        for number, place in ((1, VILLAGE), (2, VILLAGE), (3, OTHER_VILLAGE)):
            body = declarations.declaration(number, destination={"code": place, "address": "1 号"})
            service.submit(Declaration.model_validate(body), actor=people.operator(), at=NOW)
        alerting.alert(VILLAGE, "red", at=NOW)
        people.checkpoint("G60")
    page = chief.get("/command?lang=en").text
    numbers = stats(page)
    assert (numbers["declared"], numbers["declared-yellow"], numbers["inside"]) == (3, 3, 0)
    assert (numbers["live"], numbers["overdue"], numbers["escalated"]) == (4, 1, 0)
    rows = re.findall(
        r'<th scope="row">(\S+)</th>\s*<td>(\d+)</td>\s*<td>(\d+)</td>', page.split('id="alerts-by-place"')[1]
    )
    assert rows[:2] == [("乍浦镇", "3", "1"), ("新埭镇", "1", "0")]
    assert "G60 出口" in page
    part = chief.get("/command", headers={"X-Fragment": "1"}).text
    assert part.lstrip().startswith('<div id="standing"')
    assert stats(part) == numbers


def test_a_list_is_looked_at_before_it_is_in_force(app: Flask, chief: FlaskClient) -> None:
    answer = upload(chief, national("枫泾镇和平居委会", "朱泾镇某小区"))
    assert (answer.status_code, answer.location) == (303, "/command/lists/1")
    assert in_force(app) is None
    page = chief.get("/command/lists/1?lang=en").text
    assert stats(page)["added"] == 2
    assert "枫泾镇和平居委会" in page
    assert chief.post("/command/lists/1/publish").status_code == 303
    assert in_force(app) == 1
    assert "list.json" in chief.get("/command").text


def test_a_second_list_shows_what_it_changes(chief: FlaskClient) -> None:
    published(chief, national("甲小区", "乙小区"))
    second = upload(chief, national("乙小区", "丙小区", "丁小区", level="middle", hour=10)).location
    numbers = stats(chief.get(second).text)
    assert (numbers["added"], numbers["removed"], numbers["raised"], numbers["lowered"]) == (2, 1, 0, 1)


def test_taking_a_list_back_asks_first_and_restores_the_one_before(app: Flask, chief: FlaskClient) -> None:
    first = published(chief, national("甲小区"))
    second = published(chief, national("乙小区", hour=10))
    assert in_force(app) == second
    assert "Take this list back?" in chief.get(f"/command/lists/{second}/withdraw?lang=en").text
    assert in_force(app) == second
    assert chief.post(f"/command/lists/{second}/withdraw").status_code == 303
    assert in_force(app) == first
    assert chief.post(f"/command/lists/{second}/withdraw").status_code == 409


def test_a_collapsed_list_needs_a_word(app: Flask, chief: FlaskClient) -> None:
    first = published(chief, national(*(f"第{number}小区" for number in range(120))))
    second = int(upload(chief, national("甲小区", hour=10)).location.rsplit("/", 1)[1])
    assert "less than half" in chief.get(f"/command/lists/{second}?lang=en").text
    assert chief.post(f"/command/lists/{second}/publish").status_code == 409
    assert in_force(app) == first
    assert chief.post(f"/command/lists/{second}/publish", data={"collapsed_is_right": "1"}).status_code == 303
    assert in_force(app) == second


def test_the_list_in_force_uploaded_again_is_confirmed(app: Flask, chief: FlaskClient) -> None:
    number = published(chief, national("甲小区"))
    answer = upload(chief, national("甲小区"), "same.json")
    assert answer.location == f"/command/lists/{number}"
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(RiskList)) == 1


@pytest.mark.parametrize(
    ("data", "name", "said"),
    [
        (b"", "empty.json", "The file is empty."),
        (b"{", "broken.json", "This is not a JSON document."),
        (b"PK\x03\x04 no workbook", "list.xlsx", "This is not an XLSX workbook"),
        (b"level,province,city,county,text\nhigh,,,,\n", "list.csv", "Row 2: the province is missing"),
        (b"\xff\xfe\x00", "list.csv", "<"),
    ],
)
def test_a_wrong_file_is_named_and_nothing_stored(
    app: Flask, chief: FlaskClient, data: bytes, name: str, said: str
) -> None:
    answer = upload(chief, data, name)
    assert answer.status_code == 422
    assert "Nothing was imported." in answer.text
    assert said in answer.text
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(RiskList)) == 0


def test_wrong_rows_can_be_left_out(app: Flask, chief: FlaskClient) -> None:
    table = "等级,省,市,县,社区\n高风险,上海市,上海市,金山区,甲小区\n高风险,,,,\n".encode()
    assert upload(chief, table, "list.csv").status_code == 422
    answer = upload(chief, table, "list.csv", skip_bad_rows="1", published_at="2022-04-12T08:30")
    assert answer.status_code == 303
    with app.app_context():
        [row] = db.session.scalars(select(RiskList))
        assert (row.total, row.published_at.isoformat()) == (1, "2022-04-12T00:30:00+00:00")


def test_no_file_is_a_sentence(chief: FlaskClient) -> None:
    answer = chief.post("/command/lists?lang=en", data={}, content_type="multipart/form-data")
    assert answer.status_code == 422
    assert "Choose a file first." in answer.text


def test_only_a_list_may_be_large(app: Flask, chief: FlaskClient) -> None:
    padded = national("甲小区")[:-1] + b" " * (2 * UPLOAD_ROOM) + b"}"
    assert len(padded) > app.config["MAX_CONTENT_LENGTH"]
    assert upload(chief, padded).status_code == 303
    chief.post("/logout")
    assert upload(chief, padded).status_code in (302, 413)


def test_why_an_address_is_flagged(chief: FlaskClient) -> None:
    published(chief, national("枫泾镇和平居委会"))
    page = chief.get("/command/explain?lang=en&text=上海市金山区枫泾镇和平居委会").text
    assert "The place itself is listed" in page
    assert "<strong>100</strong>" in page
    assert "Nothing is listed there" in chief.get("/command/explain?lang=en&text=辽宁省朝阳市双塔区").text
    assert "unknown is never green" in chief.get("/command/explain?lang=en&text=火星第五大道").text
    assert chief.get("/command/explain?text=<script>alert(1)</script>&on=never").text.count("<script>") == 0


@pytest.mark.parametrize("path", ["/command", "/command/lists", "/command/explain"])
def test_who_may_look(app: Flask, client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 302
    assert signed_in(app, client, Role.TOWN, TOWN).get(path).status_code == 403


def test_an_auditor_looks_and_changes_nothing(app: Flask, client: FlaskClient) -> None:
    auditor = signed_in(app, client, Role.AUDITOR, SITE)
    page = auditor.get("/command")
    assert page.status_code == 200
    assert "data-live=" not in page.text
    assert "Upload and look" not in auditor.get("/command/lists?lang=en").text
    assert upload(auditor, national("甲小区")).status_code == 403
    assert auditor.post("/command/lists/1/publish").status_code == 403
