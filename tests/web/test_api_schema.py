"""The OpenAPI document is valid, complete and true: schemathesis calls each operation with what it allows and what it forbids."""

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.schemas import APIOperation

from checkpoint.accounts.models import Role
from checkpoint.extensions import limiter
from tests.factories import NOW, lists, people
from tests.factories.declarations import companion, declaration, negative_test, stay
from tests.fuzz import stateful
from tests.fuzz.stateful import CHECKS
from tests.web.api_support import PREFIX, Api, integration, scan_of, tablet

schemathesis.serializer.alias("application/cose", "application/octet-stream")
EXAMPLES = 15
STREAM = f"{PREFIX}/stream"  # never ends; tests/web/test_stream.py reads it
DOCUMENT = f"{PREFIX}/openapi.json"
quick = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(autouse=True)
def _now(freeze: Callable[[datetime], None]) -> None:
    freeze(NOW)


@pytest.fixture
def document(client: FlaskClient) -> dict[str, Any]:
    return dict(client.get(DOCUMENT).get_json())


@dataclass(frozen=True, slots=True)
class World:
    """What there is to call: operations by name, a token for each, the ids of things that exist."""

    operations: dict[str, APIOperation]
    gate: str
    command: str
    known: dict[str, Any]

    def headers(self, operation: APIOperation) -> dict[str, str]:
        plain = {"Accept-Encoding": "identity"}  # the checks read what comes over the wire
        if operation.path == f"{PREFIX}/registrations":
            return plain
        by_tablet = any(part in operation.path for part in ("/scans", "/gate/", "/carried"))
        return plain | people.bearer(self.gate if by_tablet else self.command)

    def existing(self, operation: APIOperation) -> dict[str, Any] | None:
        """Path parameters that name something, where a path has any."""
        names = re.findall(r"\{(\w+)\}", operation.path)
        return {name: self.known.get(name, str(uuid.UUID(int=1))) for name in names} or None


@pytest.fixture
def world(app: Flask, client: FlaskClient) -> World:
    """One of everything, so that a right call has something to find."""
    with app.app_context():
        list_id = lists.in_force().id
    public, gate, command = Api(client), tablet(app, client), integration(app, client, Role.COMMAND)
    made = public.declare(tests=[negative_test()], companions=[companion()], stays=[stay()])
    scan = scan_of(made["pass"]["token"])
    assert gate.post("/scans", scan).status_code == 200
    alert = command.get("/alerts").get_json()["alerts"][0]
    assert gate.token is not None
    assert command.token is not None
    schema = schemathesis.openapi.from_wsgi(DOCUMENT, app).exclude(path=STREAM)
    operations = {found.ok().label: found.ok() for found in schema.get_all_operations()}
    known = {"registration_id": made["id"], "scan_id": scan["scan_id"], "alert_id": alert["id"], "list_id": list_id}
    return World(operations, gate.token, command.token, known)


def takes_something(operation: APIOperation) -> bool:
    """Whether there is anything that could be wrong about a call."""
    return any(len(part) for part in (operation.path_parameters, operation.query, operation.body))


def each_called_well(world: World, mode: GenerationMode) -> int:
    """Call every operation with data of a kind; returns how many calls there were."""
    calls = 0

    @quick
    @given(data=st.data())
    def call(data: st.DataObject) -> None:
        nonlocal calls
        calls += 1
        case = data.draw(strategy)
        case.validate_response(case.call(headers=world.headers(operation)), checks=CHECKS)

    for operation in world.operations.values():
        if mode is GenerationMode.NEGATIVE and not takes_something(operation):
            continue
        existing = world.existing(operation) if mode is GenerationMode.POSITIVE else None
        strategy = operation.as_strategy(generation_mode=mode, path_parameters=existing)
        call()
    return calls


