"""What each role may do, and the value that says who acts. Pure."""

import enum
import uuid
from dataclasses import dataclass, replace

from checkpoint.accounts.models import Role
from checkpoint.regions.models import code_range, contains


class Permission(enum.StrEnum):
    """One thing that somebody may do; every route names one, or is on the public list."""

    ALERTS_READ = "alerts.read"
    ALERTS_ACT = "alerts.act"
    PEOPLE_READ = "people.read"
    PEOPLE_UNMASK = "people.unmask"
    FOLLOWUPS_ACT = "followups.act"
    APPEALS_ANSWER = "appeals.answer"
    APPROVALS_ANSWER = "approvals.answer"
    APPROVALS_PAPER = "approvals.paper"
    COMPANIES_REVIEW = "companies.review"
    COMPANY_OWN = "company.own"
    INQUIRIES_REVIEW = "inquiries.review"
    INQUIRIES_JOINT = "inquiries.joint"
    ROSTERS_WRITE = "rosters.write"
    CHANNELS_OWN = "channels.own"
    CHANNELS_WRITE = "channels.write"
    WATCH_WRITE = "watch.write"
    RETENTION_HOLD = "retention.hold"
    SCANS_WRITE = "scans.write"
    GATE_SNAPSHOT = "gate.snapshot"
    COMMAND_READ = "command.read"
    STANDING_READ = "standing.read"
    COVERAGE_READ = "coverage.read"
    LISTS_WRITE = "lists.write"
    USERS_WRITE = "users.write"
    DEVICES_WRITE = "devices.write"
    REGIONS_WRITE = "regions.write"
    PATROLS_READ = "patrols.read"
    PATROLS_WRITE = "patrols.write"
    AUDIT_READ = "audit.read"
    ACCOUNT_OWN = "account.own"
    ACCOUNT_SECURE = "account.secure"
    TOKENS_WRITE = "tokens.write"


_WORKER = frozenset(
    {
        Permission.ALERTS_READ,
        Permission.ALERTS_ACT,
        Permission.PEOPLE_READ,
        Permission.PEOPLE_UNMASK,
        Permission.FOLLOWUPS_ACT,
        Permission.APPEALS_ANSWER,
        Permission.APPROVALS_ANSWER,
        Permission.APPROVALS_PAPER,
        Permission.ROSTERS_WRITE,
        Permission.PATROLS_READ,
        Permission.COVERAGE_READ,
        Permission.CHANNELS_OWN,
        Permission.ACCOUNT_OWN,
        Permission.ACCOUNT_SECURE,
    }
)

PERMISSIONS: dict[str, frozenset[Permission]] = {
    Role.OFFICER: frozenset(
        {
            Permission.SCANS_WRITE,
            Permission.GATE_SNAPSHOT,
            Permission.APPROVALS_PAPER,
            Permission.ACCOUNT_OWN,
            Permission.ACCOUNT_SECURE,
        }
    ),
    Role.VILLAGE: _WORKER,
    Role.TOWN: _WORKER | {Permission.STANDING_READ, Permission.CHANNELS_WRITE, Permission.COMPANIES_REVIEW},
    Role.COMMAND: _WORKER
    | {
        Permission.COMMAND_READ,
        Permission.STANDING_READ,
        Permission.LISTS_WRITE,
        Permission.USERS_WRITE,
        Permission.TOKENS_WRITE,
        Permission.DEVICES_WRITE,
        Permission.REGIONS_WRITE,
        Permission.PATROLS_WRITE,
        Permission.CHANNELS_WRITE,
        Permission.WATCH_WRITE,
        Permission.RETENTION_HOLD,
        Permission.COMPANIES_REVIEW,
        Permission.INQUIRIES_REVIEW,
        Permission.INQUIRIES_JOINT,
    },
    Role.AUDITOR: frozenset(
        {
            Permission.AUDIT_READ,
            Permission.COMMAND_READ,
            Permission.STANDING_READ,
            Permission.COVERAGE_READ,
            Permission.PATROLS_READ,
            Permission.ACCOUNT_OWN,
            Permission.ACCOUNT_SECURE,
        }
    ),
    Role.COMPANY: frozenset(
        {Permission.COMPANY_OWN, Permission.CHANNELS_OWN, Permission.ACCOUNT_OWN, Permission.ACCOUNT_SECURE}
    ),
    Role.INTEGRATION: frozenset(
        {Permission.ALERTS_READ, Permission.ALERTS_ACT, Permission.PEOPLE_READ, Permission.COVERAGE_READ}
    ),
}

_DEVICE = frozenset({Permission.SCANS_WRITE, Permission.GATE_SNAPSHOT})

SITE_WIDE = frozenset(
    {
        Permission.COMMAND_READ,
        Permission.LISTS_WRITE,
        Permission.REGIONS_WRITE,
        Permission.WATCH_WRITE,
        Permission.INQUIRIES_REVIEW,
        Permission.INQUIRIES_JOINT,
        Permission.AUDIT_READ,
    }
)
"""What has no division of its own and touches the whole site: lists, policies, inquiries, other places, the audit trail."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a user, a device, an integration's token, a traveller by pass, or the system itself."""

    kind: str  # "user" | "device" | "token" | "traveller" | "system"
    id: uuid.UUID | None
    role: str | None
    division: str
    permissions: frozenset[Permission]
    checkpoint_id: uuid.UUID | None = None

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions

    def sees(self, division_code: str) -> bool:
        """Whether a division lies in the actor's jurisdiction (属地)."""
        return contains(self.division, division_code)

    @property
    def reach(self) -> tuple[str, str]:
        """The lowest and highest division code of the jurisdiction, both included."""
        return code_range(self.division)

    @property
    def key(self) -> str:
        """How the actor is written in events and decisions: `user:<uuid>`."""
        return f"{self.kind}:{self.id}" if self.id else self.kind


def actor_for(kind: str, id_: uuid.UUID, role: str, division: str) -> Actor:
    """The actor of a user or token with a role."""
    return Actor(kind, id_, role, division, PERMISSIONS.get(role, frozenset()))


def confined(actor: Actor, site: str) -> Actor:
    """The actor as they may act at a site: only whoever's jurisdiction holds the whole of it may do what is SITE_WIDE."""
    return actor if actor.sees(site) else replace(actor, permissions=actor.permissions - SITE_WIDE)


def device_actor(device_id: uuid.UUID, checkpoint_id: uuid.UUID, division: str) -> Actor:
    """The actor of an enrolled tablet."""
    return Actor("device", device_id, None, division, _DEVICE, checkpoint_id)


def system_actor(division: str) -> Actor:
    """The system itself: deadlines, feeds, the command line of the operator."""
    return Actor("system", None, None, division, frozenset(Permission))


def traveller_actor(registration_id: uuid.UUID, division: str) -> Actor:
    """Whoever holds the pass of a registration."""
    return Actor("traveller", registration_id, None, division, frozenset())
