"""The applicant's pages without scripts: the form, the link, the question and its reply, withdrawing; and what nobody finds there."""

import io
import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from checkpoint.approvals import queries, service
from checkpoint.approvals.conditions import Conditions
from checkpoint.approvals.models import Approval
from checkpoint.database import db
from tests.factories import NOW, people
from tests.factories.applications import DRIVER, applied, conditions, photo
from tests.factories.divisions import NEIGHBOUR_TOWN, VILLAGE


@pytest.fixture(autouse=True)
def _now(freeze: Callable[[Any], None]) -> None:
    freeze(NOW)


def filled(**changes: Any) -> dict[str, Any]:
    """The form of a person as a phone without scripts sends it."""
    return {
        "client_id": str(uuid.uuid4()),
        "act": "send",
        "people.0.name": "周师傅",
        "people.0.id_type": "resident_id",
        "people.0.id_number": DRIVER.id_number,
        "people.0.phone": "13900000001",
        "origin_text": "上海市金山区枫泾镇",
        "destination_text": "乍浦镇八字村",
        "from": "2022-04-13",
        "until": "2022-04-15",
        "purpose": "照顾住院的母亲",
    } | changes


def lorry(**changes: Any) -> dict[str, Any]:
    return filled(
        **{
            "plate": "沪A 12345",
            "stops.0_text": "平湖市新埭镇",
            "days": ["1", "3"],
            "hours_from": "08:00",
            "hours_to": "18:00",
        }
        | changes
    )


def stored(app: Flask) -> list[Approval]:
    with app.app_context():
        return list(db.session.scalars(select(Approval)))


def test_a_person_applies_and_follows_the_link(app: Flask, client: FlaskClient) -> None:
    form = filled() | {"pictures": (io.BytesIO(photo()), "letter.png")}
    done = client.post("/apply/person", data=form, content_type="multipart/form-data")
    assert done.status_code == 303
    assert re.fullmatch(r"/approval/[\w-]{22}", done.location)
    [approval] = stored(app)
    assert (approval.division_code, approval.origin_code, approval.kind) == (VILLAGE, NEIGHBOUR_TOWN, "person")
    with app.app_context():
        asked = Conditions.from_json(approval.asked_conditions)
        assert len(queries.pages(approval.id)) == 1
    assert asked.valid_from.isoformat() == "2022-04-13T00:00:00+08:00"
    assert asked.valid_until.isoformat() == "2022-04-16T00:00:00+08:00"  # the last day counts in full
    # Sent twice it is one, with the same link.
    again = client.post("/apply/person", data=filled(client_id=form["client_id"]))
    assert again.location == done.location
    assert len(stored(app)) == 1
    shown = client.get(f"{done.location}?lang=en")
    assert shown.headers["Cache-Control"] == "no-store"
    assert "noindex" in shown.headers["X-Robots-Tag"]
    assert approval.number in shown.text
    assert "It is with the village or community" in shown.text
    for secret in ("周师傅", DRIVER.id_number or "", "13900000001", "住院"):
        assert secret not in shown.text
    slip = client.get(f"{done.location}/slip")
    assert approval.number in slip.text
    assert '<svg class="qr"' in slip.text


def test_a_lorry_names_its_days_hours_and_stops(app: Flask, client: FlaskClient) -> None:
    assert client.post("/apply/lorry", data=lorry(trailer="沪A1234挂")).status_code == 303
    [approval] = stored(app)
    asked = approval.asked_conditions
    assert (asked["days"], asked["hours"], asked["binding"]) == ([1, 3], ["08:00", "18:00"], True)
    assert asked["route"] == {"from": NEIGHBOUR_TOWN, "to": [VILLAGE], "stops": ["330482102000"]}
    with app.app_context():
        assert [one.plate for one in queries.holders(approval.id)] == [None, "沪A12345", "沪A1234挂"]


