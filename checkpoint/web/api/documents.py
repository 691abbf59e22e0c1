"""The OpenAPI 3.1 document, made from the models that parse and answer the calls; and how a body is read."""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, request
from pydantic import BaseModel, ConfigDict, ValidationError
from spectree import Response, SecurityScheme, SpecTree
from spectree.models import InType, SecureType, SecuritySchemeData
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from checkpoint.errors import InvalidInput
from checkpoint.registrations.problems import from_pydantic
from checkpoint.web.api.openapi import SECURED, finished
from checkpoint.web.auth import requires

Model = TypeVar("Model", bound=BaseModel)
View = TypeVar("View", bound=Callable[..., Any])

__all__ = ["Response", "describe", "document", "read_body", "read_query", "requires"]


class Problem(BaseModel):
    """An RFC 9457 problem document."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    errors: list["ProblemField"]


class ProblemField(BaseModel):
    """One wrong field: a dotted path, a stable code, a sentence."""

    field: str
    code: str
    message: str


_spec = SpecTree(
    "flask",
    title="Checkpoint",
    version="1.0.0",
    openapi_version="3.1.0",
    mode="strict",
    annotations=False,
    page_templates={},
    security_schemes=[
        SecurityScheme(
            name="bearer",
            data=SecuritySchemeData(
                type=SecureType.HTTP,
                scheme="bearer",
                description="A device's, an integration's or a traveller's (the pass itself) token",
            ),
        ),
        SecurityScheme(
            name="session",
            data=SecuritySchemeData(
                type=SecureType.API_KEY, name="session", field_in=InType.COOKIE, description="A signed-in person"
            ),
        ),
    ],
)


def describe(
    *,
    answers: dict[int, type[BaseModel] | None],
    problems: tuple[int, ...] = (),
    body: type[BaseModel] | None = None,
    query: type[BaseModel] | None = None,
    tag: str,
    public: bool = False,
) -> Callable[[View], View]:
    """Document a call: its answers by status, its problems, its body. Only documents: the call parses for itself."""
    models = {f"HTTP_{status}": model for status, model in answers.items()}
    models |= {f"HTTP_{status}": Problem for status in (*problems, 429, 503)}
    security: list[dict[str, list[str]]] = [{}] if public else SECURED
    decorated: Callable[[View], View] = _spec.validate(
        json=body,
        query=query,
        resp=Response(**models),
        tags=[tag],
        security=security,
        skip_validation=True,
        validation_error_status=422,
    )
    return decorated


def _refused(error: ValidationError, _raw: bytes) -> InvalidInput:
    return from_pydantic(error)


def read_body(model: type[Model], refused: Callable[[ValidationError, bytes], InvalidInput] = _refused) -> Model:
    """The JSON body as a model: 415 without JSON, 400 for what is not JSON, 422 with every wrong field named.

    `refused` makes the last of these, for a body of which more can be said than what the model finds.
    """
    if not request.is_json:
        raise UnsupportedMediaType
    raw = request.get_data()
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadRequest from error
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        if any(item["type"] == "json_invalid" for item in error.errors(include_url=False, include_input=False)):
            raise BadRequest from error
        raise refused(error, raw) from error


def read_query(model: type[Model]) -> Model:
    """The query string as a model."""
    try:
        return model.model_validate(request.args.to_dict())
    except ValidationError as error:
        raise from_pydantic(error) from error


def document(app: Flask) -> dict[str, Any]:
    """The OpenAPI document of the application; made at the first request and kept."""
    kept: dict[str, Any] | None = app.extensions.get("openapi")
    if kept is None:
        _spec.app = app
        kept = finished(_spec.spec)
        app.extensions["openapi"] = kept
    return kept
