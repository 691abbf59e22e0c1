"""The traveller's form as a browser without JavaScript sends it."""

import html
import re
import threading
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from checkpoint.database import db
from checkpoint.registrations.models import Registration, Stay, Traveller
from tests.factories import NOW, TODAY, declarations, people
from tests.factories.divisions import NEIGHBOUR, SAME_PROVINCE, VILLAGE

FORM = "/"


@pytest.fixture(autouse=True)
def _now(freeze: Callable[[datetime], None]) -> None:
    freeze(NOW)


def typed(number: int = 1, **changes: str) -> dict[str, Any]:
    """What a person who fills in the form posts."""
    fields = {
        "client_id": str(uuid.uuid4()),
        "name": declarations.name(number),
        "id_type": "resident_id",
        "id_number": declarations.resident_id(number),
        "phone": declarations.phone(number),
        "origin_text": "浙江省嘉兴市嘉善县",
        "destination_text": "平湖市乍浦镇八字村",
        "destination.address": "3 组 12 号",
        "arriving_on": TODAY.isoformat(),
        "transport": "car",
        "plate": "浙F12345",
        "act": "send",
    }
    return fields | changes


def stored(app: Flask, model: type[Any] = Registration) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(model)) or 0


def only(app: Flask) -> Registration:
    return db.session.scalars(select(Registration).where(Registration.lead_id.is_(None))).one()


def error_beside(page: str, field: str) -> str:
    """The sentence inside the error paragraph of a field."""
    identifier = re.escape(field.replace(".", "-"))
    found = re.search(rf'<p class="field-error" id="{identifier}-error">.*?<span>(.*?)</span>', page, re.DOTALL)
    return html.unescape(found[1]) if found else ""


def test_an_empty_form_is_small_complete_and_bound_to_one_identifier(client: FlaskClient) -> None:
    first, second = client.get(FORM).text, client.get(FORM).text
    identifiers = [re.search(r'name="client_id" value="([0-9a-f-]{36})"', page) for page in (first, second)]
    assert all(identifiers)
    assert len({found[1] for found in identifiers if found}) == 2
    for name in ("name", "id_number", "phone", "origin_text", "destination_text", "arriving_on", "transport", "plate"):
        assert f'name="{name}"' in first
    assert "<script>" not in first
    assert "style=" not in first


def test_sending_stores_one_registration_and_leads_to_its_pass(app: Flask, client: FlaskClient) -> None:
    answer = client.post(FORM, data=typed())
    assert answer.status_code == 303
    assert re.fullmatch(r"/p/[\w-]{30,40}", answer.location)
    with app.app_context():
        row = only(app)
        assert (row.origin_code, row.destination_code) == (SAME_PROVINCE, VILLAGE)
        assert (row.address, row.plate, row.transport) == ("3 组 12 号", "浙F12345", "car")
    shown = client.get(answer.location)
    assert shown.status_code == 200
    assert declarations.name(1) not in shown.text
    assert declarations.resident_id(1) not in shown.text


def test_the_same_form_again_returns_the_first_pass(app: Flask, client: FlaskClient) -> None:
    fields = typed()
    first = client.post(FORM, data=fields).location
    again = client.post(FORM, data=fields).location
    assert again == f"{first}?again=1"
    assert stored(app) == 1


def test_a_double_click_at_the_same_moment_gives_one_record(app: Flask) -> None:
    fields = typed()
    gate, answers = threading.Barrier(4), []

    def press() -> None:
        client = app.test_client()
        gate.wait()
        answers.append(client.post(FORM, data=fields))

    presses = [threading.Thread(target=press) for _ in range(4)]
    for press_ in presses:
        press_.start()
    for press_ in presses:
        press_.join()
    assert [answer.status_code for answer in answers] == [303] * 4
    assert len({answer.location.partition("?")[0] for answer in answers}) == 1
    assert stored(app) == stored(app, Traveller) == 1


