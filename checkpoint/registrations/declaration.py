"""What a traveller declares, and what makes it invalid. One model for the phone's form, the API and the simulator."""

import re
import unicodedata
import uuid
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal, Self

import phonenumbers
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError
from stdnum.cn import ric

MAX_STAYS = 20
MAX_COMPANIONS = 20
MAX_TESTS = 10
ARRIVAL_PAST_DAYS = 1
ARRIVAL_AHEAD_DAYS = 60
STAY_PAST_DAYS = 365

IdType = Literal["resident_id", "passport", "hk_macau_permit", "taiwan_permit", "foreign_permit"]
Transport = Literal["car", "coach", "lorry", "train", "ship", "walk", "other"]
Symptom = Literal["fever", "cough", "sore_throat", "fatigue", "loss_of_smell", "diarrhoea", "breathless", "other"]

_DOCUMENT = {
    "passport": re.compile(r"[A-Z0-9]{5,17}"),
    "hk_macau_permit": re.compile(r"[HMC][A-Z0-9]{8,10}"),
    "taiwan_permit": re.compile(r"[A-Z0-9]{8,10}"),
    "foreign_permit": re.compile(r"[A-Z]{3}[0-9]{12}|9[0-9]{16}[0-9X]"),
}
_PLATE = re.compile(r"[\u4e00-\u9fffA-Z0-9]{5,10}")
_MOBILE = re.compile(r"1[3-9][0-9]{9}")


def _clean(text: str) -> str:
    """NFKC, no control or format characters, single blanks."""
    folded = unicodedata.normalize("NFKC", text)
    return " ".join(
        "".join(ch for ch in folded if unicodedata.category(ch) not in ("Cc", "Cf", "Cs", "Co", "Cn")).split()
    )


def _named(text: str) -> str:
    text = _clean(text)
    if not any(ch.isalpha() for ch in text) or set(text) & set('<>{}[]|\\/=@#%^*~`;"0123456789'):
        raise PydanticCustomError("name", "Write the name as it stands in the document.")
    return text


def _phone(text: str) -> str:
    """E.164. Eleven digits from 13 to 19 are a mainland mobile; anything else goes through Google's tables."""
    digits = re.sub(r"[\s\-().]", "", _clean(text)).removeprefix("+86")
    if _MOBILE.fullmatch(digits):
        return "+86" + digits
    try:
        number = phonenumbers.parse(text, "CN")
    except phonenumbers.NumberParseException as error:
        raise PydanticCustomError("phone", "This is not a phone number.") from error
    if not phonenumbers.is_valid_number(number):
        raise PydanticCustomError("phone", "This is not a phone number.")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _resident_id(number: str) -> str:
    """GB 11643: 17 digits and a check character (ISO 7064 MOD 11-2), with a real birth date."""
    if not re.fullmatch(r"[0-9]{17}[0-9X]", number) or ric.calc_check_digit(number) != number[-1]:
        raise PydanticCustomError("check_digit", "This is not a valid resident ID number: please check each digit.")
    try:
        ric.get_birth_date(number)
    except Exception as error:
        raise PydanticCustomError("birth_date", "The birth date inside this number does not exist.") from error
    return number


def clean_plate(text: str) -> str | None:
    """A number plate as it is compared: capitals without blanks and dots; None for nothing. Another text is an error of pydantic's."""
    plate = re.sub(r"[\s·.\-]", "", _clean(text)).upper()
    if plate and not _PLATE.fullmatch(plate):
        raise PydanticCustomError("plate", "This is not a number plate.")
    return plate or None


