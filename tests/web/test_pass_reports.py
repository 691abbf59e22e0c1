"""The pass page after the barrier: the same truth live, what can be told, the poster at the door, and an appeal with a picture."""

import io
import re
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select

from checkpoint.appeals import service as appeals
from checkpoint.appeals.models import Appeal
from checkpoint.database import db, transaction
from checkpoint.followups import service as followups
from checkpoint.followups.doors import door_handle
from checkpoint.followups.queries import of_registration, reports_of
from checkpoint.privacy import keyring
from checkpoint.registrations.queries import pass_path
from tests.factories import NOW, lists, people
from tests.factories.declarations import companion
from tests.factories.divisions import NEIGHBOUR_TOWN, OTHER_VILLAGE, VILLAGE
from tests.factories.travelling import Inside, admitted, declared

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _now(freeze: Callable[[datetime], None]) -> None:
    freeze(NOW)


def inside(app: Flask, **changes: object) -> tuple[Inside, str]:
    with app.app_context():
        lists.in_force()
        person = admitted(**changes)
        return person, pass_path(person.id)


def door(app: Flask, code: str) -> str:
    with app.app_context():
        return door_handle(keyring(), code)


def live(client: FlaskClient, path: str, tag: str | None = None) -> tuple[int, str, str]:
    headers = {} if tag is None else {"If-None-Match": tag}
    answer = client.get(f"{path}/live?lang=en", headers=headers)
    return answer.status_code, answer.headers.get("ETag", ""), answer.text


def test_the_live_part_is_sent_only_when_something_changed(app: Flask, client: FlaskClient) -> None:
    person, path = inside(app)
    status, tag, text = live(client, path)
    assert (status, "Arrival at the door" in text, 'data-may="arrival health test"' in text) == (200, True, True)
    assert live(client, path, tag)[0] == 304
    with app.app_context():
        visit = of_registration(person.id)[0]
        followups.complete(visit.id, "arrived", None, actor=people.operator(), at=NOW)
    status, newer, text = live(client, path, tag)
    assert (status, newer != tag, "confirmed" in text, 'data-may="health test"' in text) == (200, True, True, True)


def test_a_link_that_is_not_ours_tells_nothing(client: FlaskClient) -> None:
    for path in ("/p/AAAA/live", "/a/AAAA"):
        assert client.get(path).status_code == 404
    for kind in ("arrival", "health", "test", "appeal"):
        assert client.post(f"/p/{'A' * 35}/{kind}", data={}).status_code == 404


def test_the_page_names_who_answers_and_their_phone(app: Flask, client: FlaskClient) -> None:
    _person, path = inside(app)
    assert "tel:12345" in client.get(path).text
    with app.app_context():
        worker = people.user("duty", division=VILLAGE)
        with transaction():
            worker.phone = "+8613800001111"
    page = client.get(f"{path}?lang=en").text
    assert "tel:+8613800001111" in page
    assert "八字村" in page


def test_arrival_by_word_and_by_poster(app: Flask, client: FlaskClient) -> None:
    person, path = inside(app, companions=[companion(2)])
    said = client.post(f"{path}/arrival", data={"report_id": str(uuid.uuid4())})
    assert (said.status_code, said.location) == (303, path)
    assert "will confirm it" in client.get(f"{path}?lang=en").text
    wrong = client.post(f"{path}/arrival?lang=en", data={"door": door(app, OTHER_VILLAGE)})
    assert (wrong.status_code, "another village" in wrong.text) == (422, True)
    assert client.post(f"{path}/arrival", data={"door": "AAAA"}).status_code == 422
    poster = client.get(f"/a/{door(app, VILLAGE)}?lang=en")
    assert (poster.status_code, "八字村" in poster.text) == (200, True)
    proven = client.post(f"{path}/arrival", data={"door": door(app, VILLAGE), "together": "1"})
    assert proven.status_code == 303
    with app.app_context():
        assert [one.result for one in of_registration(person.id) if one.kind == "arrival_visit"] == ["arrived"]


