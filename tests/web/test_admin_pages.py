"""Every page of administration has its help and its empty state; the first one says what needs somebody; no page shows a key."""

import re
from base64 import b64decode
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from checkpoint.accounts.models import Role
from checkpoint.privacy import keyring
from checkpoint.surveillance import attention, feeds
from checkpoint.upkeep import keys
from checkpoint.web.admin_words import said
from tests.factories import NOW, lists, people
from tests.factories.divisions import SITE, TOWN

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
EMPTY = {  # a page, and how it looks while there is nothing: by its empty state, or why it never is empty
    "/admin": "",
    "/admin/users": "whoever looks has an account",
    "/admin/checkpoints": "",
    "/admin/devices": "",
    "/admin/tokens": "",
    "/admin/aliases": "",
    "/admin/keys": "",
    "/duty": "",
    "/channels": "",
    "/channels/divisions": "",
    "/channels/undelivered": "",
    "/command/feeds": "",
    "/command/watch": "the rules are always there",
    "/command/retention": "",
}


@pytest.fixture
def chief(app: Flask, client: FlaskClient) -> FlaskClient:
    with app.app_context():
        lists.in_force()
        people.user("command", Role.COMMAND, SITE)
    client.post("/login", data={"login": "command", "password": people.PASSWORD})
    return client


def test_every_page_has_its_help_and_its_empty_state(chief: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("checkpoint.web.admin_start.matters", lambda _actor, _at: [])
    for path, never in EMPTY.items():
        page = chief.get(f"{path}?lang=en").text
        assert page.count('<details class="help">') == 1, path
        assert never or '<div class="empty">' in page, path
        for target in re.findall(r'class="help-links">.*?</p>', page, re.DOTALL):
            for href in re.findall(r'href="([^"]+)"', target):
                assert chief.get(href).status_code == 200, (path, href)


def test_every_page_of_administration_is_among_them(app: Flask) -> None:
    """A new page of administration gets its help, too: those that show one thing alone need none."""
    alone = ("poster", "user", "checkpoint")
    rules = {rule.rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/admin") and "GET" in rule.methods}
    assert {rule for rule in rules if "<" not in rule} == {path for path in EMPTY if path.startswith("/admin")}
    assert all(rule.endswith(alone) or re.search(r">$", rule) for rule in rules if "<" in rule)


def test_the_first_page_says_what_needs_somebody_and_leads_there(app: Flask, chief: FlaskClient) -> None:
    with app.app_context():
        people.checkpoint("G60", TOWN)
    page = chief.get("/admin?lang=en").text
    assert "1 checkpoint has no tablet" in page
    assert "Work by the clock" in page
    for href in re.findall(r'<a role="button" class="small secondary outline" href="([^"]+)"', page):
        assert chief.get(href).status_code == 200, href
    for href in re.findall(r'<li><a href="([^"]+)"><strong>', page):
        assert chief.get(href).status_code == 200, href


def test_every_matter_has_words(app: Flask) -> None:
    source = Path(str(attention.__file__)).read_text("utf-8")
    names = set(re.findall(r'Matter\(\s*"(\w+)"', source)) | {"key_to_retire", "resealing"}
    assert len(names) > 10
    with app.test_request_context("/admin?lang=en"):
        for name in names:
            told = said(attention.Matter(name, 2, NOW))
            assert "" not in (told.title, told.text), name
            assert told.href.startswith("/"), name
        for part in ("list", "scheduler", "disk", "redis", "audit", "backup", "feeds", "channels"):
            assert said(attention.Matter(f"part_{part}")).title


def test_the_page_of_keys_shows_how_far_a_change_is_and_never_a_key(app: Flask, chief: FlaskClient) -> None:
    with app.app_context():
        people.commander("other")
        keys.rotate(actor=people.operator(), at=NOW)
        folder = keyring().folder
    page = chief.get("/admin/keys?lang=en&count=1").text
    assert "still opens what it sealed" in page
    assert "seals now" in page
    assert "user_account" in page
    secrets = re.findall(r"[A-Za-z0-9+/]{43}=", "".join(path.read_text() for path in folder.glob("*.json")))
    master = (folder / "master.key").read_text().strip() if (folder / "master.key").exists() else ""
    for secret in filter(None, (*secrets, master)):
        assert secret not in page
        assert b64decode(secret + "==", validate=False).hex() not in page
    assert chief.post("/admin/keys").status_code == 405


def test_an_auditor_reads_the_page_of_keys_and_a_town_does_not(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        people.user("auditor", Role.AUDITOR, SITE)
        people.user("town", Role.TOWN, TOWN)
    for login, status in (("auditor", 200), ("town", 403)):
        client.post("/login", data={"login": login, "password": people.PASSWORD})
        assert client.get("/admin/keys").status_code == status
        client.post("/logout")


def test_a_source_is_fetched_at_once_and_removed(app: Flask, chief: FlaskClient) -> None:
    with app.app_context():
        feed = feeds.add_feed(feeds.NewFeed("国家名单", "https://93.184.216.34/a"), actor=people.operator(), at=NOW)
        feed_id = feed.id
    page = chief.get("/command/feeds?lang=en").text
    assert "The clock has not looked yet" in page
    assert chief.post(f"/command/feeds/{feed_id}/fetch").status_code == 303
    chief.post(f"/command/feeds/{feed_id}", data={"active": "0"})
    assert chief.post(f"/command/feeds/{feed_id}/fetch").status_code == 409
    assert chief.post(f"/command/feeds/{feed_id}/remove").status_code == 303
    chief.get("/command/feeds")  # takes the message away
    assert "国家名单" not in chief.get("/command/feeds").text
    assert chief.post(f"/command/feeds/{feed_id}/remove").status_code == 404


def test_a_place_name_is_tried_before_it_is_added_and_after(chief: FlaskClient) -> None:
    page = chief.get("/admin/aliases?lang=en&name=独山新城示范区").text
    assert ">not found<" in page
    assert 'value="独山新城示范区"' in page, "and stands in the form for a new one"
    answer = chief.post("/admin/aliases", data={"text": "独山新城示范区", "division_code": TOWN}, follow_redirects=True)
    assert "330482101000" not in answer.text
    page = chief.get("/admin/aliases?lang=en&name=独山新城示范区").text
    assert "by a name of this page" in page
    assert ">found<" in page


def test_a_form_with_a_wrong_name_names_its_field(app: Flask, chief: FlaskClient) -> None:
    with app.app_context():
        user = people.user("lina").id
        people.checkpoint("G60", TOWN)
    for path in (f"/admin/users/{user}", "/admin/checkpoints/G60"):
        page = chief.post(path, data={"name": " ", "role": "village", "kind": "port", "division_code": TOWN})
        assert page.status_code == 422
        assert 'id="name-error"' in page.text
    assert chief.get("/admin/checkpoints/G61").status_code == 404
