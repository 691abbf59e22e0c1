"""What an application says, and what makes it invalid. One form for the phone, the desk, commuters and companies."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any

from flask import current_app
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import select

from checkpoint.accounts.models import Checkpoint
from checkpoint.approvals.conditions import Conditions
from checkpoint.approvals.kinds import application_kind
from checkpoint.approvals.models import ApprovalKind
from checkpoint.database import db
from checkpoint.errors import FieldError, InvalidInput
from checkpoint.privacy.pictures import UnfitPicture, clean_picture
from checkpoint.regions import default_index
from checkpoint.regions.models import contains
from checkpoint.registrations.declaration import CompanionIn, Name, Phone, clean_plate
from checkpoint.registrations.problems import field_error, from_pydantic
from checkpoint.risk.policy import PolicyData
from checkpoint.words import _

MOST_HOLDERS = 5000
MOST_PAGES = 12  # in one act
LONGEST_PURPOSE = 1000
LONGEST_TEXT = 1000
TOWN_LEVEL = 4


@dataclass(frozen=True, slots=True)
class Holder:
    """A person (name, document, perhaps a phone) or a vehicle (its plate) that an application names."""

    name: str | None = None
    id_type: str | None = None
    id_number: str | None = None
    phone: str | None = None
    plate: str | None = None


@dataclass(frozen=True, slots=True)
class NewApplication:
    """What is applied for. `id` is the client's own UUID; `division_code` answers; `conditions` are those asked for, with their
    validity (the form is in `conditions.py`); `pictures` are pages or evidence as they were sent (JPEG, PNG, WebP)."""

    id: uuid.UUID
    kind: ApprovalKind
    division_code: str
    contact_name: str
    purpose: str
    conditions: Conditions | Mapping[str, Any]
    holders: Sequence[Holder]
    contact_phone: str | None = None
    origin_code: str | None = None
    company_id: uuid.UUID | None = None
    registration_id: uuid.UUID | None = None
    on_paper: bool = False
    pictures: Sequence[bytes] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class Valid:
    """An application that was checked: texts as they are stored and compared."""

    contact_name: str
    contact_phone: str | None
    purpose: str
    conditions: Conditions
    holders: tuple[Holder, ...]
    pictures: tuple[bytes, ...]


class _Contact(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    contact_name: Name
    contact_phone: Phone | None = None
    purpose: str = Field(min_length=1, max_length=LONGEST_PURPOSE)


class _Vehicle(BaseModel):
    model_config = ConfigDict(extra="forbid")

    plate: Annotated[str, Field(min_length=1, max_length=16), AfterValidator(clean_plate)]


def checked(new: NewApplication, *, policy: PolicyData, at: datetime) -> Valid:
    """The application as it will be stored; raises InvalidInput with every wrong field (`holders.0.id_number`, `conditions.until`)."""
    wrong: list[FieldError] = list(_places_wrong(new))
    contact = _contact(new, wrong)
    conditions = _collect(wrong, lambda: read_conditions(new.conditions, new.kind, policy=policy, at=at))
    holders = _collect(wrong, lambda: read_holders(new.holders))
    pictures = _collect(wrong, lambda: clean_pages(new.pictures))
    if wrong or contact is None or conditions is None or holders is None or pictures is None:
        raise InvalidInput(wrong)
    return Valid(contact.contact_name, contact.contact_phone, contact.purpose, conditions, holders, pictures)


def _collect(wrong: list[FieldError], read: Any) -> Any:
    try:
        return read()
    except InvalidInput as error:
        wrong += error.errors
        return None


def _contact(new: NewApplication, wrong: list[FieldError]) -> _Contact | None:
    given = {"contact_name": new.contact_name, "contact_phone": new.contact_phone or None, "purpose": new.purpose}
    try:
        return _Contact.model_validate(given)
    except ValidationError as error:
        wrong += from_pydantic(error).errors
        return None


def _places_wrong(new: NewApplication) -> Iterable[FieldError]:
    index = default_index()
    site = current_app.extensions["settings"].site_division
    if not index.exists(new.division_code):
        yield field_error("division", "unknown_division")
    elif not contains(site, new.division_code):
        yield field_error("division", "outside_site")
    elif index.level(new.division_code) < TOWN_LEVEL:
        yield field_error("division", "destination_level")
    if new.origin_code and not index.exists(new.origin_code):
        yield field_error("origin", "unknown_division")


def read_conditions(
    given: Conditions | Mapping[str, Any], kind: str, *, policy: PolicyData, at: datetime
) -> Conditions:
    """Conditions that can be granted now: they make sense, are not over, last no longer than the policy allows, and name posts and
    places that exist. Raises InvalidInput; fields begin with `conditions.`."""
    if isinstance(given, Conditions):
        conditions = given
    else:
        try:
            conditions = Conditions.from_json(given)
        except ValidationError as error:
            raise InvalidInput([_condition_error(one) for one in from_pydantic(error).errors]) from error
    wrong = list(_validity_wrong(conditions, kind, policy, at))
    known = set(db.session.scalars(select(Checkpoint.code).where(Checkpoint.code.in_(conditions.checkpoints))))
    if not known.issuperset(conditions.checkpoints):
        wrong.append(field_error("conditions.checkpoints", "unknown_checkpoint"))
    route = conditions.route
    if route is not None:
        index = default_index()
        codes = [*route.to, *route.stops, *([route.start] if route.start else [])]
        if not all(index.exists(code) for code in codes):
            wrong.append(field_error("conditions.route", "unknown_division"))
    if wrong:
        raise InvalidInput(wrong)
    return conditions


def _condition_error(error: FieldError) -> FieldError:
    if error.field in ("", "body"):
        return FieldError(
            "conditions", error.code, _("Please look at the days and times again: they do not fit together.")
        )
    name = {"valid_from": "from", "valid_until": "until"}.get(error.field, error.field)
    return FieldError(f"conditions.{name}", error.code, error.message)


def _validity_wrong(conditions: Conditions, kind: str, policy: PolicyData, at: datetime) -> Iterable[FieldError]:
    if conditions.valid_until <= at:
        yield FieldError("conditions.until", "over", _("This time is over already."))
    longest = policy.longest_days_of(application_kind(kind))
    if conditions.valid_until - conditions.valid_from > timedelta(days=longest):
        yield FieldError("conditions.until", "too_long", _("At most %(days)d days.", days=longest))


def read_holders(given: Sequence[Holder]) -> tuple[Holder, ...]:
    """Holders with their documents and plates as they are compared; each stands once. Raises InvalidInput."""
    if not given:
        raise InvalidInput.one("holders", "missing", _("Name at least one person or vehicle."))
    if len(given) > MOST_HOLDERS:
        raise InvalidInput.one("holders", "too_many", _("At most %(most)d people and vehicles.", most=MOST_HOLDERS))
    wrong: list[FieldError] = []
    found: dict[tuple[str | None, str | None, str | None], Holder] = {}
    for number, holder in enumerate(given):
        try:
            read = _read_holder(holder)
        except ValidationError as error:
            wrong += (
                FieldError(f"holders.{number}.{one.field}", one.code, one.message)
                for one in from_pydantic(error).errors
            )
            continue
        found.setdefault((read.id_type, read.id_number, read.plate), read)
    if wrong:
        raise InvalidInput(wrong)
    return tuple(found.values())


def _read_holder(holder: Holder) -> Holder:
    if holder.plate and not holder.id_number:
        return Holder(plate=_Vehicle.model_validate({"plate": holder.plate}).plate)
    person = {
        "name": holder.name,
        "id_type": holder.id_type,
        "id_number": holder.id_number,
        "phone": holder.phone or None,
    }
    read = CompanionIn.model_validate({key: value for key, value in person.items() if value})
    plate = _Vehicle.model_validate({"plate": holder.plate}).plate if holder.plate else None
    return Holder(read.name, read.id_type, read.id_number, read.phone, plate)


def clean_pages(pictures: Sequence[bytes]) -> tuple[bytes, ...]:
    """Pages and pictures as JPEGs made anew; raises InvalidInput for what is no picture, or for too many."""
    if len(pictures) > MOST_PAGES:
        raise InvalidInput.one("pictures", "too_many", _("At most %(most)d pictures at once.", most=MOST_PAGES))
    try:
        return tuple(clean_picture(one) for one in pictures)
    except UnfitPicture as error:
        message = (
            _("A picture is too large: at most 8 MB each.")
            if error.problem == "too_large"
            else _("This is not a picture that can be read.")
        )
        raise InvalidInput.one("pictures", error.problem, message) from error


def read_text(text: str, name: str, *, needed: str = "") -> str:
    """What somebody writes to the other side; with `needed` it must not be empty, and that sentence says so."""
    text = text.strip()
    if needed and not text:
        raise InvalidInput.one(name, "missing", needed)
    if len(text) > LONGEST_TEXT:
        raise InvalidInput.one(name, "length", _("At most %(most)d characters.", most=LONGEST_TEXT))
    return text
