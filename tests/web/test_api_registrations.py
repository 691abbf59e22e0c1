"""POST and GET of registrations as outside clients use them."""

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from checkpoint.accounts.models import Role
from checkpoint.alerts.models import Alert
from checkpoint.registrations.models import Traveller
from tests.factories import NOW, lists
from tests.factories.declarations import companion, declaration, negative_test, resident_id, stay
from tests.factories.divisions import NEIGHBOUR_TOWN, OTHER_TOWN, OTHER_VILLAGE, SECOND_VILLAGE, SITE, TOWN, VILLAGE
from tests.web.api_support import Api, errors_of, integration, stored

JSON = "application/json"
NEXT_CITY = "330481000000"  # 海宁市


@pytest.fixture(autouse=True)
def _now(freeze: Callable[[datetime], None]) -> None:
    freeze(NOW)


@pytest.fixture
def api(client: FlaskClient) -> Api:
    """Anybody with a phone."""
    return Api(client)


def test_a_declaration_is_answered_with_its_result(app: Flask, api: Api) -> None:
    with app.app_context():
        published = lists.in_force().id
    body = declaration(stays=[stay(NEIGHBOUR_TOWN, text="白牛路151弄12号楼302室")], companions=[companion()])
    answer = api.post("/registrations", body)
    assert answer.status_code == 201
    result = answer.get_json()
    assert set(result) == {"id", "tier", "score", "reasons", "measures", "pass", "companions"}
    assert (result["tier"], result["score"]) == ("red", 100)
    reason = result["reasons"][0]
    assert reason["rule"] == "high_area"
    assert reason["evidence"]["list_id"] == published
    assert reason["evidence"]["area"] == lists.FENGJING.text
    assert "枫泾" in reason["text"]
    assert [one["kind"] for one in result["measures"]] == ["central_quarantine"]
    assert result["pass"]["token"].startswith("CP1:")
    assert result["pass"]["expires_at"] > NOW.isoformat()
    assert [one["name"][0] for one in result["companions"]] == [companion()["name"][0]]
    assert companion()["name"] not in answer.text
    assert stored(app) == 2


def test_the_pass_opens_the_page_it_names(api: Api, client: FlaskClient) -> None:
    result = api.declare()
    page = client.get("/p/" + result["pass"]["url"].rpartition("/")[2])
    assert page.status_code == 200
    assert result["pass"]["short_code"][:4] in page.text


