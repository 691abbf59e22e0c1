"""The bodies of the lane: shifts, tests on the spot, vehicles, and the screen that shows them. Times are RFC 3339 with an offset."""

import uuid
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from checkpoint.web.api.bodies import DecisionName, Instant, MeasureOut, ReasonOut, TierName, VerdictName

VehicleKind = Literal["car", "coach", "lorry"]
ScanIds = Annotated[list[uuid.UUID], Field(max_length=200)]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class ShiftIn(_In):
    """A sign-in. Without `pin` it happened off line, where the tablet itself checked the PIN."""

    shift_id: uuid.UUID
    officer_id: uuid.UUID
    pin: str | None = Field(default=None, max_length=32, repr=False)
    started_at: Instant


class ShiftEndIn(_In):
    """A sign-out."""

    ended_at: Instant


class OfficerOut(BaseModel):
    """An officer who may sign in here; `stamp` changes with the PIN."""

    id: uuid.UUID
    name: str
    stamp: str


class ShiftOut(BaseModel):
    """A shift. `proven` is false when it was opened off line and nobody vouches for it."""

    shift_id: uuid.UUID
    officer: OfficerOut
    started_at: datetime
    ended_at: datetime | None
    proven: bool
    offline_hours: int


class SpotTestIn(_In):
    """The result of an antigen test at the barrier. The scan must have arrived before it."""

    test_id: uuid.UUID
    scan_id: uuid.UUID
    result: Literal["negative", "positive"]
    taken_at: Instant
    read_at: Instant
    shift_id: uuid.UUID | None = None


class SpotTestOut(BaseModel):
    """The verdict anew."""

    test_id: uuid.UUID
    scan_id: uuid.UUID
    result: Literal["negative", "positive"]
    verdict: VerdictName
    tier: TierName | None
    reasons: list[ReasonOut]
    measures: list[MeasureOut]


class VehicleIn(_In):
    """What is known of a vehicle. `scans` join it, `dropped` leave it; told again, it changes nothing."""

    vehicle_id: uuid.UUID
    kind: VehicleKind = "car"
    plate: str | None = Field(default=None, max_length=16)
    opened_at: Instant
    closed_at: Instant | None = None
    scans: ScanIds = []
    dropped: ScanIds = []
    shift_id: uuid.UUID | None = None


class SeatedOut(BaseModel):
    """Somebody who was scanned into a vehicle, masked; `reasons` are what the scan said of approvals."""

    scan_id: uuid.UUID
    registration_id: uuid.UUID | None
    name: str
    id_number: str
    tier: TierName | None
    verdict: VerdictName
    decision: DecisionName | None
    reasons: list[ReasonOut]


class ExpectedOut(BaseModel):
    """Somebody who registered for a vehicle and was not scanned yet, masked; `by_code`: by the vehicle's own code."""

    registration_id: uuid.UUID
    name: str
    id_number: str
    tier: TierName
    by_code: bool


class VehicleOut(BaseModel):
    """A vehicle. `tier` is that of its worst passenger, null while it is empty; `url` the address of its own code."""

    vehicle_id: uuid.UUID
    kind: VehicleKind
    plate: str
    checkpoint: str
    opened_at: datetime
    closed_at: datetime | None
    tier: TierName | None
    seated: list[SeatedOut]
    expected: list[ExpectedOut]
    url: str | None


class QueuedOut(BaseModel):
    """Somebody who registered by this checkpoint's poster in the last hour and was not scanned yet, masked."""

    registration_id: uuid.UUID
    name: str
    id_number: str
    plate: str
    transport: str
    tier: TierName
    companions: int
    registered_at: datetime


class WaitingOut(BaseModel):
    """Somebody whose test on the spot has no result yet; `verdict` is that of the scan, `reasons` what it said of approvals."""

    scan_id: uuid.UUID
    name: str
    tier: TierName | None
    verdict: VerdictName
    reasons: list[ReasonOut]
    started_at: datetime
    due_at: datetime


class LinedUpOut(BaseModel):
    """A vehicle that has not driven on."""

    vehicle_id: uuid.UUID
    kind: VehicleKind
    plate: str
    tier: TierName | None
    people: int
    opened_at: datetime


class TabletOut(BaseModel):
    """A tablet of this checkpoint and who is on duty there."""

    label: str
    is_this: bool
    last_seen_at: datetime | None
    officer: str


class LaneOut(BaseModel):
    """The lane on one screen. Counts are of today, at the whole checkpoint."""

    now: datetime
    scans: int
    verdicts: dict[str, int]
    decisions: dict[str, int]
    queue: list[QueuedOut]
    tests: list[WaitingOut]
    vehicles: list[LinedUpOut]
    tablets: list[TabletOut]
    officers: list[OfficerOut]


class DocumentIn(_In):
    """The number of the document that the officer holds."""

    scan_id: uuid.UUID
    id_number: str = Field(min_length=1, max_length=64, repr=False)


class DocumentOut(BaseModel):
    """Whether it is the declared one."""

    match: bool