def test_the_document_is_valid_openapi(app: Flask, document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    schemathesis.openapi.from_wsgi(DOCUMENT, app).validate()
    for schema in document["components"]["schemas"].values():
        jsonschema_rs.meta.validate(schema)
    names = set(document["components"]["schemas"])
    assert set(re.findall(r'"#/components/schemas/([^"]+)"', str(document).replace("'", '"'))) == names
    assert {"Declaration", "RegistrationOut", "ScanIn", "ScanOut", "AlertOut", "Problem"} <= names


def test_every_call_is_documented_and_nothing_else(app: Flask, document: dict[str, Any]) -> None:
    served = {
        (method.lower(), re.sub(r"<(?:[^:<>]+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith(PREFIX) or rule.rule in ("/healthz", "/readyz", "/metrics")
    }
    told = {(method, path) for path, operations in document["paths"].items() for method in operations}
    assert told == served - {("get", DOCUMENT)}


def test_the_security_that_is_told_is_true(client: FlaskClient, document: dict[str, Any]) -> None:
    checked = {True: 0, False: 0}
    for path, operations in document["paths"].items():
        address = re.sub(r"\{\w+_id\}", lambda found: "1" if found[0] == "{list_id}" else str(uuid.UUID(int=1)), path)
        for method, operation in operations.items():
            secured = {} not in operation["security"]
            for headers in ({}, people.bearer("cpt_" + "x" * 43), people.bearer("CP1:FORGED")):
                answer = client.open(address, method=method.upper(), headers=headers)
                assert (answer.status_code == 401) == secured, (path, answer.status_code)
                assert ("WWW-Authenticate" in answer.headers) == secured
            assert ("401" in operation["responses"]) == secured
            checked[secured] += 1
    assert min(checked.values()) >= 3


def test_what_is_allowed_is_answered_as_told(world: World) -> None:
    assert len(world.operations) >= 14
    assert each_called_well(world, GenerationMode.POSITIVE) >= 5 * len(world.operations)


def test_what_is_forbidden_is_answered_as_told(world: World) -> None:
    assert each_called_well(world, GenerationMode.NEGATIVE) >= 5 * len(world.operations)


@pytest.mark.parametrize(
    "path", ["/registrations", "/scans", "/scans/{scan_id}/decision", "/alerts/{alert_id}/resolve"]
)
def test_a_right_body_with_some_wrong_fields(world: World, path: str) -> None:
    """Random bodies seldom come past the first field: here only a few fields are random, and the rest is right."""
    operation = world.operations[f"POST {PREFIX}{path}"]
    right: dict[str, Any] = {
        "/registrations": declaration(5, stays=[stay()], companions=[companion(6)], tests=[negative_test()]),
        "/scans": scan_of("ZZZZ2345"),
        "/scans/{scan_id}/decision": {"decision": "tested", "note": "x"},
        "/alerts/{alert_id}/resolve": {"result": "handled", "note": "x"},
    }[path]
    statuses: set[int] = set()
    strategy = operation.as_strategy(path_parameters=world.existing(operation))

    @settings(parent=quick, max_examples=2 * EXAMPLES)
    @given(case=strategy, fields=st.sets(st.sampled_from(sorted(right)), max_size=2), fresh=st.uuids())
    def call(case: Case, fields: set[str], fresh: uuid.UUID) -> None:
        given_body = case.body if isinstance(case.body, dict) else {}
        own = {name: str(fresh) for name in ("client_id", "scan_id") if name in right}
        case.body = right | own | {name: given_body[name] for name in fields if name in given_body}
        answer = case.call(headers=world.headers(operation))
        statuses.add(answer.status_code)
        case.validate_response(answer, checks=CHECKS)

    call()
    assert statuses & {200, 201}


def test_every_link_leads_to_a_call_and_takes_what_it_has(document: dict[str, Any]) -> None:
    calls = {one["operationId"]: (path, one) for path, ways in document["paths"].items() for one in ways.values()}
    models, seen = document["components"]["schemas"], 0
    for _path, operation in calls.values():
        for answer in operation["responses"].values():
            for name, link in answer.get("links", {}).items():
                path, target = calls[link["operationId"]]
                takes = {one["name"] for one in target.get("parameters", ())} | set(re.findall(r"\{(\w+)\}", path))
                assert set(link.get("parameters", {})) <= takes, name
                content = target.get("requestBody", {}).get("content", {}).get("application/json", {})
                body = models.get(content.get("schema", {}).get("$ref", "").rpartition("/")[2], {})
                assert set(link.get("requestBody", {})) <= set(body.get("properties", {})), name
                seen += 1
    assert seen > 20


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_stories_along_the_links_are_answered_as_told(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """From a registration to its pass, a scan, a decision, alerts and lists; `scripts/fuzz routes` tells many more."""
    monkeypatch.setattr(limiter, "enabled", False)
    with app.app_context():
        lists.in_force()
    story = stateful.run(app, 24)
    assert story.requests > 200
    # Which links two dozen stories come along changes with every new route: most must be walked, and the scan of a new pass always.
    assert story.followed[f"POST {PREFIX}/scans"] > 0, story.followed
    assert len(story.followed) >= 7, story.followed
    assert story.statuses[201] > 10
