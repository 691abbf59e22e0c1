"""The policy as data: rules with points, tiers, measures, verdicts and deadlines. A version is validated once and never edited."""

import enum
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

DEFAULT_POLICY = Path(__file__).parent / "default_policy.json"


class Tier(enum.StrEnum):
    """红黄绿."""

    RED = "red"
    YELLOW = "yellow"
    GREEN = "green"

    @property
    def rank(self) -> int:
        """3 red, 2 yellow, 1 green: the larger is the worse."""
        return {"red": 3, "yellow": 2, "green": 1}[self.value]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MeasureRule(_Frozen):
    """A measure and when it applies: for a tier, or for any of some rules. The first that applies is taken."""

    tier: Tier | None = None
    any_rule: tuple[str, ...] = ()
    kind: Literal["central_quarantine", "home_observation", "landing_test"]
    days: int = Field(default=0, ge=0, le=60)
    within_hours: int | None = Field(default=None, ge=1, le=240)
    test_days: tuple[int, ...] = ()


class Deadline(_Frozen):
    """Minutes until an alert must be acknowledged and resolved."""

    acknowledge_minutes: int = Field(ge=1)
    resolve_minutes: int = Field(ge=1)


Days = Annotated[int, Field(ge=1, le=3660)]


class Retention(_Frozen):
    """How many days personal data is kept once its time is over, by kind; what is held is kept longer.

    `trips` counts from the release, the withdrawal, or the last day on which somebody who never came could have; `approvals` and
    `companies` from their end, `inquiries` and `joint` from theirs; `barrier` from a scan, vehicle or declaration that leads to nobody,
    `patrols` from the visit, `alerts` (about anything but a trip) from the day they were raised, `changes` from the end of the work.
    """

    trips: Days = 30
    approvals: Days = 30
    companies: Days = 30
    inquiries: Days = 30
    joint: Days = 30
    barrier: Days = 30
    patrols: Days = 90
    alerts: Days = 90
    changes: Days = 30


class StaffLists(_Frozen):
    """How many people and lorries a company may put on its staff list in a day: `first_per_day` during the `first_days` after the town
    has accepted it, `per_day` later; and how many it may put on and take off on one day before command is told."""

    per_day: int = Field(default=100, ge=1)
    first_days: int = Field(default=3, ge=0, le=60)
    first_per_day: int = Field(default=5000, ge=1)
    taken_off_same_day: int = Field(default=10, ge=1)


Stage = Literal["village", "town", "command"]
UNMASKINGS_PER_HOUR: dict[Stage, int] = {"village": 60, "town": 150, "command": 300}
Application = Literal["person", "staff", "lorry", "commuter", "company"]
APPROVAL_STAGES: dict[Application, tuple[Stage, ...]] = {
    "person": ("village", "town"),
    "staff": ("village", "town"),
    "lorry": ("village", "town", "command"),
    "commuter": ("village", "town"),
    "company": ("town",),
}
APPROVAL_LONGEST_DAYS: dict[Application, int] = {"person": 14, "staff": 30, "lorry": 14, "commuter": 90, "company": 180}


class PolicyData(_Frozen):
    """Everything that a policy version decides. `points` maps a rule's name to its points (0 to 100).

    `approval_stages` says by kind of application who answers it, the nearest first, and `approval_longest_days` how long one may be
    granted for; what they do not name stays as shipped. With `approval_command_for_red` whatever lets red people in is answered by
    command as well. With `commuter_follow_ups` the work on a commuter is planned at the first entry, as for anybody; without it nobody
    calls on a commuter who is not red. `unmaskings_per_hour` bounds of how many people somebody with a role may open names and numbers
    within an hour; roles that it does not name stay as shipped.
    """

    points: dict[str, int]
    red_from: int = Field(ge=1, le=100)
    yellow_from: int = Field(ge=1, le=100)
    days_before_listing: int = Field(ge=0, le=60)
    undated_origin_days: int = Field(ge=0, le=60)
    list_stale_hours: int = Field(ge=1)
    snapshot_stale_hours: int = Field(default=12, ge=1)  # versions stored before it existed do not name it
    negative_test_hours: int = Field(ge=1)
    antigen_minutes: int = Field(ge=1)
    arrival_hours: int = Field(ge=1)
    pass_valid_days: int = Field(ge=1)
    measures: tuple[MeasureRule, ...]
    deadlines: dict[Tier, Deadline]
    kind_deadlines: dict[str, Deadline] = Field(default_factory=dict)  # by kind of alert, where the tier's do not fit
    approval_stages: dict[Application, Annotated[tuple[Stage, ...], Field(min_length=1)]] = Field(default_factory=dict)
    approval_longest_days: dict[Application, Annotated[int, Field(ge=1, le=366)]] = Field(default_factory=dict)
    approval_command_for_red: bool = True
    commuter_follow_ups: bool = False
    retention: Retention = Field(default_factory=Retention)  # versions stored before it existed do not name it
    staff_lists: StaffLists = Field(default_factory=StaffLists)
    unmaskings_per_hour: dict[Stage, Annotated[int, Field(ge=1, le=10_000)]] = Field(default_factory=dict)

    def ceiling_of(self, role: str | None) -> int | None:
        """Of how many people somebody with a role may open names and numbers within an hour; None for a role that opens none."""
        bounds = UNMASKINGS_PER_HOUR | self.unmaskings_per_hour
        return next((number for stage, number in bounds.items() if stage == role), None)

    def stages_of(self, kind: Application) -> tuple[Stage, ...]:
        """Who answers an application of a kind, the nearest first."""
        return self.approval_stages.get(kind) or APPROVAL_STAGES[kind]

    def longest_days_of(self, kind: Application) -> int:
        """How many days an application of a kind may be granted for."""
        return self.approval_longest_days.get(kind) or APPROVAL_LONGEST_DAYS[kind]


@lru_cache(maxsize=1)
def default_policy() -> PolicyData:
    """Version 1, as the project ships it (default_policy.json)."""
    return PolicyData.model_validate_json(DEFAULT_POLICY.read_text())