WRONG = [
    ("name", {"name": ""}),
    ("name", {"name": "<script>alert(1)</script>"}),
    ("id_number", {"id_number": declarations.resident_id(1)[:-1] + "?"}),
    ("id_number", {"id_number": declarations.resident_id(1)[:4] + "9" + declarations.resident_id(1)[5:]}),
    ("id_number", {"id_type": "passport", "id_number": "!!"}),
    ("phone", {"phone": "123"}),
    ("origin", {"origin_text": ""}),
    ("origin", {"origin_text": "", "origin_code": "999999999999"}),
    ("destination", {"destination_text": ""}),
    ("destination", {"destination_text": "武汉市江汉区"}),
    ("destination", {"destination_text": "", "destination_code": NEIGHBOUR}),
    ("arriving_on", {"arriving_on": "2022-02-30"}),
    ("arriving_on", {"arriving_on": (TODAY - timedelta(days=9)).isoformat()}),
    ("arriving_on", {"arriving_on": (TODAY + timedelta(days=99)).isoformat()}),
    ("transport", {"transport": "rocket"}),
    ("plate", {"plate": "?"}),
    ("stays.0", {"stays.0.from": "2022-04-01", "stays.0.to": "2022-04-02"}),
    ("stays.0.from", {"stays.0_text": "上海市金山区", "stays.0.to": "2022-04-02"}),
    ("stays.0.to", {"stays.0_text": "上海市金山区", "stays.0.from": "2022-04-05", "stays.0.to": "2022-04-02"}),
    ("stays.0.to", {"stays.0_text": "上海市金山区", "stays.0.from": "2022-04-05", "stays.0.to": "2022-04-28"}),
    ("companions.0.id_number", {"companions.0.name": "李小", "companions.0.id_type": "resident_id"}),
    ("tests.0.taken_at", {"tests.0.kind": "pcr", "tests.0.result": "negative", "tests.0.taken_at": "2022-04-30T10:00"}),
]


@pytest.mark.parametrize(("field", "changes"), WRONG)
def test_each_error_stands_beside_its_field_and_nothing_is_stored(
    app: Flask, client: FlaskClient, field: str, changes: dict[str, str]
) -> None:
    answer = client.post(FORM, data=typed(**changes))
    assert answer.status_code == 422
    assert error_beside(answer.text, field)
    assert f'href="#{field.replace(".", "-")}"' in answer.text  # the summary leads there
    assert 'value="3 组 12 号"' in answer.text  # what was typed is kept
    assert stored(app) == stored(app, Traveller) == 0


def test_all_errors_are_named_at_once_in_the_order_of_the_page(client: FlaskClient) -> None:
    page = client.post(FORM, data={"act": "send", "id_type": "resident_id"}).text
    summary = page[page.index("error-summary") : page.index("<form method")]
    fields = re.findall(r'href="#([\w-]+)"', summary)
    assert fields == ["name", "id_number", "phone", "origin", "destination", "arriving_on", "transport"]


def test_a_number_that_is_too_short_is_called_wrong_and_not_missing(client: FlaskClient) -> None:
    page = client.post("/?lang=en", data=typed(phone="12", id_type="passport", id_number="E1")).text
    assert error_beside(page, "phone") == "This is not a phone number."
    assert error_beside(page, "id_number") == "This is not a valid number for this kind of document."


def test_the_same_document_twice_is_named(app: Flask, client: FlaskClient) -> None:
    twin = {"companions.0.name": "李小", "companions.0.id_type": "resident_id"}
    page = client.post(FORM, data=typed(**twin, **{"companions.0.id_number": declarations.resident_id(1)}))
    assert page.status_code == 422
    assert error_beside(page.text, "companions")
    assert stored(app) == 0


def test_two_hundred_companions_are_refused(app: Flask, client: FlaskClient) -> None:
    crowd = {}
    for number in range(200):
        crowd[f"companions.{number}.name"] = "李小"
        crowd[f"companions.{number}.id_type"] = "resident_id"
        crowd[f"companions.{number}.id_number"] = declarations.resident_id(number + 2)
    page = client.post(FORM, data=typed(**crowd))
    assert page.status_code == 422
    assert error_beside(page.text, "companions")
    assert stored(app) == 0


