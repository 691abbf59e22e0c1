"""What the gate's service worker is told to keep."""

import hashlib
import json
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


def shell_of(client: FlaskClient) -> dict[str, object]:
    text = client.get("/gate/sw.js").get_data(as_text=True)
    found: dict[str, object] = json.loads(text.partition("const SHELL = ")[2].partition(";\n")[0])
    return found


def test_the_worker_may_answer_for_the_page_and_is_never_cached(client: FlaskClient) -> None:
    response = client.get("/gate/sw.js")
    assert response.headers["Service-Worker-Allowed"] == "/gate"
    assert response.headers["Cache-Control"] == "no-cache"
    assert response.mimetype == "text/javascript"


def test_everything_that_the_page_loads_is_kept_with_its_digest(app: Flask, client: FlaskClient) -> None:
    """Each module of the gate, what they import from elsewhere, the decoder and the styles."""
    shell = shell_of(client)
    folder = Path(str(app.static_folder))
    files = shell["files"]
    assert isinstance(files, dict)
    unused = {"js/gate/service-worker.js"}
    modules = {f"/static/js/gate/{path.name}" for path in (folder / "js" / "gate").glob("*.js")}
    assert modules - set(files) <= {f"/static/{name}" for name in unused}
    for needed in (
        "js/api.js",
        "vendor/idb.js",
        "vendor/zxing/reader/zxing_reader.wasm",
        "css/gate.css",
        "img/mark.svg",
    ):
        assert f"/static/{needed}" in files
    for path, (digest, query) in files.items():
        with client.get(path + query) as response:
            assert hashlib.sha256(response.get_data()).hexdigest() == digest, path


def test_the_page_is_the_same_for_everybody(client: FlaskClient) -> None:
    """One kept copy serves: no form token, no name, and its digest is what the worker checks."""
    pages = shell_of(client)["pages"]
    assert isinstance(pages, dict)
    for language, digest in pages.items():
        page = client.get(f"/gate?lang={language}").get_data()
        assert hashlib.sha256(page).hexdigest() == digest
        assert b"csrf" not in page


def test_the_version_is_that_of_the_content(app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    first = shell_of(client)["version"]
    assert shell_of(client)["version"] == first
    monkeypatch.setattr("checkpoint.web.gate.gate_words", lambda: {"new": "words"})
    assert shell_of(client)["version"] != first


def test_the_manifest_opens_the_gate(client: FlaskClient) -> None:
    manifest = json.loads(client.get("/gate/manifest.webmanifest?lang=zh").data)
    assert (manifest["start_url"], manifest["scope"], manifest["display"]) == ("/gate", "/gate", "standalone")
    assert manifest["lang"] == "zh-CN"
    with client.get(manifest["icons"][0]["src"]) as icon:
        assert icon.status_code == 200
