"""The API as a story: a registration, its pass, a scan, a decision, alerts, lists, each call with what the call before answered.

schemathesis follows the links of our document and makes up the rest; where a random body would never come past its first field, most
of it is right. Every answer must be as the document says, and none 500 or above.
"""

import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, core, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.generation.stateful.state_machine import APIStateMachine
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from checkpoint.accounts.models import Role
from tests.factories import NOW, people
from tests.factories.declarations import companion, declaration, negative_test, stay

DOCUMENT = "/api/v1/openapi.json"
STREAM = "/api/v1/stream"  # never ends; tests/web/test_stream.py reads it
JOINT = "/api/v1/joint/messages"  # nothing follows from it
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
STEPS = 12


@dataclass(slots=True)
class Story:
    """What a run has seen: requests by call and status, and how often a link led from one call to the next."""

    statuses: Counter[int] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    followed: Counter[str] = field(default_factory=Counter)

    @property
    def requests(self) -> int:
        return sum(self.statuses.values())


def run(app: Flask, scenarios: int, *, seed: int | None = None, story: Story | None = None) -> Story:
    """So many scenarios of at most STEPS calls, the same ones each time unless another seed is given.

    Raises what schemathesis found, with the calls that lead to it.
    """
    story = Story() if story is None else story
    with app.app_context():
        post = people.checkpoint("ST")
        gate, command = people.tablet(post).token, people.token(Role.COMMAND)
    schema = schemathesis.openapi.from_wsgi(DOCUMENT, app).exclude(
        path=[STREAM, JOINT, "/healthz", "/readyz", "/metrics"]
    )
    # Our links alone: what it guesses besides takes a declaration for hopeless, since nothing makes the places that one names.
    schema.config.phases.stateful.inference.algorithms.clear()
    for node in schema.analysis.dependency_graph.operations.values():
        node.inputs.clear()
    base: Any = schema.as_state_machine()

    class Told(base):  # type: ignore[misc]
        """The calls with a token each, and with bodies that are right but for some fields."""

        def before_call(self, case: Case) -> None:
            by_tablet = any(part in case.operation.path for part in ("/scans", "/gate/", "/carried"))
            case.headers = dict(case.headers or {}) | {"Accept-Encoding": "identity"}
            if case.operation.path != "/api/v1/registrations":
                case.headers |= people.bearer(gate if by_tablet else command)
            case.body = righted(case)

        def get_call_kwargs(self, case: Case) -> dict[str, Any]:
            return {}

        def validate_response(self, response: Any, case: Case, additional_checks: Any = None, **_more: Any) -> None:
            case.validate_response(response, checks=CHECKS)

        def after_call(self, response: Any, case: Case) -> None:
            story.statuses[response.status_code] += 1
            story.calls[case.operation.label] += 1

        def step(self, input: Any) -> Any:
            if input.transition is not None:
                story.followed[str(input.transition.id).rpartition("->")[2].strip() or str(input.transition.id)] += 1
            return super().step(input)

    machine: type[APIStateMachine] = Told
    if seed is not None:
        core.global_force_seed = seed
    machine.run(
        settings=settings(
            max_examples=scenarios,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            derandomize=seed is None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
    )
    return story


def _declared(sent: dict[str, Any]) -> dict[str, Any]:
    number = uuid.UUID(str(sent["client_id"])).int % 50 + 1 if _is_uuid(sent.get("client_id")) else 1
    body = declaration(number, stays=[stay()], tests=[negative_test()], companions=[companion(number + 50)])
    return body | {"client_id": str(uuid.uuid4())}


_RIGHT: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "/api/v1/registrations": _declared,
    "/api/v1/gate/registrations": _declared,
    "/api/v1/scans": lambda _sent: {"scan_id": str(uuid.uuid4()), "scanned_at": NOW.isoformat()},
    "/api/v1/scans/{scan_id}/decision": lambda _sent: {"decision": "admitted", "note": "已核实"},
    "/api/v1/gate/tests": lambda _sent: {
        "test_id": str(uuid.uuid4()),
        "result": "negative",
        "taken_at": (NOW - timedelta(minutes=20)).isoformat(),
        "read_at": NOW.isoformat(),
    },
    "/api/v1/alerts/{alert_id}/resolve": lambda _sent: {"result": "handled", "note": None},
    "/api/v1/gate/vehicles": lambda _sent: {
        "vehicle_id": str(uuid.uuid4()),
        "kind": "car",
        "opened_at": NOW.isoformat(),
    },
}
_LIST = "风险等级,省,市,区县,地址\n高风险,上海市,上海市,金山区,枫泾镇白牛路151弄12号楼\n".encode()
_KEPT = {"/api/v1/scans": ("token", "vehicle_id", "shift_id"), "/api/v1/gate/tests": ("scan_id",)}


def righted(case: Case) -> Any:
    """The body of a case with most fields right: those that a link filled in stay, and one call in four is sent as it was made up."""
    right, sent = _RIGHT.get(case.operation.path), case.body
    if case.operation.path == "/api/v1/risk-lists" and len(repr(sent)) % 4:
        return {"file": _LIST} if isinstance(sent, dict) else _LIST
    if case.method.upper() != "POST" or right is None or not isinstance(sent, dict) or len(repr(sent)) % 4 == 0:
        return sent
    kept = {name: sent[name] for name in _KEPT.get(case.operation.path, ()) if name in sent}
    known = {name: value for name, value in kept.items() if name == "token" or value is None or _is_uuid(value)}
    return right(sent) | {name: value for name, value in known.items() if value is not None}


def _is_uuid(value: object) -> bool:
    try:
        return bool(uuid.UUID(str(value)))
    except ValueError:
        return False