@pytest.mark.parametrize(
    ("path", "changes", "field"),
    [
        ("person", {"people.0.id_number": "310116198001010051"}, "people-0-id_number"),
        ("person", {"people.0.phone": ""}, "people-0-phone"),
        ("person", {"people.0.name": ""}, "people-0-name"),
        ("person", {"purpose": ""}, "purpose"),
        ("person", {"until": "2022-04-12"}, "until"),
        ("person", {"until": "2022-06-12"}, "until"),
        ("person", {"from": "no day"}, "from"),
        ("person", {"destination_text": ""}, "destination"),
        ("person", {"destination_text": "上海市金山区"}, "destination"),
        ("person", {"origin_text": ""}, "origin"),
        ("lorry", {"plate": ""}, "plate"),
        ("lorry", {"plate": "?"}, "plate"),
        ("lorry", {"hours_to": ""}, "hours_to"),
        ("lorry", {"hours_from": "25:00"}, "hours_from"),
        ("lorry", {"posts": ["NOWHERE"]}, "posts"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(
    app: Flask, client: FlaskClient, path: str, changes: dict[str, Any], field: str
) -> None:
    with app.app_context():
        people.checkpoint()
    answer = client.post(f"/apply/{path}", data=(lorry if path == "lorry" else filled)(**changes))
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert f'href="#{field}"' in answer.text
    assert "照顾住院的母亲" in answer.text or "purpose" in changes  # nothing typed is lost
    assert stored(app) == []


def test_rows_come_and_go_without_scripts(client: FlaskClient) -> None:
    more = client.post("/apply/lorry", data=lorry(act="add people"))
    assert more.status_code == 200
    assert 'name="people.1.name"' in more.text
    fewer = client.post("/apply/lorry", data=lorry(act="remove stops 0"))
    assert 'name="stops.0_text"' not in fewer.text.split("<template")[0]


def test_a_question_is_answered_with_a_picture(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        asked = applied()
        path = service.path_of(asked.id)
        service.ask(asked.id, "住在<谁>家？", actor=people.village_worker(), at=NOW)
        before = asked.id
    page = client.get(f"{path}?lang=en").text
    assert "住在&lt;谁&gt;家？" in page
    once = re.search(r'name="once" value="([^"]+)"', page)
    assert once is not None
    wrong = client.post(f"{path}/reply?lang=en", data={"text": " ", "once": once[1]})
    assert (wrong.status_code, "Write an answer" in wrong.text) == (422, True)
    broken = client.post(f"{path}/reply", data={"text": "在我姐家", "pictures": (io.BytesIO(b"nothing"), "a.png")})
    assert broken.status_code == 422
    assert "在我姐家" in broken.text
    form = {"text": "在我姐家", "once": once[1]}
    for _time in range(2):
        sent = client.post(f"{path}/reply", data=form | {"pictures": (io.BytesIO(photo()), "door.png")})
        assert (sent.status_code, sent.location) == (303, path)
    with app.app_context():
        assert [step.act for step in queries.steps(before)] == ["applied", "asked", "replied"]
        assert len(queries.pages(before)) == 1
    assert "You replied" in client.get(f"{path}?lang=en").text


def test_granted_conditions_are_shown_and_can_be_given_back(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        asked = applied()
        path = service.path_of(asked.id)
        given = conditions(days=[1, 5], hours=["22:00", "06:00"], test_hours=24, note="走东门")
        service.grant(asked.id, given, "请按时", actor=people.commander(), at=NOW)
    page = client.get(f"{path}?lang=en").text
    for words in (
        "Mon, Fri",
        "22:00 to 06:00",
        "not older than 24 hours",
        "走东门",
        "请按时",
        "Granted by the city command",
    ):
        assert words in page
    assert client.get(f"{path}/withdraw").status_code == 200
    assert client.post(f"{path}/withdraw", data={}).location == path
    assert "Withdrawn" in client.get(f"{path}?lang=en").text
    assert client.get(f"{path}/withdraw").location == path  # nothing left to withdraw


def test_a_refusal_says_why(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        asked = applied()
        path = service.path_of(asked.id)
        service.refuse(asked.id, "村里正在封控", actor=people.village_worker(), at=NOW)
    page = client.get(f"{path}?lang=en").text
    assert "村里正在封控" in page
    assert "Withdraw the application" not in page


def test_what_one_office_writes_to_the_next_is_not_for_the_applicant(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        asked = applied()
        service.forward(asked.id, "此人曾谎报", None, actor=people.village_worker(), at=NOW)
        path = service.path_of(asked.id)
    page = client.get(f"{path}?lang=en").text
    assert "now with the town or street" in page
    assert "此人曾谎报" not in page


def test_a_link_that_is_not_ours_is_answered_kindly(client: FlaskClient) -> None:
    for path in ("/approval/AAAAAAAAAAAAAAAAAAAAAA", "/approval/AAAAAAAAAAAAAAAAAAAAAA/slip"):
        answer = client.get(f"{path}?lang=en")
        assert (answer.status_code, "There is no application under this link" in answer.text) == (404, True)
    assert client.post("/approval/AAAAAAAAAAAAAAAAAAAAAA/withdraw").status_code == 404


def test_a_form_without_its_token_comes_back_with_everything(app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    answer = app.test_client().post("/apply/person?lang=en", data=filled())
    assert answer.status_code == 400
    assert "still here" in answer.text
    assert "照顾住院的母亲" in answer.text


def test_the_choice(client: FlaskClient) -> None:
    page = client.get("/apply").text
    for path in ("/apply/person", "/apply/lorry"):
        assert f'href="{path}"' in page
        assert client.get(path).status_code == 200
    assert client.get("/apply/staff").status_code == 404
