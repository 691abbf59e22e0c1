"""Every table in one import, for migrations and tests."""

from checkpoint.accounts.models import (
    ApiToken,
    Checkpoint,
    Device,
    Invitation,
    RecoveryCode,
    User,
    UserSession,
    UserTotp,
)
from checkpoint.alerts.models import Alert, AlertEvent, AlertReceipt, DutyShift, FeedEntry
from checkpoint.appeals.models import Appeal
from checkpoint.approvals.models import Approval, ApprovalHolder, ApprovalPage, ApprovalStep
from checkpoint.audit.models import AuditEntry, AuditLink, AuditSeal, Heartbeat
from checkpoint.channels.models import ChannelCursor, ChannelTarget, Delivery
from checkpoint.companies.models import (
    Company,
    CompanyDelivery,
    CompanyImport,
    CompanyLook,
    CompanyMember,
    CompanyNotice,
    CompanyStep,
)
from checkpoint.coverage.models import CoverageCount, CoverageVillage
from checkpoint.crossings.lane_models import Shift, SpotTest, VehicleCrossing, VehiclePassenger
from checkpoint.crossings.models import Crossing, CrossingDecision
from checkpoint.disclosure.models import PeopleShown
from checkpoint.followups.models import FollowUp, TravellerReport
from checkpoint.inquiries.models import Inquiry, InquiryChunk, InquiryHit, PairVerdict
from checkpoint.joint.models import (
    JointMessage,
    JointPerson,
    JointRecord,
    JointStep,
    JointTaken,
    Peer,
    PeerNonce,
    PeerRefusal,
)
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
from checkpoint.retention.models import DayCount, ErasureRequest, LegalHold, PurgeRun
from checkpoint.risk.models import (
    Assessment,
    Policy,
    PolicyDraft,
    RiskArea,
    RiskList,
    RiskListEntry,
    RiskListing,
    RiskState,
)
from checkpoint.standing.models import ReportDelivery, ReportRound
from checkpoint.surveillance.models import (
    ListImpact,
    PolicyImpact,
    ReassessBatch,
    ReassessItem,
    ReassessJob,
    RiskFeed,
    WithdrawalFinding,
)
from checkpoint.upkeep.models import SealingSweep
from checkpoint.watch.models import WatchRule

__all__ = [
    "Alert",
    "AlertEvent",
    "AlertReceipt",
    "ApiToken",
    "Appeal",
    "Approval",
    "ApprovalHolder",
    "ApprovalPage",
    "ApprovalStep",
    "Assessment",
    "AssessmentOverride",
    "AuditEntry",
    "AuditLink",
    "AuditSeal",
    "CarriedRefusal",
    "ChannelCursor",
    "ChannelTarget",
    "Checkpoint",
    "Company",
    "CompanyDelivery",
    "CompanyImport",
    "CompanyLook",
    "CompanyMember",
    "CompanyNotice",
    "CompanyStep",
    "CoverageCount",
    "CoverageVillage",
    "Crossing",
    "CrossingDecision",
    "DayCount",
    "Delivery",
    "Device",
    "Division",
    "DivisionAlias",
    "DutyShift",
    "ErasureRequest",
    "FeedEntry",
    "FollowUp",
    "Heartbeat",
    "Inquiry",
    "InquiryChunk",
    "InquiryHit",
    "Invitation",
    "JointMessage",
    "JointPerson",
    "JointRecord",
    "JointStep",
    "JointTaken",
    "LegalHold",
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
    "Peer",
    "PeerNonce",
    "PeerRefusal",
    "PeopleShown",
    "Policy",
    "PolicyDraft",
    "PolicyImpact",
    "PurgeRun",
    "ReassessBatch",
    "ReassessItem",
    "ReassessJob",
    "RecoveryCode",
    "Registration",
    "RegistrationAct",
    "ReportDelivery",
    "ReportRound",
    "RiskArea",
    "RiskFeed",
    "RiskList",
    "RiskListEntry",
    "RiskListing",
    "RiskState",
    "SealingSweep",
    "Shift",
    "SpotTest",
    "Stay",
    "TestResult",
    "Traveller",
    "TravellerReport",
    "User",
    "UserSession",
    "UserTotp",
    "VehicleCrossing",
    "VehiclePassenger",
    "WatchRule",
    "WithdrawalFinding",
]
