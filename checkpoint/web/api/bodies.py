"""The bodies of the contract: what comes in and goes out over /api/v1. Times are RFC 3339 with an offset."""

import uuid
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

TierName = Literal["red", "yellow", "green"]
VerdictName = Literal["admit", "test", "hold", "refuse"]
DecisionName = Literal["admitted", "tested", "held", "turned_back", "transferred"]
YEARS = range(2000, 2200)


def _near(instant: datetime) -> datetime:
    """A tablet whose battery was empty may be years off; the ends of the calendar are nobody's clock and fit no column."""
    if instant.year not in YEARS:
        raise PydanticCustomError("time_far", "The year is before 2000 or after 2199.")
    return instant


Instant = Annotated[AwareDatetime, AfterValidator(_near)]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class Evidence(BaseModel):
    """What a reason rests on."""

    stay: int | None = None
    place: str | None = None
    area: str | None = None
    listed_on: date | None = None
    list_id: int | None = None
    detail: list[str] = []


class ReasonOut(BaseModel):
    """Why: the rule, its points, a sentence to read out, the evidence; `note` is a line below it, what an approval allows."""

    rule: str
    points: int
    text: str
    note: str | None = None
    evidence: Evidence


class MeasureOut(BaseModel):
    """What must happen."""

    kind: str
    text: str
    days: int
    within_hours: int | None
    test_days: list[int]


class PassOut(BaseModel):
    """The pass of a registration."""

    token: str
    short_code: str
    url: str
    expires_at: datetime


class CompanionOut(BaseModel):
    """The result for somebody who travels along."""

    id: uuid.UUID
    name: str
    tier: TierName
    score: int
    pass_: PassOut = Field(serialization_alias="pass")


class RegistrationOut(BaseModel):
    """The result of a declaration."""

    id: uuid.UUID
    tier: TierName
    score: int
    reasons: list[ReasonOut]
    measures: list[MeasureOut]
    pass_: PassOut = Field(serialization_alias="pass")
    companions: list[CompanionOut]


class StayOut(BaseModel):
    """A stay as stored."""

    code: str | None
    name: str
    since: date = Field(serialization_alias="from")
    until: date = Field(serialization_alias="to")


class PersonOut(BaseModel):
    """A person, masked."""

    name: str
    id_type: str
    id_number: str
    phone: str


class RecordOut(BaseModel):
    """A registration as the caller may see it."""

    id: uuid.UUID
    state: str
    tier: TierName
    score: int
    person: PersonOut
    origin: StayOut
    stays: list[StayOut]
    destination_code: str
    destination_name: str
    arriving_on: date
    transport: str
    plate: str
    symptoms: list[str]
    reasons: list[ReasonOut]
    measures: list[MeasureOut]
    pass_: PassOut | None = Field(serialization_alias="pass")
    created_at: datetime
    entered_at: datetime | None


class ShownRule(_In):
    """A rule as the tablet named it to the officer."""

    rule: str = Field(max_length=40, pattern=r"^[a-z_]+$")
    points: int = Field(ge=0, le=100)
    county: str | None = Field(default=None, pattern=r"^[0-9]{6}$")
    stay: int | None = Field(default=None, ge=0, le=100)
    detail: list[Annotated[str, Field(max_length=40)]] | None = Field(default=None, max_length=10)


class Shown(_In):
    """What a tablet without a network told the officer."""

    verdict: VerdictName
    tier: TierName | None = None
    rules: list[ShownRule] = Field(max_length=60)


class ScanIn(_In):
    """One scan. `token` is a pass, the short code under it, or `ID:` and the id or client_id of a registration.

    `skew_seconds` is how far the tablet's clock was ahead of the server's; `shown` what an off-line verdict said, judged under
    the snapshot `snapshot_version`.
    """

    scan_id: uuid.UUID
    token: str = Field(max_length=4096)
    scanned_at: Instant
    shift_id: uuid.UUID | None = None
    vehicle_id: uuid.UUID | None = None
    shown: Shown | None = None
    snapshot_version: str | None = Field(default=None, max_length=120)
    skew_seconds: int | None = Field(default=None, ge=-(2**31), lt=2**31)


class BatchDecision(_In):
    """A decision made off line, with the tablet's time. `decision_id` is the tablet's own UUID of it."""

    decision_id: uuid.UUID | None = None
    decision: DecisionName
    note: str | None = Field(default=None, max_length=500)
    decided_at: Instant
    shift_id: uuid.UUID | None = None


