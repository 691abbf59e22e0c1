"""The bodies of what a tablet asks about itself. Times are RFC 3339 with an offset."""

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class SnapshotQuery(BaseModel):
    """The version that the tablet has; one that was never given out is answered as if it had none."""

    model_config = ConfigDict(extra="forbid")

    since: str | None = Field(default=None, max_length=200)


class PublicKey(BaseModel):
    """A P-256 public key (RFC 7517), for ES256 or ECDH."""

    kid: str
    kty: Literal["EC"]
    crv: Literal["P-256"]
    x: str
    y: str


class SiteOut(BaseModel):
    """The guarded city; `timezone` is an IANA name, in which the days and hours of approvals are meant."""

    division: str
    name: str
    timezone: str


class PostOut(BaseModel):
    """The checkpoint of the tablet."""

    code: str
    name: str


class PolicyOut(BaseModel):
    """The policy in force; `data` holds points, thresholds, hours and measures."""

    version: int
    data: dict[str, Any]


class ListInForce(BaseModel):
    """The risk list in force, and when it was last confirmed to be the newest."""

    id: int
    source: str
    published_at: datetime
    confirmed_at: datetime | None


class ApprovalTerms(BaseModel):
    """What an approval asks at the barrier; what is absent is not asked. `days` are ISO weekdays, `hours` may pass midnight."""

    days: list[int] = []
    hours: list[str] | None = None
    checkpoints: list[str] = []
    test_hours: int | None = None
    covers: Literal["green", "yellow", "red"] = "green"
    binding: bool = False


class ApprovalOut(BaseModel):
    """One approval of a pass: its number and validity, the name of its terms, and what the server found broken of itself."""

    model_config = ConfigDict(populate_by_name=True)

    number: str
    since: datetime = Field(alias="from")
    until: datetime
    terms: str
    broken: list[Literal["route"]] = []


ApprovalsOut = dict[str, list[ApprovalOut]]  # named here: in the class below `list` is a field


class SnapshotOut(BaseModel):
    """What a verdict with no network needs. Parts that are absent from an answer to `since` are as they were.

    `areas`: county (6 digits) → level → first listed date. `revoked` and `raised`: pass serial (hex) → why, or the tier now; in
    an answer to `since` they are additions, and a tier replaces the one that was named before. `approvals`: pass serial (hex) → all of
    its approvals, replacing those named before, none where they have ended; `terms`: name → what an approval asks; names that were
    given before keep their meaning.
    """

    version: str
    since: str | None
    now: datetime
    site: SiteOut | None = None
    checkpoint: PostOut | None = None
    keys: list[PublicKey] | None = None
    document_key: str | None = None
    seal_key: PublicKey | None = None
    policy: PolicyOut | None = None
    list: ListInForce | None = None
    areas: dict[str, dict[Literal["high", "middle", "low"], date]] | None = None
    aliases: dict[str, str] | None = None
    counties: dict[str, str] | None = None
    revoked: dict[str, Literal["withdrawn", "replaced"]]
    raised: dict[str, Literal["green", "yellow", "red"]]
    approvals: ApprovalsOut
    terms: dict[str, ApprovalTerms]


class TokenOut(BaseModel):
    """The new token of a tablet."""

    token: str
