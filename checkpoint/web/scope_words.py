"""What a bearer token may be allowed to do, in words. What only a person at a screen can do is not offered."""

from flask_babel.speaklater import LazyString

from checkpoint.accounts.permissions import Permission
from checkpoint.words import lazy

SCOPES: dict[Permission, LazyString] = {
    Permission.ALERTS_READ: lazy("Read alerts"),
    Permission.ALERTS_ACT: lazy("Acknowledge and resolve alerts"),
    Permission.PEOPLE_READ: lazy("Read people, masked"),
    Permission.PEOPLE_UNMASK: lazy("Open personal data"),
    Permission.FOLLOWUPS_ACT: lazy("Record follow-ups"),
    Permission.APPEALS_ANSWER: lazy("Answer appeals"),
    Permission.APPROVALS_ANSWER: lazy("Answer applications"),
    Permission.APPROVALS_PAPER: lazy("Enter paper applications"),
    Permission.COMPANIES_REVIEW: lazy("Review companies"),
    Permission.INQUIRIES_REVIEW: lazy("Review inquiry lists"),
    Permission.INQUIRIES_JOINT: lazy("Joint inquiries with other places"),
    Permission.ROSTERS_WRITE: lazy("Change the duty roster"),
    Permission.CHANNELS_WRITE: lazy("Change channels for messages"),
    Permission.WATCH_WRITE: lazy("Change watch rules"),
    Permission.SCANS_WRITE: lazy("Record scans"),
    Permission.GATE_SNAPSHOT: lazy("Read what a tablet needs"),
    Permission.COMMAND_READ: lazy("Read the city's figures"),
    Permission.LISTS_WRITE: lazy("Publish risk lists"),
    Permission.DEVICES_WRITE: lazy("Change checkpoints and tablets"),
    Permission.REGIONS_WRITE: lazy("Change place names"),
    Permission.PATROLS_READ: lazy("Read patrols"),
    Permission.PATROLS_WRITE: lazy("Change patrols"),
    Permission.AUDIT_READ: lazy("Read the audit trail"),
}