def test_the_same_declaration_again_gives_the_same_bytes(app: Flask, api: Api) -> None:
    body = declaration(companions=[companion(2), companion(3)])
    first = api.post("/registrations", body)
    with app.app_context():
        lists.in_force()
    again = api.post("/registrations", body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.get_data() == first.get_data()
    assert (stored(app), stored(app, Alert)) == (3, 3)


def test_the_same_declaration_at_once_is_one_record(app: Flask) -> None:
    body = declaration()
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: Api(app.test_client()).post("/registrations", body), range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    assert len({answer.get_data() for answer in answers}) == 1
    assert (stored(app), stored(app, Traveller), stored(app, Alert)) == (1, 1, 1)


WRONG: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "check digit": ({"id_number": resident_id()[:-1] + "0"}, {"id_number": "check_digit"}),
    "a division of another country": ({"origin": {"code": "900000000000"}}, {"origin.code": "unknown_division"}),
    "digits of another script": (
        {"origin": {"code": "３３０４２１００００００"}, "destination": {"code": "٣٣٠٤٨٢١٠١٢٠٣"}},
        {"origin.code": "string_pattern_mismatch", "destination.code": "string_pattern_mismatch"},
    ),
    "a name in angle brackets": ({"name": "<script>alert(1)</script>"}, {"name": "name"}),
    "two hundred companions": ({"companions": [companion(n) for n in range(2, 202)]}, {"companions": "too_long"}),
    "a day that does not exist": ({"arriving_on": "2022-02-30"}, {"arriving_on": "date_from_datetime_parsing"}),
    "a day long gone": ({"arriving_on": "1022-04-12"}, {"arriving_on": "arrival_past"}),
    "a day at the end of time": ({"arriving_on": "9999-12-31"}, {"arriving_on": "arrival_far"}),
    "an instant at the end of time": (
        {"tests": [negative_test() | {"taken_at": "9999-12-31T23:59:59-12:00"}]},
        {"tests.0.taken_at": "test_future"},
    ),
    "an instant at its beginning": (
        {"tests": [negative_test() | {"taken_at": "0001-01-01T00:00:00+14:00"}]},
        {"tests.0.taken_at": "test_old"},
    ),
    "a test without its time zone": (
        {"tests": [negative_test() | {"taken_at": "2022-04-11T08:00:00"}]},
        {"tests.0.taken_at": "timezone_aware"},
    ),
    "another city": ({"destination": {"code": "310116102001"}}, {"destination.code": "outside_site"}),
    "no town": ({"destination": {"code": SITE}}, {"destination.code": "destination_level"}),
    "an unknown checkpoint": ({"checkpoint": "NOWHERE"}, {"checkpoint": "unknown_checkpoint"}),
    "a field of its own": ({"tier": "green"}, {"tier": "extra_forbidden"}),
    "one document twice": ({"companions": [companion(1)]}, {"companions": "same_person"}),
    "both kinds at once": (
        {
            "name": "",
            "id_number": "1",
            "phone": "call me",
            "origin": {"code": "999999999999"},
            "stays": [
                {"code": "900000000000", "from": "2022-04-09", "to": "2022-04-01"},
                {"from": "2022-04-31", "to": "2022-04-20"},
                {"code": "310116000000", "from": "1999-01-01", "to": "2022-04-10"},
                "Shanghai",
            ],
            "destination": {"code": "310116102001"},
            "arriving_on": "2023-01-01",
            "checkpoint": "NOWHERE",
            "transport": "broom",
            "tests": [
                {"kind": "guess", "taken_at": "2022-05-01T00:00:00+08:00", "result": "negative"},
                {"kind": "pcr", "taken_at": "2020-05-01T00:00:00+08:00", "result": "negative"},
            ],
        },
        {
            "name": "string_too_short",
            "id_number": "string_too_short",
            "phone": "phone",
            "origin.code": "unknown_division",
            "stays.0": "dates",
            "stays.0.code": "unknown_division",
            "stays.1.from": "date_from_datetime_parsing",
            "stays.2.from": "stay_past",
            "stays.3": "model_type",
            "destination.code": "outside_site",
            "arriving_on": "arrival_far",
            "checkpoint": "unknown_checkpoint",
            "transport": "literal_error",
            "tests.0.kind": "literal_error",
            "tests.0.taken_at": "test_future",
            "tests.1.taken_at": "test_old",
        },
    ),
}


def test_every_wrong_field_is_named_and_nothing_is_stored(app: Flask, api: Api) -> None:
    found = {
        case: errors_of(api.post("/registrations", declaration(**changes))) for case, (changes, _) in WRONG.items()
    }
    assert found == {case: wrong for case, (_, wrong) in WRONG.items()}
    assert (stored(app), stored(app, Traveller), stored(app, Alert)) == (0, 0, 0)


def test_digits_of_another_script_are_not_another_person(app: Flask, api: Api) -> None:
    """Full-width digits are folded to ours; Arabic ones would make a document that no list ever finds."""
    arabic = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
    body = declaration()
    wrong = errors_of(api.post("/registrations", body | {"id_number": body["id_number"].translate(arabic)}))
    assert wrong == {"id_number": "check_digit"}
    wide = str.maketrans("0123456789", "０１２３４５６７８９")
    for script in (arabic, wide, {}):
        same = body | {"client_id": str(uuid.uuid4()), "phone": body["phone"].translate(script)}
        same["id_number"] = body["id_number"].translate(wide if script else {})
        assert api.post("/registrations", same).status_code == 201
    assert (stored(app), stored(app, Traveller)) == (3, 1)


RAW: dict[str, tuple[bytes, str, int]] = {
    "broken JSON": (b'{"client_id": ', JSON, 400),
    "half a character": (b'{"name": "\xe5\xbc"}', JSON, 400),
    "half of a pair": (b'{"name": "\\ud800"}', JSON, 400),
    "a deep nest": (b"[" * 100_000, JSON, 400),
    "nothing": (b"", JSON, 400),
    "no object": (b"[]", JSON, 422),
    "null": (b"null", JSON, 422),
    "a form": (b"name=x", "application/x-www-form-urlencoded", 415),
    "text": (b"{}", "text/plain", 415),
    "ten megabytes": (b'{"name": "' + b"a" * 10_000_000 + b'"}', JSON, 413),
}


def test_what_is_no_declaration_is_refused(app: Flask, api: Api) -> None:
    found = {
        case: api.post("/registrations", data=data, content_type=kind).status_code
        for case, (data, kind, _) in RAW.items()
    }
    assert found == {case: status for case, (_, _, status) in RAW.items()}
    assert stored(app) == 0