def test_health_by_the_phone(app: Flask, client: FlaskClient) -> None:
    person, path = inside(app)
    for wrong in ("hot", "20", "99.9"):
        answer = client.post(f"{path}/health?lang=en", data={"temperature": wrong})
        assert (answer.status_code, "for example 36.5" in answer.text) == (422, True)
    told = {"temperature": "38,2", "symptoms": ["cough"], "report_id": str(uuid.uuid4())}
    for _time in range(2):  # a second touch is the same report
        assert client.post(f"{path}/health", data=told).status_code == 303
    with app.app_context():
        [report] = reports_of(person.id)
        assert (report.temperature, report.symptoms) == (382, ["cough", "fever"])
    page = client.get(f"{path}?lang=en").text
    assert "Your colour changed from Green to Yellow" in page
    assert "the symptoms you told" in page


def test_a_test_by_the_phone(app: Flask, client: FlaskClient) -> None:
    person, path = inside(app)
    for wrong in ({}, {"kind": "pcr", "result": "negative", "taken_at": "2022-04-20T08:00"}):
        assert client.post(f"{path}/test", data=wrong).status_code == 422
    told = {"kind": "pcr", "result": "negative", "taken_at": "2022-04-12T09:30"}
    assert client.post(f"{path}/test", data=told).status_code == 303
    with app.app_context():
        [report] = reports_of(person.id)
        assert report.taken_at == NOW - timedelta(minutes=30)  # 09:30 at the site


def test_nobody_tells_anything_before_the_barrier(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        lists.in_force()
        path = pass_path(declared().registration.id)
    assert 'data-may=""' in client.get(path).text
    answer = client.post(f"{path}/health", data={"temperature": "36.5"}, follow_redirects=True)
    assert (answer.status_code, answer.request.path) == (200, path)


def photo() -> io.BytesIO:
    out = io.BytesIO()
    Image.effect_noise((2000, 1500), 80).save(out, "PNG")  # larger than any other body may be
    out.seek(0)
    return out


def multipart(text: str, picture: bytes) -> dict[str, Any]:
    """The body of a form with a file, made here: the test client would put a large one into a file and leave it open."""
    head = 'Content-Disposition: form-data; name="{}"'
    parts = [
        f"--edge\r\n{head.format('text')}\r\n\r\n{text}\r\n".encode(),
        f'--edge\r\n{head.format("picture")}; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'.encode(),
        picture,
        b"\r\n--edge--\r\n",
    ]
    return {"data": b"".join(parts), "content_type": "multipart/form-data; boundary=edge"}


def test_an_appeal_from_the_phone_and_its_answer(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        lists.in_force()
        receipt = declared(origin={"code": NEIGHBOUR_TOWN})
        path = pass_path(receipt.registration.id)
    assert "Red code" in client.get(f"{path}?lang=en").text
    short = client.post(f"{path}/appeal?lang=en", data={"text": "no"})
    assert (short.status_code, "Write in a few words" in short.text) == (422, True)
    bad = client.post(
        f"{path}/appeal?lang=en",
        data={"text": "我没有去过那个小区", "picture": (io.BytesIO(b"GIF89a..."), "a.png")},
    )
    assert (bad.status_code, "not a picture" in bad.text, "我没有去过那个小区" in bad.text) == (422, True, True)
    sent = photo()
    assert sent.getbuffer().nbytes > 1_048_576
    done = client.post(f"{path}/appeal", **multipart("我没有去过那个小区", sent.getvalue()))
    assert done.status_code == 303
    _status, tag, text = live(client, path)
    assert ("You will have an answer by" in text, 'data-may=""' in text) == (True, True)
    with app.app_context():
        asked = db.session.scalars(select(Appeal)).one()
        appeals.grant(asked.id, "已核实行程", actor=people.village_worker(), at=NOW)
    status, _tag, text = live(client, path, tag)
    assert (status, "Green code" in text, "Granted: 已核实行程" in text) == (200, True, True)
    assert "Your colour changed from Red to Green" in text


def test_a_page_open_for_long_asks_to_send_again(app: Flask, client: FlaskClient) -> None:
    _person, path = inside(app)
    app.config["WTF_CSRF_ENABLED"] = True
    answer = client.post(f"{path}/health?lang=en", data={"temperature": "36.5"})
    assert (answer.status_code, answer.location) == (303, path)
    page = client.get(f"{path}?lang=en").text
    assert "once more" in page
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token is not None
    again = client.post(f"{path}/health", data={"temperature": "36.5", "csrf_token": token[1]})
    assert again.status_code == 303
