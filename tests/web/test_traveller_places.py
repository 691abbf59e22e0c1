"""Places written in words: understood, asked back, or taken as unknown after one warning."""

import re
from collections.abc import Callable
from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.factories import NOW
from tests.factories.divisions import SITE, TOWN
from tests.web.test_traveller_form import error_beside, only, stored, typed

AMBIGUOUS = "朝阳"
BEIJING, LIAONING = "110105000000", "211300000000"


@pytest.fixture(autouse=True)
def _now(freeze: Callable[[datetime], None]) -> None:
    freeze(NOW)


def test_an_ambiguous_origin_is_asked_back_with_full_names(app: Flask, client: FlaskClient) -> None:
    page = client.post("/", data=typed(origin_text=AMBIGUOUS))
    assert page.status_code == 422
    assert error_beside(page.text, "origin")
    offered = re.findall(r'name="origin_pick" value="(\w+)"><span>(.*?)</span>', page.text)
    assert {code for code, _name in offered} >= {BEIJING, LIAONING, "none"}
    assert dict(offered)[BEIJING] == "北京市朝阳区"
    assert stored(app) == 0


@pytest.mark.parametrize(("pick", "code"), [(BEIJING, BEIJING), ("none", None)])
def test_the_answer_is_what_is_stored(app: Flask, client: FlaskClient, pick: str, code: str | None) -> None:
    answer = client.post("/", data=typed(origin_text=AMBIGUOUS, origin_asked=AMBIGUOUS, origin_pick=pick))
    assert answer.status_code == 303
    with app.app_context():
        row = only(app)
        assert (row.origin_code, row.origin_text) == (code, AMBIGUOUS)
        assert code is not None or row.tier == "yellow"


def test_an_answer_to_other_words_does_not_count(app: Flask, client: FlaskClient) -> None:
    changed = typed(origin_text=AMBIGUOUS, origin_asked="嘉善", origin_pick=BEIJING)
    assert client.post("/", data=changed).status_code == 422
    assert stored(app) == 0


def test_an_unanswered_question_is_asked_again(app: Flask, client: FlaskClient) -> None:
    assert client.post("/", data=typed(origin_text=AMBIGUOUS, origin_asked=AMBIGUOUS)).status_code == 422
    assert stored(app) == 0


@pytest.mark.parametrize("words", ["胡说八道", "浙江省"])
def test_an_unknown_or_too_wide_place_is_warned_of_once_and_never_green(
    app: Flask, client: FlaskClient, words: str
) -> None:
    warned = client.post("/", data=typed(origin_text=words))
    assert warned.status_code == 422
    assert f'name="origin_asked" value="{words}"' in warned.text
    answer = client.post("/", data=typed(origin_text=words, origin_asked=words))
    assert answer.status_code == 303
    with app.app_context():
        assert only(app).tier == "yellow"


def test_an_ambiguous_stay_is_asked_back_beside_its_row(client: FlaskClient) -> None:
    stay = {"stays.0_text": AMBIGUOUS, "stays.0.from": "2022-04-08", "stays.0.to": "2022-04-09"}
    page = client.post("/", data=typed(**stay))
    assert page.status_code == 422
    assert error_beside(page.text, "stays.0")
    assert f'name="stays.0_pick" value="{BEIJING}"' in page.text
    answered = typed(**stay, **{"stays.0_asked": AMBIGUOUS, "stays.0_pick": BEIJING})
    assert client.post("/", data=answered).status_code == 303


@pytest.mark.parametrize("words", ["平湖市", "随便哪里", "武汉市江汉区"])
def test_a_destination_that_is_no_town_of_the_city_offers_its_towns(
    app: Flask, client: FlaskClient, words: str
) -> None:
    page = client.post("/", data=typed(destination_text=words))
    assert page.status_code == 422
    offered = re.findall(r'name="destination_pick" value="(\w+)"', page.text)
    assert TOWN in offered
    assert "none" not in offered
    assert {code[:6] for code in offered} == {SITE[:6]}
    assert client.post(
        "/", data=typed(destination_text=words, destination_asked=words, destination_pick=TOWN)
    ).status_code == (303)
    with app.app_context():
        assert only(app).destination_code == TOWN


def test_the_road_behind_a_destination_becomes_the_address(app: Flask, client: FlaskClient) -> None:
    fields = typed(destination_text="平湖市乍浦镇八字村 3组12号") | {"destination.address": ""}
    assert client.post("/", data=fields).status_code == 303
    with app.app_context():
        assert only(app).address == "3组12号"


def test_a_code_that_was_sent_out_does_not_outlive_its_words(app: Flask, client: FlaskClient) -> None:
    """Without scripts the hidden code of the page before comes back although the words were changed."""
    changed = typed(
        origin_text="上海市金山区", origin_code="330421000000", origin_was="330421000000 浙江省嘉兴市嘉善县"
    )
    assert client.post("/", data=changed).status_code == 303
    with app.app_context():
        assert only(app).origin_code == "310116000000"


def test_what_was_understood_is_said(client: FlaskClient) -> None:
    page = client.post("/", data=typed(origin_text="嘉善", phone="1")).text
    assert "浙江省嘉兴市嘉善县" in page
    assert 'name="origin_was" value="330421000000 嘉善"' in page
