"""The policy as data: rules with points, tiers, measures, verdicts and deadlines. A version is validated once and never edited."""

import enum
from functools import lru_cache
from pathlib import Path
from typing import Literal

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


class PolicyData(_Frozen):
    """Everything that a policy version decides. `points` maps a rule's name to its points (0 to 100)."""

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


@lru_cache(maxsize=1)
def default_policy() -> PolicyData:
    """Version 1, as the project ships it (default_policy.json)."""
    return PolicyData.model_validate_json(DEFAULT_POLICY.read_text())
