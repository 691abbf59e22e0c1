"""Alerts as an integration follows them, and moves them on."""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from checkpoint.accounts.models import Role
from checkpoint.alerts.models import AlertEvent
from checkpoint.alerts.service import retract_for
from tests.factories import NOW, people
from tests.factories.divisions import OTHER_VILLAGE, SECOND_VILLAGE, TOWN, VILLAGE
from tests.web.api_support import Api, errors_of, integration, stored


@pytest.fixture(autouse=True)
def _now(freeze: Callable[[datetime], None]) -> None:
    freeze(NOW)


@pytest.fixture
def api(app: Flask, client: FlaskClient) -> Api:
    """An integration of the whole city."""
    return integration(app, client)


def declared(api: Api, number: int = 1, division: str = VILLAGE, **changes: Any) -> str:
    """Somebody declares, yellow while no list is in force; returns the registration's id."""
    return str(Api(api.client).declare(number, destination={"code": division}, **changes)["id"])


def alerts(api: Api, **query: Any) -> list[dict[str, Any]]:
    answer = api.get("/alerts", query_string=query)
    assert answer.status_code == 200, answer.text
    return list(answer.get_json()["alerts"])


def test_alerts_come_by_increasing_number_page_by_page(api: Api) -> None:
    subjects = [declared(api, number) for number in range(1, 6)]
    seen: list[dict[str, Any]] = []
    after, pages = 0, 0
    while page := api.get("/alerts", query_string={"after": after, "limit": 2}).get_json():
        seen += page["alerts"]
        pages += 1
        if not page["alerts"]:
            assert page["next"] == after
            break
        assert page["next"] == page["alerts"][-1]["seq"]
        after = page["next"]
    assert pages == 4
    assert [one["subject_id"] for one in seen] == subjects
    assert [one["seq"] for one in seen] == sorted({one["seq"] for one in seen})
    late = declared(api, 6)
    assert [one["subject_id"] for one in alerts(api, after=after)] == [late]


def test_an_alert_says_where_and_until_when_and_nothing_of_the_person(api: Api) -> None:
    subject = declared(api)
    answer = api.get("/alerts")
    one = answer.get_json()["alerts"][0]
    assert (one["kind"], one["tier"], one["state"], one["subject_id"]) == ("registration", "yellow", "open", subject)
    assert (one["division_code"], one["responsible_level"]) == (VILLAGE, 5)
    assert one["division_name"].endswith("八字村村民委员会")
    assert datetime.fromisoformat(one["acknowledge_by"]) == NOW + timedelta(minutes=60)
    assert datetime.fromisoformat(one["resolve_by"]) == NOW + timedelta(hours=24)
    for secret in ("赵", "钱", "1381000", "33048219"):
        assert secret not in answer.text
    assert api.get(f"/alerts/{one['id']}").get_json() == one


def test_each_sees_the_own_jurisdiction(app: Flask, client: FlaskClient, api: Api) -> None:
    for number, division in enumerate((VILLAGE, SECOND_VILLAGE, OTHER_VILLAGE), 1):
        declared(api, number, division)
    identities = {one["division_code"]: one["id"] for one in alerts(api)}
    assert len(identities) == 3
    for division, seen in ((VILLAGE, {VILLAGE}), (TOWN, {VILLAGE, SECOND_VILLAGE}), (OTHER_VILLAGE, {OTHER_VILLAGE})):
        reader = integration(app, client, Role.INTEGRATION, division)
        assert {one["division_code"] for one in alerts(reader)} == seen
        for code, identity in identities.items():
            status = 200 if code in seen else 404
            assert reader.get(f"/alerts/{identity}").status_code == status
            assert reader.post(f"/alerts/{identity}/acknowledge").status_code == status
            assert reader.post(f"/alerts/{identity}/resolve", {}).status_code == status