Name = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_named)]
Phone = Annotated[str, Field(min_length=5, max_length=24), AfterValidator(_phone)]
Words = Annotated[str, Field(max_length=200), AfterValidator(_clean)]
Code = Annotated[str, Field(pattern=r"^[0-9]{12}$")]
Checkpoint = Annotated[str, Field(max_length=24, pattern=r"^[A-Za-z0-9_-]+$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, populate_by_name=True)


class PlaceIn(_Part):
    """A place: an official 12-digit code, or the words for it, or both (the code, and the address inside it)."""

    code: Code | None = None
    text: Words | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.code and not self.text:
            raise PydanticCustomError("place", "Say where: choose a place or write it.")
        return self


class StayIn(PlaceIn):
    """A place and the dates spent there, both included."""

    since: date = Field(alias="from")
    until: date = Field(alias="to")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.until < self.since:
            raise PydanticCustomError("dates", "The last day is before the first.")
        return self


class DestinationIn(_Part):
    """Where the traveller will sleep: a town or village of the site, and the address there."""

    code: Code
    address: Words = ""


class TestIn(_Part):
    """A test with its result."""

    kind: Literal["pcr", "antigen"]
    taken_at: AwareDatetime
    result: Literal["negative", "positive"]


class _Person(_Part):
    name: Name
    id_type: IdType
    id_number: str = Field(min_length=4, max_length=32)

    @field_validator("id_number")
    @classmethod
    def _document(cls, value: str, info: ValidationInfo) -> str:
        number = re.sub(r"[\s\-]", "", _clean(value)).upper()
        id_type = info.data.get("id_type")
        if id_type == "resident_id":
            return _resident_id(number)
        if id_type in _DOCUMENT and not _DOCUMENT[id_type].fullmatch(number):
            raise PydanticCustomError("document", "This is not a valid number for this kind of document.")
        return number


class CompanionIn(_Person):
    """Somebody who travels along; a child may have no phone."""

    phone: Phone | None = None


class Declaration(_Person):
    """One trip, as declared. `client_id` is the phone's own UUID: the same one again returns the first result."""

    client_id: uuid.UUID
    phone: Phone
    origin: PlaceIn
    stays: list[StayIn] = Field(default_factory=list, max_length=MAX_STAYS)
    destination: DestinationIn
    arriving_on: date
    checkpoint: Checkpoint | None = None
    transport: Transport
    plate: str | None = Field(default=None, max_length=16)
    companions: list[CompanionIn] = Field(default_factory=list, max_length=MAX_COMPANIONS)
    symptoms: list[Symptom] = Field(default_factory=list, max_length=8)
    tests: list[TestIn] = Field(default_factory=list, max_length=MAX_TESTS)

    @field_validator("plate")
    @classmethod
    def _plate(cls, value: str | None) -> str | None:
        return None if value is None else clean_plate(value)

    @field_validator("companions")
    @classmethod
    def _different(cls, value: list[CompanionIn], info: ValidationInfo) -> list[CompanionIn]:
        numbers = [(info.data.get("id_type"), info.data.get("id_number"))]
        numbers += [(one.id_type, one.id_number) for one in value]
        if len(set(numbers)) != len(numbers):
            raise PydanticCustomError("same_person", "The same document stands here twice.")
        return value


def _if_right(value: Any, read: ValidatorFunctionWrapHandler) -> Any:
    try:
        return read(value)
    except ValidationError:
        return None


_IF_RIGHT = WrapValidator(_if_right)


class _Loose(BaseModel):
    model_config = ConfigDict(extra="ignore", str_strip_whitespace=True, populate_by_name=True)


class LoosePlace(_Loose):
    """The code of a place, where it has the form of one."""

    code: Annotated[Code | None, _IF_RIGHT] = None


class LooseStay(LoosePlace):
    """The dates of a stay, where they are dates."""

    since: Annotated[date | None, _IF_RIGHT] = Field(default=None, alias="from")
    until: Annotated[date | None, _IF_RIGHT] = Field(default=None, alias="to")


class LooseTest(_Loose):
    """The time of a test, where it is a time."""

    taken_at: Annotated[AwareDatetime | None, _IF_RIGHT] = None


class Outline(_Loose):
    """What can be read of a declaration that is wrong somewhere: whatever is compared with the calendar and the register.

    Never stored. It serves to name, in the same answer as the fields of the wrong form, those whose value cannot be.
    """

    arriving_on: Annotated[date | None, _IF_RIGHT] = None
    origin: Annotated[LoosePlace | None, _IF_RIGHT] = None
    destination: Annotated[LoosePlace | None, _IF_RIGHT] = None
    checkpoint: Annotated[Checkpoint | None, _IF_RIGHT] = None
    stays: Annotated[
        Annotated[list[Annotated[LooseStay | None, _IF_RIGHT]], Field(max_length=MAX_STAYS)] | None, _IF_RIGHT
    ] = None
    tests: Annotated[
        Annotated[list[Annotated[LooseTest | None, _IF_RIGHT]], Field(max_length=MAX_TESTS)] | None, _IF_RIGHT
    ] = None


def outline_of(raw: bytes) -> Outline:
    """The outline of a JSON text; empty when it is not an object."""
    try:
        return Outline.model_validate_json(raw)
    except ValidationError:
        return Outline()


def dated_wrong(declaration: Declaration | Outline, at: datetime, today: date) -> list[tuple[str, str]]:
    """The fields whose dates cannot be, seen from now: (field, code). `today` is the date at the site."""
    wrong: list[tuple[str, str]] = []
    arriving = declaration.arriving_on
    if arriving is not None and arriving < today - timedelta(days=ARRIVAL_PAST_DAYS):
        wrong.append(("arriving_on", "arrival_past"))
    elif arriving is not None and arriving > today + timedelta(days=ARRIVAL_AHEAD_DAYS):
        wrong.append(("arriving_on", "arrival_far"))
    for number, stay in enumerate(declaration.stays or ()):
        if stay is not None:
            wrong += ((f"stays.{number}{part}", code) for part, code in _stay_wrong(stay, arriving, today))
    for number, test in enumerate(declaration.tests or ()):
        taken_at = test.taken_at if test is not None else None
        if taken_at is not None and taken_at > at + timedelta(minutes=15):
            wrong.append((f"tests.{number}.taken_at", "test_future"))
        elif taken_at is not None and taken_at < at - timedelta(days=STAY_PAST_DAYS):
            wrong.append((f"tests.{number}.taken_at", "test_old"))
    return wrong


def _stay_wrong(stay: StayIn | LooseStay, arriving: date | None, today: date) -> Iterator[tuple[str, str]]:
    since, until = stay.since, stay.until
    if since is not None and until is not None and until < since:
        yield "", "dates"
    if since is not None and since < today - timedelta(days=STAY_PAST_DAYS):
        yield ".from", "stay_past"
    if until is not None and until > max(arriving or today, today):
        yield ".to", "stay_after_arrival"
