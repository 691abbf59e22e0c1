"""From what spectree collects to the OpenAPI document that is served: plain names, true statuses, and the calls it cannot see."""

import re
from collections.abc import Iterator
from typing import Any

from checkpoint.web.api.links import add_links

Json = dict[str, Any]

_REF = "#/components/schemas/"
_HASHED = re.compile(r"^(?P<outer>\w+)\.[0-9a-f]{7}(?:\.(?P<inner>\w+))?$")
_PROBLEM = "Problem"
SECURED: list[dict[str, list[str]]] = [{"bearer": []}, {"session": []}]
_OPEN: list[dict[str, list[str]]] = [{}]


def finished(collected: Json) -> Json:
    """The document to serve. Raises ValueError when two different models would have one name."""
    made = dict(_renamed(collected))
    for path in made["paths"].values():
        for operation in path.values():
            _true_answers(operation)
            for parameter in operation.get("parameters", ()):
                parameter["schema"] = _parameter(parameter["schema"])
    made["paths"]["/api/v1/risk-lists"]["post"]["requestBody"] = _LIST_FILE
    joint = made["paths"]["/api/v1/joint/messages"]["post"]
    joint["requestBody"], joint["responses"]["200"] = {"required": True, "content": _ENVELOPE}, _RECEIPT
    made["paths"] |= {path: {"get": operation} for path, operation in _unseen().items()}
    made["components"]["schemas"] = _used(made)
    add_links(made["paths"])
    return made


def _name(collected: str) -> str:
    """`Declaration.a08c4ea.StayIn` is StayIn, `Declaration.a08c4ea` is Declaration."""
    match = _HASHED.match(collected)
    return collected if match is None else match["inner"] or match["outer"]


def _renamed(value: Any) -> Any:
    if isinstance(value, list):
        return [_renamed(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    done: Json = {}
    for key, inner in value.items():
        if key == "$ref":
            done[key] = _REF + _name(str(inner).removeprefix(_REF))
        elif key == "schemas":
            done[key] = _models(inner)
        else:
            done[key] = _renamed(inner)
    return done


def _models(collected: Json) -> Json:
    models: Json = {}
    for long, schema in collected.items():
        name, plain = _name(long), _renamed(schema)
        if models.setdefault(name, plain) != plain:
            raise ValueError(f"two models are called {name}")
    return models


def _true_answers(operation: Json) -> None:
    """Errors are problem documents, and a call has no other statuses than those that it names."""
    for status, answer in list(operation["responses"].items()):
        content = answer.get("content", {})
        if int(status) < 400 or "application/json" not in content:
            continue
        if content["application/json"]["schema"].get("$ref") != _REF + _PROBLEM:
            del operation["responses"][status]  # spectree's own answer to a wrong request, which is never given here
        else:
            content["application/problem+json"] = content.pop("application/json")


def _parameter(schema: Json) -> Json:
    """An address has no null, and our numbers have 64 bits."""
    kept = {key: value for key, value in schema.items() if key != "anyOf" and (key, value) != ("default", None)}
    for choice in schema.get("anyOf", ()):
        if choice.get("type") != "null":
            kept |= choice
    if kept.get("format") == "int32":
        kept |= {"format": "int64", "minimum": kept.get("minimum", 0)}
    return kept


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for inner in value:
            yield from _references(inner)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key == "$ref":
                yield str(inner).removeprefix(_REF)
            else:
                yield from _references(inner)


def _used(made: Json) -> Json:
    """The models that some call names, directly or through another model."""
    models = made["components"]["schemas"]
    wanted, seen = list(_references(made["paths"])), set()
    while wanted:
        name = wanted.pop()
        if name not in seen:
            seen.add(name)
            wanted += _references(models[name])
    return {name: models[name] for name in sorted(seen)}


def _answer(words: str, kind: str, schema: Json) -> Json:
    return {"description": words, "content": {kind: {"schema": schema}}}


def _problem(words: str) -> Json:
    return _answer(words, "application/problem+json", {"$ref": _REF + _PROBLEM})


_LIST_FILE: Json = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {"file": {"type": "string", "contentMediaType": "application/octet-stream"}},
            }
        },
        "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
    },
}


_ENVELOPE: Json = {
    "application/cose": {"schema": {"type": "string", "contentMediaType": "application/cose", "maxLength": 524_288}}
}
_RECEIPT: Json = {"description": "Taken: a signed and sealed receipt", "content": _ENVELOPE}


def _unseen() -> Json:
    """The calls that answer something else than a model: events, and what operators read."""
    after = {"type": "integer", "minimum": 0, "maximum": 10**18 - 1}
    ready = {
        "type": "object",
        "required": ["status", "database"],
        "properties": {
            "status": {"enum": ["ready", "unavailable"]},
            "database": {"type": "boolean"},
            "migrations": {"type": "boolean"},
            "list_age_seconds": {"type": ["number", "null"]},
            "scheduler_beat_seconds": {"type": ["number", "null"]},
            "warnings": {"type": "array", "items": {"type": "string"}},
            "parts": {
                "type": "object",
                "additionalProperties": {"enum": ["fine", "off", "failing", "down"]},
            },
        },
    }
    alive = {"type": "object", "required": ["status"], "properties": {"status": {"const": "alive"}}}
    return {
        "/api/v1/stream": {
            "summary": "Alerts as they happen, as server-sent events; `id:` is the alert's `seq`.",
            "description": "Events `alert` and `change`; `reset` when the number asked for was never given.",
            "operationId": "get__api_v1_stream",
            "tags": ["alerts"],
            "security": SECURED,
            "parameters": [
                {"name": "Last-Event-ID", "in": "header", "required": False, "schema": after},
                {"name": "after", "in": "query", "required": False, "schema": after},
            ],
            "responses": {
                "200": _answer("Events without end", "text/event-stream", {"type": "string"}),
                "401": _problem("No valid token and no session"),
                "403": _problem("Not for this role"),
                "503": _problem("Too many readers: come back after Retry-After seconds"),
            },
        },
        "/healthz": {
            "summary": "Whether the process answers.",
            "operationId": "get__healthz",
            "tags": ["health"],
            "security": _OPEN,
            "responses": {"200": _answer("It does", "application/json", alive)},
        },
        "/readyz": {
            "summary": "Whether the process can serve: the database answers and is migrated.",
            "operationId": "get__readyz",
            "tags": ["health"],
            "security": _OPEN,
            "responses": {
                "200": _answer("It can", "application/json", ready),
                "503": _answer("It cannot", "application/json", ready),
            },
        },
        "/metrics": {
            "summary": "Figures for Prometheus.",
            "operationId": "get__metrics",
            "tags": ["health"],
            "security": _OPEN,
            "responses": {"200": _answer("The figures", "text/plain", {"type": "string"})},
        },
    }
