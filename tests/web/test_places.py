"""The call behind every division picker."""

import pytest
from flask.testing import FlaskClient

from tests.factories import divisions

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


def codes(client: FlaskClient, **query: str) -> list[str]:
    answer = client.get("/places", query_string=query)
    assert answer.status_code == 200
    return [place["code"] for place in answer.get_json()]


@pytest.mark.parametrize("typed", ["平湖", "平湖市", " 平湖 ", "平　湖", "浙江平湖", "ph", "pinghu", "PingHu"])
def test_the_city_is_found_by_hanzi_pinyin_and_initials(client: FlaskClient, typed: str) -> None:
    assert divisions.SITE in codes(client, q=typed)


def test_a_place_says_its_code_name_address_and_level(client: FlaskClient) -> None:
    (place,) = client.get("/places", query_string={"q": "乍浦镇"}).get_json()
    assert place == {"code": divisions.TOWN, "name": "乍浦镇", "full_name": "浙江省嘉兴市平湖市乍浦镇", "level": 4}


def test_within_narrows(client: FlaskClient) -> None:
    assert codes(client, q="朱泾镇") == ["310116101000"]
    assert codes(client, q="朱泾镇", within=divisions.SITE) == []
    assert codes(client, q="八字村", within="330482") == [divisions.VILLAGE]


@pytest.mark.parametrize("typed", ["", "   ", "\u200b", "🙂🙂", "%", "'; drop table division; --"])
def test_nothing_sensible_gives_an_empty_list(client: FlaskClient, typed: str) -> None:
    assert codes(client, q=typed) == []


@pytest.mark.parametrize("typed", ["平湖" * 5000, "\x00", "ｐｈ" * 40])
def test_anything_else_is_answered_too(client: FlaskClient, typed: str) -> None:
    assert client.get("/places", query_string={"q": typed}).status_code == 200


@pytest.mark.parametrize(("limit", "most"), [("3", 3), ("0", 1), ("-5", 1), ("9999", 20), ("x", 8)])
def test_limit_is_kept_in_bounds(client: FlaskClient, limit: str, most: int) -> None:
    assert 1 <= len(codes(client, q="浙江", limit=limit)) <= most


@pytest.mark.parametrize("within", ["3", "33048", "x", "330482000000000", "３３０４８２"])
def test_a_wrong_within_is_refused(client: FlaskClient, within: str) -> None:
    assert client.get("/places", query_string={"q": "平湖", "within": within}).status_code == 422


def test_answers_may_be_cached_and_carry_no_cookie(client: FlaskClient) -> None:
    answer = client.get("/places?q=平湖")
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    assert "Set-Cookie" not in answer.headers
