"""How what is known of people goes: one rule for each table that holds something of a person, or points to one. Pure.

A guard test finds every such table by itself and fails where it has no rule here, so that a new room says what becomes of its rows.
"""

import enum
from dataclasses import dataclass


class Fate(enum.StrEnum):
    """`trip`: goes with the trip that it belongs to. `own`: by its own clock. `parent`: with the row that it is a part of.

    `kept`: stays, because it belongs to somebody who works here, or names nobody.
    """

    TRIP = "trip"
    OWN = "own"
    PARENT = "parent"
    KEPT = "kept"


@dataclass(frozen=True, slots=True)
class Rule:
    """What becomes of a table's rows. `by` is the column that names the trip, the kind of the policy's `retention`, or the parent
    table; `why` says it in words where the fate alone does not."""

    fate: Fate
    by: str = ""
    why: str = ""


def _trip(column: str = "registration_id") -> Rule:
    return Rule(Fate.TRIP, column)


def _own(kind: str, why: str) -> Rule:
    return Rule(Fate.OWN, kind, why)


def _part_of(parent: str) -> Rule:
    return Rule(Fate.PARENT, parent)


RULES: dict[str, Rule] = {
    # A trip, and what belongs to it; in the order in which it goes.
    "appeal": _trip(),
    "assessment_override": _trip(),
    "traveller_report": _trip(),
    "follow_up": _trip(),
    "withdrawal_finding": _trip(),
    "inquiry_hit": _trip(),
    "vehicle_passenger": _trip(),
    "test_result": _trip(),
    "stay": _trip(),
    "pass": _trip(),
    "registration_act": _trip(),
    "assessment": _trip(),
    "legal_hold": _trip(),
    "erasure_request": _trip(),
    "alert": _trip("subject_id"),
    "crossing": _trip(),
    "registration": _trip("id"),
    "traveller": Rule(
        Fate.TRIP, "id", "with the last trip; somebody who comes again loses only the trips that are over"
    ),
    "pair_verdict": Rule(Fate.TRIP, "person_hash", "with the last trip of everybody who has that document"),
    "crossing_decision": _part_of("crossing"),
    "spot_test": _part_of("crossing"),
    "alert_event": _part_of("alert"),
    "feed_entry": _part_of("alert"),
    "alert_receipt": _part_of("alert"),
    "delivery": _part_of("alert"),
    # By clocks of their own.
    "reassess_item": _own("changes", "when the work of its change is done; it holds a trip's number and two colours"),
    "carried_refusal": _own("barrier", "when its alert is answered"),
    "vehicle_crossing": _own("barrier", "when nobody's crossing belongs to it any more"),
    "approval": _own("approvals", "when it is refused, taken back, or over"),
    "approval_holder": _part_of("approval"),
    "approval_page": _part_of("approval"),
    "approval_step": _part_of("approval"),
    "company": _own("companies", "when it is refused or closed, and no application names it any more"),
    "company_step": _part_of("company"),
    "company_member": _own("companies", "when it is taken off the list"),
    "company_notice": _part_of("company_member"),
    "company_delivery": _part_of("company_notice"),
    "company_import": Rule(
        Fate.PARENT, "company", "and a day after the file was read, by `companies.members.forget_old`"
    ),
    "inquiry": _own("inquiries", "the case is forgotten, and whom it found; that there was an inquiry stays"),
    "joint_record": _own("joint", "when it is closed"),
    "joint_person": _part_of("joint_record"),
    "joint_step": _part_of("joint_record"),
    "joint_message": _part_of("joint_record"),
    "patrol_visit": _own("patrols", "note and photo are forgotten; that somebody was there stays"),
    "patrol_photo": _part_of("patrol_visit"),
    "people_shown": _own("alerts", "counts without persons; as long as an alert about them"),
    # What stays.
    "user_account": Rule(Fate.KEPT, why="somebody who works here; acts are told by their names"),
    "channel_target": Rule(
        Fate.KEPT, why="an address of somebody who works here; removed by its owner, or with the account"
    ),
    "coverage_count": Rule(Fate.KEPT, why="counts without persons, so that what was shown for a day can be checked"),
    "coverage_village": Rule(Fate.KEPT, why="counts without persons, by village"),
    "policy_draft": Rule(Fate.KEPT, why="rules, no persons; it goes when it is published or discarded"),
    "policy_impact": Rule(Fate.PARENT, "policy_draft"),
    "audit_entry": Rule(Fate.KEPT, why="ids and counts, which lead to nobody once the trip is gone"),
}
TRIP_TABLES = tuple(name for name, rule in RULES.items() if rule.fate is Fate.TRIP and rule.by == "registration_id")
"""Those whose rows name their trip as `registration_id`, in the order in which they go."""
