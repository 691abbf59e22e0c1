"""What messages say: asking, answering, closing. JSON, checked field by field, since it comes from elsewhere."""

import uuid
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, model_validator

from checkpoint.inquiries.listfile import Listed
from checkpoint.joint.people import LONGEST, MOST, is_enough
from checkpoint.risk.policy import Tier

CASE, BASIS, QUESTION = 200, 200, 1000

Line = Annotated[str, StringConstraints(max_length=LONGEST, pattern=r"^[^\x00-\x1f\x7f]*$")]
Sentence = Annotated[str, StringConstraints(max_length=BASIS, pattern=r"^[^\x00-\x1f\x7f]*$")]


Result = Literal["handled", "no_answer", "not_here", "transferred", "false_alarm"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AskedPerson(_Strict):
    """Somebody who is asked about; empty texts are not known."""

    name: Line = ""
    document: Line = ""
    phone: Line = ""
    born: Line = ""
    plate: Line = ""

    @model_validator(mode="after")
    def _enough(self) -> "AskedPerson":
        if not is_enough(self.listed):
            raise ValueError("nobody can be looked for by this")
        return self

    @property
    def listed(self) -> Listed:
        return Listed(self.name, self.document, self.phone, self.born, self.plate)


class Ask(_Strict):
    """Please look for these people until `valid_until`, the last day."""

    kind: Literal["ask"] = "ask"
    id: uuid.UUID
    request: uuid.UUID
    asked_at: AwareDatetime
    level: Tier
    legal_basis: Annotated[Sentence, Field(min_length=1)]
    case: Sentence = ""
    question: Annotated[str, Field(min_length=1, max_length=QUESTION)]
    valid_until: date
    people: Annotated[list[AskedPerson], Field(min_length=1, max_length=MOST)]


class Told(_Strict):
    """What is told of one person: since when and in which town they are here, or when they were dealt with and how. Nothing more.

    `presence` is the state of their trip; `since` when they came in, or declared that they would.
    """

    state: Literal["not_found", "found", "handled"]
    at: AwareDatetime
    presence: Literal["declared", "inside", "withdrawn", "turned_back", "left"] | None = None
    since: AwareDatetime | None = None
    town: Annotated[str, StringConstraints(pattern=r"^[1-9]\d{8}000$")] | None = None
    result: Result | None = None


class Answer(_Strict):
    """What has become of some people of a request; a higher `serial` stands above a lower one."""

    kind: Literal["answer"] = "answer"
    id: uuid.UUID
    request: uuid.UUID
    serial: Annotated[int, Field(ge=1, le=1_000_000)]
    people: Annotated[dict[Annotated[int, Field(ge=0, lt=MOST)], Told], Field(min_length=1, max_length=MOST)]


class Close(_Strict):
    """The request is over: the asker needs no more (`finished`), the answerer answers no more (`ended`), or its last day has
    passed (`expired`)."""

    kind: Literal["close"] = "close"
    id: uuid.UUID
    request: uuid.UUID
    asker: bool
    at: AwareDatetime
    reason: Literal["finished", "ended", "expired"]


class Receipt(_Strict):
    """Proof that a message was taken, and when."""

    id: uuid.UUID
    received_at: AwareDatetime


Content = Ask | Answer | Close
_content: TypeAdapter[Content] = TypeAdapter(Annotated[Content, Field(discriminator="kind")])


def read_content(raw: bytes | str) -> Content:
    """The content of a message. Raises pydantic's ValidationError."""
    return _content.validate_json(raw)


def as_stored(told: Told) -> dict[str, Any]:
    """What was told, as it is stored and compared; times in UTC."""
    found = told.model_dump(exclude_none=True)
    return {
        name: value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value
        for name, value in found.items()
    }
