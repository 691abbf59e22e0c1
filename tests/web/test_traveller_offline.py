"""What a phone is given for times without network: the worker, the empty form, the places."""

import gzip
import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from checkpoint.regions import default_index
from tests.factories import people

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
STATIC = re.compile(r'"(/static/[^"?]+)(?:\?[^"]*)?"')


def test_the_worker_names_files_that_exist_and_changes_with_them(client: FlaskClient) -> None:
    answer = client.get("/sw.js")
    assert (answer.status_code, answer.mimetype) == (200, "text/javascript")
    kept = answer.text.split("\n", 1)[0]
    files = set(STATIC.findall(kept))
    assert {"/static/vendor/uqr.js", "/static/js/traveller-carry.js", "/static/css/traveller.css"} <= files
    weight = 0
    for path in files:
        with client.get(path) as found:
            assert found.status_code == 200, path
            weight += len(gzip.compress(found.data))
    print(f"\nwhat the worker keeps besides the page: {weight / 1024:.1f} KB")
    assert client.get("/sw.js").text == answer.text  # nothing in it is of this moment


def test_every_module_that_the_form_imports_is_kept(client: FlaskClient) -> None:
    kept = set(STATIC.findall(client.get("/sw.js").text.split("\n", 1)[0]))
    for path in [one for one in kept if one.endswith(".js") and "/vendor/" not in one]:
        with client.get(path) as found:
            for name in re.findall(r"""(?:from|import)\s*\(?\s*["'](\.[^"']+)["']""", found.text):
                target = str(Path("/", *[part for part in (Path(path).parent / name).parts if part != "."]))
                while "/../" in target:
                    target = re.sub(r"/[^/]+/\.\./", "/", target, count=1)
                assert target in kept, (path, name)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_kept_form_is_of_no_day_and_of_nobody(app: Flask, client: FlaskClient, language: str) -> None:
    with app.app_context():
        people.checkpoint()
    page = client.get(f"/c/G60?shell=1&lang={language}").text
    assert "csrf_token" not in page
    assert 'data-offline="kept"' in page
    assert not re.search(r"20\d\d-\d\d-\d\d", page)
    assert "shell" not in re.search(r'class="tool tool-language" href="([^"]+)"', page)[1]  # type: ignore[index]
    assert "csrf_token" in client.get("/c/G60").text


def test_the_places_of_the_book_are_those_of_the_register(client: FlaskClient, app: Flask) -> None:
    answer = client.get("/places/offline.json")
    assert answer.status_code == 200
    assert "max-age" in answer.headers["Cache-Control"]
    places = [line.split(" ") for line in answer.get_json()["places"]]
    with app.app_context():
        index = default_index()
        assert ["330482", "平湖市", "phs"] in places
        assert any(len(code) == 12 and code.startswith("330482") for code, *_ in places)
        assert all(len(code) <= 6 or code.startswith("330482") for code, *_ in places)
        for code, *names in places:
            whole = code.ljust(12, "0")
            assert index.exists(whole)
            assert not names or index.name(whole) == names[0]
    again = client.get("/places/offline.json", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


def test_the_manifest_says_what_the_form_is(client: FlaskClient) -> None:
    manifest = client.get("/app.webmanifest?lang=en").get_json(force=True)
    assert (manifest["start_url"], manifest["lang"]) == ("/", "en")
    with client.get(manifest["icons"][0]["src"]) as icon:
        assert icon.status_code == 200
