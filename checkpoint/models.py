"""Every table in one import, for migrations and tests."""

from checkpoint.accounts.models import ApiToken, Checkpoint, Device, User
from checkpoint.alerts.models import Alert, AlertEvent, AlertReceipt, DutyShift, FeedEntry
from checkpoint.appeals.models import Appeal
from checkpoint.audit.models import AuditEntry, Heartbeat
from checkpoint.channels.models import ChannelCursor, ChannelTarget, Delivery
from checkpoint.crossings.lane_models import Shift, SpotTest, VehicleCrossing, VehiclePassenger
from checkpoint.crossings.models import Crossing, CrossingDecision
from checkpoint.followups.models import FollowUp, TravellerReport
from checkpoint.inquiries.models import Inquiry, InquiryChunk, InquiryHit, PairVerdict
from checkpoint.patrols.models import (
    PatrolPhoto,
    PatrolPoint,
    PatrolRound,
    PatrolRoute,
    PatrolSlot,
    PatrolStop,
    PatrolTask,
    PatrolVisit,
)
from checkpoint.regions.models import Division, DivisionAlias
from checkpoint.registrations.carried_models import CarriedRefusal
from checkpoint.registrations.models import Pass, Registration, RegistrationAct, Stay, TestResult, Traveller
from checkpoint.registrations.overrides import AssessmentOverride
from checkpoint.risk.models import Assessment, Policy, RiskArea, RiskList, RiskListEntry, RiskListing, RiskState
from checkpoint.surveillance.models import (
    ListImpact,
    ReassessBatch,
    ReassessItem,
    ReassessJob,
    RiskFeed,
    WithdrawalFinding,
)
from checkpoint.watch.models import WatchRule

__all__ = [
    "Alert",
    "AlertEvent",
    "AlertReceipt",
    "ApiToken",
    "Appeal",
    "Assessment",
    "AssessmentOverride",
    "AuditEntry",
    "CarriedRefusal",
    "ChannelCursor",
    "ChannelTarget",
    "Checkpoint",
    "Crossing",
    "CrossingDecision",
    "Delivery",
    "Device",
    "Division",
    "DivisionAlias",
    "DutyShift",
    "FeedEntry",
    "FollowUp",
    "Heartbeat",
    "Inquiry",
    "InquiryChunk",
    "InquiryHit",
    "ListImpact",
    "PairVerdict",
    "Pass",
    "PatrolPhoto",
    "PatrolPoint",
    "PatrolRound",
    "PatrolRoute",
    "PatrolSlot",
    "PatrolStop",
    "PatrolTask",
    "PatrolVisit",
    "Policy",
    "ReassessBatch",
    "ReassessItem",
    "ReassessJob",
    "Registration",
    "RegistrationAct",
    "RiskArea",
    "RiskFeed",
    "RiskList",
    "RiskListEntry",
    "RiskListing",
    "RiskState",
    "Shift",
    "SpotTest",
    "Stay",
    "TestResult",
    "Traveller",
    "TravellerReport",
    "User",
    "VehicleCrossing",
    "VehiclePassenger",
    "WatchRule",
    "WithdrawalFinding",
]