def test_a_null_character_is_taken_out_of_words_and_refused_in_codes(app: Flask, api: Api) -> None:
    body = declaration(destination={"code": VILLAGE, "address": "3 组\u0000 12 号"}, origin={"text": "嘉善\u0000县"})
    assert api.post("/registrations", body).status_code == 201
    wrong = errors_of(api.post("/registrations", declaration(checkpoint="G\u000060", transport="car\u0000")))
    assert set(wrong) == {"checkpoint", "transport"}
    assert stored(app) == 1


def test_sentences_come_in_the_language_that_is_asked_for(api: Api, client: FlaskClient) -> None:
    body = declaration(transport="broom")
    said = {
        language: client.post("/api/v1/registrations", json=body, headers={"Accept-Language": language}).get_json()
        for language in ("zh", "en")
    }
    assert said["en"]["errors"][0]["message"] == "Choose one of the listed values."
    assert said["zh"]["errors"][0]["message"] != said["en"]["errors"][0]["message"]
    assert said["zh"]["title"] != said["en"]["title"]


def test_the_holder_of_the_pass_reads_the_record(api: Api, client: FlaskClient) -> None:
    result = api.declare(plate="浙F12345")
    handle = result["pass"]["url"].rpartition("/")[2]
    body = declaration()
    for token in (result["pass"]["token"], handle):
        answer = Api(client, token).get(f"/registrations/{result['id']}")
        assert answer.status_code == 200
        record = answer.get_json()
        assert (record["id"], record["state"], record["tier"]) == (result["id"], "declared", result["tier"])
        assert record["destination_code"] == VILLAGE
        assert record["origin"]["name"].endswith("嘉善县")
        assert record["pass"] == result["pass"]
        for secret in ("name", "id_number", "phone"):
            assert record["person"][secret] != body[secret]
            assert body[secret] not in answer.text


def test_the_holder_of_a_pass_reads_no_other_record(api: Api, client: FlaskClient) -> None:
    mine, other = api.declare(1), api.declare(2)
    assert Api(client, mine["pass"]["token"]).get(f"/registrations/{other['id']}").status_code == 404
    assert Api(client, mine["pass"]["token"]).get(f"/registrations/{uuid.uuid4()}").status_code == 404


def test_whoever_declared_for_all_reads_all_and_a_companion_only_the_own(api: Api, client: FlaskClient) -> None:
    lead = api.declare(companions=[companion()])
    follower = lead["companions"][0]
    assert Api(client, lead["pass"]["token"]).get(f"/registrations/{follower['id']}").status_code == 200
    assert Api(client, follower["pass"]["token"]).get(f"/registrations/{follower['id']}").status_code == 200
    assert Api(client, follower["pass"]["token"]).get(f"/registrations/{lead['id']}").status_code == 404


def test_a_worker_of_another_village_finds_nothing(app: Flask, api: Api, client: FlaskClient) -> None:
    identity = api.declare()["id"]
    nothing = integration(app, client).get(f"/registrations/{uuid.uuid4()}")
    assert nothing.status_code == 404
    for division in (VILLAGE, TOWN, SITE):
        assert integration(app, client, division=division).get(f"/registrations/{identity}").status_code == 200
    for division in (SECOND_VILLAGE, OTHER_VILLAGE, OTHER_TOWN, NEXT_CITY):
        answer = integration(app, client, division=division).get(f"/registrations/{identity}")
        assert answer.status_code == 404
        assert answer.get_data() == nothing.get_data()


def test_without_a_token_or_with_a_wrong_one_there_is_no_record(app: Flask, api: Api, client: FlaskClient) -> None:
    result = api.declare()
    token = result["pass"]["token"]
    handle = result["pass"]["url"].rpartition("/")[2]
    forged = token[:-1] + ("0" if token[-1] != "0" else "1")
    assert api.get(f"/registrations/{result['id']}").status_code == 401
    for wrong in (forged, "CP1:", handle[:-2] + "xx", "cpt_" + "x" * 43, "\u00e9\u00e9", ""):
        assert Api(client, wrong).get(f"/registrations/{result['id']}").status_code == 401
    officer = integration(app, client, Role.AUDITOR)
    assert officer.get(f"/registrations/{result['id']}").status_code == 403


def test_an_address_that_names_nothing_is_not_found(api: Api) -> None:
    for name in ("1", "not-a-uuid", "%00", "00000000-0000-0000-0000-00000000000g", "x" * 3000):
        assert api.get(f"/registrations/{name}").status_code == 404
