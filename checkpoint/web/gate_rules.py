"""The sentences of a tablet that judges by itself: each rule, measure and age, in the language of the page."""

from flask_babel import gettext as _

from checkpoint.risk.wording import BREACHES, MEASURES, SYMPTOMS


def offline_words() -> dict[str, str]:
    """Words by the key that the scripts ask for; `{name}` marks what a script fills in."""
    return _rules() | _approvals() | _places() | _measures() | _honesty() | _differences()


def _rules() -> dict[str, str]:
    return {
        "rule.pass_unreadable": _("This code is not a pass of ours, or it is damaged"),
        "rule.pass_other_key": _("This pass was signed with a key we do not know"),
        "rule.pass_key_unknown": _(
            "This tablet does not know the key of this pass, and what it knows is old: the pass may be good"
        ),
        "rule.pass_forged": _("The signature of this pass is not ours"),
        "rule.pass_expired": _("This pass has expired"),
        "rule.pass_withdrawn": _("This pass was withdrawn"),
        "rule.pass_replaced": _("This pass was replaced by a newer one"),
        "rule.pass_unchecked": _("This browser cannot check signatures by itself: the pass could not be checked"),
        "rule.code_unchecked": _("Without a network this code could not be checked"),
        "rule.pass_tier": _("The pass itself says: {tier}"),
        "rule.tier_raised": _("Assessed anew since the pass was issued: {tier}"),
        "rule.list_missing": _("No risk list is in force"),
        "rule.list_stale": _("The risk list was confirmed {value} hours ago"),
        "rule.snapshot_missing": _("This tablet has not yet been told keys, lists and withdrawn passes"),
        "rule.snapshot_stale": _("Withdrawn passes and risk areas were last renewed {value} hours ago"),
        "rule.clock_skew.ahead": _("The clock of this tablet is {minutes} minutes ahead"),
        "rule.clock_skew.behind": _("The clock of this tablet is {minutes} minutes behind"),
        "rule.negative_test_valid": _("Negative test within the allowed time"),
        "rule.negative_test_missing": _("No negative test within the allowed time"),
        "rule.positive_test": _("A positive test on {value}"),
        "rule.symptoms": _("Symptoms declared: {value}"),
    } | {f"symptom.{name}": str(words) for name, words in SYMPTOMS.items()}


def _approvals() -> dict[str, str]:
    return {
        "rule.approval_granted": _("Approval {number} in force and kept"),
        "rule.approval_broken": _("Approval {number}: {why}"),
        "approval.validity": _("{first} to {last}"),
        "approval.test": _("negative test of at most {hours} hours"),
    } | {f"breach.{name}": str(words) for name, words in BREACHES.items()}


def _places() -> dict[str, str]:
    return {
        "rule.high_county": _("{place} has a high-risk area on the list since {value}"),
        "rule.middle_county": _("{place} has a medium-risk area on the list since {value}"),
        "rule.low_county": _("{place} has a low-risk area on the list since {value}"),
        "rule.other_province": _("Comes from another province: {place}"),
        "rule.places_truncated": _("Was in more places than the pass can hold: ask where else"),
        "rule.place_unresolved": _("A place could not be found in the official register"),
    }


def _measures() -> dict[str, str]:
    return {f"measure.{kind}": str(words) for kind, words in MEASURES.items()} | {
        "measure.day": _("{days} day"),
        "measure.days": _("{days} days"),
        "measure.within": _("first test within {hours} hours"),
        "measure.tests": _("tests on days {days}"),
        "measure.join": _("; "),
        "and": _(", "),
    }


def _honesty() -> dict[str, str]:
    return {
        "honest.list": _("Risk list: {age}"),
        "honest.list.none": _("No risk list"),
        "honest.snapshot": _("Withdrawals: {age}"),
        "honest.snapshot.none": _("Withdrawals: never loaded"),
        "honest.clock.right": _("Clock right"),
        "honest.clock.unknown": _("Clock not measured yet"),
        "honest.clock.ahead": _("Clock {minutes} min ahead"),
        "honest.clock.behind": _("Clock {minutes} min behind"),
        "honest.sent": _("All sent"),
        "honest.unsent": _("{count} to be sent"),
        "honest.refused": _("{count} to look at"),
        "age.now": _("just now"),
        "age.minutes": _("{count} min ago"),
        "age.hours": _("{count} h ago"),
        "age.days": _("{count} days ago"),
    }


def _differences() -> dict[str, str]:
    return {
        "verdict.offline": _("Verdict of this tablet alone, without the server"),
        "differs.same": _("Checked with the server meanwhile: the same verdict"),
        "differs.now": _("The server judges otherwise. This tablet alone had said: {shown}"),
        "log.nameless": _("Off line, without a name"),
        "person.offline": _("The name is not known without a network. Compare the document."),
        "conflict.line": _("{when}, {checkpoint}: {decision}"),
        "matter.differs": _("this tablet said {shown}, the server says {server}"),
        "matter.refused": _("{what} was not taken by the server: {cause}"),
        "matter.decision": _("The decision “{decision}”"),
        "matter.scan": _("A scan"),
        "matter.test": _("A test on the spot"),
        "matter.registration": _("A registration"),
        "matter.vehicle": _("A vehicle"),
        "matter.patrol": _("A patrol visit"),
        "matter.shift": _("A change of shift"),
        "matter.other": _("An entry"),
        "matter.conflict": _(
            "{name}: {decision} here. The same person was decided otherwise in another lane: {others}"
        ),
        "matter.seen": _("Seen"),
    }