def test_only_one_state_is_listed_when_asked_for(api: Api) -> None:
    first, second = declared(api, 1), declared(api, 2)
    by_subject = {one["subject_id"]: one["id"] for one in alerts(api)}
    api.post(f"/alerts/{by_subject[first]}/acknowledge")
    assert [one["subject_id"] for one in alerts(api, state="open")] == [second]
    assert [one["subject_id"] for one in alerts(api, state="acknowledged")] == [first]
    assert alerts(api, state="resolved") == []


def test_acknowledging_and_resolving_twice_is_harmless(
    app: Flask, api: Api, freeze: Callable[[datetime], None]
) -> None:
    declared(api)
    path = f"/alerts/{alerts(api)[0]['id']}"
    first = api.post(f"{path}/acknowledge")
    assert first.get_json()["state"] == "acknowledged"
    freeze(NOW + timedelta(minutes=5))
    assert api.post(f"{path}/acknowledge").get_data() == first.get_data()
    closed = api.post(f"{path}/resolve", {"result": "not_here", "note": "门锁着"})
    assert (closed.get_json()["state"], closed.get_json()["result"]) == ("resolved", "not_here")
    steps = stored(app, AlertEvent)
    freeze(NOW + timedelta(minutes=10))
    assert api.post(f"{path}/resolve", {"result": "handled"}).get_data() == closed.get_data()
    assert api.post(f"{path}/acknowledge").get_data() == closed.get_data()
    assert stored(app, AlertEvent) == steps


def test_what_was_taken_back_cannot_be_resolved(app: Flask, api: Api) -> None:
    subject = declared(api)
    with app.app_context():
        assert retract_for(uuid.UUID(subject), actor=people.operator(), at=NOW) == 1
    path = f"/alerts/{alerts(api)[0]['id']}"
    assert api.post(f"{path}/resolve", {"result": "handled"}).status_code == 409
    assert api.post(f"{path}/acknowledge").get_json()["state"] == "retracted"


def test_wrong_questions_name_what_is_wrong(api: Api) -> None:
    cases: dict[str, tuple[dict[str, Any], set[str]]] = {
        "negative": ({"after": -1}, {"after"}),
        "beyond any number": ({"after": 2**63}, {"after"}),
        "no number": ({"after": "soon", "limit": "all"}, {"after", "limit"}),
        "too many": ({"limit": 1001}, {"limit"}),
        "unknown state": ({"state": "lost"}, {"state"}),
        "unknown word": ({"page": 2}, {"page"}),
    }
    found = {case: set(errors_of(api.get("/alerts", query_string=query))) for case, (query, _) in cases.items()}
    assert found == {case: fields for case, (_, fields) in cases.items()}


def test_wrong_results_name_what_is_wrong(api: Api) -> None:
    declared(api)
    path = f"/alerts/{alerts(api)[0]['id']}/resolve"
    assert errors_of(api.post(path, {"result": "eaten"})) == {"result": "literal_error"}
    assert errors_of(api.post(path, {"note": "x" * 501})) == {"note": "string_too_long"}
    assert api.post(path, data="x", content_type="text/plain").status_code == 415
    assert api.post(path, {"note": "声音\u0000不清"}).get_json()["state"] == "resolved"


def test_who_may_read_and_act(app: Flask, client: FlaskClient, api: Api) -> None:
    declared(api)
    path = f"/alerts/{alerts(api)[0]['id']}"
    assert Api(client).get("/alerts").status_code == 401
    assert Api(client, "cpt_" + "x" * 43).get("/alerts").status_code == 401
    auditor = integration(app, client, Role.AUDITOR)
    assert auditor.get("/alerts").status_code == 403
    assert auditor.post(f"{path}/acknowledge").status_code == 403
    assert auditor.post(f"{path}/resolve", {}).status_code == 403
    for name in ("1", str(uuid.uuid4())):
        assert api.get(f"/alerts/{name}").status_code == 404
        assert api.post(f"/alerts/{name}/acknowledge").status_code == 404