class BatchScanIn(ScanIn):
    """A scan made off line, with what was decided: one decision, or several in their order (a test, then the admission)."""

    decision: BatchDecision | None = None
    decisions: list[BatchDecision] = Field(default_factory=list, max_length=20)


class BatchIn(_In):
    """At most 2,000 scans after time off line, in the order in which they were made."""

    scans: Annotated[list[BatchScanIn], Field(max_length=2000)]


class GatePerson(BaseModel):
    """Who stands at the barrier, masked."""

    name: str
    id_type: str
    id_number: str
    phone: str
    plate: str
    origin: str
    destination: str
    arriving_on: date
    transport: str
    companions: int
    state: str


class PreviousOut(BaseModel):
    """The crossing before this one."""

    scanned_at: datetime
    checkpoint: str
    verdict: VerdictName
    decision: DecisionName | None
    decided_at: datetime | None


class ConflictOut(BaseModel):
    """Another crossing of the same person within ten minutes, in another lane, that was decided otherwise. Both stand."""

    scan_id: uuid.UUID
    scanned_at: datetime
    checkpoint: str
    verdict: VerdictName
    decision: DecisionName


class ScanOut(BaseModel):
    """The verdict on a scan. `problem` says why a pass was not accepted."""

    scan_id: uuid.UUID
    verdict: VerdictName
    tier: TierName | None
    problem: str | None
    reasons: list[ReasonOut]
    measures: list[MeasureOut]
    person: GatePerson | None
    previous: PreviousOut | None
    decision: DecisionName | None
    decided_at: datetime | None
    conflicts: list[ConflictOut]


class BatchItemOut(BaseModel):
    """The answer to one scan of a batch; `error` when something of it could not be taken as it was.

    A scan that another checkpoint has sent before has no verdict here, and the error `not_found`.
    """

    scan_id: uuid.UUID
    verdict: VerdictName | None
    tier: TierName | None
    problem: str | None
    decision: DecisionName | None
    error: str | None
    conflicts: list[ConflictOut]


class BatchOut(BaseModel):
    """Each scan of a batch, answered in the same order."""

    results: list[BatchItemOut]


class DecisionIn(_In):
    """What the officer did; letting in whom the verdict holds or refuses needs a note. `decision_id` is the tablet's own UUID."""

    decision_id: uuid.UUID | None = None
    decision: DecisionName
    note: str | None = Field(default=None, max_length=500)
    shift_id: uuid.UUID | None = None


class AlertOut(BaseModel):
    """An alert; nothing personal is in it."""

    id: uuid.UUID
    seq: int | None
    kind: str
    tier: TierName
    state: Literal["notice", "open", "acknowledged", "resolved", "retracted"]
    subject_type: str
    subject_id: uuid.UUID | None
    division_code: str
    division_name: str
    responsible_level: int
    created_at: datetime
    acknowledge_by: datetime | None
    resolve_by: datetime | None
    acknowledged_at: datetime | None
    resolved_at: datetime | None
    escalated_at: datetime | None
    result: str | None
    params: dict[str, object]


class AlertsOut(BaseModel):
    """A page of alerts by increasing `seq`; ask again with `after` = `next`."""

    alerts: list[AlertOut]
    next: int


class AlertsQuery(_In):
    """Which alerts: those raised after a sequence number, in one state."""

    after: int = Field(default=0, ge=0, le=2**62)
    state: Literal["notice", "open", "acknowledged", "resolved", "retracted"] | None = None
    limit: int = Field(default=200, ge=1, le=1000)


class ResolveIn(_In):
    """The result of an alert."""

    result: Literal["handled", "no_answer", "not_here", "transferred", "false_alarm"] = "handled"
    note: str | None = Field(default=None, max_length=500)


class ListOut(BaseModel):
    """A version of the risk list. `county_count` and `town_count` are entries placed at least that deep."""

    id: int
    source: str
    state: Literal["draft", "published", "superseded", "withdrawn"]
    published_at: datetime
    checksum: str
    high_count: int
    middle_count: int
    low_count: int
    county_count: int
    town_count: int
    unresolved_count: int
    confirmed_at: datetime | None


class PreviewOut(BaseModel):
    """What publishing would change against the list in force."""

    added: int
    removed: int
    raised: int
    lowered: int


class ListUploadOut(ListOut):
    """An uploaded list with its preview."""

    preview: PreviewOut
