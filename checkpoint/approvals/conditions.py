"""What a granted approval allows and asks at the barrier: the form that is stored, and whether a crossing keeps it. Pure.

`Conditions` is the JSON of `Approval.asked_conditions` and `Approval.conditions`. Days and hours are those of the site's own time.
`static/js/gate/approvals.js` says the same of `breach` in the browser; `tests/vectors/gate.json` binds both.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from checkpoint.regions.models import contains

NOTE_LONGEST = 200
TEST_HOURS_LONGEST = 240

CodeText = Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")]
Clock = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
PostCode = Annotated[str, StringConstraints(min_length=1, max_length=40)]
Weekday = Annotated[int, Field(ge=1, le=7)]
TierName = Literal["green", "yellow", "red"]
Breach = Literal["not_yet", "over", "days", "hours", "checkpoint", "route", "test"]


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Route(_Form):
    """Point to point: divisions of 12 digits. An empty `to` is anywhere; `stops` are where a lorry may halt on its way."""

    start: CodeText | None = Field(default=None, alias="from")
    to: tuple[CodeText, ...] = Field(default=(), max_length=20)
    stops: tuple[CodeText, ...] = Field(default=(), max_length=20)


class Conditions(_Form):
    """What is granted. In JSON the validity is called `from` and `until`: from the first instant to before the last.

    `days` are ISO weekdays, none meaning every day; `hours` two times of day, the second not included, that may pass midnight: the
    night then belongs to the day on which it began. `checkpoints` are codes, none meaning any. `test_hours` asks a negative test
    not older than that. `covers` is the worst tier that is let in: with red, a hold becomes a test, though never for a positive
    test or symptoms. `binding` means that the pass holds only within all this; outside it is held.
    """

    valid_from: AwareDatetime = Field(alias="from")
    valid_until: AwareDatetime = Field(alias="until")
    days: tuple[Weekday, ...] = ()
    hours: tuple[Clock, Clock] | None = None
    checkpoints: tuple[PostCode, ...] = Field(default=(), max_length=50)
    route: Route | None = None
    test_hours: int | None = Field(default=None, ge=1, le=TEST_HOURS_LONGEST)
    covers: TierName = "green"
    binding: bool = False
    note: str = Field(default="", max_length=NOTE_LONGEST)

    @model_validator(mode="after")
    def _make_sense(self) -> Self:
        if self.valid_until <= self.valid_from:
            raise ValueError("until must be after from")
        if len(set(self.days)) != len(self.days):
            raise ValueError("a weekday is named twice")
        if self.hours is not None and self.hours[0] == self.hours[1]:
            raise ValueError("hours must not be empty; leave them out for the whole day")
        return self

    def as_json(self) -> dict[str, Any]:
        """The form that is stored, sent and read again by `from_json`."""
        return self.model_dump(mode="json", by_alias=True)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """What was stored. Raises pydantic's ValidationError for anything else."""
        return cls.model_validate(stored)


@dataclass(frozen=True, slots=True)
class Passage:
    """A crossing as conditions see it: when (an instant, by a right clock), where, and the newest negative test."""

    moment: datetime
    checkpoint: str
    negative_test_at: datetime | None
    zone: tzinfo


def breach(conditions: Conditions, passage: Passage, *, off_route: bool = False) -> Breach | None:
    """What of the conditions a crossing does not keep, the first in this order; None when all is kept.

    Whether the trip is off its route (`leaves_route`) is worked out beforehand, since a tablet does not know the trip.
    """
    if passage.moment < conditions.valid_from:
        return "not_yet"
    if passage.moment >= conditions.valid_until:
        return "over"
    day, within = _day_and_hours(conditions.hours, passage.moment.astimezone(passage.zone))
    if conditions.days and day not in conditions.days:
        return "days"
    if not within:
        return "hours"
    if conditions.checkpoints and passage.checkpoint not in conditions.checkpoints:
        return "checkpoint"
    if off_route:
        return "route"
    if conditions.test_hours is not None and not _tested(conditions.test_hours, passage):
        return "test"
    return None


def _day_and_hours(hours: tuple[str, str] | None, local: datetime) -> tuple[int, bool]:
    """The weekday to which a local time belongs, and whether it lies within the hours."""
    if hours is None:
        return local.isoweekday(), True
    now, (first, last) = local.strftime("%H:%M"), hours
    if first < last:
        return local.isoweekday(), first <= now < last
    if now < last:  # past midnight, in the night that began yesterday
        return (local - timedelta(days=1)).isoweekday(), True
    return local.isoweekday(), now >= first


def _tested(hours: int, passage: Passage) -> bool:
    if passage.negative_test_at is None:
        return False
    return timedelta() <= passage.moment - passage.negative_test_at <= timedelta(hours=hours)


def leaves_route(route: Route | None, origin: str | None, destination: str) -> bool:
    """Whether a trip between two divisions (12 digits; an origin nobody could place is None) leaves the route."""
    if route is None:
        return False
    if route.start is not None and (origin is None or not contains(route.start, origin)):
        return True
    return bool(route.to) and not any(contains(allowed, destination) for allowed in route.to)
