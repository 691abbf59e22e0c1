"""What every page carries: headers, language, text size, colours, and addresses of static files that change with their content."""

import re

import pytest
from flask import Flask, url_for
from flask.testing import FlaskClient

from checkpoint import create_app
from tests.factories import databases, people


def test_every_answer_carries_the_protective_headers(client: FlaskClient) -> None:
    for path in ("/login", "/nothing", "/api/v1/nothing", "/static/css/base.css"):
        with client.get(path) as answer:
            headers = answer.headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe-inline" not in policy
        assert "'unsafe-eval'" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Permissions-Policy"].startswith("camera=(self)")
        assert re.fullmatch(r"[0-9a-f]{32}", headers["X-Request-Id"])
        assert "Strict-Transport-Security" not in headers


def test_pages_are_not_kept_and_stamped_files_are(app: Flask, client: FlaskClient) -> None:
    with app.test_request_context():
        stamped = url_for("static", filename="css/base.css")
    assert "?v=" in stamped
    kept = {
        "/login": "no-store",
        stamped: "public, max-age=31536000, immutable",
        "/static/css/base.css": "no-cache",
        "/static/css/none.css?v=1": "no-cache",
    }
    for path, cache in kept.items():
        with client.get(path) as answer:
            assert answer.headers["Cache-Control"] == cache


def test_a_static_file_never_carries_the_session(app: Flask, client: FlaskClient) -> None:
    """Whatever stands between us may keep such a file for a year, and would keep the cookie with it."""
    with app.app_context():
        people.user("village")
    with client.post("/login", data={"login": "village", "password": people.PASSWORD}) as answer:
        assert "session=" in answer.headers["Set-Cookie"]
    with client.get("/static/css/base.css?v=1") as answer:
        assert answer.status_code == 200
        assert "Set-Cookie" not in answer.headers
    with client.get("/inbox") as answer:
        assert "session=" in answer.headers["Set-Cookie"]  # a page renews it


def test_no_page_has_inline_scripts_or_styles(client: FlaskClient) -> None:
    for path in ("/login", "/nothing"):
        page = client.get(path).text
        assert not re.search(r"<script(?![^>]*\bsrc=)", page)
        assert "<style" not in page
        assert not re.search(r'\s(style|on\w+)="', page)


def test_chinese_is_the_default_whatever_the_browser_prefers(client: FlaskClient) -> None:
    page = client.get("/login", headers={"Accept-Language": "en-GB,en"})
    assert '<html lang="zh-CN"' in page.text


def test_the_other_language_is_one_touch_away_and_remembered(client: FlaskClient) -> None:
    assert 'href="/login?lang=en"' in client.get("/login").text
    assert '<html lang="en"' in client.get("/login?lang=en").text
    page = client.get("/login")
    assert '<html lang="en"' in page.text
    assert "Sign in" in page.text
    assert '<html lang="zh-CN"' in client.get("/login?lang=zh").text
    assert '<html lang="zh-CN"' in client.get("/login?lang=klingon").text


def test_large_text_is_one_touch_away_and_remembered(client: FlaskClient) -> None:
    assert 'data-text="normal"' in client.get("/login").text
    client.get("/login?text=big")
    page = client.get("/login?next=/inbox").text
    assert 'data-text="big"' in page
    assert "next=%2Finbox&amp;text=normal" in page


def test_colours_are_those_of_the_device_until_somebody_chooses(client: FlaskClient) -> None:
    page = client.get("/login").text
    assert "data-theme" not in page
    assert 'media="screen and (prefers-color-scheme: dark)" data-night' in page
    assert 'href="/login?theme=dark"' in page
    assert 'href="/login?theme=light"' in page
    client.get("/login?theme=dark")
    page = client.get("/login?theme=purple").text
    assert 'data-theme="dark"' in page
    assert 'media="screen" data-night' in page
    light = client.get("/login?theme=light").text
    assert 'data-theme="light"' in light
    assert 'media="not all" data-night' in light
    assert 'href="/login?theme=auto"' in light
    client.get("/login?theme=auto")
    assert "data-theme" not in client.get("/login").text


def test_a_client_of_the_api_may_ask_for_english(client: FlaskClient) -> None:
    english = client.get("/api/v1/nothing", headers={"Accept-Language": "en-GB,en;q=0.8"})
    assert english.get_json()["title"] == "There is nothing here"
    french = client.get("/api/v1/nothing", headers={"Accept-Language": "fr"})
    page_script = client.get("/api/v1/nothing", headers={"Accept-Language": "en", "Sec-Fetch-Site": "same-origin"})
    assert french.get_json()["title"] == page_script.get_json()["title"]


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_behind_a_proxy_the_client_and_https_are_known(environment: dict[str, str]) -> None:
    app = create_app({**environment, "PUBLIC_URL": "https://border.example", "TRUSTED_PROXIES": "1"})
    try:
        answer = app.test_client().get("/login", headers={"X-Request-Id": "proxy-request-0001"})
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
        assert answer.headers["X-Request-Id"] == "proxy-request-0001"
        assert "Secure" in answer.headers["Set-Cookie"]
        english = app.test_client().get("/login?lang=en")
        assert any("lang=en" in cookie and "Secure" in cookie for cookie in english.headers.getlist("Set-Cookie"))
    finally:
        databases.close(app)


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_without_a_proxy_forwarded_headers_are_not_believed(client: FlaskClient) -> None:
    answer = client.get("/login", headers={"X-Request-Id": "made-up-request-id"})
    assert answer.headers["X-Request-Id"] != "made-up-request-id"