@pytest.mark.parametrize("kind", ["stays", "companions", "tests"])
def test_a_row_is_added_and_removed_without_scripts(app: Flask, client: FlaskClient, kind: str) -> None:
    fields = typed(**{"companions.4.name": "李小", "stays.4_text": "枫泾镇", "tests.4.taken_at": "2022-04-11T08:00"})
    page = client.post(FORM, data=fields | {"act": f"add {kind}"})
    assert page.status_code == 200
    assert (
        page.text.count(f'<fieldset class="row" id="{kind}-') == 2 + 1
    )  # the one there was, the new one, the template
    assert f'value="{declarations.name(1)}"' in page.text
    assert 'value="李小"' in page.text
    assert fields["client_id"] in page.text
    gone = client.post(FORM, data=fields | {"act": f"remove {kind} 4"})
    assert gone.text.count(f'<fieldset class="row" id="{kind}-') == 1
    assert "error-summary" not in gone.text
    assert stored(app) == 0


def test_the_whole_form_with_stays_companions_tests_and_symptoms(app: Flask, client: FlaskClient) -> None:
    fields = typed() | {
        "stays.3_text": "上海市金山区枫泾镇",
        "stays.3.from": "2022-04-08",
        "stays.3.to": "2022-04-10",
        "companions.0.name": declarations.name(2),
        "companions.0.id_type": "resident_id",
        "companions.0.id_number": declarations.resident_id(2),
        "tests.0.kind": "pcr",
        "tests.0.taken_at": "2022-04-11T08:00",
        "tests.0.result": "negative",
        "symptoms": ["fever", "cough"],
    }
    answer = client.post(FORM, data=fields)
    assert answer.status_code == 303
    with app.app_context():
        row = only(app)
        assert row.symptoms == ["fever", "cough"]
        stay = db.session.scalars(select(Stay).where(Stay.registration_id == row.id, Stay.is_origin.is_(False))).one()
        assert (stay.code, stay.since.isoformat(), stay.until.isoformat()) == (
            "310116102000",
            "2022-04-08",
            "2022-04-10",
        )
    assert stored(app) == 2
    assert client.get(answer.location).text.count('href="/p/') >= 3  # the companion's own pass, change, withdraw


def test_a_train_needs_no_plate(app: Flask, client: FlaskClient) -> None:
    assert client.post(FORM, data=typed(transport="train", plate="?")).status_code == 303
    with app.app_context():
        assert only(app).plate is None


def test_a_hostile_name_comes_back_as_text(client: FlaskClient) -> None:
    hostile = '"><script>alert(1)</script>'
    page = client.post(FORM, data=typed(name=hostile, origin_text=hostile, **{"destination.address": hostile})).text
    assert "<script>alert" not in page
    assert html.escape(hostile, quote=True).replace("&quot;", "&#34;").replace("&#x27;", "&#39;") in page


def test_a_poster_fills_in_its_checkpoint(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        post = people.checkpoint("G60")
        post_id, name = post.id, post.name
    page = client.get("/c/g60")
    assert page.status_code == 200
    assert name in page.text
    assert client.post("/c/G60", data=typed()).status_code == 303
    with app.app_context():
        assert only(app).checkpoint_id == post_id


@pytest.mark.parametrize("code", ["NOWHERE", "%20", "G60/../x"])
def test_an_unknown_poster_gives_a_kind_page(client: FlaskClient, code: str) -> None:
    answer = client.get(f"/c/{code}")
    assert answer.status_code == 404
    assert 'href="/"' in answer.text


def test_a_closed_checkpoint_gives_the_same_page(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        people.checkpoint("G60").active = False
        db.session.commit()
    assert client.get("/c/G60").status_code == 404


def test_an_expired_form_comes_back_with_what_was_typed(app: Flask, client: FlaskClient) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    fields = typed()
    answer = client.post(FORM, data=fields)
    assert answer.status_code == 400
    assert fields["client_id"] in answer.text
    assert f'value="{declarations.name(1)}"' in answer.text
    token = re.search(r'name="csrf_token" value="([^"]+)"', answer.text)
    assert token
    assert client.post(FORM, data=fields | {"csrf_token": token[1]}).status_code == 303
    assert stored(app) == 1


def test_another_language_keeps_what_was_typed(client: FlaskClient) -> None:
    page = client.post("/?lang=en", data=typed(act="keep")).text
    assert '<html lang="en"' in page
    assert f'value="{declarations.name(1)}"' in page
